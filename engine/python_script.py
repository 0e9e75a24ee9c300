"""A drawn picture as a short program for plain diffusers, which draws it again bit for bit."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import library, loras, python_memory
from engine.errors import EngineError
from engine.gate import json_text
from engine.gate.model_folder import PipelineFolder, check_pipeline
from engine.metadata import TaskRecord
from engine.pipeline_kinds import IMAGE_TO_IMAGE, INPAINT, TEXT_TO_IMAGE, class_name_for
from engine.python_pictures import beginning, inpainting, outpainting
from engine.python_prompts import weighing, words
from engine.schedulers import DEFAULT_SCHEDULER, FLOW_SCHEDULERS, NOISE_SCHEDULERS

_KINDS = {
    "text_to_image": TEXT_TO_IMAGE,
    "image_to_image": IMAGE_TO_IMAGE,
    "inpaint": INPAINT,
    "outpaint": INPAINT,
}
"""Of the pipeline, by the name of the task."""
_BINNING = re.compile("HunyuanDiT|PixArt|PRX|Sana")
"""Pipelines that would draw at a size near the one asked for, and crop."""

_PIPELINE = """\
import numpy as np
import torch
from diffusers import {pipeline}{scheduler_import}
from PIL import Image{pillow}

torch.set_num_threads({threads})
pipe = {pipeline}.from_pretrained(
    {folder},
    dtype={dtype},{absent}
    local_files_only=True,
){placed}
{memory}{loras}{scheduler}generator = torch.Generator("cpu").manual_seed({seed})
"""
_DRAW = """\
image = pipe(
{arguments}
    generator=generator,
    output_type="np",
).images[0]
Image.fromarray((image * 255).round().astype(np.uint8)).save("image.png")
"""


def python_script(
    record: TaskRecord, folder: Path, size: tuple[int, int], beside: Path | None = None
) -> str:
    """The program for the picture of `size` (width, height) that the model in `folder` drew.

    Pictures that it began with are looked for among those of the canvas, and in the folder
    `beside`. Raises EngineError for a picture that was not drawn and for fields that no task would
    take, ModelError for the folder.
    """
    if record.name not in _KINDS:
        raise EngineError(
            "This picture was not drawn from a prompt.", "Choose one that Create has drawn."
        )
    checked = replace(record, values=record.task().to_dict())  # it comes from outside
    return _Program(checked, check_pipeline(folder), size, beside).text()


@dataclass(frozen=True)
class _Program:
    record: TaskRecord
    pipeline: PipelineFolder
    size: tuple[int, int]
    beside: Path | None

    def text(self) -> str:
        options = {"max_sequence_length": 0} if _learned_without_t5(self.pipeline) else {}
        weighted = weighing(self.record, self.pipeline, options)
        prompts = "    **states,\n" if weighted else _lines(words(self.record)) + "\n"
        return self._head() + weighted + self._drawing(prompts, options)

    def _head(self) -> str:
        values, made_with = self.record.values, self.record.made_with
        scheduler = (NOISE_SCHEDULERS | FLOW_SCHEDULERS).get(str(values.get("scheduler")), "")
        pictures = self.record.name != "text_to_image"
        memory = python_memory.of(self.record, self.pipeline)
        return _PIPELINE.format(
            pipeline=class_name_for(_KINDS[self.record.name], self.pipeline.class_name),
            scheduler_import=f", {scheduler}" if scheduler else "",
            pillow=", ImageOps" if pictures else "",
            loras=_with_loras(str(values.get("loras", ""))),
            scheduler=_use(scheduler) if values.get("scheduler") != DEFAULT_SCHEDULER else "",
            threads=_threads(made_with.get("threads", "")),
            folder=repr(str(self.pipeline.path)),
            dtype=memory.dtype(),
            placed=memory.placed(),
            memory=memory.lines(bool(values.get("loras"))),
            absent="".join(f"\n    {name}=None," for name in self.pipeline.absent),
            seed=values["seed"],
        )

    def _drawing(self, prompts: str, options: dict[str, Any]) -> str:
        """What comes when the pipeline is there; `prompts` are lines of the call."""
        record, values = self.record, self.record.values
        given = {name: values[name] for name in ("num_inference_steps", "guidance_scale")}
        if record.name in ("inpaint", "outpaint"):
            given["strength"] = values.get("strength", 1.0)
            arguments = prompts + _lines(given | options)
            shift = _forgotten_shift(self.pipeline)
            if record.name == "inpaint":
                return inpainting(record, self.beside, arguments, shift)
            return outpainting(record, self.beside, arguments, shift, self.size)
        width_height = dict(zip(("width", "height"), self.size, strict=True))
        if record.name == "text_to_image":
            if _BINNING.match(self.pipeline.class_name):
                options = {"use_resolution_binning": False, **options}
            return _DRAW.format(arguments=prompts + _lines(width_height | given | options))
        given["strength"] = values["strength"]
        if not any(component.name == "unet" for component in self.pipeline.components):
            given = width_height | given  # those with a UNet take the size of the picture
        arguments = "    image=picture,\n" + prompts + _lines(given | options)
        return beginning(record, self.beside, self.size) + _DRAW.format(arguments=arguments)


def _lines(values: dict[str, Any]) -> str:
    return "\n".join(f"    {name}={value!r}," for name, value in values.items())


def _use(scheduler: str) -> str:
    return f"pipe.scheduler = {scheduler}.from_config(pipe.scheduler.config)\n" if scheduler else ""


def _with_loras(text: str) -> str:
    """In the order in which they act on the picture; raises ModelError for one that is gone."""
    acting = sorted(
        (loras.adapter_name(path, lambda event: None), path, wanted.weight)
        for wanted in loras.parse(text)
        for path in [library.find_lora(wanted.name)]
    )
    lines = [
        f"pipe.load_lora_weights(\n    {str(path.parent)!r},\n    weight_name={path.name!r},\n"
        f"    adapter_name={name!r},\n    local_files_only=True,\n)\n"
        for name, path, _ in acting
    ]
    if acting:
        names, weights = [each[0] for each in acting], [each[2] for each in acting]
        lines.append(f"pipe.set_adapters({names!r}, {weights!r})\n")
    return "".join(lines)


def _threads(told: str) -> int:
    """The record comes from outside: what is no number must not become a line of a program."""
    return int(told) if told.isdecimal() and len(told) < 4 else 1


def _learned_without_t5(pipeline: PipelineFolder) -> bool:
    """As `LoadedPipeline.text_length` finds it, from the files alone."""
    if "text_encoder_3" not in pipeline.absent:
        return False
    widths = [_config(pipeline, f"text_encoder{end}").get("hidden_size", 0) for end in ("", "_2")]
    return bool(_config(pipeline, "transformer").get("joint_attention_dim") == sum(widths))


def _forgotten_shift(pipeline: PipelineFolder) -> float:
    """As `LoadedPipeline.missing_shift` finds it, from the files alone."""
    if class_name_for(INPAINT, pipeline.class_name) != "StableDiffusion3InpaintPipeline":
        return 0.0
    vae = _config(pipeline, "vae")
    return float(vae.get("shift_factor") or 0) * float(vae.get("scaling_factor") or 0)


def _config(pipeline: PipelineFolder, part: str) -> dict[str, Any]:
    text = (pipeline.path / part / "config.json").read_text(encoding="utf-8")
    return dict(json_text.parse(text))
