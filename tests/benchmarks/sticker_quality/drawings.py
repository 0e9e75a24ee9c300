"""Draws the prompts in batches, with the defaults of text_to_image, and keeps what was drawn."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import files, library
from engine.events import Report
from engine.gate.images import open_image
from engine.generators.text_to_image import TextToImage
from engine.pipelines import LoadedPipeline, load_text_to_image
from engine.prompts.embedding import prompt_arguments
from engine.prompts.evaluation import CONTRAST, evaluated_values
from engine.prompts.styles import LEARNED_WEIGHT
from tests.benchmarks.sticker_quality.artwork import Pictures, small

BATCH = 16


@dataclass(frozen=True)
class Request:
    """One drawing."""

    prompt: str
    seed: int
    style: str = ""
    """The name of one, chosen as in Create."""


@dataclass(frozen=True)
class Artist:
    """A loaded model, and the folder where its drawings are kept: a rerun goes on."""

    model: LoadedPipeline
    folder: Path

    def draw(self, requests: Sequence[Request], batch: int = BATCH) -> list[Image.Image]:
        """The drawings, in order. In a batch they differ in the last bits from single ones."""
        missing = [one for one in dict.fromkeys(requests) if not self.path(one, batch).is_file()]
        for start in range(0, len(missing), batch):
            part = missing[start : start + batch]
            for request, picture in zip(part, self._drawn(part), strict=True):
                files.write_bytes(self.path(request, batch), _png(picture))
            print(f"  drew {start + len(part)} of {len(missing)}", flush=True)
        return [open_image(self.path(request, batch)) for request in requests]

    def through_autoencoder(self, pictures: Sequence[Image.Image]) -> list[Image.Image]:
        """Pictures as the model's own autoencoder gives them back: the best it could draw."""
        import torch
        from diffusers.pipelines.stable_diffusion import (
            pipeline_stable_diffusion_img2img as img2img,
        )

        vae, processor = self.model.pipe.vae, self.model.pipe.image_processor
        width, height = self.model.own_size()
        result: list[Image.Image] = []
        for start in range(0, len(pictures), BATCH):
            batch = list(pictures[start : start + BATCH])
            with torch.inference_mode():
                images = processor.preprocess(batch, height, width).to(vae.device, vae.dtype)
                latents = img2img.retrieve_latents(vae.encode(images), sample_mode="argmax")
                decoded = vae.decode(latents).sample.float()
            result += processor.postprocess(decoded, output_type="pil")
        return result

    def path(self, request: Request, batch: int) -> Path:
        settings = (TextToImage.num_inference_steps, TextToImage.guidance_scale, batch == 1)
        styled = (request.style, CONTRAST, LEARNED_WEIGHT) if request.style else ()
        key = repr((request.prompt, request.seed, settings, *styled)).encode()
        return self.folder / f"{hashlib.sha256(key).hexdigest()[:20]}.png"

    def _drawn(self, requests: Sequence[Request]) -> Iterator[Image.Image]:
        import torch

        width, height = self.model.own_size()
        settings: dict[str, Any] = {
            "num_inference_steps": TextToImage.num_inference_steps,
            "guidance_scale": TextToImage.guidance_scale,
            **self.model.text_length(),
        }
        # In-place noise of each seed, whatever shares its batch.
        random = [torch.Generator("cpu").manual_seed(request.seed) for request in requests]
        result = self.model.pipe(
            **self._prompts(requests),
            width=width, height=height, generator=random, output_type="np", **settings,
        )  # fmt: skip
        for pixels in result.images:
            yield Image.fromarray((pixels * 255).round().astype(np.uint8))

    def _prompts(self, requests: Sequence[Request]) -> dict[str, Any]:
        """The arguments for all of them at once, as the task makes them for each; in a batch all
        or none have a style."""
        import torch

        each = [self._prompt(request) for request in requests]
        columns = {name: [one[name] for one in each] for name in each[0]}
        return {
            name: torch.cat(column) if isinstance(column[0], torch.Tensor) else column
            for name, column in columns.items()
        }

    def _prompt(self, request: Request) -> dict[str, Any]:
        written = {"prompt": request.prompt, "negative_prompt": "", "style": request.style}
        drawn = evaluated_values(
            {**written, "seed": request.seed, "model": str(self.model.folder.path)}
        )
        return prompt_arguments(self.model, drawn["prompt"], drawn["negative_prompt"])


def hire(model: str, out: Path, report: Report = lambda event: None) -> Artist:
    """The model of that name or path, with its drawings below `out`; raises ModelError."""
    loaded = load_text_to_image(library.find(model), report)
    return Artist(loaded, out / "drawings" / loaded.weights_hash[:12])


def seen(pictures: Sequence[Image.Image]) -> Pictures:
    """The pictures as the evaluator sees them."""
    return np.stack([small(picture) for picture in pictures])


def pixels(pictures: Sequence[Image.Image]) -> NDArray[np.uint8]:
    """(N, H, W, 3), as they are."""
    return np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
