"""What run.json and the metrics tell of a run, checked: it may come from another machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from engine import registry
from engine.errors import EngineError
from engine.run_programs.steering import Steering, steering
from engine.runs import MetricsTail, RunFolder
from engine.training import TrainingTask


@dataclass(frozen=True)
class RecordedRun:
    """A run as a program needs to know it. Every value can stand in a program."""

    folder: Path
    task: TrainingTask
    """As it began, but to be gone on with: what an older run does not say is as it was then."""
    steering: Steering
    torch: str
    threads: int
    processes: int
    device: str
    precision: str
    architecture: str
    model: dict[str, Any]
    """What run.json says of the networks, unchecked: read it with `number`."""
    sha256: str
    """Of the images that were loaded."""
    labels_sha256: str
    """Of the classes of the images, where they are learned."""
    held_out: int
    augmented: bool
    """Whether a discriminator saw the images changed at random."""
    base_sha256: str
    """Of the file of weights that it began with; empty where it began with none, or several."""

    @property
    def name(self) -> str:
        return self.folder.name

    def number(self, name: str) -> int:
        """A count of `model`; raises EngineError when it is none."""
        return _count(self.model.get(name), self.name)

    def words(self, name: str) -> tuple[str, ...]:
        """A list of names in `model`; raises EngineError when it is none."""
        value = self.model.get(name)
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise _too_little(self.name)
        return tuple(value)


def recorded(run: RunFolder) -> RecordedRun:
    """Raises EngineError for what cannot be repeated from run.json, and says why."""
    told = run.description()
    dataset, model = told.get("dataset"), told.get("model")
    versions, fields = told.get("versions"), told.get("fields")
    if not all(isinstance(part, dict) for part in (dataset, model, versions, fields)):
        raise _too_little(run.path.name)
    assert isinstance(dataset, dict) and isinstance(model, dict)
    assert isinstance(versions, dict) and isinstance(fields, dict)
    sha256, device = str(dataset.get("sha256", "")), str(told.get("device", "cpu"))
    labels_sha256 = str(dataset.get("labels_sha256", ""))
    if not re.fullmatch("[0-9a-f]{64}", sha256) or not re.fullmatch(r"\w+(:\d+)?", device):
        raise _too_little(run.path.name)
    task, parts = _began(told, fields), _parts(told.get("parts", []), run.path.name)
    return RecordedRun(
        folder=run.path,
        task=task,
        steering=steering(MetricsTail(run).read()[0], task, parts),
        torch=str(versions.get("torch", "")),
        threads=_count(told.get("threads", 1), run.path.name),
        processes=_count(told.get("processes", 1), run.path.name),
        device=device,
        precision="bfloat16" if told.get("precision") == "bfloat16" else "float32",
        architecture=str(model.get("model", "")),
        model=model,
        sha256=sha256,
        labels_sha256=labels_sha256,
        held_out=_count(dataset.get("held_out", 0), run.path.name),
        augmented=told.get("augmented") is True,
        base_sha256=_base(told.get("base")),
    )


def _base(told: Any) -> str:
    digests = told.get("sha256") if isinstance(told, dict) else None
    found = [*digests.values()] if isinstance(digests, dict) else []
    digest = str(found[0]) if len(found) == 1 else ""
    return digest if re.fullmatch("[0-9a-f]{64}", digest) else ""


def _began(told: Mapping[str, Any], fields: Mapping[str, Any]) -> TrainingTask:
    """The task as it was when the run began: it may have been given more steps since."""
    steps = told.get("first_max_steps", fields.get("max_steps"))
    known = fields if steps is None else {**fields, "max_steps": steps}
    trainer = registry.task_class(str(told.get("task", "")))
    return cast(TrainingTask, trainer.from_dict({**known, "resume": True}))


def _parts(told: Any, run: str) -> tuple[str, ...]:
    """Of the learner, which can step alone."""
    if not isinstance(told, list) or not all(isinstance(part, str) for part in told):
        raise _too_little(run)
    return tuple(told)


def _count(value: Any, run: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise _too_little(run)
    return value


def _too_little(run: str) -> EngineError:
    return EngineError(
        f"run.json of {run} does not tell enough to repeat the run.",
        "Choose a run of this version of Atelier.",
    )
