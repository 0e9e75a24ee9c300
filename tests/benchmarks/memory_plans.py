"""What drawing is said to take against what it takes, by each memory plan, and what each costs.

    python -m tests.benchmarks.memory_plans [MODEL [SIZE [PLAN …]]]

Each in a process of its own, which draws one picture of 4 steps with guidance; the figure is the
growth of its resident memory from before loading to the most of it. The difference in the picture
is the PSNR against the one drawn as it is. Attention slicing, which is no plan, stands below them.
Without a model: the embedded one.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine import device, library
from engine.events import Event, Saved
from engine.memory_plans import AS_IT_IS, PLANS

MEASURE = "--measure"
SLICED = "attention slicing"
STEPS = 4


def ignore(event: Event) -> None:
    pass


def measure(model: str, size: int, plan: str, out: Path) -> None:
    """Print what is said, what is taken, the seconds of a second picture, and its file."""
    from engine import fitting, measured_memory, pipelines
    from engine.gate.model_folder import check_pipeline
    from engine.generators.text_to_image import TextToImage
    from engine.registry import task_class

    assert issubclass(task_class("text_to_image"), TextToImage)
    path = library.find(model)
    name = AS_IT_IS if plan == SLICED else plan
    if plan == SLICED:
        pipelines.load_text_to_image(path, ignore).pipe.enable_attention_slicing(1)
    task = TextToImage(
        prompt="red heart",
        model=str(path),
        seed=1,
        num_inference_steps=STEPS,
        width=size,
        height=size,
        memory_plan=name,
    )
    saved: list[Event] = []
    task.run(saved.append, out)
    folder = check_pipeline(path)
    key = measured_memory.key_of(folder.fingerprint, name, (size, size), device.best_device())
    plans = fitting.plans_of(folder, (size, size), False)
    began = time.process_time()
    task.run(ignore, out)
    print(
        json.dumps(
            {
                "said": fitting.wanted(plans, name).estimated,
                "taken": measured_memory.taken_before(key),
                "seconds": time.process_time() - began,
                "file": str(next(event.path for event in saved if isinstance(event, Saved))),
            }
        )
    )


def psnr(one: Path, other: Path) -> float:
    """In decibels; infinite where they are the same."""
    import numpy as np
    from PIL import Image

    pixels = [np.asarray(Image.open(path).convert("RGB"), dtype=float) for path in (one, other)]
    error = float(np.mean((pixels[0] - pixels[1]) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf


def main() -> None:
    model = sys.argv[1] if sys.argv[1:] else library.EMBEDDED_IMAGE_MODEL
    size = sys.argv[2] if sys.argv[2:] else "128"
    print(f"{size + ' × ' + size:29}{'said':>9}{'taken':>9}{'ratio':>8}{'CPU s':>8}{'PSNR':>8}")
    with tempfile.TemporaryDirectory() as out:
        first: Path | None = None
        for plan in sys.argv[3:] or (*PLANS, SLICED):
            command = [sys.executable, "-m", "tests.benchmarks.memory_plans", MEASURE]
            command += [model, size, plan, out]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            row: dict[str, Any] = json.loads(told.splitlines()[-1])
            drawn = Path(row["file"])
            first = first or drawn
            print(
                f"{plan:29}{row['said'] / 1e6:6.0f} MB{row['taken'] / 1e6:6.0f} MB"
                f"{row['said'] / row['taken']:8.2f}{row['seconds']:8.2f}{psnr(drawn, first):8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    device.prepare_environment()
    device.configure_threads()
    if sys.argv[1:2] == [MEASURE]:
        measure(sys.argv[2], int(sys.argv[3]), sys.argv[4], Path(sys.argv[5]))
    else:
        main()
