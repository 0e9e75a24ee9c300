"""Copy as Python for trainers on pictures with captions: the same weights, bit for bit."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from test_run_program import EVIL, ignore, imported, losses, said
from test_steered_programs import change, events, go_on, learn, repeated, same
from test_word_teacher import teacher
from tiny_models import (
    save_prudish_stable_diffusion,
    save_stable_diffusion,
    save_stable_diffusion_3,
    save_stable_diffusion_xl,
)

from engine import checkpoints, folders
from engine.errors import EngineError, ModelError
from engine.run_programs.program import run_program
from engine.runs import RunFolder
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.trainers.train_lora import TrainLora
from engine.trainers.train_text_to_image import TrainTextToImage

__all__ = ["teacher"]  # a fixture

CADENCE: dict[str, Any] = {"log_every": 2, "sample_every": 50, "seed": 3, "batch_size": 4}
SAVE = {
    "sd": save_prudish_stable_diffusion,
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
    known["sample_prompts"] = "a thing"
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
        ("xl", {"trigger": "", "image_size": 32}),
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
    strange = {**told["fields"], "trigger": EVIL, "dataset": f"/nowhere/{EVIL}", "image_size": 0}
    run.create({**told, "fields": strange})
    program = run_program(run)
    assert "os" not in imported(program)
    assert "own_size" in program
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


# --------------------------------------------------------------------------- text to image


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("named")
    for color in ("red", "blue", "gold"):
        Image.new("RGB", (32, 32), color).save(folder / f"{color}.png")
        (folder / f"{color}.txt").write_text(f"{color} square\n{color}\n{'红' * 3}")
    return str(folder)


@pytest.fixture(scope="module")
def packed(named: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of an autoencoder."""
    folder = tmp_path_factory.mktemp("autoencoder")
    TrainAutoencoder(
        dataset=named, image_size=32, crop_size=16, width=8, max_steps=4, **CADENCE
    ).run(ignore, folder)  # fmt: skip
    return folder


def drawing(named: str, packed: Path, **fields: Any) -> TrainTextToImage:
    known = {
        **CADENCE, "image_size": 32, "width": 64, "text_width": 64, "num_layers": 2,
        "vocab_size": 540, "max_steps": 5, "text_steps": 2, "warmup_steps": 2, "log_every": 1,
    }  # fmt: skip
    return TrainTextToImage(dataset=named, autoencoder=str(packed), **{**known, **fields})


def test_a_text_to_image_model_is_repeated_and_learned_on_from(
    named: str,
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunFolder(folders.runs() / "colours")
    steer = change(run, learning_rate=0.004, text_learning=0.3, caption_dropout=0.6)
    learn(drawing(named, packed), run, (3, steer))
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["model"], run, "model")
    assert same(found["average"], run, "model_ema")
    assert same(found["heads"], run, "caption_heads")
    further = RunFolder(tmp_path / "further")
    task = drawing(named, packed, base_model="colours", precision="float32", max_steps=3)
    learn(task, further)
    go_on(run, max_steps=6)  # what has been begun from stays where it was
    found = repeated(further, tmp_path, monkeypatch, capsys)
    assert same(found["model"], further, "model")
    assert same(found["average"], further, "model_ema")


def test_what_a_teacher_teaches_is_repeated(
    named: str,
    packed: Path,
    teacher: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("engine.models.word_teacher.PAIRS", 40)
    run = RunFolder(tmp_path / "run")
    task = drawing(named, packed, text_teacher=str(teacher), text_learning=0.5, precision="float32")
    learn(task, run)
    program = run_program(run)
    assert "PAIRS = 40_000" in program
    monkeypatch.setattr(
        "test_steered_programs.run_program",
        lambda run: program.replace("PAIRS = 40_000", "PAIRS = 40"),
    )
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["model"], run, "model")
    assert same(found["average"], run, "model_ema")


def test_an_autoencoder_that_has_learned_on_since_is_taken_as_it_was(
    named: str,
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changing = tmp_path / "autoencoder"
    shutil.copytree(packed, changing)
    run = RunFolder(tmp_path / "run")
    learn(drawing(named, changing, max_steps=2, text_steps=1), run)
    go_on(RunFolder(changing), max_steps=8)
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["model"], run, "model")
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(EngineError, match="not there any more"):
        run_program(run)
    shutil.rmtree(changing)
    with pytest.raises(ModelError):
        run_program(run)


@pytest.mark.slow
@pytest.mark.parametrize("trainer", ["lora", "text_to_image"])
def test_the_program_needs_nothing_of_the_engine(
    trainer: str, named: str, packed: Path, teacher: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    if trainer == "lora":
        learn(lora(save_stable_diffusion_3(tmp_path / "base"), named), run)
    else:
        learn(drawing(named, packed), run)
    program = run_program(run)
    assert "engine" not in {name.partition(".")[0] for name in imported(program)}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert said(done.stdout) == losses(run)
    if trainer == "lora":
        assert same_lora(run, tmp_path)


# --------------------------------------------------------------------------- what it refuses


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
