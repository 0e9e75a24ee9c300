"""Rolls a run back to one of its checkpoints. Nothing is lost: what lies after it is set aside.

abandoned/after-step-500/     the metrics, samples and checkpoints of the steps after 500
abandoned/after-step-500-2/   of another time
"""

from __future__ import annotations

from pathlib import Path

from engine import checkpoints, files
from engine.errors import FileError
from engine.runs import RunFolder


def set_aside_after(run: RunFolder, step: int) -> Path | None:
    """Move what lies after the checkpoint of `step` into `abandoned`; returns where, if anything.

    A kill in between loses nothing: the checkpoints go first, newest first, and a run always goes
    on from the newest that is left. Raises FileError, before anything is moved if there is no whole
    checkpoint of that step.
    """
    check(run, step)
    later = _later(run, step)
    lines = _lines_after(run, step)
    if not later and not lines:
        return None
    room = files.new_path(run.path / "abandoned", f"after-step-{step}", "")
    files.write_text(room / "metrics.jsonl", "".join(f"{line}\n" for line in lines))
    for path in later:
        files.move(path, room / path.parent.name / path.name)
    run.drop_metrics_after(step)
    return room


def check(run: RunFolder, step: int) -> None:
    """Raises FileError when `run` has no whole checkpoint of `step`."""
    steps = [number for number, _ in run.checkpoints()]
    if step not in steps:
        known = ", ".join(map(str, steps))
        raise FileError(
            f"{run.path} has no checkpoint of step {step}.",
            f"Choose one of {known}." if known else "Save a checkpoint first.",
        )
    checkpoints.verify(run.checkpoint_path(step))


def _later(run: RunFolder, step: int) -> list[Path]:
    """Checkpoints, newest first, damaged ones as well; then samples."""
    found = (run.path / "checkpoints").glob("step-*")
    numbered = {p: p.name.removeprefix("step-") for p in found}
    after = [(int(n), p) for p, n in numbered.items() if n.isdecimal() and int(n) > step]
    samples = [path for number, path in run.samples() if number > step]
    return [path for _, path in sorted(after, reverse=True)] + samples


def _lines_after(run: RunFolder, step: int) -> list[str]:
    return [text for text, line in run.metric_texts() if line.step > step]
