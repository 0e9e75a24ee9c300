"""Trains a LoRA on pictures of one's own, for a diffusion model that is there: ten are enough."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import library, trained_models
from engine.errors import DatasetError, InvalidTask
from engine.events import Report
from engine.task import param, with_default
from engine.training import Learner, TrainingTask


@dataclass(frozen=True)
class TrainLora(TrainingTask):
    """Low-rank additions (Hu et al., 2106.09685) to the attention of a denoiser that stays as it
    is; the words of the pictures are read by text encoders that stay as they are."""

    title: ClassVar[str] = "LoRA"
    summary: ClassVar[str] = "Teach an image model a style or a thing, from a few pictures."

    dataset: str = param(
        "",
        label="Pictures",
        help="A folder of about ten to a hundred pictures of what is to be learned; a .txt of the "
        "same name beside a picture says what is on it.",
        kind="folder",
        required=True,
    )
    base_model: str = param(
        library.EMBEDDED_IMAGE_MODEL,
        label="Model",
        help="Which model learns it; the LoRA then belongs to models of this kind. Stable "
        "Diffusion 1, 2, XL and 3.",
        choices=library.image_models,
        editable=True,
        kind="model",
        required=True,
    )
    trigger: str = param(
        "",
        label="Trigger words",
        help="What it is to be called in prompts, such as “my cat Minou” or “inkwash style”. They "
        "stand before what the .txt files say.",
    )
    image_size: int = param(
        0,
        label="Image size",
        help="Width and height to which the pictures are cut. 0 takes the size of the model.",
        minimum=0,
        maximum=2048,
        multiple_of=8,
        unit="px",
        zero="as the model",
        advanced=True,
    )
    rank: int = param(
        8,
        label="Rank",
        help="How much it can learn: 4 is enough for a thing, 16 to 32 for a style; the file grows "
        "with it.",
        minimum=1,
        maximum=256,
        advanced=True,
    )
    learning_rate: float = param(
        1e-3,
        label="Learning rate",
        help="How far the weights move in a step. The small embedded model takes 0.001, Stable "
        "Diffusion 0.0001 to 0.0005.",
        minimum=0.0,
        maximum=1.0,
        live=True,
    )
    caption_dropout: float = param(
        0.05,
        label="Caption dropout",
        help="How often the words of a picture are left out, so that guidance knows it without.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    sample_prompts: str = param(
        "",
        label="Sample prompts",
        help="What the sample grid shows, separated by semicolons; empty takes words of the "
        "pictures.",
    )

    max_steps: int = with_default(TrainingTask, "max_steps", 300)
    batch_size: int = with_default(TrainingTask, "batch_size", 4)
    checkpoint_every: int = with_default(TrainingTask, "checkpoint_every", 100)

    def __post_init__(self) -> None:
        """A relative path becomes absolute, so that the run can go on from anywhere."""
        super().__post_init__()
        object.__setattr__(self, "dataset", str(Path(self.dataset).expanduser().absolute()))
        # A run that still learns is learned on from where it stands now, also after a resume.
        base = trained_models.pinned(library.absolute(self.base_model))
        object.__setattr__(self, "base_model", base)
        if self.image_size and self.image_size < 16:
            raise InvalidTask("image_size", "Pictures that small show nothing.", "Take 64 or more.")

    def learner(self, report: Report) -> Learner:
        from engine.data.captioned_images import load_captioned_folder
        from engine.gate.model_folder import check_pipeline
        from engine.pipelines import load_alone
        from engine.trainers.lora_learner import LoraLearner

        path = library.find(self.base_model)
        trained_models.prepare(path, report)
        model = load_alone(check_pipeline(path), report)
        size = self.image_size or max(model.own_size())
        need_captions = not self.trigger.strip()
        try:
            data = load_captioned_folder(
                Path(self.dataset), size, report, need_captions=need_captions
            )
        except DatasetError as error:
            or_so = " Or say under Trigger words what it is called." if need_captions else ""
            raise DatasetError(error.message, error.hint + or_so) from error
        return LoraLearner(self, model, data, report)
