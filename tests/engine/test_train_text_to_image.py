"""Text to image from nothing: it learns, goes on bit for bit, and becomes a model that draws."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusion3Pipeline
from PIL import Image
from training_diary import Diary, at, marks

from engine import checkpoints, library, metadata, model_facts
from engine.errors import DatasetError, InvalidTask, ModelError
from engine.events import Event, SampleGrid, Saved
from engine.generators.draw_filmstrip import DrawFilmstrip
from engine.generators.export_text_to_image import ExportTextToImage
from engine.generators.text_to_image import TextToImage
from engine.models import caption_tokenizer
from engine.models.pipeline_folder import read_pipeline
from engine.runs import MetricsTail, RunFolder
from engine.trainers.text_to_image_learner import learning_rate
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.trainers.train_text_to_image import TrainTextToImage

COLORS = ("red", "green", "blue", "gold")


def ignore(event: Event) -> None:
    pass


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for color in COLORS:
        Image.new("RGB", (32, 32), color).save(folder / f"{color}.png")
        (folder / f"{color}.txt").write_text(f"{color} square\n{color}")
    return folder


@pytest.fixture(scope="module")
def task(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainTextToImage:
    """A tiny one, on a tiny autoencoder."""
    autoencoder = tmp_path_factory.mktemp("autoencoder")
    TrainAutoencoder(
        dataset=str(pictures), image_size=32, crop_size=16, width=8, latent_channels=16,
        batch_size=4, max_steps=20, seed=1,
    ).run(ignore, autoencoder)  # fmt: skip
    return TrainTextToImage(
        dataset=str(pictures), autoencoder=str(autoencoder), image_size=32, width=64,
        num_layers=2, vocab_size=530, batch_size=4, seed=2, max_steps=6, text_steps=2,
        warmup_steps=2, log_every=1, sample_every=3, checkpoint_every=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(task: TrainTextToImage, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    task.run(ignore, folder)
    return RunFolder(folder)


def measured(run: RunFolder, name: str) -> list[float]:
    lines, _ = MetricsTail(run).read()
    return [line.values[name] for line in lines if name in line.values]


def test_the_same_captions_give_the_same_tokenizer_for_any_script() -> None:
    captions = [
        f"{color} {thing}" for color in COLORS for thing in ("heart", "house", "红心", "né")
    ]
    first, second = (caption_tokenizer.train_tokenizer(captions, 540, 16) for _ in range(2))
    assert caption_tokenizer.to_json(first) == caption_tokenizer.to_json(second)
    for text in ("redheart", "红心", "ñandú,3d!"):
        said = first.decode(first(text)["input_ids"], skip_special_tokens=True)
        assert said.replace(" ", "") == text


def test_rates_change_while_it_learns_and_stay_after_a_resume(
    task: TrainTextToImage, run: RunFolder, tmp_path: Path
) -> None:
    steered = RunFolder(tmp_path)

    def turn() -> None:
        steered.send("set", name="learning_rate", value=task.learning_rate / 2)
        steered.send("set", name="text_learning", value=0.3)
        steered.send("set", name="caption_dropout", value=0.5)

    task.run(Diary(at(4, turn)), steered.path)
    told = measured(steered, "learning_rate"), measured(run, "learning_rate")
    assert told[0][:4] == told[1][:4]
    assert told[0][4:] == pytest.approx([rate / 2 for rate in told[1][4:]])
    assert (4, "text_learning = 0.3 #2") in marks(steered.path)
    before, after = (checkpoints.load(steered.checkpoint_path(step))[1]["model"] for step in (3, 6))
    words = [name for name in before if name.startswith("text_encoder.")]
    assert words and any(not torch.equal(before[name], after[name]) for name in words)
    going_on = dataclasses.replace(task, resume=True, max_steps=8)
    going_on.run(ignore, steered.path)
    _, state = checkpoints.load(steered.checkpoint_path(8))
    assert state["live"] == {
        "learning_rate": task.learning_rate / 2, "text_learning": 0.3, "caption_dropout": 0.5,
    }  # fmt: skip


def test_captions_come_first_then_pictures_and_both_are_learned(
    task: TrainTextToImage, tmp_path: Path
) -> None:
    longer = dataclasses.replace(
        task, max_steps=90, text_steps=40, sample_every=90, checkpoint_every=90, batch_size=8
    )
    longer.run(ignore, tmp_path)
    words, drawing = (measured(RunFolder(tmp_path), name) for name in ("text_loss", "loss"))
    assert (len(words), len(drawing)) == (40, 50)
    assert np.mean(words[-5:]) < np.mean(words[:5]) - 1.5
    assert np.mean(drawing[-10:]) < 0.9 * np.mean(drawing[:5])


def test_a_stopped_run_goes_on_bit_for_bit(
    task: TrainTextToImage, run: RunFolder, tmp_path: Path
) -> None:
    task.run(ignore, tmp_path)
    again = RunFolder(tmp_path)
    for file in again.checkpoint_path(6).iterdir():
        file.unlink()
    dataclasses.replace(task, resume=True).run(ignore, tmp_path)
    for name in ("model", "model_ema", "optimizer", "text_optimizer", "rng"):
        one = checkpoints.load_tensors(run.checkpoint_path(6), name)
        other = checkpoints.load_tensors(again.checkpoint_path(6), name)
        assert all(torch.equal(one[key], other[key]) for key in one), name
    assert measured(run, "loss") == measured(again, "loss")


def test_sampling_does_not_touch_the_chance_of_training(task: TrainTextToImage) -> None:
    torch.manual_seed(0)
    learner = task.learner(ignore)
    before = torch.get_rng_state()
    first, second = learner.sample(), learner.sample()
    assert torch.equal(torch.get_rng_state(), before)
    assert first.tobytes() == second.tobytes()


def test_sample_prompts_can_be_chosen(task: TrainTextToImage, tmp_path: Path) -> None:
    told: list[Event] = []
    asked = dataclasses.replace(task, sample_prompts="red; blue ;", max_steps=3)
    asked.run(told.append, tmp_path)
    assert RunFolder(tmp_path).description()["sample_prompts"] == ["red", "blue"]
    *_, grid = [event.path for event in told if isinstance(event, SampleGrid)]
    with Image.open(grid) as image:
        assert image.size == (2 + 2 * (32 + 2), 2 + 32 + 2)


def test_a_run_becomes_a_model_that_draws(run: RunFolder, tmp_path: Path) -> None:
    ExportTextToImage(run_folder=str(run.path), model_name="mine").run(ignore, tmp_path)
    model = tmp_path / "mine"
    assert max(path.stat().st_size for path in model.rglob("*") if path.is_file()) < 50e6
    projection = json.loads((model / "latent_rgb.json").read_text())
    assert np.array(projection["factors"]).shape == (16, 3)
    assert len(projection["bias"]) == 3
    stored = " ".join(path.read_text() for path in model.rglob("*.json"))
    assert str(tmp_path) not in stored
    assert "/tmp" not in stored
    out = tmp_path / "out"
    draw = TextToImage(prompt="red", model=str(model), num_inference_steps=2, seed=1)
    draw.run(ignore, out)
    [drawn] = out.glob("*.png")
    with Image.open(drawn) as image:
        assert image.size == (32, 32)


def test_diffusers_loads_it_with_nothing_said_about_precision(
    run: RunFolder, tmp_path: Path
) -> None:
    ExportTextToImage(run_folder=str(run.path), model_name="mine").run(ignore, tmp_path)
    pipe = StableDiffusion3Pipeline.from_pretrained(
        str(tmp_path / "mine"), text_encoder_3=None, tokenizer_3=None, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    drawn = pipe("red", num_inference_steps=1, max_sequence_length=0, output_type="np").images
    assert drawn.shape == (1, 32, 32, 3)


def test_the_same_run_exports_the_same_files(run: RunFolder, tmp_path: Path) -> None:
    for name in ("one", "other"):
        ExportTextToImage(run_folder=str(run.path), model_name=name).run(ignore, tmp_path)
    for path in (tmp_path / "one").rglob("*"):
        if path.is_file():
            twin = tmp_path / "other" / path.relative_to(tmp_path / "one")
            assert path.read_bytes() == twin.read_bytes(), path.name


@pytest.fixture
def model(run: RunFolder, tmp_path: Path) -> Path:
    """What the run became."""
    ExportTextToImage(run_folder=str(run.path), model_name="mine").run(ignore, tmp_path)
    return tmp_path / "mine"


def test_a_model_learns_on_from_what_it_knows(
    task: TrainTextToImage, run: RunFolder, model: Path, tmp_path: Path
) -> None:
    further = dataclasses.replace(
        task, base_model=str(model), max_steps=1, learning_rate=0.0, vocab_size=600, width=128
    )
    further.run(ignore, tmp_path / "further")
    begun = checkpoints.load_tensors(run.checkpoint_path(6), "model_ema")
    kept = checkpoints.load_tensors(RunFolder(tmp_path / "further").checkpoint_path(1), "model")
    assert kept.keys() == begun.keys()  # its own shape, not the one asked for
    for name, weights in begun.items():
        assert torch.allclose(kept[name], weights, atol=2e-3), name  # stored in half precision
    assert len(measured(RunFolder(tmp_path / "further"), "loss")) == 1  # no text steps


def test_the_text_encoder_rests_unless_it_is_to_learn_along(
    task: TrainTextToImage, model: Path, tmp_path: Path
) -> None:
    for name, along in (("rests", 0.0), ("learns", 0.5)):
        dataclasses.replace(
            task, base_model=str(model), max_steps=2, text_learning=along
        ).run(ignore, tmp_path / name)  # fmt: skip
    moved = {}
    for name in ("rests", "learns"):
        folder = RunFolder(tmp_path / name)
        end = checkpoints.load_tensors(folder.checkpoint_path(2), "model")
        known, _ = read_pipeline(model)
        moved[name] = {
            key for key, weights in known.state_dict().items() if not weights.equal(end[key])
        }
    assert any(key.startswith("transformer.") for key in moved["rests"])
    assert not any(key.startswith("text_encoder.") for key in moved["rests"])
    assert any(key.startswith("text_encoder.") for key in moved["learns"])


def test_a_model_of_another_size_or_kind_is_not_started_from(
    task: TrainTextToImage, model: Path, tmp_path: Path
) -> None:
    larger = dataclasses.replace(task, base_model=str(model), image_size=64)
    with pytest.raises(InvalidTask, match="draws 32 pixels"):
        larger.run(ignore, tmp_path / "larger")
    (model / "transformer" / "config.json").write_text('{"_class_name": "UNet2DModel"}')
    with pytest.raises(ModelError, match="mine"):
        dataclasses.replace(task, base_model=str(model)).run(ignore, tmp_path / "other")


@pytest.fixture
def ours(run: RunFolder, home: Path) -> str:
    """The name of the run among the runs of the person."""
    shutil.copytree(run.path, home / "runs" / "colours")
    return "colours"


def test_a_run_is_a_model_by_its_name_and_its_newest_checkpoint_draws(
    ours: str, tmp_path: Path
) -> None:
    assert library.image_models()[-1] == ours
    TextToImage(prompt="red", model=ours, num_inference_steps=2, seed=1).run(ignore, tmp_path)
    [drawn] = tmp_path.glob("*.png")
    record = metadata.read_task(drawn)
    assert record
    assert record.values["model"] == "colours@6"  # so that the same picture can be drawn later


def test_what_a_run_needs_is_told_before_it_has_drawn(ours: str) -> None:
    facts = model_facts.facts_of(ours, ignore)
    assert facts.kind == "image model" and facts.parameters > 0


def test_each_checkpoint_of_a_run_draws_its_own_picture(ours: str, tmp_path: Path) -> None:
    pictures = []
    for step in (3, 6, 6):
        out = tmp_path / str(len(pictures))
        TextToImage(
            prompt="red", model=f"{ours}@{step}", num_inference_steps=2, seed=1
        ).run(ignore, out)  # fmt: skip
        [drawn] = out.glob("*.png")
        with Image.open(drawn) as image:
            pictures.append(image.tobytes())
    assert pictures[0] != pictures[1] == pictures[2]


def test_a_filmstrip_draws_every_checkpoint_from_one_seed(ours: str, tmp_path: Path) -> None:
    told: list[Event] = []
    task = DrawFilmstrip(model=ours, prompt="red", num_inference_steps=2, seed=1)
    task.run(told.append, tmp_path)
    *pictures, strip = [event.path for event in told if isinstance(event, Saved)]
    said = [metadata.read_task(path) for path in pictures]
    assert [record.values["model"] for record in said if record] == ["colours@3", "colours@6"]
    with Image.open(strip) as image:
        assert image.size == (2 * 104 + 8, 32 + 28 + 16)
        places = [(8 + column * 104 + 32, 8) for column in range(2)]
        frames = [image.crop((x, y, x + 32, y + 32)).tobytes() for x, y in places]
    for path, frame in zip(pictures, frames, strict=True):
        with Image.open(path) as picture:
            assert picture.tobytes() == frame
    with pytest.raises(ModelError, match="no text-to-image run"):
        dataclasses.replace(task, model="stickers").run(ignore, tmp_path)


def test_a_checkpoint_that_is_not_there_is_named(ours: str, home: Path) -> None:
    with pytest.raises(ModelError, match="no complete checkpoint of step 5") as caught:
        library.find(f"{ours}@5")
    assert "3, 6" in caught.value.hint
    shutil.rmtree(home / "runs" / ours / "checkpoints")
    assert ours not in library.image_models()
    with pytest.raises(ModelError, match="no complete checkpoint"):
        library.find(ours)


def test_a_run_of_something_else_is_not_exported(tmp_path: Path) -> None:
    RunFolder(tmp_path).create({"task": "train_gan"})
    with pytest.raises(ModelError, match="not a run of train_text_to_image"):
        ExportTextToImage(run_folder=str(tmp_path)).run(ignore, tmp_path)


def test_the_learning_rate_rises_stays_and_falls() -> None:
    task = TrainTextToImage(dataset="x", learning_rate=1.0, warmup_steps=10)
    rates = [learning_rate(task, step, 100) for step in (5, 10, 50, 75, 100)]
    assert rates == pytest.approx([0.5, 1.0, 1.0, 0.51, 0.02])


def test_the_text_cannot_take_all_steps() -> None:
    with pytest.raises(InvalidTask, match="fewer than the 100"):
        TrainTextToImage(dataset="x", max_steps=100, text_steps=100)


def test_a_folder_without_captions_is_refused(task: TrainTextToImage, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="no captioned images"):
        dataclasses.replace(task, dataset=str(tmp_path)).run(ignore, tmp_path / "run")


def test_a_tokenizer_survives_its_json_in_any_script() -> None:
    captions = ["red heart", "红心", "dog's house, 3d"]
    tokenizer = caption_tokenizer.train_tokenizer(captions * 3, 600, 12)
    again = caption_tokenizer.from_json(caption_tokenizer.to_json(tokenizer), 12)
    ids = caption_tokenizer.token_ids(tokenizer, [*captions, "", "Ünknown"])
    assert caption_tokenizer.token_ids(again, [*captions, "", "Ünknown"]) == ids
    assert {len(row) for row in ids} == {12}
    assert tokenizer.decode(ids[1], skip_special_tokens=True) == "红心"
