"""A checkpoint in one file, looked through, and the folder of diffusers that it becomes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import amounts, files
from engine.errors import ModelError
from engine.gate.checkpoint_file import CheckpointFile
from engine.single_file import schedules
from engine.single_file.clip_vocabulary import END, tokenizer_files
from engine.single_file.conversion import converted, names_of
from engine.single_file.layout import IN_WORDS, SD1, SDXL, Layout, Part, recognise, with_vae
from engine.single_file.writing import write_safetensors

if TYPE_CHECKING:
    from torch import Tensor

DIFFUSERS = "0.42.1"
"""Whose form of folders this is."""
OPEN_CLIP_PAD = "!"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds and becomes; each of its parts fits its settings, number by number."""

    file: CheckpointFile
    layout: Layout
    prediction: str
    """epsilon or v_prediction."""
    reason: str
    """How that was found out; empty where all of its family predict the same."""
    parameters: int
    size: int
    """Bytes of the weights that are written."""
    vae: CheckpointFile | None = None
    """The file of the VAE, where it is not the checkpoint's own."""

    def source(self, part: Part) -> CheckpointFile:
        """The file that the part lies in."""
        return self.vae if self.vae and part.name == "vae" else self.file

    @property
    def licence(self) -> str:
        """As its maker says it, in the form of a model's card."""
        said = self.file.metadata.get("modelspec.license", "").strip()[:100]
        return re.sub(r"[^\w.+-]+", "-", said).strip("-")

    def told(self) -> str:
        """What it becomes, and what was found out of it."""
        parts = ", ".join(part.in_words for part in self.layout.parts)
        predicts = f"; predicts {self.prediction} ({self.reason})" if self.reason else ""
        return f"becomes a folder of diffusers, {amounts.told(self.size)}: {parts}{predicts}"

    def require_whole(self, others: tuple[str, ...] = ()) -> None:
        """Raise ModelError for a part that neither it has nor `others` are."""
        if missing := self.layout.missing_after(others):
            raise ModelError(
                f"{self.file.path} is a {self.layout.told} without "
                f"{' and '.join(f'its {IN_WORDS[part]}' for part in missing)}.",
                "Choose a folder of diffusers that has it, of the same family, under "
                "“Missing parts from”.",
            )


def look(
    file: CheckpointFile, asked: str = schedules.AUTO, vae: CheckpointFile | None = None
) -> Checkpoint:
    """Look the checkpoint through without reading its numbers; raises ModelError.

    `vae` holds a VAE that takes the place of its own.
    """
    layout = recognise(file.shapes, file.path)
    if vae:
        layout = with_vae(layout, vae.shapes, vae.path)
    found = Checkpoint(file, layout, *_prediction(file, layout, asked), 0, 0, vae)
    parameters = size = 0
    for part in layout.parts:
        source = found.source(part)
        converted(part, _hollow(source, part), source.path)
        for name in names_of(part, source.shapes):
            numbers = math.prod(source.shapes[name])
            parameters += numbers
            size += numbers * source.itemsizes[name]
    return replace(found, parameters=parameters, size=size)


def write(
    checkpoint: Checkpoint,
    folder: Path,
    others: dict[str, tuple[str, str]],
    written: Callable[[str, int], None],
) -> None:
    """Fill the new `folder` with the model; raises ModelError and FileError.

    `others` are the parts that somebody else puts there: library and class by name. `written`
    hears which part is written and how many bytes came, and may raise to stop.
    """
    layout = checkpoint.layout
    index: dict[str, Any] = dict(others)
    for part in layout.parts:
        source = checkpoint.source(part)
        tensors = {name: source.tensor(name) for name in names_of(part, source.shapes)}
        index[part.name] = (part.library, part.class_name)
        _write_part(checkpoint, part, converted(part, tensors, source.path), folder, written)
    zero_snr = "ztsnr" in checkpoint.file.shapes
    scheduler = schedules.scheduler_config(layout, checkpoint.prediction, zero_snr=zero_snr)
    index["scheduler"] = ("diffusers", scheduler["_class_name"])
    files.write_json(folder / "scheduler" / "scheduler_config.json", scheduler)
    for name, pad in _tokenizers(layout):
        index[name] = ("transformers", "CLIPTokenizer")
        for file_name, data in tokenizer_files(pad=pad).items():
            files.write_bytes(folder / name / file_name, data)
    files.write_text(folder / "README.md", _card(checkpoint))
    files.write_json(folder / "model_index.json", _index(layout, index))


def _hollow(file: CheckpointFile, part: Part) -> dict[str, Tensor]:
    """The part's tensors without their numbers: enough to see whether they fit."""
    import torch

    return {
        name: torch.empty(file.shapes[name], device="meta") for name in names_of(part, file.shapes)
    }


def _prediction(file: CheckpointFile, layout: Layout, asked: str) -> tuple[str, str]:
    if asked != schedules.AUTO:
        return asked, "you said so"
    if said := schedules.said(file.shapes, file.metadata):
        return said, "its file says so"
    if layout.family in (SD1, SDXL) or layout.inpainting:
        return schedules.NOISE, ""
    name = schedules.last_norm(file.shapes)
    spread = file.tensor(name).float().std(correction=0).item() if name else 0.0
    velocity = spread > schedules.VELOCITY_SPREAD
    return schedules.VELOCITY if velocity else schedules.NOISE, "judged by its weights"


def _write_part(
    checkpoint: Checkpoint,
    part: Part,
    tensors: dict[str, Tensor],
    folder: Path,
    written: Callable[[str, int], None],
) -> None:
    config = dict(part.config)
    if part.name == "unet":
        config["sample_size"] = schedules.sample_size(checkpoint.layout, checkpoint.prediction)
    files.write_json(folder / part.name / "config.json", config)
    stem = "model" if part.library == "transformers" else "diffusion_pytorch_model"
    path = folder / part.name / f"{stem}.safetensors"
    write_safetensors(path, tensors, lambda size: written(part.name, size))


def _card(checkpoint: Checkpoint) -> str:
    """Where the folder comes from, and its licence, as cards of models say it."""
    head = f"---\nlicense: {checkpoint.licence}\n---\n\n" if checkpoint.licence else ""
    name = checkpoint.file.path.name
    vae = f" with the VAE of {checkpoint.vae.path.name}" if checkpoint.vae else ""
    return f"{head}{checkpoint.layout.told}, made from the file {name}{vae}.\n"


def _tokenizers(layout: Layout) -> Iterator[tuple[str, str]]:
    """The name of each, and what it fills a window with: as its text encoder learned it."""
    yield "tokenizer", END if layout.family in (SD1, SDXL) else OPEN_CLIP_PAD
    if layout.family == SDXL:
        yield "tokenizer_2", OPEN_CLIP_PAD


def _index(layout: Layout, parts: dict[str, Any]) -> dict[str, Any]:
    index: dict[str, Any] = {"_class_name": layout.pipeline, "_diffusers_version": DIFFUSERS}
    if layout.family == SDXL:
        index["force_zeros_for_empty_prompt"] = True
    else:
        index["requires_safety_checker"] = False
        index |= {"safety_checker": [None, None], "feature_extractor": [None, None]}
    return index | {name: list(parts[name]) for name in sorted(parts)}
