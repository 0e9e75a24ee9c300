"""Trains a small text-to-image model from nothing on a folder of captioned images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import library, trained_models
from engine.errors import InvalidTask
from engine.events import Report
from engine.task import param
from engine.training import Learner, TrainingTask, precision_param


@dataclass(frozen=True)
class TrainTextToImage(TrainingTask):
    """A diffusion transformer and a text encoder learn together, on an autoencoder's latents."""

    title: ClassVar[str] = "Text to image"
    summary: ClassVar[str] = "Learn to draw the pictures of a folder from their captions."

    dataset: str = param(
        "",
        label="Dataset",
        help="A folder of images with captions: a .txt with the same name beside each image, or "
        'a captions.jsonl with lines like {"file": "cat.png", "captions": ["a cat"]}.',
        kind="folder",
        required=True,
    )
    autoencoder: str = param(
        library.EMBEDDED_IMAGE_MODEL,
        label="Autoencoder",
        help="What turns pictures into latents: the name or folder of an image model, or the "
        "folder of a run of train_autoencoder.",
        kind="folder",
        required=True,
    )
    base_model: str = param(
        "",
        label="Start from",
        help="An image model that was trained here, such as stickers, which learns on from these "
        "pictures. Its size, shape, words and autoencoder are kept. Empty begins from nothing.",
        kind="folder",
    )
    image_size: int = param(
        128,
        label="Image size",
        help="Width and height of the drawn images. Twice the size takes over four times as long.",
        minimum=16,
        maximum=1024,
        multiple_of=16,
        unit="px",
    )
    width: int = param(
        256,
        label="Width",
        help="Features of each token. Wider remembers more pictures, and learns more slowly.",
        minimum=64,
        maximum=2048,
        multiple_of=64,
        advanced=True,
    )
    num_layers: int = param(
        6,
        label="Layers",
        help="Transformer blocks. More draw finer relations, each costs the same time.",
        minimum=2,
        maximum=48,
        advanced=True,
    )
    vocab_size: int = param(
        8000,
        label="Vocabulary",
        help="How many words and pieces of words the text encoder knows; learned from the "
        "captions.",
        minimum=520,
        maximum=100_000,
        advanced=True,
    )
    text_steps: int = param(
        500,
        label="Text steps",
        help="Steps at the beginning in which the text encoder alone learns what captions look "
        "like. Without them the pictures follow their words late. None where a model is started "
        "from, which knows its words.",
        minimum=0,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    text_width: int = param(
        256,
        label="Text width",
        help="Features of each word for the text encoder. Wider knows more words.",
        minimum=64,
        maximum=2048,
        multiple_of=64,
        advanced=True,
    )
    text_layers: int = param(
        2,
        label="Text layers",
        help="Layers of the text encoder. More join several words into one meaning better.",
        minimum=2,
        maximum=24,
        advanced=True,
    )
    text_teacher: str = param(
        "",
        label="Text teacher",
        help="The folder of a sentence-embedding model, such as all-MiniLM-L6-v2. What it knows "
        "of English words is passed on, so that words in no caption are understood too. Empty: "
        "only the captions' words are known.",
        kind="folder",
        advanced=True,
    )
    text_learning: float = param(
        0.0,
        label="Text learning",
        help="How fast the text encoder learns along with the pictures, as a part of the learning "
        "rate. 0 lets it rest, which is quicker; a tenth draws closer to each caption.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    learning_rate: float = param(
        1.5e-3,
        label="Learning rate",
        help="How far the weights move in a step. Too high: the loss jumps; too low: it crawls.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    warmup_steps: int = param(
        200,
        label="Warm-up",
        help="Steps over which the learning rate rises at the beginning.",
        minimum=0,
        maximum=1_000_000,
        advanced=True,
        unit="steps",
    )
    caption_dropout: float = param(
        0.1,
        label="Caption dropout",
        help="How often a caption is left out, so that guidance knows a picture of nothing in "
        "particular.",
        minimum=0.0,
        maximum=1.0,
        advanced=True,
        live=True,
    )
    noise_mean: float = param(
        0.8,
        label="Noise",
        help="Which noise levels are practised most. Higher learns sooner what to draw, lower "
        "draws finer details; 0 is half and half.",
        minimum=-5.0,
        maximum=5.0,
        advanced=True,
    )
    ema_decay: float = param(
        0.999,
        label="Averaging",
        help="Samples are drawn from an average over the last steps: 0.999 spans about 1,000.",
        minimum=0.0,
        maximum=0.99999,
        advanced=True,
    )
    sample_prompts: str = param(
        "",
        label="Sample prompts",
        help="What the sample grid shows, separated by semicolons; empty takes captions from the "
        "dataset.",
        advanced=True,
    )
    precision: str = precision_param()

    def __post_init__(self) -> None:
        """A relative path becomes absolute, so that the run can go on from anywhere."""
        super().__post_init__()
        for name in ("dataset", "text_teacher"):
            if given := getattr(self, name):
                object.__setattr__(self, name, str(Path(given).expanduser().absolute()))
        if self.base_model:
            # A run that still learns is learned on from where it stands now.
            base = trained_models.pinned(library.absolute(self.base_model))
            object.__setattr__(self, "base_model", base)
        elif self.text_steps >= self.max_steps:
            raise InvalidTask(
                "text_steps", f"Text steps must be fewer than the {self.max_steps} steps in all."
            )

    def learner(self, report: Report) -> Learner:
        from engine.data.captioned_images import load_captioned_folder
        from engine.trainers.text_to_image_learner import TextToImageLearner

        if self.base_model:
            trained_models.prepare(library.find(self.base_model), report)
        data = load_captioned_folder(Path(self.dataset), self.image_size, report)
        return TextToImageLearner(self, data, report)
