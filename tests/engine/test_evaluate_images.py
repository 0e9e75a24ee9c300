"""Measuring a run: its sampler draws, held-out images judge, the line says what it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_runs import assert_same, cancel_at, ignore, measured, weights, write_digits
from PIL import Image

from engine import registry
from engine.data.digits import load_digits
from engine.data.held_out import split
from engine.errors import Cancelled, DatasetError, ModelError
from engine.events import Event, Notice, Saved
from engine.generators.evaluate_images import EvaluateImages
from engine.generators.sample_gan import SampleGan
from engine.quality.feature_space import space_for
from engine.quality.live import Cadence
from engine.quality.measure import measure
from engine.quality.reference import Reference
from engine.runs import RunFolder
from engine.trainers.train_gan import TrainGan
from engine.training import TrainingTask

TINY: dict[str, Any] = {
    "model": "mlp_small",
    "batch_size": 8,
    "latent_dim": 8,
    "seed": 7,
    "log_every": 2,
    "max_steps": 5,
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An IDX file of 600 digits, of which 120 are held out."""
    return write_digits(tmp_path_factory.mktemp("data"), 600)


@pytest.fixture(scope="module")
def trained(digits: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "run"
    TrainGan(dataset=digits, checkpoint_every=3, **TINY).run(ignore, folder)
    return folder


def evaluated(run: Path, out: Path, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """(the JSON, the lines) of one evaluation."""
    events: list[Event] = []
    EvaluateImages(run_folder=str(run), **{"seed": 3, "num_samples": 100, **fields}).run(
        events.append, out
    )
    (path,) = [event.path for event in events if isinstance(event, Saved)]
    lines = [event.message for event in events if isinstance(event, Notice)]
    return json.loads(path.read_text("utf-8")), lines


def test_the_numbers_are_those_of_what_the_sampler_draws(
    trained: Path, digits: str, tmp_path: Path
) -> None:
    told, lines = evaluated(trained, tmp_path / "out")
    drawn = tmp_path / "drawn"
    SampleGan(run_folder=str(trained), num_images=100, seed=3, save_images=True).run(ignore, drawn)
    singles = sorted(drawn.glob("*-step-5-3-*.png"), key=lambda path: int(path.stem.split("-")[-1]))
    images = np.stack([np.asarray(Image.open(path)) for path in singles])[..., np.newaxis]
    assert len(images) == 100
    real = load_digits()[0][:600]
    reference = Reference(real, *split(600, 0.2), 100)
    space = space_for(digits)
    expected = measure(space.features(reference.images), space.features(images), 3)
    assert told["quality"]["run"] == expected.to_dict()
    assert told["fields"]["checkpoint"] == 5
    assert told["feature_space"] == {"name": space.name, "sha256": space.sha256}
    assert lines == told["lines"]
    assert lines[0] == f"step 5: {expected.line(space)}"
    assert lines[-1] == "Compared with 100 held-out images."


def test_the_anchors_are_the_best_and_the_worst(trained: Path, tmp_path: Path) -> None:
    told, lines = evaluated(trained, tmp_path)
    quality = told["quality"]
    assert list(quality) == ["run", "real_against_real", "untrained"]
    best, worst = quality["real_against_real"], quality["untrained"]
    assert abs(best["kid"]) < 3 * best["kid_deviation"]
    assert best["kid"] + 10 * best["kid_deviation"] < min(quality["run"]["kid"], worst["kid"])
    assert best["precision"] > 0.7
    assert worst["recall"] < 0.1
    assert lines[1].startswith("real against real: KID ×10³ = ")
    assert lines[2].startswith("untrained: KID ×10³ = ")
    alone, lines = evaluated(trained, tmp_path / "alone", anchors=False)
    assert list(alone["quality"]) == ["run"]
    assert alone["quality"]["run"] == quality["run"]
    assert len(lines) == 2


def test_another_checkpoint_has_other_numbers_and_no_number_of_samples_is_made_up(
    trained: Path, tmp_path: Path
) -> None:
    newest, _ = evaluated(trained, tmp_path, anchors=False, num_samples=4096)
    earlier, lines = evaluated(trained, tmp_path, anchors=False, num_samples=4096, checkpoint=3)
    assert newest["quality"]["run"]["samples"] == 120  # as many as were held out
    assert newest["quality"] != earlier["quality"]
    assert lines[0].startswith("step 3: ")


def test_a_run_on_the_embedded_digits_is_seen_by_the_classifier(tmp_path: Path) -> None:
    TrainGan(**{**TINY, "max_steps": 1}).run(ignore, tmp_path / "run")
    told, _ = evaluated(tmp_path / "run", tmp_path, anchors=False)
    assert told["feature_space"]["name"] == "digits classifier"
    assert told["run"]["dataset"]["held_out"] == 2000


def test_a_run_that_held_out_nothing_says_so(digits: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    TrainGan(dataset=digits, held_out=0.0, **TINY).run(ignore, run.path)
    told = run.description()
    del told["fields"]["held_out"]  # as before there was such a field
    run.create(told)
    _, lines = evaluated(run.path, tmp_path, anchors=False)
    assert lines[-1] == "Compared with 100 of the images that were learned from."


@pytest.mark.parametrize("trainer", ["train_text_to_image", "train_nothing", EvaluateImages.name()])
def test_a_run_that_draws_no_images_is_an_error(
    trained: Path, tmp_path: Path, trainer: str
) -> None:
    run = RunFolder(tmp_path / "run")
    run.create({**RunFolder(trained).description(), "task": trainer})
    with pytest.raises(ModelError, match="Nothing draws images"):
        evaluated(run.path, tmp_path)


def test_a_run_of_another_version_is_an_error(trained: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.create({**RunFolder(trained).description(), "fields": {"from_the_future": 1}})
    with pytest.raises(ModelError, match="from_the_future"):
        evaluated(run.path, tmp_path)


# --------------------------------------------------------------------------- while it trains


def short(trainer: str, **fields: Any) -> TrainingTask:
    """Five steps of a small network; one on few images."""
    shared = {"batch_size": 8, "latent_dim": 8, "seed": 7, "log_every": 2, "max_steps": 5}
    small: dict[str, dict[str, Any]] = {
        "train_gan": {"model": "mlp_small"},
        "train_vae": {"model": "small", "held_out": 0.2},
        "train_diffusion": {"model": "tiny", "held_out": 0.2, "sample_steps": 2},
    }
    known = {field.name for field in registry.task_class(trainer).fields()}
    shared = {name: value for name, value in shared.items() if name in known}
    task = registry.task_class(trainer).from_dict({**shared, **small[trainer], **fields})
    assert isinstance(task, TrainingTask)
    return task


@pytest.mark.parametrize("trainer", ["train_gan", "train_vae", "train_diffusion"])
def test_measuring_changes_nothing_of_what_is_learned(
    trainer: str, digits: str, tmp_path: Path
) -> None:
    for every in (0, 2):
        task = short(trainer, dataset=digits, evaluate_every=every)
        task.run(ignore, tmp_path / str(every))
    assert_same(weights(tmp_path / "0"), weights(tmp_path / "2"))
    plain, watched = measured(tmp_path / "0"), measured(tmp_path / "2")
    names = {"kid", "precision", "recall"}
    assert [step for step, values in watched.items() if names <= values.keys()] == [2, 4, 5]
    assert all(names.isdisjoint(values) for values in plain.values())
    for step, values in plain.items():
        assert {k: v for k, v in watched[step].items() if k not in names} == values
    told = RunFolder(tmp_path / "2").description()["quality"]
    assert told["feature_space"] == "frozen random convolutions"
    assert len(told["sha256"]) == 64
    assert (told["samples"], told["reference"]) == (120, "120 held-out images")
    assert "quality" not in RunFolder(tmp_path / "0").description()


def test_a_vae_is_measured_through_its_sampler(digits: str, tmp_path: Path) -> None:
    short("train_vae", dataset=digits).run(ignore, tmp_path / "run")
    told, _ = evaluated(tmp_path / "run", tmp_path)
    assert list(told["quality"]) == ["run", "real_against_real", "untrained"]
    assert told["quality"]["run"] != told["quality"]["untrained"]


def test_a_resumed_run_measures_the_same(digits: str, tmp_path: Path) -> None:
    task = TrainGan(dataset=digits, evaluate_every=2, **TINY)
    task.run(ignore, tmp_path / "straight")
    with pytest.raises(Cancelled):
        task.run(cancel_at(3), tmp_path / "resumed")
    TrainGan(max_steps=5, resume=True).run(ignore, tmp_path / "resumed")
    assert measured(tmp_path / "straight") == measured(tmp_path / "resumed")


def test_it_measures_where_the_loop_logs() -> None:
    def due(every: int, log_every: int, last: int = 100) -> list[int]:
        cadence = Cadence(every, log_every, last)
        return [step for step in range(1, last + 1) if cadence.due(step)]

    assert due(0, 10) == []
    assert due(50, 10) == [50, 100]
    assert due(25, 10) == [30, 60, 90, 100]
    assert due(1, 40) == [40, 80, 100]


def test_too_few_images_are_told_before_the_run_begins(tmp_path: Path) -> None:
    few = write_digits(tmp_path, 30)
    with pytest.raises(DatasetError, match="too few images"):
        TrainGan(dataset=few, evaluate_every=2, **TINY).run(ignore, tmp_path / "run")
    assert not RunFolder(tmp_path / "run").exists


def test_an_older_run_goes_on_with_all_its_images() -> None:
    fields = TrainGan(seed=1).to_dict()
    assert fields["held_out"] == 0.2
    del fields["held_out"]
    older = TrainGan.from_dict({**fields, "resume": True})
    assert isinstance(older, TrainGan)
    assert older.held_out == 0.0
    assert TrainGan.from_dict(fields).to_dict()["held_out"] == 0.2
