"""What no candidate may change: tokenizer, text encoder and autoencoder of a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from engine.generators.export_text_to_image import ExportTextToImage
from engine.models.autoencoder_source import load_autoencoder
from engine.models.caption_tokenizer import token_ids
from engine.pipeline_export import INDEX
from engine.runs import RunFolder

NAME = "frozen"


@dataclass(frozen=True)
class Frozen:
    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModelWithProjection
    autoencoder: AutoencoderTiny

    @property
    def text_width(self) -> int:
        return int(self.text_encoder.config.hidden_size)

    @property
    def tokens(self) -> int:
        return int(self.text_encoder.config.max_position_embeddings)

    def ids(self, captions: list[str]) -> Tensor:
        """Token ids (N, tokens)."""
        return torch.tensor(token_ids(self.tokenizer, captions))

    @torch.no_grad()
    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """States (N, tokens, text_width) and pooled (N, text_width), as SD3's pipeline reads."""
        encoded = self.text_encoder(input_ids=ids, output_hidden_states=True)
        return encoded.hidden_states[-2], encoded.text_embeds


def load_frozen(run: Path, out: Path) -> Frozen:
    """From a run of train_text_to_image, copied once to `out`, or from an image model's folder."""
    folder = run if (run / INDEX).is_file() else _exported(run, out)
    encoder = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder")
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    tokenizer.model_max_length = encoder.config.max_position_embeddings
    return Frozen(tokenizer, encoder.float().eval(), load_autoencoder(str(folder)))


def _exported(run: Path, out: Path) -> Path:
    target = out / NAME
    if not (target / INDEX).is_file():
        _check_text_phase(RunFolder(run))
        ExportTextToImage(run_folder=str(run), model_name=NAME).run(lambda event: None, out)
    return target


def _check_text_phase(run: RunFolder) -> None:
    text_steps = run.description()["fields"]["text_steps"]
    step = max((step for step, _ in run.checkpoints()), default=0)
    if step < text_steps:
        raise SystemExit(f"{run.path} still learns its words: step {step:,} of {text_steps:,}.")
