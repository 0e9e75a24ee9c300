""" "Copy as Python": the program draws the same picture, bit for bit, with diffusers alone."""

from __future__ import annotations

import ast
import runpy
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import colorful, of_kind, run, saved
from PIL import Image, ImageDraw
from tiny_loras import save_lora

from engine import folders, inputs, library, metadata
from engine.drawing_task import DrawingTask
from engine.errors import EngineError, InvalidTask
from engine.events import Saved
from engine.gate.images import open_image
from engine.generators.image_to_image import ImageToImage
from engine.generators.inpaint import Inpaint
from engine.generators.outpaint import Outpaint
from engine.generators.text_to_image import TextToImage
from engine.metadata import TaskRecord
from engine.python_script import python_script

MODEL = folders.RESOURCES / "models" / library.EMBEDDED_IMAGE_MODEL
Runner = Callable[[str, Path], None]


def in_a_process_of_its_own(program: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def here(program: str, folder: Path) -> None:
    """The same sooner, for many programs: no library is imported again."""
    (folder / "program.py").write_text(program)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.chdir(folder)
        runpy.run_path("program.py")


def draws_the_same(task: DrawingTask, model: Path, folder: Path, start: Runner = here) -> bool:
    (done,) = of_kind(run(task, folder / "out"), Saved)
    record = metadata.read_task(done.path)
    assert record is not None
    drawn = open_image(done.path)
    start(python_script(record, model, drawn.size, beside=folder), folder)
    again = open_image(folder / "image.png")
    return again.mode == drawn.mode and np.array_equal(np.asarray(again), np.asarray(drawn))


def ellipse(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse((size[0] // 3, 2, size[0] - 4, size[1] // 2), fill=255)
    ImageDraw.Draw(mask).line((2, 2, 6, size[1] - 3), fill=100)
    return mask


def tasks(model: Path, folder: Path, **values: Any) -> dict[str, DrawingTask]:
    """One of each, small; the picture can be seen through, the mask was kept for the canvas."""
    shared: dict[str, Any] = {"prompt": 'a "red" heart', "model": str(model), "seed": 3}
    shared |= {"num_inference_steps": 2, **values}
    picture = saved(colorful((40, 24), "RGBA"), folder, "it's here.png")
    mask = str(inputs.keep_picture(ellipse((40, 24))))
    small = {"width": 32, "height": 16}
    return {
        "text_to_image": TextToImage(**shared, **small),
        "image_to_image": ImageToImage(image=picture, strength=0.7, **small, **shared),
        "inpaint": Inpaint(image=picture, mask=mask, feather=3, padding=4, **shared),
        "outpaint": Outpaint(image=picture, left=9, bottom=12, feather=2, **shared),
    }


NAMES = ("text_to_image", "image_to_image", "inpaint", "outpaint")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        *(("stable_diffusion", name) for name in NAMES),
        *(("stable_diffusion_3", name) for name in NAMES),
        *(("flux", name) for name in NAMES[:2]),  # it would repaint at 256 × 256, which takes long
    ],
)
def test_the_program_draws_the_same(
    tiny_pipelines: dict[str, Path], tmp_path: Path, model: str, name: str
) -> None:
    folder = tiny_pipelines[model]
    assert draws_the_same(tasks(folder, tmp_path)[name], folder, tmp_path)


@pytest.mark.parametrize("plan", ["16-bit weights", "tiled VAE", "8-bit weights"])
def test_the_program_takes_as_little_memory_and_draws_the_same(
    tiny_pipelines: dict[str, Path], tmp_path: Path, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.device.has_native_bfloat16", lambda: False)
    folder = tiny_pipelines["stable_diffusion"]
    lora = str(save_lora(folder, folders.loras() / "ink.safetensors"))
    task = replace(tasks(folder, tmp_path)["text_to_image"], memory_plan=plan, loras=lora)
    assert draws_the_same(task, folder, tmp_path)
    program = (tmp_path / "program.py").read_text()
    assert ("float8_e4m3fn" in program) == (plan == "8-bit weights")
    assert ("enable_tiling" in program) == (plan != "16-bit weights")


@pytest.mark.parametrize("name", NAMES)
def test_weighted_prompts_are_weighed_there_too(
    tiny_pipelines: dict[str, Path], tmp_path: Path, name: str
) -> None:
    folder = tiny_pipelines["stable_diffusion_3"]
    words = {"prompt": "a (red:1.4) heart", "negative_prompt": "[blue]"}
    assert draws_the_same(tasks(folder, tmp_path, **words)[name], folder, tmp_path)


def test_a_model_that_sees_the_mask(tiny_pipelines: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny_pipelines["inpainting"]
    words = {"prompt": "a (red:1.4) heart", "scheduler": "euler"}
    assert draws_the_same(tasks(folder, tmp_path, **words)["inpaint"], folder, tmp_path)


def test_hard_edges_and_an_opaque_picture(tiny_pipelines: dict[str, Path], tmp_path: Path) -> None:
    folder = tiny_pipelines["stable_diffusion_3"]
    task = Inpaint(
        prompt="a fox",
        model=str(folder),
        image=saved(colorful((40, 24)), tmp_path),
        mask=saved(ellipse((40, 24)), tmp_path, "mask.png"),
        feather=0,
        num_inference_steps=1,
    )
    assert draws_the_same(task, folder, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_program_needs_nothing_but_diffusers(tmp_path: Path, name: str) -> None:
    values = {"scheduler": "flow_match_heun", "negative_prompt": 'it\'s "blue" 😀'}
    task = tasks(MODEL, tmp_path, **values)[name]
    assert draws_the_same(task, MODEL, tmp_path, in_a_process_of_its_own)


def record(name: str, **values: Any) -> TaskRecord:
    fields: dict[str, Any] = {"prompt": "a fox", "seed": 1, "model": "stickers"}
    if name != "text_to_image":
        fields["image"] = "gone.png"
    if name == "inpaint":
        fields["mask"] = "gone.png"
    made_with = {"box": "0 0 8 8", "piece": "8x8", "drawn_at": "16x16"}
    return TaskRecord(name, fields | values, "", made_with | values.pop("made_with", {}))


EVIL = '"); import os; os.abort() #'


@pytest.mark.parametrize("name", NAMES)
def test_what_a_strange_picture_says_never_becomes_a_program(name: str) -> None:
    words: dict[str, Any] = {"prompt": f"({EVIL}:1.2)", "negative_prompt": EVIL + "\n'''"}
    if name != "text_to_image":
        words["image"] = EVIL
    if name == "outpaint":
        words["left"] = 4
    made_with = {"dtype": EVIL, "device": EVIL, "threads": EVIL}
    told = record(name, **words)
    strange = TaskRecord(name, told.values, "", {**told.made_with, **made_with})
    nodes = list(ast.walk(ast.parse(python_script(strange, MODEL, (16, 16)))))
    assert "os" not in {node.id for node in nodes if isinstance(node, ast.Name)}
    imported = [node for node in nodes if isinstance(node, ast.Import)]
    assert [alias.name for node in imported for alias in node.names] == ["numpy", "torch"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *((name, field) for name in NAMES for field in ("num_inference_steps", "guidance_scale")),
        ("text_to_image", "scheduler"),
        ("image_to_image", "strength"),
        ("inpaint", "feather"),
        ("outpaint", "left"),
    ],
)
def test_fields_that_no_task_would_take_are_refused(name: str, field: str) -> None:
    with pytest.raises(InvalidTask) as caught:
        python_script(record(name, **{field: EVIL}), MODEL, (16, 16))
    assert caught.value.field == field


@pytest.mark.parametrize(("name", "told"), [("inpaint", "box"), ("outpaint", "piece")])
@pytest.mark.parametrize("value", [EVIL, "1 2 3", "9" * 40, ""])
def test_a_picture_that_does_not_tell_enough_is_refused(name: str, told: str, value: str) -> None:
    plain = record(name)
    strange = TaskRecord(name, plain.values, "", {**plain.made_with, told: value})
    with pytest.raises(EngineError, match="does not tell"):
        python_script(strange, MODEL, (16, 16))


@pytest.mark.parametrize("piece", ["99x99", "0x8", "1x1"])
def test_pieces_that_no_task_would_draw_are_refused(piece: str) -> None:
    plain = record("outpaint", left=1000)
    strange = TaskRecord("outpaint", plain.values, "", {**plain.made_with, "piece": piece})
    size = (16, 16) if piece == "99x99" else (1016, 1016)
    with pytest.raises(EngineError, match="does not tell"):
        python_script(strange, MODEL, size)


def test_a_picture_that_is_gone_is_named_all_the_same() -> None:
    text = python_script(record("image_to_image"), MODEL, (16, 16))
    assert "Image.open('gone.png')" in text


def test_only_drawings_can_be_copied_as_python() -> None:
    with pytest.raises(EngineError, match="not drawn from a prompt"):
        python_script(TaskRecord("upscale", {}), MODEL, (8, 8))
