"""Drawing from a run: the same seed draws the same, damage is passed over or named."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import metadata
from engine.data import idx
from engine.data.digits import load_digits
from engine.errors import EngineError, FileError, ModelError
from engine.events import Event, Notice, Saved
from engine.generators.sample_gan import SampleGan
from engine.trainers.train_gan import TrainGan

SHAPE = {"model": "mlp_small", "image_size": 28, "channels": 1, "latent_dim": 8, "width": 4}


def ignore(event: Event) -> None:
    pass


def draw(run: Path, out: Path, **fields: object) -> tuple[list[Path], Sequence[Event]]:
    """The files written and the events of one SampleGan."""
    events: list[Event] = []
    task = SampleGan(**{"run_folder": str(run), "num_images": 4, "seed": 5, **fields})  # type: ignore[arg-type]
    task.run(events.append, out)
    return [event.path for event in events if isinstance(event, Saved)], events


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with checkpoints of steps 2 and 4."""
    folder = tmp_path_factory.mktemp("trained")
    data = folder / "few-images-idx3-ubyte"
    idx.write(data, load_digits()[0][:10, :, :, 0])
    task = TrainGan(
        dataset=str(data),
        model="mlp_small",
        max_steps=4,
        checkpoint_every=2,
        batch_size=4,
        latent_dim=8,
        seed=3,
    )
    task.run(ignore, folder / "run")
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be damaged."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def damage(run: Path, step: int, name: str = "generator_ema") -> None:
    path = run / "checkpoints" / f"step-{step}" / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def test_the_same_seed_draws_the_same_grid(run: Path, tmp_path: Path) -> None:
    first, second = (draw(run, tmp_path / name)[0][0] for name in ("a", "b"))
    assert np.array_equal(pixels(first), pixels(second))
    assert pixels(first).shape == (2 * 30 + 2, 2 * 30 + 2)
    other = draw(run, tmp_path / "c", seed=6)[0][0]
    assert not np.array_equal(pixels(first), pixels(other))


def test_steps_and_weights_make_a_difference(run: Path, tmp_path: Path) -> None:
    newest = pixels(draw(run, tmp_path)[0][0])
    assert np.array_equal(newest, pixels(draw(run, tmp_path, checkpoint=4)[0][0]))
    assert not np.array_equal(newest, pixels(draw(run, tmp_path, checkpoint=2)[0][0]))
    assert not np.array_equal(newest, pixels(draw(run, tmp_path, weights="last")[0][0]))


def test_single_images_are_those_of_the_grid_and_can_be_made_alone(
    run: Path, tmp_path: Path
) -> None:
    paths, _ = draw(run, tmp_path, num_images=3, columns=3, save_images=True)
    grid, singles = pixels(paths[0]), [pixels(path) for path in paths[1:]]
    assert grid.shape == (32, 92)
    for index, image in enumerate(singles):
        left = 2 + 30 * index
        assert np.array_equal(grid[2:30, left : left + 28], image)
    alone, _ = draw(run, tmp_path, num_images=1, seed=7, save_images=True)
    assert np.array_equal(pixels(alone[1]), singles[2])


def test_the_picture_tells_how_it_was_made(run: Path, tmp_path: Path) -> None:
    record = metadata.read_task(draw(run, tmp_path)[0][0])
    assert record is not None
    assert record.name == "sample_gan"
    assert record.values["seed"] == 5
    assert record.values["checkpoint"] == 4  # not 0: a run may go on


def test_a_damaged_newest_checkpoint_is_passed_over_with_a_notice(
    run: Path, tmp_path: Path
) -> None:
    expected = pixels(draw(run, tmp_path, checkpoint=2)[0][0])
    damage(run, 4)
    paths, events = draw(run, tmp_path)
    assert np.array_equal(pixels(paths[0]), expected)
    assert [e for e in events if isinstance(e, Notice) and "step-4" in e.message]


def test_a_damaged_checkpoint_that_was_asked_for_is_an_error(run: Path, tmp_path: Path) -> None:
    damage(run, 4)
    with pytest.raises(FileError, match="step-4"):
        draw(run, tmp_path, checkpoint=4)


def test_all_checkpoints_damaged_is_an_error(run: Path, tmp_path: Path) -> None:
    damage(run, 4)
    damage(run, 2)
    with pytest.raises(ModelError, match="no complete checkpoint"):
        draw(run, tmp_path)


def test_a_step_without_checkpoint_lists_those_there_are(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"of step 3.*2, 4"):
        draw(run, tmp_path, checkpoint=3)


def change(run: Path, **entries: object) -> None:
    path = run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"task": "train_diffusion"}, "holds a run of train_diffusion"),
        ({"model": None}, "does not describe a GAN"),
        ({"model": {"model": "dcgan"}}, "does not describe a GAN"),
        ({"model": {**SHAPE, "width": 10**9}}, "does not describe a GAN"),
        ({"model": {**SHAPE, "model": "conv"}}, "do not fit"),
    ],
)
def test_a_run_of_another_kind_is_an_error(
    run: Path, tmp_path: Path, entries: dict[str, object], message: str
) -> None:
    change(run, **entries)
    with pytest.raises(ModelError, match=message):
        draw(run, tmp_path)


def test_no_run_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="nowhere"):
        draw(tmp_path / "nowhere", tmp_path)


def test_a_task_from_a_picture_draws_that_picture_again(run: Path, tmp_path: Path) -> None:
    path = draw(run, tmp_path)[0][0]
    record = metadata.read_task(path)
    assert record is not None
    values = {**record.values, "run_folder": str(run)}  # a picture never tells a path
    again = SampleGan.from_dict(values)
    assert dataclasses.asdict(again) == values
    again.run(ignore, tmp_path / "again")
    assert np.array_equal(pixels(next((tmp_path / "again").glob("*.png"))), pixels(path))
