"""Copy as Python for trainers on pictures with captions: the same weights, bit for bit."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from test_steered_programs import change, events, learn, repeated, same
from tiny_models import (
    save_prudish_stable_diffusion,
    save_stable_diffusion,
    save_stable_diffusion_3,
    save_stable_diffusion_xl,
)

from engine import checkpoints
from engine.errors import EngineError, ModelError
from engine.run_programs.program import run_program
from engine.runs import RunFolder
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.trainers.train_lora import TrainLora

CADENCE: dict[str, Any] = {"log_every": 2, "sample_every": 50, "seed": 3, "batch_size": 4}
SAVE = {
    "sd": save_stable_diffusion,
    "prudish": save_prudish_stable_diffusion,
    "xl": save_stable_diffusion_xl,
    "sd3": save_stable_diffusion_3,
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Ten; two say what is on them, one is seen through, one is broken."""
    folder = tmp_path_factory.mktemp('it\'s "here"')
    for number in range(10):
        image = Image.new("RGBA" if number == 3 else "RGB", (40, 30 + number), "white")
        ImageDraw.Draw(image).rectangle((5 + number, 5, 25, 20), fill=(9 * number, 90, 0))
        image.save(folder / f"{number}.png")
    Image.new("RGBA", (40, 40), (200, 0, 0, 90)).save(folder / "3.png")
    (folder / "9.png").write_bytes(b"no picture")
    (folder / ".hidden.png").write_bytes(b"no picture")
    for number in (1, 2):
        (folder / f"{number}.txt").write_text("a cat\n\na small cat\n", encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def indexed(pictures: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same pictures with an index, which tells some of them twice and forgets others."""
    folder = tmp_path_factory.mktemp("indexed")
    shutil.copytree(pictures, folder / "images")
    lines = [
        {"file": f"images/{number}.png", "captions": [f"sheep {number} ", " ", 3, "a sheep"]}
        for number in (4, 1, 2, 1, 8, 7, 6, 9)
    ]
    lines.append({"file": "images/5.png", "captions": []})
    text = "\n\n".join(map(json.dumps, lines))
    (folder / "captions.jsonl").write_text(text, encoding="utf-8")
    return str(folder)


# --------------------------------------------------------------------------- LoRAs


def lora(model: Path, pictures: str, **fields: Any) -> TrainLora:
    known = {**CADENCE, "trigger": "zor 'blat", "max_steps": 5, "rank": 2, "learning_rate": 0.02}
    return TrainLora(dataset=pictures, base_model=str(model), **{**known, **fields})


def same_lora(run: RunFolder, folder: Path) -> bool:
    step, path = run.checkpoints()[-1]
    kept = checkpoints.load_tensors(path, "lora")
    (file,) = (folder / "lora").iterdir()
    found = load_file(file)
    assert step == 5
    assert kept.keys() == found.keys()
    return all(torch.equal(kept[key], found[key]) for key in kept)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("sd", {"caption_dropout": 0.5}),
        ("prudish", {"trigger": "", "image_size": 32}),
        ("xl", {}),
        ("sd3", {"dataset": "indexed"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_lora_is_repeated(
    kind: str,
    fields: dict[str, Any],
    pictures: str,
    indexed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if fields.get("dataset") == "indexed":
        fields = {**fields, "dataset": indexed}
    run = RunFolder(tmp_path / "run")
    model = SAVE[kind](tmp_path / "model")
    task = lora(model, fields.pop("dataset", pictures), **fields)
    learn(task, run, (3, change(run, learning_rate=0.05, caption_dropout=0.9)))
    repeated(run, tmp_path, monkeypatch, capsys)
    assert same_lora(run, tmp_path)


def test_a_model_that_is_gone_or_of_another_kind_is_told(pictures: str, tmp_path: Path) -> None:
    model = save_stable_diffusion(tmp_path / "model")
    run = RunFolder(tmp_path / "run")
    learn(lora(model, pictures, max_steps=1, image_size=16), run)
    assert str(model) in run_program(run)
    told = run.description()
    run.create({**told, "model": {**told["model"], "model": 'Flux"\nimport os'}})
    with pytest.raises(EngineError, match="no program for a LoRA of a Flux"):
        run_program(run)
    run.create(told)
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".fp16.safetensors").with_name(
        "diffusion_pytorch_model.fp16.safetensors"
    ))  # fmt: skip
    assert "variant='fp16'" in run_program(run)
    shutil.rmtree(model)
    with pytest.raises(ModelError):
        run_program(run)


# --------------------------------------------------------------------------- autoencoders


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "auto"])
def test_an_autoencoder_is_repeated(
    precision: str,
    pictures: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunFolder(tmp_path / "run")
    task = TrainAutoencoder(
        dataset=pictures, image_size=32, crop_size=16, width=8, max_steps=6, precision=precision,
        **CADENCE,
    )  # fmt: skip
    learn(task, run, (3, change(run, learning_rate=0.01)))
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["autoencoder"], run, "autoencoder")
    assert same(found["average"], run, "average")
    assert (tmp_path / "autoencoder" / "config.json").is_file()


def test_other_pictures_than_those_of_the_run_are_noticed(
    pictures: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    run = RunFolder(tmp_path / "run")
    task = TrainAutoencoder(
        dataset=str(folder), image_size=16, crop_size=16, width=8, max_steps=1, **CADENCE
    )
    learn(task, run)
    assert events(run)
    (folder / "1.txt").write_text("a dog")
    (tmp_path / "program.py").write_text(run_program(run), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match="not the pictures of the run"):
        runpy.run_path("program.py")
