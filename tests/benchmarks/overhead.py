"""What our tasks cost beside a plain diffusers script that does the same: goal at most 1.03.

    python -m tests.benchmarks.overhead [--runs 15] [--steps 20]

Both are warm, in one process, with one thread, and take turns; each reads its pictures from files
and writes a PNG. They share the weights in memory, for where a copy of them lies makes 2 % by
itself. Ours shows a preview at every step, keeps a record and writes atomically besides.
The ratio is the median over the pairs; read CPU seconds where the machine is busy.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("ATELIER_THREADS", "1")

from PIL import Image, ImageDraw

from engine import device, folders, library
from engine.task import Task

device.prepare_environment()


MODEL = folders.RESOURCES / "models" / library.EMBEDDED_IMAGE_MODEL
PROMPT, GUIDANCE, STRENGTH = "red heart", 3.0, 0.6
PIPELINES = {
    "text_to_image": "StableDiffusion3Pipeline",
    "image_to_image": "StableDiffusion3Img2ImgPipeline",
    "inpaint": "StableDiffusion3InpaintPipeline",
}


def write_inputs(folder: Path) -> None:
    picture = Image.new("RGB", (128, 128), "white")
    ImageDraw.Draw(picture).ellipse((16, 16, 112, 112), fill=(220, 40, 60))
    picture.save(folder / "picture.png")
    mask = Image.new("L", (128, 128))
    ImageDraw.Draw(mask).rectangle((40, 40, 88, 88), fill=255)
    mask.save(folder / "mask.png")


def ours(name: str, folder: Path, steps: int) -> Callable[[int], None]:
    from engine.registry import task_class

    values: dict[str, Any] = {"prompt": PROMPT, "num_inference_steps": steps}
    if name != "text_to_image":
        values |= {"image": str(folder / "picture.png")}
    if name == "image_to_image":
        values |= {"strength": STRENGTH}
    if name == "inpaint":
        values |= {"mask": str(folder / "mask.png")}

    def draw(seed: int) -> None:
        task: Task = task_class(name).from_dict({**values, "seed": seed})
        task.run(lambda event: None, folder / "ours")

    return draw


def plain(name: str, folder: Path, steps: int) -> Callable[[int], None]:
    import diffusers
    import torch

    from engine.pipelines import load_text_to_image

    loaded = load_text_to_image(MODEL, lambda event: None)
    parts = {**loaded.pipe.components, "scheduler": copy.deepcopy(loaded.own_scheduler)}
    pipe = getattr(diffusers, PIPELINES[name])(**parts)
    pipe.set_progress_bar_config(disable=True)

    def draw(seed: int) -> None:
        arguments: dict[str, Any] = {"width": 128, "height": 128}
        if name != "text_to_image":
            picture = Image.open(folder / "picture.png").convert("RGB")
            arguments |= {"image": picture, "strength": STRENGTH}
        if name == "inpaint":
            mask = Image.open(folder / "mask.png").convert("L")
            arguments |= {"mask_image": mask, "strength": 1.0}
        image = pipe(
            PROMPT,
            num_inference_steps=steps,
            guidance_scale=GUIDANCE,
            max_sequence_length=0,
            generator=torch.Generator().manual_seed(seed),
            **arguments,
        ).images[0]
        if name == "inpaint":
            image = Image.composite(image, picture, mask)
        image.save(folder / "plain" / f"{name}-{seed}.png")

    return draw


def seconds(draw: Callable[[int], None], seed: int) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    draw(seed)
    return time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    print(f"{'medians in seconds':24}{'studio':>10}{'diffusers':>12}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plain").mkdir()
        write_inputs(folder)
        for task in PIPELINES:
            measure(task, folder, asked.runs, asked.steps)


def measure(task: str, folder: Path, runs: int, steps: int) -> None:
    both = ours(task, folder, steps), plain(task, folder, steps)
    for draw in both:
        draw(0)
    pairs = []
    for seed in range(1, runs + 1):
        first, second = both if seed % 2 else both[::-1]
        measured = seconds(first, seed), seconds(second, seed)
        pairs.append(measured if seed % 2 else measured[::-1])
    for unit, kind in enumerate(("CPU", "wall")):
        studio, diffusers = zip(*((a[unit], b[unit]) for a, b in pairs), strict=True)
        ratio = statistics.median(a / b for a, b in zip(studio, diffusers, strict=True))
        row = f"{statistics.median(studio):10.3f}{statistics.median(diffusers):12.3f}{ratio:8.3f}"
        print(f"{f'{task}, {kind}':24}{row}", flush=True)


if __name__ == "__main__":
    main()
