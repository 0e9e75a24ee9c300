"""Measures how good the images of a training run are, in numbers that say what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import device, files, registry
from engine.errors import EngineError, ModelError
from engine.events import Notice, Progress, Report, Saved
from engine.quality.feature_space import FeatureSpace, space_for
from engine.quality.measure import Quality, measure
from engine.quality.reference import Reference
from engine.quality.sampled import sampled, sampler_of, untrained
from engine.runs import RunFolder
from engine.task import Task, param, seed_param

if TYPE_CHECKING:
    from torch import Tensor

    from engine.trainers.image_learner import ImageLearner


@dataclass(frozen=True)
class EvaluateImages(Task):
    """KID, precision and recall of a run's images against real ones that it has not learned from.

    The feature space is named with the hash of its weights; numbers of two spaces, or of different
    sample counts, must not be compared.
    """

    title: ClassVar[str] = "Measure image quality"
    summary: ClassVar[str] = "Compares the images that a training run draws with real ones."

    run_folder: str = param(
        label="Training run",
        help="The folder of the run whose images are measured; the run may still be going on.",
        kind="folder",
        required=True,
    )
    checkpoint: int = param(
        0,
        label="Checkpoint",
        help="The step of training whose weights draw. 0 takes the newest.",
        minimum=0,
        maximum=100_000_000,
        unit="step",
        zero="newest",
    )
    num_samples: int = param(
        2000,
        label="Samples",
        help="How many images are drawn and compared with as many real ones. More make the numbers "
        "steadier. Where there are fewer real ones, as many as there are.",
        minimum=20,
        maximum=4096,
    )
    anchors: bool = param(
        True,
        label="Anchors",
        help="Measure real images against real ones and the untrained network too: the best and "
        "the worst that the numbers can be.",
        advanced=True,
    )
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        """Write quality-….json into `out` and tell its lines as Notice.

        Raises ModelError for a run that draws no images, DatasetError for too few real ones.
        """
        files.make_folder(out)
        device.configure_threads()
        run = RunFolder(Path(self.run_folder).expanduser())
        described = run.description()
        sampler_of(str(described.get("task", "")))
        report(Progress(0, None, "loading the data"))
        learner = _fresh_learner(run, report)
        if described.get("dataset") != learner.description().get("dataset"):
            report(Notice("The data is not the same as when this run began."))
        reference = Reference(
            learner.data.images, learner.learned, learner.held_out, self.num_samples
        )
        work = _Evaluation(self, run, learner, reference, report)
        step, qualities = work.measured()
        lines = work.lines(step, qualities)
        for line in lines:
            report(Notice(line))
        path = files.new_path(out, f"quality-{files.timestamp()}-step-{step}", ".json")
        files.write_json(path, work.record(step, qualities) | {"lines": lines})
        report(Saved(path))


class _Evaluation:
    """One evaluation under way."""

    def __init__(
        self,
        task: EvaluateImages,
        run: RunFolder,
        learner: ImageLearner,
        reference: Reference,
        report: Report,
    ) -> None:
        self.task = task
        self.run = run
        self.learner = learner
        self.reference = reference
        self.report = report
        self.space: FeatureSpace = space_for(learner.data.name)
        self.real: Tensor = self.space.features(reference.images)

    def measured(self) -> tuple[int, dict[str, Quality]]:
        """The step that was drawn from, and the qualities by name; the run's own first."""
        data = self.learner.data
        shape = (data.image_size, data.channels)
        values = {"num_images": len(self.reference), "seed": self.task.seed}
        chosen = {**values, "checkpoint": self.task.checkpoint}
        step, images = sampled(self.run, chosen, *shape, self.report)
        sets = {"run": images}
        if self.task.anchors:
            sets["real_against_real"] = self.reference.others
            sets["untrained"] = untrained(self.run, self.learner, values, *shape, self.report)
        self.report(Progress(0, None, "comparing"))
        return step, {name: self._quality(images) for name, images in sets.items()}

    def _quality(self, images: Any) -> Quality:
        return measure(self.real, self.space.features(images), self.task.seed)

    def lines(self, step: int, qualities: dict[str, Quality]) -> list[str]:
        names = {
            "run": f"step {step:,}",
            "real_against_real": "real against real",
            "untrained": "untrained",
        }
        told = [f"{names[name]}: {found.line(self.space)}" for name, found in qualities.items()]
        return [*told, f"Compared with {self.reference.label}."]

    def record(self, step: int, qualities: dict[str, Quality]) -> dict[str, Any]:
        return {
            "task": self.task.name(),
            "fields": self.task.to_dict() | {"run_folder": self.run.path.name, "checkpoint": step},
            "run": {
                name: self.run.description().get(name) for name in ("task", "dataset", "created")
            },
            "feature_space": {"name": self.space.name, "sha256": self.space.sha256},
            "reference": self.reference.label,
            "kid_kernel": "(x·y/D + 1)^3, unbiased, mean and standard deviation over subsets",
            "quality": {name: found.to_dict() for name, found in qualities.items()},
        }


def _fresh_learner(run: RunFolder, report: Report) -> ImageLearner:
    """The learner with which the run began, its data loaded; no default generator is moved."""
    import torch

    from engine.trainers.image_learner import ImageLearner

    described = run.description()
    fields = described.get("fields")
    try:
        trainer = registry.task_class(str(described.get("task", "")))
        # As it would go on: what an older run does not say is as it was then.
        task: Any = trainer.from_dict({**(fields or {}), "resume": True})
    except EngineError as error:
        raise ModelError(
            f"{run.path / 'run.json'} cannot be used: {error.message}",
            "It may be from another version; choose another run.",
        ) from error
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        learner = task.learner(report)
    if not isinstance(learner, ImageLearner):
        raise ModelError(
            f"A run of {task.name()} learns from no plain images.", "Choose the run of a GAN."
        )
    return learner
