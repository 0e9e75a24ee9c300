"""Copy as Python for a run: the program alone makes the same steps, bit for bit."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_language_models
import torch
from PIL import Image
from safetensors.torch import load_file
from small_language_runs import save_text

from engine import folders
from engine.data import idx
from engine.data.digits import load_digits
from engine.errors import EngineError, ModelError
from engine.events import Event
from engine.generators.export_language_model import ExportLanguageModel
from engine.run_programs.copied_source import copied
from engine.run_programs.program import PROGRAMS, has_program, run_program
from engine.runs import RunFolder
from engine.task import Task
from engine.trainers.finetune_language_model import FinetuneLanguageModel
from engine.trainers.train_diffusion import TrainDiffusion
from engine.trainers.train_gan import LOSSES, MODELS, TrainGan
from engine.trainers.train_language_model import TrainLanguageModel
from engine.trainers.train_vae import TrainVae

TINY: dict[str, Any] = {
    "batch_size": 4,
    "width": 4,
    "latent_dim": 8,
    "seed": 7,
    "max_steps": 5,
    "log_every": 2,
    "precision": "float32",
    "augment": "off",
}
EVIL = '"""\n"); import os; os.abort() #'


def ignore(event: Event) -> None:
    pass


def trained(folder: Path, **fields: Any) -> RunFolder:
    return finished(folder, TrainGan(**{**TINY, **fields}))


def finished(folder: Path, task: Task) -> RunFolder:
    run = RunFolder(folder / "run")
    task.run(ignore, run.path)
    return run


NAMES = {
    "train_gan": ("discriminator_loss", "generator_loss"),
    "train_vae": ("loss", "kl"),
    "train_diffusion": ("loss",),
    "train_language_model": ("loss",),
    "finetune_language_model": ("loss",),
    "train_lora": ("loss",),
    "train_autoencoder": ("loss",),
    "train_text_to_image": ("loss", "text_loss"),
}
"""What the program of a trainer prints at a step."""


def losses(run: RunFolder) -> dict[int, list[float]]:
    lines = [json.loads(line) for line in run.metrics_path.read_text().splitlines()]
    names = NAMES[run.description()["task"]]
    return {
        line["step"]: [line["values"][name] for name in names if name in line["values"]]
        for line in lines
        if line.get("values")
    }


def said(output: str) -> dict[int, list[float]]:
    found = re.findall(r"^step (\d+): (.+)$", output, re.MULTILINE)
    return {int(step): [float(number) for number in numbers.split()] for step, numbers in found}


