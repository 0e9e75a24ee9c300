"""A picture of another program, or one with wildcards and styles, opened in the real Create."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from pytestqt.qtbot import QtBot

from engine.generators.text_to_image import TextToImage
from engine.metadata import record_of, write_picture
from engine.prompts.evaluation import evaluated
from engine.worker import Engine
from studio.settings import Settings
from studio.workspaces.create import CreateWorkspace

A1111 = (
    "a castle <lora:stone:0.7>, (fog:1.2)\nNegative prompt: people\n"
    "Steps: 33, Sampler: Euler a, CFG scale: 6.5, Seed: 77, Size: 512x256, Model: nowhere, "
    "Clip skip: 2, Version: v1.9.3"
)


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[CreateWorkspace]:
    workspace = CreateWorkspace(engine, Settings())
    qtbot.addWidget(workspace)
    yield workspace
    workspace.close()


def test_settings_of_another_program_are_taken_over_and_the_rest_named(
    workspace: CreateWorkspace, tmp_path: Path
) -> None:
    easel = workspace.easel
    easel.prompt.setPlainText("before")
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("parameters", A1111)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=chunks)
    workspace.reusing.restore(tmp_path / "a.png")
    request = workspace.reusing.request()
    assert request["prompt"] == "a castle, (fog:1.2)"
    assert request["negative_prompt"] == "people"
    told = {name: request[name] for name in ("num_inference_steps", "guidance_scale", "seed")}
    assert told == {"num_inference_steps": 33, "guidance_scale": 6.5, "seed": 77}
    assert (request["width"], request["height"]) == (512, 256)
    assert request["scheduler"] == "euler_ancestral" and request["model"] == "stickers"
    assert easel.remark.text == (
        "Settings of AUTOMATIC1111 restored, except: LoRA stone (0.7), Clip skip 2, Model nowhere"
    )
    workspace.undo_stack.undo()
    assert easel.prompt.toPlainText() == "before"


def test_wildcards_and_styles_come_back_as_they_were_written(
    workspace: CreateWorkspace, tmp_path: Path
) -> None:
    task = TextToImage(prompt="a {red|blue} __animal__", style="flat, night", seed=9)
    drawn, written = evaluated(task)
    assert drawn.prompt.startswith("(flat:5) a ") and drawn.prompt.count("{") == 0
    path = tmp_path / "own.png"
    write_picture(path, Image.new("RGB", (8, 8)), record_of(drawn, written=written))
    workspace.reusing.restore(path)
    assert workspace.easel.prompt.toPlainText() == "a {red|blue} __animal__"
    assert workspace.easel.negative_prompt.toPlainText() == ""
    assert workspace.easel.styles.value() == "flat, night"
    assert workspace.reusing.request()["seed"] == 9
