"""Nearest training images: what was copied is found, what is usual is told beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data import idx
from engine.data.digits import load_digits
from engine.data.held_out import split
from engine.errors import FileError, ModelError
from engine.events import Event, Metric, Notice, Preview, Saved
from engine.generators import nearest_images
from engine.generators.nearest_images import NearestImages
from engine.grid import image_grid, stacked
from engine.nearest import TrainingImages, verdict
from engine.runs import RunFolder

IMAGES = load_digits()[0][:300]
HELD_OUT = 20


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Its samples: training image 7, the same a little brighter, noise, and a held-out one."""
    nearest_images._kept.clear()
    data = tmp_path / "train-images-idx3-ubyte"
    idx.write(data, IMAGES[..., 0])
    run = RunFolder(tmp_path / "run")
    run.create(
        {
            "task": "train_gan",
            "fields": {"dataset": str(data), "color": "auto"},
            "dataset": {"held_out": HELD_OUT},
            "model": {"image_size": 28},
        }
    )
    learned, held_out = split(len(IMAGES), 1.0, HELD_OUT)
    copied = IMAGES[learned[7]]
    noise = np.random.default_rng(1).integers(0, 256, copied.shape, np.uint8)
    brighter = np.minimum(copied.astype(int) + 20, 255).astype(np.uint8)
    run.save_sample(50, image_grid(np.stack([copied, brighter, noise, IMAGES[held_out[0]]])))
    return run


def look(run: RunFolder, out: Path = Path("unused"), **fields: object) -> Sequence[Event]:
    events: list[Event] = []
    values = {"run_folder": str(run.path), "save": False, "count": 3} | fields
    NearestImages.from_dict(values).run(events.append, out)
    return events


def measured(events: Sequence[Event]) -> dict[str, float]:
    (metric,) = [event for event in events if isinstance(event, Metric)]
    return dict(metric.values)


def said(events: Sequence[Event]) -> str:
    return [event.message for event in events if isinstance(event, Notice)][-1]


@pytest.mark.parametrize("columns", [3, 10])
def test_of_two_grids_in_one_picture_every_image_is_found(run: RunFolder, columns: int) -> None:
    """A VAE shows images and what comes back of them, and below what it draws."""
    learned, _ = split(len(IMAGES), 1.0, HELD_OUT)
    pairs, drawn = IMAGES[learned[: 2 * columns]], IMAGES[learned[30 : 30 + 4 * columns]]
    run.save_sample(60, stacked([image_grid(pairs, columns), image_grid(drawn, columns)]))
    places = {
        0: 0,
        2 * columns - 1: 2 * columns - 1,
        2 * columns: 30,
        6 * columns - 1: 29 + 4 * columns,
    }
    for index, place in places.items():
        out = run.path / f"{index}"
        assert measured(look(run, out, index=index, save=True))["distance_1"] == 0.0
        (told,) = out.glob("*.json")
        assert json.loads(told.read_text())["training_images"][0] == place
    with pytest.raises(ModelError, match=f"holds {6 * columns} samples"):
        look(run, index=6 * columns)


def test_a_copy_is_found_and_called_so(run: RunFolder) -> None:
    events = look(run, index=0)
    values = measured(events)
    assert values["distance_1"] == 0.0 < values["distance_2"] <= values["distance_3"]
    assert "copy" in said(events) and said(events).startswith("Close")
    sample, nearest = (e.image for e in events if isinstance(e, Preview) and e.index < 2)
    assert sample.tobytes() == nearest.tobytes()


def test_distances_are_those_of_plain_arithmetic(run: RunFolder) -> None:
    values = measured(look(run, index=2))
    noise = np.random.default_rng(1).integers(0, 256, (28, 28, 1), np.uint8)
    learned = IMAGES[split(len(IMAGES), 1.0, HELD_OUT)[0]]
    apart = np.sqrt((((learned.astype(float) - noise) / 255) ** 2).mean(axis=(1, 2, 3)))
    assert values["distance_1"] == pytest.approx(np.sort(apart)[0], rel=1e-4)
    assert values["distance_3"] == pytest.approx(np.sort(apart)[2], rel=1e-4)


def test_what_is_usual_is_the_median_way_to_the_nearest_other_one() -> None:
    images = IMAGES[:40]
    rows = images.reshape(40, -1).astype(float) / 255
    apart = np.sqrt(((rows[:, None] - rows[None]) ** 2).mean(axis=2))
    np.fill_diagonal(apart, np.inf)
    expected = np.median(apart.min(axis=1))
    assert TrainingImages(images).usual_distance() == pytest.approx(expected, rel=1e-4)
    twice = np.concatenate([images, images[:30]])
    assert TrainingImages(twice).usual_distance() > 0.5 * expected, "doubles are not the rule"


def test_what_was_held_out_is_no_training_image(run: RunFolder) -> None:
    values = measured(look(run, index=3))
    assert values["distance_1"] > 0.3 * values["usual"]
    assert not said(look(run, index=2)).startswith("Close")


def test_a_few_words_for_every_distance() -> None:
    assert verdict(0.01, 0.1).startswith("Close to a copy: 10%")
    assert verdict(0.08, 0.1).startswith("Nearer than usual, no copy: 80%")
    assert verdict(0.2, 0.1).startswith("No copy: 2.0 times")
    assert "too few" in verdict(0.2, 0.0)


def test_it_is_written_side_by_side_with_a_report(run: RunFolder, tmp_path: Path) -> None:
    events = look(run, tmp_path / "out", save=True, index=0)
    picture, told = [event.path for event in events if isinstance(event, Saved)]
    with Image.open(picture) as image:
        assert image.size == (4 * 30 + 2, 32)
    report = json.loads(told.read_text())
    assert report["distances"][0] == 0 and report["training_images"][0] == 7
    assert report["step"] == 50 and report["verdict"].startswith("Close to a copy")


def test_large_color_images_are_compared_too() -> None:
    images = np.random.default_rng(2).integers(0, 256, (20, 64, 64, 3), np.uint8)
    found = TrainingImages(images).nearest(images[3], 2)
    assert found.indices[0] == 3 and found.distances[0] < 1e-3


def test_what_cannot_be_found_is_named(run: RunFolder) -> None:
    with pytest.raises(ModelError, match="holds 4 samples"):
        look(run, index=4)
    with pytest.raises(FileError, match="of step 51"):
        look(run, step=51)
    Image.new("L", (50, 40)).save(run.sample_path(50))
    with pytest.raises(ModelError, match="is no grid"):
        look(run)
    run.create({"task": "train_language_model", "fields": {}})
    with pytest.raises(ModelError, match="how large"):
        look(run)
