"""How smooth a morph of ten seconds is, and what an independent reader finds in its file.

    python -m tests.benchmarks.morph

The difference between each two frames that were drawn, as the largest in units of their mean: 1
would be perfectly even. Beside it the same number of drawings at even distances on the way.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
from pathlib import Path

import av
import numpy as np
from PIL import Image

from engine import device
from engine.events import Event, FilmFrame, Saved
from engine.frame_places import FrameShelf
from engine.generators.morph import Morph
from engine.generators.text_to_image import TextToImage
from engine.morphing import Transition

PROMPTS = ("a red apple", "a yellow banana", "a blue fish", "a green tree")
STEPS = 8


def largest_step(images: list[Image.Image]) -> float:
    """The largest difference between neighbours, in units of their mean."""
    seen = [np.asarray(image.convert("RGB").resize((64, 64)), np.float32) for image in images]
    steps = [float(np.sqrt(np.mean((a - b) ** 2))) for a, b in itertools.pairwise(seen)]
    return max(steps) / statistics.mean(steps)


def evenly(task: Morph) -> list[Image.Image]:
    """As many drawings at even distances."""
    drawings = [
        TextToImage(prompt=prompt, seed=task.seed, num_inference_steps=STEPS) for prompt in PROMPTS
    ]
    ring, images = [*drawings, drawings[0]], []
    for before, after in itertools.pairwise(ring):
        way = Transition(before, after, ignore)
        between = task.between() + 1
        images += [way.draw(place / between, ignore) for place in range(between)]
    return [*images, images[0]]


def ignore(event: Event) -> None:
    pass


def main() -> None:
    task = Morph(
        prompts="\n".join(PROMPTS),
        seconds=2.5,
        fps=24,
        blended=3,
        num_inference_steps=STEPS,
        seed=1,
    )
    shelf, files = FrameShelf(), []

    def hear(event: Event) -> None:
        if isinstance(event, FilmFrame):
            shelf.put(event.place, event.image)
        elif isinstance(event, Saved):
            files.append(event.path)

    with tempfile.TemporaryDirectory() as folder:
        task.run(hear, Path(folder))
        with av.open(str(files[-1])) as film:
            (stream,) = film.streams.video
            frames = [frame.to_image() for frame in film.decode(stream)]
            codec, rate = stream.codec_context.name, stream.average_rate
            print(f"{codec}, {len(frames)} frames, {float(len(frames) / rate):.1f} s")
        print(f"size {files[-1].stat().st_size / 1000:.0f} kB")
    drawn = [shelf.frame(number) for number in range(len(shelf))]
    print(f"largest step of {len(drawn)} drawings: {largest_step(drawn):.1f} × their mean")
    print(f"at even distances: {largest_step(evenly(task)):.1f} ×")
    print(f"largest step of the film's frames: {largest_step(frames):.1f} ×")


if __name__ == "__main__":
    device.prepare_environment()
    device.configure_threads()
    main()
