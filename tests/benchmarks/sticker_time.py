"""What a sticker costs, cold and warm, against plain diffusers with the same model and settings.

    python tests/benchmarks/sticker_time.py [--runs 5]

Cold is a whole process, from the command to the written file; warm is the next sticker in a process
that has drawn one. One thread; the two take turns in one run. Read the ratio, and CPU seconds
rather than wall where the machine is busy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WARM = 3  # stickers after the first

STUDIO_COLD = [sys.executable, "-m", "engine", "text_to_image", "--prompt", "red heart"]

# The same work by hand: dtype as the processor likes it, no T5 and none of its empty tokens.
PLAIN = """
import sys, time
from pathlib import Path
import torch
from diffusers import DiffusionPipeline
torch.set_num_threads(1)
abilities = torch.cpu.get_capabilities()
native = abilities.get("amx_bf16") or abilities.get("avx512_bf16")
pipe = DiffusionPipeline.from_pretrained(
    "resources/models/stickers",
    torch_dtype=torch.bfloat16 if native else torch.float32,
    text_encoder_3=None,
    tokenizer_3=None,
)
pipe.set_progress_bar_config(disable=True)
def draw(number):
    image = pipe(
        "red heart", num_inference_steps=20, guidance_scale=3.0, max_sequence_length=0,
        generator=torch.Generator().manual_seed(number),
    ).images[0]
    image.save(Path(sys.argv[1]) / f"{number}.png")
"""

STUDIO = """
import sys, time
from pathlib import Path
from engine import device
device.prepare_environment()
from engine.generators.text_to_image import TextToImage
def draw(number):
    TextToImage(prompt="red heart", seed=number).run(lambda event: None, Path(sys.argv[1]))
"""

REPEAT = f"""
draw(0)
for number in range(1, {WARM + 1}):
    wall, cpu = time.perf_counter(), time.process_time()
    draw(number)
    print(time.process_time() - cpu, time.perf_counter() - wall)
"""


@dataclass(frozen=True)
class Cost:
    cpu: float
    wall: float


def run(command: list[str]) -> tuple[Cost, str]:
    """The cost of the whole process, and what it printed."""
    environment = {**os.environ, "ATELIER_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    environment |= {"TRANSFORMERS_VERBOSITY": "error", "DIFFUSERS_VERBOSITY": "error"}
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system
    return Cost(cpu - before.children_user - before.children_system, wall), done.stdout


def cold(studio: bool, out: str) -> Cost:
    command = (
        [*STUDIO_COLD, "--out", out] if studio else [sys.executable, "-c", f"{PLAIN}draw(0)", out]
    )
    cost, _ = run(command)
    assert list(Path(out).glob("*.png"))
    return cost


def warm(studio: bool, out: str) -> Cost:
    """The cheapest of a few, so that a hiccup of the machine does not count."""
    _, printed = run([sys.executable, "-c", (STUDIO if studio else PLAIN) + REPEAT, out])
    return min(
        (Cost(*map(float, line.split())) for line in printed.splitlines()), key=lambda c: c.cpu
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{'seconds a sticker':24}{'studio':>18}{'diffusers':>18}{'ratio':>8}")
    print(f"{'':24}{'least':>9}{'median':>9}{'least':>9}{'median':>9}{'median':>8}")
    for name, measure in (("cold", cold), ("warm", warm)):
        pairs = []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
                pairs.append((measure(True, ours), measure(False, theirs)))
        for unit in ("cpu", "wall"):
            numbers = [(getattr(a, unit), getattr(b, unit)) for a, b in pairs]
            columns = [
                f(side) for side in zip(*numbers, strict=True) for f in (min, statistics.median)
            ]
            ratio = statistics.median(a / b for a, b in numbers)
            cells = "".join(f"{seconds:9.2f}" for seconds in columns)
            print(f"{f'{name}, {unit}':24}{cells}{ratio:8.2f}", flush=True)


if __name__ == "__main__":
    main()
