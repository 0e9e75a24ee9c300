"""Training a VAE and drawing from it: the paper's losses, exact resume, a grid that explains."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from image_runs import (
    assert_same,
    assert_same_run,
    cancel_at,
    ignore,
    measured,
    pixels,
    weights,
    write_digits,
)
from PIL import Image
from torch.distributions import Bernoulli, Normal, kl_divergence

from engine import checkpoints, metadata
from engine.data.crop import SIZES
from engine.data.held_out import MOST, split
from engine.errors import Cancelled, DatasetError, ModelError
from engine.events import Event, Saved
from engine.generators.sample_vae import SampleVae
from engine.models import vae
from engine.models.gan import to_pixels
from engine.runs import RunFolder
from engine.trainers.train_vae import TrainVae

TINY = {"batch_size": 4, "model": "small", "latent_dim": 4, "seed": 7} | {
    "sample_every": 2,
    "log_every": 1,
    "held_out": 0.1,
    "validate_every": 3,
    "beta_warmup_steps": 4,
    "beta": 2.0,
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_digits(tmp_path_factory.mktemp("data"), 30)


@pytest.fixture(scope="module")
def straight(digits: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight steps with checkpoints of steps 4 and 8."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    TrainVae(dataset=digits, max_steps=8, checkpoint_every=4, **TINY).run(ignore, run)
    return run


class TestArithmetic:
    def test_kl_is_that_of_two_normal_distributions(self) -> None:
        mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
        expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
        found = vae.kl_divergence(vae.Encoded(mean, log_variance))
        assert found.item() == pytest.approx(expected.sum(1).mean().item(), rel=1e-5)

    def test_reconstruction_loss_is_minus_the_log_likelihood_of_an_image(self) -> None:
        logits, white = torch.randn(5, 1, 4, 4), torch.randint(2, (5, 1, 4, 4)).float()
        expected = -Bernoulli(logits=logits).log_prob(white).sum((1, 2, 3)).mean()
        found = vae.reconstruction_loss(logits, white * 2 - 1)
        assert found.item() == pytest.approx(expected.item(), rel=1e-5)

    def test_latents_are_mean_and_deviation_times_noise(self) -> None:
        network = vae.Vae(vae.VaeConfig(28, 1, 3, 4))
        images, noise = torch.rand(2, 1, 28, 28), torch.randn(2, 3)
        logits, (mean, log_variance) = network(images, noise)
        expected = network.decode(mean + noise * log_variance.exp().sqrt())
        assert torch.allclose(logits, expected, atol=1e-5)

    def test_beta_rises_over_the_warm_up(self) -> None:
        assert [vae.beta_at(step, 2.0, 4) for step in (1, 2, 4, 9)] == [0.5, 1.0, 2.0, 2.0]
        assert vae.beta_at(1, 2.0, 0) == 2.0

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("channels", [1, 3])
    def test_shapes(self, size: int, channels: int) -> None:
        network = vae.Vae(vae.VaeConfig(size, channels, 5, 4))
        images = network.draw(torch.randn(2, 5))
        assert images.shape == (2, channels, size, size)
        assert images.abs().max() <= 1
        assert [part.shape for part in network.encode(images)] == [(2, 5), (2, 5)]


class TestHeldOut:
    @pytest.mark.parametrize(("count", "part"), [(1, 0.5), (9, 0.1), (100, 0.05), (50_000, 0.5)])
    def test_every_sample_is_on_one_side(self, count: int, part: float) -> None:
        learned, held_out = split(count, part)
        assert len(held_out) == min(int(count * part), MOST)
        assert sorted([*learned, *held_out]) == list(range(count))

    def test_each_kind_of_a_sorted_folder_has_its_share(self) -> None:
        _, held_out = split(1000, 0.1)
        assert set(np.bincount(held_out // 100, minlength=10)) <= {9, 10, 11}


class TestTraining:
    def test_says_what_it_measures(self, straight: Path) -> None:
        values = measured(straight)
        assert list(values) == list(range(1, 9))
        for step, found in values.items():
            assert found.keys() - {"val_loss"} == {
                *("reconstruction_loss", "kl", "loss", "gradient_norm")
            }
            beta = 2.0 * min(1, step / 4)
            expected = found["reconstruction_loss"] + beta * found["kl"]
            assert found["loss"] == pytest.approx(expected, rel=1e-5)
        assert [step for step, found in values.items() if "val_loss" in found] == [1, 3, 6, 8]

    def test_what_is_held_out_is_told_and_never_learned_from(
        self, digits: str, straight: Path
    ) -> None:
        said = json.loads((straight / "run.json").read_text())
        assert (said["dataset"]["images"], said["dataset"]["held_out"]) == (30, 3)
        learner = TrainVae(dataset=digits, max_steps=8, **TINY).learner(ignore)
        seen = {index for step in range(1, 30) for index in learner.chosen(step)}
        assert seen == set(range(30)) - set(learner.held_out.tolist())

    def test_the_loss_falls_on_what_is_learned_and_on_what_is_held_out(self, digits: str) -> None:
        fields = TINY | {"batch_size": 16, "beta_warmup_steps": 0, "beta": 1.0}
        torch.manual_seed(0)
        learner = TrainVae(dataset=digits, max_steps=40, **fields).learner(ignore)
        first, *_, last = [learner.step(step) for step in range(1, 41)]
        for name in ("loss", "val_loss"):
            assert last[name] < 0.7 * first[name]

    def test_the_grid_shows_inputs_what_comes_back_and_samples(
        self, digits: str, straight: Path
    ) -> None:
        grid = pixels(RunFolder(straight).samples()[-1][1])
        learner = TrainVae(dataset=digits, max_steps=8, **TINY).learner(ignore)
        network = vae.Vae(learner.config)
        path = RunFolder(straight).checkpoint_path(8)
        network.load_state_dict(checkpoints.load_tensors(path, "vae_ema"))
        images = learner.pixels(learner.shown)
        back = vae.reconstructed(network, images)
        for column in range(10):
            left = 2 + 30 * column
            for top, expected in ((2, images), (32, back)):
                found = grid[top : top + 28, left : left + 28]
                assert np.array_equal(found, to_pixels(expected)[column, ..., 0])
        assert (grid[62:68] == 128).all()  # the line between what was there and what is new
        assert grid.shape == (62 + 6 + 6 * 30 + 2, 302)

    def test_a_folder_of_one_color_image_is_enough(self, tmp_path: Path) -> None:
        (tmp_path / "images").mkdir()
        Image.new("RGB", (32, 32), "red").save(tmp_path / "images" / "red.png")
        TrainVae(dataset=str(tmp_path / "images"), max_steps=1, **TINY).run(
            ignore, tmp_path / "run"
        )
        assert pixels(RunFolder(tmp_path / "run").samples()[-1][1]).shape[2] == 3

    def test_no_data_leaves_no_run(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(DatasetError, match="no images"):
            TrainVae(dataset=str(tmp_path / "empty"), **TINY).run(ignore, tmp_path / "run")
        assert not RunFolder(tmp_path / "run").exists


class TestResume:
    @pytest.mark.parametrize("stop_at", [1, 5])
    def test_a_stopped_run_goes_on_bit_for_bit(
        self, digits: str, straight: Path, stop_at: int, tmp_path: Path
    ) -> None:
        task = TrainVae(dataset=digits, max_steps=8, checkpoint_every=4, **TINY)
        with pytest.raises(Cancelled):
            task.run(cancel_at(stop_at), tmp_path / "run")
        torch.manual_seed(123)  # another process would not have the same state either
        TrainVae(max_steps=8, resume=True).run(ignore, tmp_path / "run")
        assert_same_run(straight, tmp_path / "run")

    def test_samples_and_validation_do_not_change_what_is_learned(
        self, digits: str, straight: Path, tmp_path: Path
    ) -> None:
        fields = {**TINY, "sample_every": 8, "validate_every": 8}
        TrainVae(dataset=digits, max_steps=8, **fields).run(ignore, tmp_path / "run")
        assert_same(weights(straight), weights(tmp_path / "run"))


class TestSampling:
    def draw(self, run: Path, out: Path, **fields: object) -> list[Path]:
        events: list[Event] = []
        values = {"run_folder": str(run), "num_images": 3, "seed": 5, **fields}
        SampleVae.from_dict(values).run(events.append, out)
        return [event.path for event in events if isinstance(event, Saved)]

    def test_image_i_is_what_the_decoder_makes_of_the_noise_of_seed_plus_i(
        self, straight: Path, tmp_path: Path
    ) -> None:
        paths = self.draw(straight, tmp_path, checkpoint=4, save_images=True)
        network = vae.Vae(vae.VaeConfig(28, 1, 4, 16))
        path = RunFolder(straight).checkpoint_path(4)
        network.load_state_dict(checkpoints.load_tensors(path, "vae_ema"))
        for index, single in enumerate(paths[1:]):
            noise = torch.randn(1, 4, generator=torch.Generator().manual_seed(5 + index))
            with torch.inference_mode():
                assert np.array_equal(pixels(single), to_pixels(network.draw(noise))[0, ..., 0])
        record = metadata.read_task(paths[1])
        assert record and (record.name, record.values["checkpoint"]) == ("sample_vae", 4)

    def test_weights_make_a_difference(self, straight: Path, tmp_path: Path) -> None:
        averaged = pixels(self.draw(straight, tmp_path)[0])
        assert not np.array_equal(
            averaged, pixels(self.draw(straight, tmp_path, weights="last")[0])
        )

    @pytest.mark.parametrize(
        ("entries", "message"),
        [
            ({"task": "train_gan"}, "holds a run of train_gan, not of a VAE"),
            ({"model": {"image_size": 28}}, "does not describe a VAE"),
            (
                {"model": {"image_size": 28, "channels": 1, "latent_dim": 9, "width": 16}},
                "do not fit",
            ),
        ],
    )
    def test_a_run_of_another_kind_is_an_error(
        self, straight: Path, tmp_path: Path, entries: dict[str, object], message: str
    ) -> None:
        run = RunFolder(Path(shutil.copytree(straight, tmp_path / "run")))
        said = RunFolder(straight).description()
        (run.path / "run.json").write_text(json.dumps(said | entries))
        with pytest.raises(ModelError, match=message):
            self.draw(run.path, tmp_path / "out")
