"""Running the tasks that draw, and looking at what they report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.drawing_task import DrawingTask
from engine.events import Event, Progress, Saved

STEPS = 3

Pixels = NDArray[np.uint8]


def run(task: DrawingTask, out: Path) -> list[Event]:
    events: list[Event] = []
    task.run(events.append, out)
    return events


def of_kind(events: list[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def images(events: list[Event]) -> list[Image.Image]:
    """The saved pictures, as they are in their files."""
    found = []
    for event in of_kind(events, Saved):
        with Image.open(event.path) as image:
            image.load()
            found.append(image)
    return found


def image(events: list[Event]) -> Image.Image:
    (only,) = images(events)
    return only


def pixels(events: list[Event]) -> list[bytes]:
    return [image.convert("RGB").tobytes() for image in images(events)]


def drawing_steps(events: list[Event]) -> list[Progress]:
    """The progress of the drawing itself."""
    return [p for p in of_kind(events, Progress) if p.stage.startswith(("drawing", "finishing"))]


def colorful(size: tuple[int, int], mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Noise: a picture of which no two pixels are alike."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], len(mode)))
    return Image.fromarray(values.astype(np.uint8))


def saved(image: Image.Image, folder: Path, name: str = "picture.png") -> str:
    image.save(folder / name)
    return str(folder / name)
