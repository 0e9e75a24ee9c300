"""LoRAs that were trained here, or are being trained now: a checkpoint's file is one."""

from __future__ import annotations

from pathlib import Path

from engine.trained_runs import TrainedRuns

FILE = "lora.safetensors"
RUNS = TrainedRuns(("train_lora",), "LoRA")


def find(name: str) -> Path | None:
    """The file that `NAME` or `NAME@STEP` means; None where it is no run's name.

    Raises ModelError for a checkpoint that is not there.
    """
    found = RUNS.find(name)
    return found[1] / FILE if found else None


def pinned(name: str) -> str:
    """`name` with the step of the checkpoint it stands for now; other LoRAs' names as they are."""
    found = RUNS.find(name)
    return f"{name.removesuffix(f'@{found[0]}')}@{found[0]}" if found else name
