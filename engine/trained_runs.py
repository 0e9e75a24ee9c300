"""Training runs by name: `NAME` is the newest checkpoint of a run, `NAME@STEP` that of one step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine import folders
from engine.errors import FileError, ModelError
from engine.runs import RunFolder, list_runs


@dataclass(frozen=True)
class TrainedRuns:
    """Those of some trainers; `what` they make is for messages."""

    tasks: tuple[str, ...]
    what: str

    def has(self, run: RunFolder) -> bool:
        """Whether the run is one of them."""
        try:
            return run.exists and run.description().get("task") in self.tasks
        except FileError:  # the list of runs tells of it
            return False

    def names(self) -> list[str]:
        """Those that have a checkpoint, the newest first."""
        runs = list_runs(folders.runs())
        return [run.path.name for run in runs if self.has(run) and run.checkpoints()]

    def find(self, name: str) -> tuple[int, Path] | None:
        """Step and folder of the checkpoint that `name` means; None where it is no run's name.

        Raises ModelError for a checkpoint that is not there.
        """
        before, _, after = name.rpartition("@")
        for candidate, step in ((name, ""), (before, after)):
            run = RunFolder(folders.runs() / candidate)
            if not candidate or Path(candidate).name != candidate or not self.has(run):
                continue
            found = [each for each in run.checkpoints() if step in ("", str(each[0]))]
            if not found:
                raise ModelError(
                    f"{run.path} has no complete checkpoint{f' of step {step}' if step else ''}.",
                    f"Train it longer, or choose another {self.what}.",
                )
            return found[-1]
        return None
