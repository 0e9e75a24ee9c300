"""Training a GAN: every model learns, a stopped run goes on bit for bit, digits come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from engine import checkpoints
from engine.data import idx
from engine.data.crop import SIZES
from engine.data.digits import load_digits
from engine.errors import Cancelled, DatasetError, EngineError
from engine.events import Event, Metric, Progress, SampleGrid, Saved
from engine.models import gan, gan_losses
from engine.runs import MetricsTail, RunFolder
from engine.trainers.train_gan import LOSSES, MODELS, TrainGan

TINY = {"batch_size": 4, "width": 4, "latent_dim": 8, "seed": 7, "sample_every": 2, "log_every": 1}


def ignore(event: Event) -> None:
    pass


def cancel_at(step: int) -> Callable[[Event], None]:
    def report(event: Event) -> None:
        if isinstance(event, Progress) and event.step == step and event.stage == "learning":
            raise Cancelled

    return report


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An IDX file of ten digits, so that loading takes no time."""
    path = tmp_path_factory.mktemp("data") / "few-images-idx3-ubyte"
    idx.write(path, load_digits()[0][:10, :, :, 0])
    return str(path)


def _mode(path: Path) -> str:
    with Image.open(path) as image:
        return image.mode


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Every tensor of the newest checkpoint, optimizers and random numbers too."""
    _, path = RunFolder(run).checkpoints()[-1]
    names = [file.stem for file in path.glob("*.safetensors")]
    return {
        f"{name}/{key}": value
        for name in names
        for key, value in checkpoints.load_tensors(path, name).items()
    }


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert not different


class TestNetworks:
    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("channels", [1, 3])
    def test_shapes(self, model: str, size: int, channels: int) -> None:
        pair = gan.build(gan.GanConfig(model, size, channels, latent_dim=5, width=4))
        images = pair.generator(torch.randn(2, 5))
        assert images.shape == (2, channels, size, size)
        assert images.abs().max() <= 1
        assert pair.discriminator(images).shape == (2,)

    def test_the_mlps_have_the_layers_they_are_known_for(self) -> None:
        def sizes(network: nn.Module) -> list[tuple[int, int]]:
            linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
            return [(layer.in_features, layer.out_features) for layer in linear]

        small = gan.build(gan.GanConfig("mlp_small", 28, 1, 100, 64))
        assert sizes(small.generator) == [(100, 256), (256, 784)]
        assert sizes(small.discriminator) == [(784, 256), (256, 1)]
        large = gan.build(gan.GanConfig("mlp_large", 28, 1, 100, 64))
        assert sizes(large.generator) == [(100, 512), (512, 1024), (1024, 784)]
        assert sizes(large.discriminator) == [(784, 1024), (1024, 512), (512, 1)]

    def test_conv_grows_from_seven_by_seven(self) -> None:
        generator = gan.build(gan.GanConfig("conv", 28, 1, 100, 64)).generator
        assert generator.dense.out_features == 7 * 7 * 128
        convolutions = [m for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
        assert [layer.kernel_size for layer in convolutions] == [(5, 5), (5, 5)]

    def test_the_discriminator_of_dcgan_is_spectrally_normalised(self) -> None:
        torch.manual_seed(0)  # some weights need more power iterations than these
        discriminator = gan.build(gan.GanConfig("dcgan", 28, 1, 100, 16)).discriminator
        discriminator(torch.randn(8, 1, 28, 28))
        for _ in range(50):  # power iterations, one in each pass
            discriminator(torch.randn(2, 1, 28, 28))
        normalised = [m for m in discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        for layer in normalised:
            norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
            assert norm.item() == pytest.approx(1, abs=0.02)

    def test_pixels_survive_the_way_to_the_network_and_back(self) -> None:
        pixels = torch.randint(0, 256, (2, 5, 4, 3), dtype=torch.uint8)
        assert np.array_equal(gan.to_pixels(gan.from_pixels(pixels)), pixels.numpy())

    @pytest.mark.parametrize("name", LOSSES)
    def test_losses_fall_when_each_network_does_better(self, name: str) -> None:
        loss = gan_losses.LOSSES[name]
        good, bad = torch.full((4,), 0.9), torch.full((4,), -0.9)
        assert loss.discriminator(good, bad) < loss.discriminator(bad, good)
        assert loss.generator(good, bad) < loss.generator(bad, good)


class TestTraining:
    @pytest.mark.parametrize("model", MODELS)
    def test_every_model_trains(self, model: str, few_digits: str, tmp_path: Path) -> None:
        events: list[Event] = []
        task = TrainGan(dataset=few_digits, model=model, max_steps=2, **TINY)
        task.run(events.append, tmp_path / "run")
        last = [event for event in events if isinstance(event, Metric)][-1].values
        assert last.keys() >= {"generator_loss", "discriminator_loss", "d_real", "d_fake"}
        assert 0 <= last["d_real"] <= 1
        assert 0 <= last["d_fake"] <= 1
        grids = [event.path for event in events if isinstance(event, SampleGrid)]
        assert [path.name for path in grids] == ["000000.png", "000002.png"]
        assert _mode(grids[0]) == "L"
        assert events[-1] == Saved(tmp_path / "run")

    def test_both_networks_and_the_average_move(self, few_digits: str, tmp_path: Path) -> None:
        TrainGan(dataset=few_digits, max_steps=1, checkpoint_every=1, **TINY).run(
            ignore, tmp_path / "run"
        )
        once = weights(tmp_path / "run")
        TrainGan(dataset=few_digits, max_steps=2, resume=True, **TINY).run(ignore, tmp_path / "run")
        twice = weights(tmp_path / "run")
        for network in ("generator", "generator_ema", "discriminator"):
            trained = [
                n
                for n in once
                if n.startswith(f"{network}/") and n.endswith(("weight", "original"))
            ]
            assert trained
            assert all(not torch.equal(once[name], twice[name]) for name in trained)

    def test_run_json_says_what_was_learned_from_and_what_learns(
        self, few_digits: str, tmp_path: Path
    ) -> None:
        TrainGan(dataset=few_digits, max_steps=1, **TINY).run(ignore, tmp_path / "run")
        said = json.loads((tmp_path / "run" / "run.json").read_text())
        assert said["dataset"]["images"] == 10
        assert len(said["dataset"]["sha256"]) == 64
        assert gan.GanConfig(**said["model"]).image_size == 28
        assert said["parameters"]["generator"] > 0

    def test_a_folder_of_color_images(self, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir()
        for name in ("red", "blue"):
            Image.new("RGB", (32, 32), name).save(tmp_path / "images" / f"{name}.png")
        task = TrainGan(dataset=str(tmp_path / "images"), max_steps=1, **TINY)
        task.run(ignore, tmp_path / "run")
        assert _mode(RunFolder(tmp_path / "run").samples()[-1][1]) == "RGB"

    def test_no_data_leaves_no_run(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(DatasetError, match="no images"):
            TrainGan(dataset=str(tmp_path / "empty"), **TINY).run(ignore, tmp_path / "run")
        assert not RunFolder(tmp_path / "run").exists

    def test_a_loss_that_is_no_number_stops_the_run(self, few_digits: str, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        TrainGan(dataset=few_digits, model="conv", max_steps=1, **TINY).run(ignore, run.path)
        step, state = checkpoints.load(run.checkpoint_path(1))
        state["discriminator"]["dense.bias"].fill_(float("inf"))
        checkpoints.save(run.checkpoint_path(1), step, state)
        with pytest.raises(EngineError, match=r"stopped at step 2: discriminator_loss became"):
            TrainGan(max_steps=2, resume=True).run(ignore, run.path)


class TestResume:
    @pytest.mark.parametrize(
        ("model", "stop_at", "precision"),
        [("dcgan", 1, "float32"), ("dcgan", 5, "bfloat16"), ("conv", 5, "float32")],
    )
    def test_a_stopped_run_goes_on_bit_for_bit(
        self, model: str, stop_at: int, precision: str, few_digits: str, tmp_path: Path
    ) -> None:
        task = TrainGan(dataset=few_digits, model=model, precision=precision, max_steps=8, **TINY)
        task.run(ignore, tmp_path / "straight")
        with pytest.raises(Cancelled):
            task.run(cancel_at(stop_at), tmp_path / "stopped")
        assert RunFolder(tmp_path / "stopped").checkpoints()[-1][0] == stop_at
        torch.manual_seed(123)  # another process would not have the same state either
        TrainGan(max_steps=8, resume=True).run(ignore, tmp_path / "stopped")
        assert_same(weights(tmp_path / "straight"), weights(tmp_path / "stopped"))
        for (_, straight), (_, stopped) in zip(
            RunFolder(tmp_path / "straight").samples(),
            RunFolder(tmp_path / "stopped").samples(),
            strict=True,
        ):
            assert straight.read_bytes() == stopped.read_bytes()

    def test_a_killed_run_goes_on_from_its_last_checkpoint(
        self, few_digits: str, tmp_path: Path
    ) -> None:
        task = TrainGan(dataset=few_digits, max_steps=8, checkpoint_every=3, **TINY)
        task.run(ignore, tmp_path / "straight")

        class Killed(BaseException):
            pass

        def kill(event: Event) -> None:
            if isinstance(event, Metric) and event.step == 5:
                raise Killed

        with pytest.raises(Killed):
            task.run(kill, tmp_path / "killed")
        assert RunFolder(tmp_path / "killed").checkpoints()[-1][0] == 3
        TrainGan(max_steps=8, resume=True).run(ignore, tmp_path / "killed")
        assert_same(weights(tmp_path / "straight"), weights(tmp_path / "killed"))
        lines, _ = MetricsTail(RunFolder(tmp_path / "killed")).read()
        assert [line.step for line in lines if line.values] == list(range(1, 9))

    def test_the_cadence_of_samples_does_not_change_what_is_learned(
        self, few_digits: str, tmp_path: Path
    ) -> None:
        for every in (1, 4):
            task = TrainGan(dataset=few_digits, max_steps=4, **{**TINY, "sample_every": every})
            task.run(ignore, tmp_path / str(every))
        assert_same(weights(tmp_path / "1"), weights(tmp_path / "4"))


def test_a_run_goes_on_from_another_folder(
    few_digits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(few_digits).parent)
    TrainGan(dataset=Path(few_digits).name, max_steps=1, **TINY).run(ignore, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    TrainGan(max_steps=2, resume=True).run(ignore, tmp_path / "run")
    assert RunFolder(tmp_path / "run").checkpoints()[-1][0] == 2


def test_another_seed_is_another_run(few_digits: str, tmp_path: Path) -> None:
    for seed in (1, 2):
        task = TrainGan(dataset=few_digits, max_steps=1, **{**TINY, "seed": seed})
        task.run(ignore, tmp_path / str(seed))
    with pytest.raises(AssertionError):
        assert_same(weights(tmp_path / "1"), weights(tmp_path / "2"))


def test_an_engine_error_is_what_people_see(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="Model cannot be 'vae'"):
        TrainGan(model="vae")
