"""How long a sticker takes, warm and from a cold start: CPU time, so that others do not count."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine.device import threads
from engine.events import Event, Preview
from engine.generators.text_to_image import TextToImage
from tests.benchmarks.sticker_quality.naming import Figures

PROMPT = "red heart"
TIMES = 7


def speed(model: str) -> Figures:
    """Seconds of CPU time of one sticker at the defaults of text_to_image."""
    previews = 0

    def count(event: Event) -> None:
        nonlocal previews
        previews += isinstance(event, Preview)

    with tempfile.TemporaryDirectory() as folder:
        task = TextToImage(prompt=PROMPT, model=model, seed=1)
        task.run(count, Path(folder))  # warms up
        previews = 0
        taken = []
        for _ in range(TIMES):
            began = time.process_time()
            task.run(count, Path(folder))
            taken.append(time.process_time() - began)
        cold = _cold(model, folder)
    return {
        "warm_cpu_seconds": statistics.median(taken),
        "cold_cpu_seconds": cold,
        "previews_of_a_picture": previews / TIMES,
        "steps": task.num_inference_steps,
        "threads": threads(),
    }


def _cold(model: str, folder: str) -> float:
    """A new interpreter that loads everything and draws one sticker."""
    command = [sys.executable, "-m", "engine", "text_to_image", "--prompt", PROMPT]
    before = _of_children()
    subprocess.run(
        [*command, "--model", model, "--out", folder], check=True, stdout=subprocess.DEVNULL
    )
    return _of_children() - before


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
