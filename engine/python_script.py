"""A drawn picture as a short program for plain diffusers, which draws it again bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.gate import json_text
from engine.gate.model_folder import PipelineFolder, check_pipeline
from engine.metadata import TaskRecord
from engine.schedulers import DEFAULT_SCHEDULER, FLOW_SCHEDULERS, NOISE_SCHEDULERS

TASK = "text_to_image"
_DTYPES = ("float32", "bfloat16", "float16")

_PROGRAM = """\
import numpy as np
import torch
from diffusers import {pipeline}{scheduler_import}
from PIL import Image

torch.set_num_threads({threads})
pipe = {pipeline}.from_pretrained(
    {folder},
    torch_dtype=torch.{dtype},{absent}
    local_files_only=True,
).to({device})
{scheduler}image = pipe(
{arguments}
    generator=torch.Generator("cpu").manual_seed({seed}),
    output_type="np",
).images[0]
Image.fromarray((image * 255).round().astype(np.uint8)).save("image.png")
"""


def python_script(record: TaskRecord, folder: Path, size: tuple[int, int]) -> str:
    """The program for the picture of `size` (width, height) that the model in `folder` drew.

    Raises EngineError where the record is not one of text_to_image, ModelError for the folder.
    """
    if record.name != TASK:
        raise EngineError(
            "This picture was not drawn from a prompt.", "Choose one that Create has drawn."
        )
    pipeline = check_pipeline(folder)
    values, made_with = record.values, record.made_with
    scheduler = (NOISE_SCHEDULERS | FLOW_SCHEDULERS).get(str(values.get("scheduler")), "")
    return _PROGRAM.format(
        pipeline=pipeline.class_name,
        scheduler_import=f", {scheduler}" if scheduler else "",
        scheduler=_use(scheduler) if values.get("scheduler") != DEFAULT_SCHEDULER else "",
        threads=_threads(made_with.get("threads", "")),
        folder=repr(str(folder)),
        dtype=next((d for d in _DTYPES if d == made_with.get("dtype")), "float32"),
        device=repr(made_with.get("device", "cpu")),
        absent="".join(f"\n    {name}=None," for name in pipeline.absent),
        arguments=_arguments(record, size, _learned_without_t5(pipeline)),
        seed=int(values["seed"]),
    )


def _arguments(record: TaskRecord, size: tuple[int, int], without_t5: bool) -> str:
    values: dict[str, Any] = {"prompt": record.values["prompt"]}
    if record.values.get("negative_prompt"):
        values["negative_prompt"] = record.values["negative_prompt"]
    values |= {"width": size[0], "height": size[1]}
    for name in ("num_inference_steps", "guidance_scale"):
        values[name] = record.values[name]
    if without_t5:
        values["max_sequence_length"] = 0
    return "\n".join(f"    {name}={value!r}," for name, value in values.items())


def _use(scheduler: str) -> str:
    return f"pipe.scheduler = {scheduler}.from_config(pipe.scheduler.config)\n" if scheduler else ""


def _threads(told: str) -> int:
    """The record comes from outside: what is no number must not become a line of a program."""
    return int(told) if told.isdecimal() and len(told) < 4 else 1


def _learned_without_t5(pipeline: PipelineFolder) -> bool:
    """As `LoadedPipeline.text_length` finds it, from the files alone."""
    if "text_encoder_3" not in pipeline.absent:
        return False

    def config(part: str) -> dict[str, Any]:
        text = (pipeline.path / part / "config.json").read_text(encoding="utf-8")
        return dict(json_text.parse(text))

    widths = [config(f"text_encoder{end}").get("hidden_size", 0) for end in ("", "_2")]
    return bool(config("transformer").get("joint_attention_dim") == sum(widths))
