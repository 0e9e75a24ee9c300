"""A walk between two seeds: its ends are the seeds' own pictures, and it follows a live run."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import live_generator, metadata, registry
from engine.checkpoints import load_tensors
from engine.data import idx
from engine.data.digits import load_digits
from engine.errors import FileError, ModelError
from engine.events import Event, Preview, Saved
from engine.generators.walk_latents import WalkLatents
from engine.interpolation import between
from engine.runs import RunFolder


@pytest.fixture(scope="module", params=["train_gan", "train_vae"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with checkpoints of steps 2 and 4."""
    folder = tmp_path_factory.mktemp("trained")
    data = folder / "few-images-idx3-ubyte"
    idx.write(data, load_digits()[0][:10, :, :, 0])
    fields = {
        "dataset": str(data), "max_steps": 4, "checkpoint_every": 2, "batch_size": 4,
        "latent_dim": 8, "seed": 3,
    }  # fmt: skip
    small = {"train_gan": "mlp_small", "train_vae": "small"}[request.param]
    task = registry.task_class(request.param).from_dict({**fields, "model": small})
    task.run(lambda event: None, folder / "run")
    return folder / "run"


def of_kind(run: Path, gan: str, vae: str) -> str:
    return gan if RunFolder(run).description()["task"] == "train_gan" else vae


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    live_generator._loaded.cache_clear()
    return Path(shutil.copytree(trained, tmp_path / "run"))


def walk(run: Path, out: Path = Path("unused"), **fields: object) -> np.ndarray:
    events: list[Event] = []
    WalkLatents.from_dict({"run_folder": str(run), "save": False} | fields).run(events.append, out)
    (shown,) = [event for event in events if isinstance(event, Preview)]
    return np.asarray(shown.image)


def drawn(run: Path, out: Path, seed: int) -> np.ndarray:
    """The picture of a seed as Draw has it."""
    sampler = registry.task_class(of_kind(run, "sample_gan", "sample_vae"))
    fields = {"run_folder": str(run), "num_images": 1, "seed": seed, "save_images": True}
    task = sampler.from_dict(fields)
    saved: list[Path] = []
    task.run(lambda event: saved.append(event.path) if isinstance(event, Saved) else None, out)
    with Image.open(saved[-1]) as image:
        return np.asarray(image)


def test_the_ends_of_the_way_are_the_pictures_of_the_seeds(run: Path, tmp_path: Path) -> None:
    for position, seed in ((0.0, 5), (1.0, 6)):
        picture = walk(run, seed_from=5, seed_to=6, position=position)
        assert np.array_equal(picture, drawn(run, tmp_path / "out", seed))


def test_the_way_is_smooth_and_never_leaves_the_length_of_noise() -> None:
    chance = torch.Generator().manual_seed(1)
    start, end = torch.randn(2, 1, 64, generator=chance)
    way = [between(start, end, place / 20) for place in range(21)]
    steps = [float((b - a).norm()) for a, b in pairwise(way)]
    assert max(steps) < 1.5 * min(steps)
    shortest = min(float(start.norm()), float(end.norm()))
    assert min(float(noise.norm()) for noise in way) > 0.95 * shortest
    assert float(((start + end) / 2).norm()) < 0.9 * shortest, "a straight line would"
    assert torch.equal(between(start, start, 0.5), start)


def test_the_first_direction_changes_the_first_layer_most(run: Path) -> None:
    generator = live_generator.load(run, 0)
    stored = load_tensors(run / "checkpoints" / "step-4", of_kind(run, "generator_ema", "vae_ema"))
    weights = stored[of_kind(run, "layers.0.weight", "decoder.0.weight")]
    largest = torch.linalg.svdvals(weights)
    reached = (weights @ generator.directions.T).norm(dim=0)
    assert torch.allclose(reached, largest, rtol=1e-4)
    gram = generator.directions @ generator.directions.T
    assert torch.allclose(gram, torch.eye(8), atol=1e-5)


def test_directions_move_the_picture_and_back(run: Path) -> None:
    still = walk(run)
    assert not np.array_equal(still, walk(run, direction_1=4.0))
    assert not np.array_equal(walk(run, direction_1=4.0), walk(run, direction_2=4.0))
    assert np.array_equal(still, walk(run, direction_1=0.0))


def test_it_stays_loaded_until_a_newer_checkpoint_is_there(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []

    def counted(path: Path, name: str) -> object:
        loads.append(path)
        return load_tensors(path, name)

    monkeypatch.setattr(live_generator.checkpoints, "load_tensors", counted)
    newest = run / "checkpoints" / "step-4"
    aside = run / "aside"
    newest.rename(aside)
    for place in range(5):
        walk(run, position=place / 4)
    assert [path.name for path in loads] == ["step-2"]
    aside.rename(newest)
    walk(run)
    assert [path.name for path in loads] == ["step-2", "step-4"]


def test_a_damaged_newest_checkpoint_is_passed_over(run: Path) -> None:
    expected = walk(run, checkpoint=2)
    name = of_kind(run, "generator_ema", "vae_ema")
    weights = run / "checkpoints" / "step-4" / f"{name}.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    assert np.array_equal(walk(run), expected)
    with pytest.raises(FileError, match="step-4"):
        walk(run, checkpoint=4)


def test_what_cannot_be_walked_is_named(run: Path, tmp_path: Path) -> None:
    other = RunFolder(tmp_path / "other")
    other.create({"task": "train_diffusion"})
    with pytest.raises(ModelError, match="train_diffusion, not of a GAN or a VAE"):
        walk(other.path)
    with pytest.raises(ModelError, match="of step 3"):
        walk(run, checkpoint=3)
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(ModelError, match="no complete checkpoint"):
        walk(run)
    with pytest.raises(FileError, match="nowhere"):
        walk(tmp_path / "nowhere")


def test_a_saved_picture_tells_the_way_and_can_be_made_again(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = walk(run, out, save=True, position=0.25, direction_3=-1.5)
    (path,) = out.glob("*.png")
    record = metadata.read_task(path)
    assert record is not None and record.values["checkpoint"] == 4
    again = walk(run, **{**record.values, "run_folder": str(run), "save": False})
    assert np.array_equal(again, shown)
    assert not list(tmp_path.glob("unused*")), "without a file there is no folder either"
