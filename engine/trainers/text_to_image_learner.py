"""The steps of a text-to-image model: what `train_text_to_image` brings to the training loop."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from PIL import Image

from engine import device, distributed
from engine.checkpoints import State
from engine.data.batches import Batches
from engine.data.captioned_images import CaptionedImages, sample_prompts
from engine.events import Report
from engine.grid import image_grid
from engine.trainers.muon import MuonAdamW, descend

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.trainers.train_text_to_image import TrainTextToImage

SAMPLES = 12  # images in a grid
SAMPLE_STEPS = 16
GUIDANCE = 3.5
PIPELINE_PADDING = 256  # empty tokens that the pipeline appends unless told otherwise
DECAY_FROM = 0.5  # part of the run after which the learning rate falls
TEXT_BATCHES = 4  # how many batches the text encoder takes at once: captions are small


class TextToImageLearner:
    """Transformer and text encoder, their optimizers, and the averaged model that draws."""

    def __init__(self, task: TrainTextToImage, data: CaptionedImages, report: Report) -> None:
        import torch

        from engine.models.autoencoder_source import load_autoencoder
        from engine.models.caption_pretraining import CaptionHeads, coarse_pictures
        from engine.models.latents import encoded, projection
        from engine.trainers.caption_lessons import CaptionLessons
        from engine.trainers.first_model import known, unlearned

        self.task = task
        self.data = data
        self.device = device.best_device()
        self.autoencoder = load_autoencoder(task.base_model or task.autoencoder).to(self.device)
        with self._autocast():
            self.latents, colors = encoded(self.autoencoder, data.images, self.device, report)
        self.projection = projection(self.latents, colors)
        self.lessons = CaptionLessons(data.captions, task, report)
        model, tokenizer = (
            known(task) if task.base_model else unlearned(task, self.latents, self.lessons)
        )
        self._use_tokenizer(tokenizer)
        self.model = model.to(self.device)
        self.config = model.config
        self.average = copy.deepcopy(self.model).eval().requires_grad_(False)
        self.coarse = coarse_pictures(self.latents)
        self.heads = CaptionHeads(
            self.config.text_width, self.config.latent_channels, self.lessons.teacher_width
        ).to(self.device)
        words = [*self.model.text_encoder.named_parameters(), *self.heads.named_parameters()]
        self.text_optimizer = MuonAdamW(words, task.learning_rate)
        self.optimizer = MuonAdamW(self.model.transformer.named_parameters(), task.learning_rate)
        self.batches = Batches(len(data), task.batch_size, task.seed)
        own = torch.Generator().manual_seed(task.seed)
        self.fixed_noise = torch.randn(SAMPLES, *self.latents.shape[1:], generator=own)

    def _use_tokenizer(self, tokenizer: Any) -> None:
        import torch

        from engine.models.caption_tokenizer import token_ids

        self.tokenizer = tokenizer
        self.caption_ids = torch.tensor(token_ids(tokenizer, self.lessons.captions))
        self.empty_ids = torch.tensor(token_ids(tokenizer, [""]))
        self.prompts = sample_prompts(self.task.sample_prompts, self.data.captions, SAMPLES)
        self.prompt_ids = torch.tensor(token_ids(tokenizer, self.prompts))

    def description(self) -> Mapping[str, Any]:
        return {
            "dataset": {
                "name": self.data.name,
                "images": len(self.data),
                "sha256": self.data.sha256(),
            },
            "model": asdict(self.config),
            "sample_prompts": self.prompts,
            "device": str(self.device),
            "parameters": {
                "transformer": _count(self.model.transformer),
                "text_encoder": _count(self.model.text_encoder),
            },
        }

    def step(self, step: int) -> Mapping[str, float]:
        """First the text encoder alone, then the transformer with the text encoder at rest."""
        if step <= self.text_steps:
            return self._text_step(step)
        return self._draw_step(step)

    def change(self, task: TrainTextToImage) -> None:
        """See `engine.learner.Changeable`: each step asks for its rates."""
        self.task = task

    @property
    def text_steps(self) -> int:
        """A model that is started from knows its words."""
        return 0 if self.task.base_model else self.task.text_steps

    def _text_step(self, step: int) -> Mapping[str, float]:
        import torch

        from engine.models.caption_pretraining import caption_loss

        self.lessons.ask_teacher()
        batches = [self._batch(TEXT_BATCHES * step - part) for part in range(TEXT_BATCHES)]
        coarse = torch.cat([self.coarse[pictures] for pictures, _ in batches]).to(self.device)
        captions = torch.cat([captions for _, captions in batches])
        ids = self.caption_ids[captions]
        meanings = self.lessons.meanings(captions)
        nearest = None
        if meanings is not None:
            words, spoken, near, likeness = self._words(len(captions))
            own = torch.zeros(len(captions))  # a caption is its own nearest, which teaches nothing
            nearest = (
                self._share(torch.cat((ids, near))),
                self._share(torch.cat((own, likeness))),
            )
            ids = torch.cat((ids, spoken))
            meanings = torch.cat((meanings, self.lessons.word_meanings(words))).to(self.device)
        rate = learning_rate(self.task, step, self.text_steps)
        with self._autocast():
            loss = caption_loss(self.model, self.heads, self._share(ids), coarse, meanings, nearest)
        norm = self.text_optimizer.step(loss, rate)
        self.average.text_encoder.load_state_dict(self.model.text_encoder.state_dict())
        return {"text_loss": loss.item(), "learning_rate": rate, "gradient_norm": norm}

    def _words(self, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Words of the teacher, drawn at random: their numbers (N,) and token ids (N, T), the ids
        of the captions that mean most nearly the same, and how nearly (N,).
        """
        import torch

        from engine.models.caption_tokenizer import token_ids

        words = torch.randint(len(self.lessons.words), (count,))
        spoken = [self.lessons.words[index] for index in words.tolist()]
        near, likeness = (found[words] for found in self.lessons.nearest)
        ids = torch.tensor(token_ids(self.tokenizer, spoken))
        return words, ids, self.caption_ids[near], likeness

    def _share(self, rows: Tensor) -> Tensor:
        return distributed.share(rows).to(self.device)

    def _draw_step(self, step: int) -> Mapping[str, float]:
        import torch

        from engine.models.flow_transformer import flow_matching_loss
        from engine.models.gan import update_average

        done = step - self.text_steps
        rate = learning_rate(self.task, done, self.task.max_steps - self.text_steps)
        along = self.task.text_learning
        if along:
            self.lessons.ask_teacher()
        indices, captions = self._batch(step)
        dropped = torch.rand(len(indices), 1) < self.task.caption_dropout
        ids = torch.where(dropped, self.empty_ids, self.caption_ids[captions])
        latents = self._share(self.latents[indices])
        padding = self._share(self._padding())
        with self._autocast():
            with torch.set_grad_enabled(along > 0):
                text = self.model.encode(self._share(ids))
            loss = flow_matching_loss(self.model, latents, text, padding, self.task.noise_mean)
            whole = loss + self._straying() if along and self.lessons.words else loss
        optimizers = [(self.optimizer, rate), (self.text_optimizer, along * rate)]
        norm = descend(whole, optimizers[: 2 if along else 1])
        # A young average would drag the untrained first steps along: let it grow old with the run.
        update_average(self.average, self.model, min(self.task.ema_decay, done / (done + 10)))
        return {"loss": loss.item(), "learning_rate": rate, "gradient_norm": norm}

    def _straying(self) -> Tensor:
        """How far words in no caption are from the captions of their meaning, which move."""
        from engine.models.caption_pretraining import settling_loss

        _, ids, near, likeness = self._words(self.task.batch_size)
        said = self.model.encode(self._share(ids))
        return settling_loss(self.model, said, self._share(near), self._share(likeness))

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Which pictures, and which caption of each, drawn at random."""
        import torch

        pictures = torch.from_numpy(self.batches.indices(step))
        chances = torch.rand(len(pictures)).tolist()
        captions = [
            self.lessons.of_picture[picture][int(chance * len(self.lessons.of_picture[picture]))]
            for picture, chance in zip(pictures.tolist(), chances, strict=True)
        ]
        return pictures, torch.tensor(captions)

    def _padding(self) -> Tensor:
        """Empty tokens for each picture: as many as the pipeline adds, or none, or in between."""
        import torch

        count = self.task.batch_size
        between = PIPELINE_PADDING ** torch.rand(count)
        kind = torch.rand(count)
        padding = torch.where(kind < 0.4, torch.tensor(float(PIPELINE_PADDING)), between)
        return torch.where(kind > 0.6, torch.tensor(0.0), padding)

    def _autocast(self) -> torch.autocast:
        import torch

        native = self.device.type != "cpu" or device.has_native_bfloat16()
        enabled = {"auto": native, "bfloat16": True, "float32": False}[self.task.precision]
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def sample(self) -> Image.Image:
        import torch

        from engine.models.flow_transformer import draw_latents
        from engine.models.tiny_autoencoder import to_pixels

        noise = self.fixed_noise[: len(self.prompts)].to(self.device)
        ids = self.prompt_ids.to(self.device)
        empty = self.empty_ids.to(self.device)
        with torch.inference_mode(), self._autocast():
            latents = draw_latents(self.average, noise, ids, empty, SAMPLE_STEPS, GUIDANCE)
        config = self.autoencoder.config
        with torch.inference_mode():
            raw = latents.float() / config.scaling_factor + config.shift_factor
            return image_grid(to_pixels(self.autoencoder.decode(raw).sample).cpu().numpy())

    def state(self) -> State:
        from engine.models import caption_tokenizer

        return {
            **{name: part.state_dict() for name, part in self._parts().items()},
            "tokenizer": {"json": caption_tokenizer.to_json(self.tokenizer)},
            "latent_rgb": self.projection,
        }

    def load_state(self, state: State) -> None:
        from engine.models import caption_tokenizer

        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        text = state["tokenizer"]["json"]
        self._use_tokenizer(caption_tokenizer.from_json(text, self.config.max_tokens))

    def _parts(self) -> dict[str, Any]:
        """Everything the run needs to go on; the autoencoder is there so that a run is whole."""
        return {
            "model": self.model,
            "model_ema": self.average,
            "optimizer": self.optimizer,
            "text_optimizer": self.text_optimizer,
            "caption_heads": self.heads,
            "autoencoder": self.autoencoder,
        }


def learning_rate(task: TrainTextToImage, step: int, steps: int) -> float:
    """Rises over the warm-up, stays, then falls in a line to a fiftieth at the last of `steps`."""
    warm = min(1.0, step / max(1, task.warmup_steps))
    late = max(0.0, step / steps - DECAY_FROM) / (1 - DECAY_FROM)
    return task.learning_rate * warm * (1 - 0.98 * min(1.0, late))


def _count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
