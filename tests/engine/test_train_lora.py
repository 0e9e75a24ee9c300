"""LoRAs learned from a few pictures, on tiny real models of each kind, and used at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw
from test_loras import draw
from tiny_loras import open_plain
from tiny_models import (
    save_flux,
    save_stable_diffusion,
    save_stable_diffusion_3,
    save_stable_diffusion_xl,
)

from engine import checkpoints, folders, library
from engine.errors import Cancelled, DatasetError, InvalidTask
from engine.events import Event, Progress
from engine.metadata import read_task
from engine.runs import MetricsTail, RunFolder
from engine.trainers.train_lora import TrainLora

SAVE = {
    "sd": save_stable_diffusion,
    "xl": save_stable_diffusion_xl,
    "sd3": save_stable_diffusion_3,
    "flux": save_flux,
}
CADENCE: dict[str, Any] = {"log_every": 1, "sample_every": 4, "checkpoint_every": 4, "seed": 3}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("models to teach")
    return {name: save(room / name) for name, save in SAVE.items()}


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """Ten pictures of one thing; two say what else is on them."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(10):
        image = Image.new("RGB", (40, 30 + number), "white")
        ImageDraw.Draw(image).rectangle((5 + number, 5, 25, 20), fill="green")
        image.save(folder / f"{number}.png")
    for number in (1, 2):
        (folder / f"{number}.txt").write_text("a cat\na small cat\n", encoding="utf-8")
    return str(folder)


def learn(model: Path, pictures: str, run: Path, report: Any = None, **fields: Any) -> RunFolder:
    values = CADENCE | {"trigger": "zorblat", "max_steps": 8, "rank": 2} | fields
    task = TrainLora(dataset=pictures, base_model=str(model), **values)
    task.run(report or (lambda event: None), run)
    return RunFolder(run)


@pytest.mark.parametrize("kind", ["sd", "xl", "sd3"])
def test_it_learns_and_is_used_at_once_by_its_name(models, kind, pictures, tmp_path) -> None:
    run = learn(
        models[kind], pictures, folders.runs() / "mine", max_steps=60, learning_rate=0.02,
        batch_size=8, sample_every=60, checkpoint_every=30,
    )  # fmt: skip
    losses = [line.values["loss"] for line in MetricsTail(run).read()[0] if "loss" in line.values]
    assert sum(losses[-15:]) < 0.97 * sum(losses[:15])
    assert library.loras() == ("mine",)
    without, _ = draw(models[kind], tmp_path)
    newest, path = draw(models[kind], tmp_path, "mine")
    record = read_task(path)
    assert record is not None and record.values["loras"] == "mine@60: 1"  # it may learn on
    earlier, _ = draw(models[kind], tmp_path, "mine@30")
    assert len({without, newest, earlier}) == 3
    assert run.description()["base"]["name"] == str(models[kind])


def test_its_file_is_one_that_plain_diffusers_reads(models, pictures, tmp_path) -> None:
    run = learn(models["sd"], pictures, tmp_path / "run", learning_rate=0.05)
    pipe = open_plain(models["sd"])
    pipe.load_lora_weights(str(run.checkpoint_path(8)), weight_name="lora.safetensors")
    saved = checkpoints.load_tensors(run.checkpoint_path(8), "lora")
    assert len(saved) == 2 * 4 * 2 * 4  # two layers, four matrices, two attentions, four blocks
    loaded = {n: p for n, p in pipe.unet.named_parameters() if "lora_" in n}
    assert len(loaded) == len(saved)
    assert sum(p.abs().sum().item() for p in loaded.values()) == pytest.approx(
        sum(p.abs().sum().item() for p in saved.values()), rel=1e-5
    )


@pytest.mark.parametrize("kind", ["sd", "sd3"])
def test_a_stopped_run_goes_on_bit_for_bit(models, kind, pictures, tmp_path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "learning" and event.step == 5:
            raise Cancelled

    whole = learn(models[kind], pictures, tmp_path / "whole")
    with pytest.raises(Cancelled):
        learn(models[kind], pictures, tmp_path / "parts", stop)
    parts = learn(models[kind], pictures, tmp_path / "parts", resume=True)
    for name in ("lora", "optimizer"):
        one = checkpoints.load_tensors(whole.checkpoint_path(8), name)
        other = checkpoints.load_tensors(parts.checkpoint_path(8), name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one), name
    grids = [(run.path / "samples" / "000008.png").read_bytes() for run in (whole, parts)]
    assert grids[0] == grids[1]


def test_pictures_without_a_word_need_a_name(models, pictures, tmp_path) -> None:
    for path in Path(pictures).glob("*.txt"):
        path.unlink()
    with pytest.raises(DatasetError, match="no captioned images"):
        learn(models["sd"], pictures, tmp_path / "run", trigger="")


def test_a_kind_that_cannot_learn_here_is_named(models, pictures, tmp_path) -> None:
    with pytest.raises(InvalidTask, match="No LoRA can be trained here for a Flux"):
        learn(models["flux"], pictures, tmp_path / "run")


def test_one_broken_picture_is_left_out_and_said(models, pictures, tmp_path) -> None:
    (Path(pictures) / "0.png").write_bytes(b"no picture")
    told: list[Event] = []
    run = learn(models["sd"], pictures, tmp_path / "run", told.append, max_steps=2)
    assert run.description()["dataset"]["images"] == 9
    assert any("0.png" in str(event) for event in told)