def run_here(
    run: RunFolder, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run the program in this process, which imports nothing again, and compare the losses."""
    (folder / "program.py").write_text(run_program(run), encoding="utf-8")
    patch.chdir(folder)
    capsys.readouterr()
    runpy.run_path("program.py")
    expected = losses(run)
    assert len(expected) >= 3
    assert said(capsys.readouterr().out) == expected


def repeats(
    run: RunFolder,
    folder: Path,
    patch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    columns: int = 8,
) -> None:
    """Compare losses and pictures, which in the grid have gaps of two pixels."""
    run_here(run, folder, patch, capsys)
    drawn, grid = pixels(folder / "samples.png"), pixels(run.samples()[-1][1])
    size = drawn.shape[1] // columns
    rows = drawn.shape[0] // size
    for row in range(rows):
        top = grid.shape[0] - (rows - row) * (size + 2)
        line = drawn[row * size : (row + 1) * size]
        for column in range(columns):
            left = 2 + column * (size + 2)
            there = grid[top : top + size, left : left + size]
            assert np.array_equal(line[:, column * size : (column + 1) * size], there)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="session")
def some_digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A gzipped IDX file of 14 digits, so that the fourth batch of four crosses an epoch."""
    path = tmp_path_factory.mktemp("data") / "some-images-idx3-ubyte.gz"
    idx.write(path, load_digits()[0][:14, :, :, 0])
    return str(path)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_learns_the_same_again(
    model: str,
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = trained(tmp_path, dataset=some_digits, model=model)
    repeats(run, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_repeated(
    loss: str,
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = trained(tmp_path, dataset=some_digits, model="mlp_small", loss=loss)
    repeats(run, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "fields",
    [
        {"precision": "bfloat16"},
        {"loss": "wgan_gp", "model": "dcgan", "gamma": 3.0},
        {"loss": "relativistic", "augment": "on", "precision": "bfloat16"},
        {"color": "color", "augment": "auto"},
        {"image_size": "32", "color": "color"},
        {"dataset": "digits"},
        {"dataset": "stickers", "image_size": "32", "color": "gray"},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_other_data_and_precision(
    fields: dict[str, str],
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = trained(tmp_path, **{"dataset": some_digits, "model": "conv", "max_steps": 4, **fields})
    repeats(run, tmp_path, monkeypatch, capsys)


def test_a_folder_of_pictures_of_all_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'it\'s "here"'
    (folder / "more").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    chance = np.random.default_rng(0)
    noise = Image.fromarray(chance.integers(0, 256, (40, 50, 4), np.uint8))
    noise.save(folder / "b.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    noise.convert("RGB").save(folder / "a.JPG", exif=turned)
    noise.convert("L").save(folder / "more" / "c.webp")
    noise.save(folder / ".hidden" / "d.png")
    (folder / "e.png").write_bytes(b"no picture")
    run = trained(tmp_path, dataset=str(folder), model="mlp_small")
    repeats(run, tmp_path, monkeypatch, capsys)


SMALL: dict[str, Any] = {
    "batch_size": 4, "seed": 7, "max_steps": 5, "log_every": 2, "precision": "float32",
}  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"beta": 0.5, "beta_warmup_steps": 3},
        {"precision": "bfloat16", "image_size": "32", "color": "color", "latent_dim": 5},
        {"dataset": "stickers", "image_size": "64", "max_steps": 3, "evaluate_every": 2},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_a_vae_is_repeated(
    fields: dict[str, Any],
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = {**SMALL, "dataset": some_digits, "model": "small", "held_out": 0.1}
    run = finished(tmp_path, TrainVae(**{**known, **fields}))
    repeats(run, tmp_path, monkeypatch, capsys, columns=10)


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({"warmup_steps": 3, "grad_clip": 0.1}, 10),
        ({"objective": "ddpm", "precision": "bfloat16", "grad_clip": 0.0}, 10),
        ({"dataset": "digits", "class_dropout": 0.5, "max_steps": 4}, 10),
        ({"dataset": "folders", "image_size": "28", "sample_guidance": 3.0}, 2),
        ({"dataset": "stickers", "image_size": "64", "max_steps": 3}, 10),
    ],
    ids=str,
)
def test_a_diffusion_model_is_repeated(
    fields: dict[str, Any],
    columns: int,
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = tmp_path / "folders"
    for name, color in (("b's", "red"), ("a", "blue"), ("b's", "gold"), ("a", "black")):
        (folders / name / "deeper").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), color).save(folders / name / "deeper" / f"{color}.png")
    known = {**SMALL, "dataset": some_digits, "model": "tiny", "sample_steps": 3}
    if fields.get("dataset") == "folders":
        fields = {**fields, "dataset": str(folders)}
    run = finished(tmp_path, TrainDiffusion(**{**known, **fields}))
    repeats(run, tmp_path, monkeypatch, capsys, columns)


WRITING: dict[str, Any] = {
    "block_size": 16, "batch_size": 4, "seed": 7, "max_steps": 8, "log_every": 2,
    "validate_every": 2, "warmup_steps": 2, "sample_every": 3, "sample_prompts": "One",
}  # fmt: skip
SMALL_GPT: dict[str, Any] = {"num_layers": 1, "num_heads": 2, "width": 16, "vocab_size": 300}


def writes_again(
    run: RunFolder, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Compare the losses, those on held-out text, and the weights that are kept."""
    (folder / "program.py").write_text(run_program(run), encoding="utf-8")
    patch.chdir(folder)
    capsys.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft uses what transformers gives up
        runpy.run_path("program.py")
    output = capsys.readouterr().out
    assert said(output) == losses(run)
    lines = [json.loads(line) for line in run.metrics_path.read_text().splitlines()]
    values = {line["step"]: line["values"] for line in lines if line.get("values")}
    held_out = {step: told["val_loss"] for step, told in values.items() if "val_loss" in told}
    found = re.findall(r"^after step (\d+): val_loss (.+)$", output, re.MULTILINE)
    assert len(found) >= 2
    assert {int(step): float(loss) for step, loss in found} == held_out
    out = folder / "exported"
    ExportLanguageModel(run_folder=str(run.path)).run(ignore, out)
    kept, again = (weights_in(place) for place in (out, folder / "model"))
    assert kept.keys() == again.keys()
    assert all(torch.equal(kept[name], again[name]) for name in kept)


def weights_in(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.rglob("*.safetensors")
    return load_file(path)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tokenizer": "characters", "schedule": "linear", "gradient_accumulation_steps": 2},
        {"patience": 0, "grad_clip": 0.0, "dropout": 0.0, "schedule": "constant"},
        {"patience": 1, "learning_rate": 0.5, "max_steps": 30, "schedule": "constant"},
        {"dataset": "shakespeare", "max_steps": 6},
        {"dataset": "records"},
        {"dataset": "folder"},
    ],
    ids=str,
)
def test_a_language_model_is_repeated(
    fields: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = {**WRITING, **SMALL_GPT, "dataset": save_text(tmp_path, 120)}
    if fields.get("dataset") in ("records", "folder"):
        fields = {**fields, "dataset": write_texts(tmp_path / "texts", fields["dataset"])}
    run = finished(tmp_path, TrainLanguageModel(**{**known, **fields}))
    writes_again(run, tmp_path, monkeypatch, capsys)


def write_texts(folder: Path, kind: str) -> str:
    """Texts of all kinds, some of which cannot be read; the folder of them, or the JSONL alone."""
    (folder / "more").mkdir(parents=True)
    turns = [{"role": "user", "content": "Two?"}, {"role": "assistant", "content": "Four."}]
    records: list[Any] = [{"text": f"The {n}th sheep sleeps. 🐑"} for n in range(60)]
    records += [{"prompt": "One", "completion": f"and {n} goats"} for n in range(9)]
    records += [{"messages": turns}, {"text": " "}, {"text": "half \ud83d"}, ["no"], {"text": 3}]
    lines = [json.dumps(record) for record in records]
    (folder / "a.jsonl").write_text("\n".join([*lines, "", "{broken"]), encoding="utf-8")
    (folder / "more" / "b.TXT").write_bytes("\ufeffOne fox\r\nsleeps.\r".encode() * 20)
    (folder / "c.md").write_bytes(b"\xff\xfe")
    (folder / "d.txt").write_text(" \n")
    (folder / "e.csv").write_text("no text")
    return str(folder / "a.jsonl" if kind == "records" else folder)


@pytest.mark.parametrize(
    "fields",
    [{"method": "lora"}, {"method": "full"}, {"method": "lora", "patience": 1, "max_steps": 30}],
    ids=str,
)
@pytest.mark.parametrize("base", ["folder", "gguf", "chat"])
def test_fine_tuning_is_repeated(
    base: str,
    fields: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = save_text(tmp_path, 120)
    if base == "gguf":
        model = tiny_language_models.save_gguf(tmp_path / "base.gguf")
    else:
        template = tiny_language_models.CHAT_TEMPLATE if base == "chat" else None
        model = tiny_language_models.save_folder(tmp_path / "base", template)
    if base == "chat":
        text = write_texts(tmp_path / "texts", "records")
    known = {**WRITING, "dataset": text, "model": str(model), "learning_rate": 3e-2}
    run = finished(tmp_path, FinetuneLanguageModel(**{**known, **fields}))
    writes_again(run, tmp_path, monkeypatch, capsys)


def test_a_conversion_that_is_gone_is_told(tmp_path: Path) -> None:
    model = tiny_language_models.save_gguf(tmp_path / "base.gguf")
    text = save_text(tmp_path, 120)
    task = FinetuneLanguageModel(**{**WRITING, "dataset": text, "model": str(model)})
    run = finished(tmp_path, task)
    assert "base" in run_program(run)
    shutil.rmtree(folders.cache())
    with pytest.raises(EngineError, match="the conversion is gone"):
        run_program(run)
    model.unlink()
    with pytest.raises(ModelError, match="no model at"):
        run_program(run)


def test_other_classes_than_those_of_the_run_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TrainDiffusion(**{**SMALL, "model": "tiny", "max_steps": 1, "sample_steps": 1})
    run = finished(tmp_path, task)
    change(run, model={"classes": [*"0123456780"]})
    (tmp_path / "program.py").write_text(run_program(run), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match="not the classes of the run"):
        runpy.run_path("program.py")
    change(run, model={"classes": [EVIL, 3]})
    with pytest.raises(EngineError):
        run_program(run)


@pytest.mark.slow
def test_the_program_needs_nothing_of_the_engine(some_digits: str, tmp_path: Path) -> None:
    run = trained(tmp_path, dataset=some_digits)
    program = run_program(run)
    assert "engine" not in {name.partition(".")[0] for name in imported(program)}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert said(done.stdout) == losses(run)


def imported(program: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_other_images_than_those_of_the_run_are_noticed(
    some_digits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(tmp_path, dataset=some_digits, model="mlp_small", max_steps=1)
    change(run, dataset={"sha256": "0" * 64})
    (tmp_path / "program.py").write_text(run_program(run), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match="not the images of the run"):
        runpy.run_path("program.py")


# --------------------------------------------------------------------------- what it refuses


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One step on the embedded digits."""
    folder = tmp_path_factory.mktemp("short")
    return trained(folder, model="mlp_small", max_steps=1).path


@pytest.fixture
def run(short_run: Path, tmp_path: Path) -> RunFolder:
    """A copy of run.json and the metrics alone, to be changed."""
    copy = RunFolder(tmp_path / "copy")
    copy.create(RunFolder(short_run).description())
    copy.metrics_path.write_bytes(RunFolder(short_run).metrics_path.read_bytes())
    return copy


def change(run: RunFolder, **entries: Any) -> None:
    """Change entries of run.json; a mapping changes some entries of an entry."""
    told = run.description()
    for name, value in entries.items():
        told[name] = {**told[name], **value} if isinstance(value, Mapping) else value
    run.create(told)


def test_a_trainer_without_a_program_says_so(run: RunFolder) -> None:
    change(run, task="train_nothing")
    assert not has_program("train_nothing")
    assert all(has_program(name) for name in PROGRAMS)
    with pytest.raises(EngineError, match="no program for runs of train_nothing"):
        run_program(run)


@pytest.mark.parametrize(
    "entries",
    [
        {"dataset": {"sha256": EVIL}},
        {"dataset": {"held_out": EVIL}},
        {"dataset": None},
        {"model": {"model": "dcgan", "width": EVIL}},
        {"model": {"model": "dcgan", "width": True}},
        {"model": {"model": EVIL}},
        {"model": {"channels": True}},
        {"model": {"latent_dim": -1}},
        {"threads": EVIL},
        {"device": EVIL},
        {"fields": {"seed": EVIL}},
        {"fields": {"loss": EVIL}},
        {"fields": {EVIL: 1}},
    ],
    ids=str,
)
def test_what_no_run_would_say_is_refused(run: RunFolder, entries: dict[str, Any]) -> None:
    change(run, **entries)
    with pytest.raises(EngineError):
        run_program(run)


def test_what_a_strange_run_says_never_becomes_a_program(run: RunFolder) -> None:
    change(run, versions={"torch": EVIL}, fields={"dataset": f"/nowhere/{EVIL}"})
    strange = RunFolder(run.path.rename(run.path.with_name('"""\nimport os\n"""')))
    program = run_program(strange)
    assert "os" not in imported(program)
    nodes = ast.walk(ast.parse(program))
    assert "os" not in {node.id for node in nodes if isinstance(node, ast.Name)}


def test_code_is_copied_with_its_decorators_and_its_own_imports() -> None:
    source = copied("models/dcgan.py")
    assert source.code.startswith("@dataclass(frozen=True)\nclass DcganConfig")
    assert "from dataclasses import dataclass" in source.imports
    assert not any("engine" in line or "__future__" in line for line in source.imports)
    only = copied("data/crop.py", ["square"])
    assert [node.name for node in ast.parse(only.code).body] == ["square"]  # type: ignore[attr-defined]
