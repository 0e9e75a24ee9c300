"""Begins a new run from a checkpoint of another: the same past, another future."""

from __future__ import annotations

from pathlib import Path

from engine import abandoning, checkpoints, copies, files
from engine.errors import FileError
from engine.metrics_log import MetricLine
from engine.runs import RunFolder
from engine.training_state import LIVE


def branch(source: RunFolder, step: int, out: Path) -> RunFolder:
    """Make `out` a run that stands where `source` stood at the checkpoint of `step`.

    It holds the metrics and samples up to there, and goes on by resume; without a change it learns
    what `source` learned, bit for bit. run.json says where it comes from. `out` is there as a whole
    or not at all. Raises FileError.
    """
    abandoning.check(source, step)
    if RunFolder(out).exists:
        raise FileError(f"{out} already holds a training run.", "Choose another folder.")
    description = source.description()
    description["created"] = files.timestamp()
    description["branched_from"] = {"run": source.path.name, "step": step}
    with copies.new_folder(out) as room:
        run = RunFolder(room)
        copies.copy_folder(source.checkpoint_path(step), run.checkpoint_path(step))
        for number, path in source.samples():
            if number <= step:
                copies.copy(path, room / "samples" / path.name)
        past = [text for text, line in source.metric_texts() if _is_past(line, step)]
        files.write_text(run.metrics_path, "".join(f"{text}\n" for text in past))
        live = checkpoints.values(run.checkpoint_path(step), LIVE)
        run.log_event(step, f"branched from {source.path.name}", {"set": live} if live else None)
        run.beat("stopped", step)
        run.create(description)
    return RunFolder(out)


def _is_past(line: MetricLine, step: int) -> bool:
    """What was measured up to there; what happened at that very step may be its later end."""
    return line.step < step or (line.step == step and not line.event)
