"""The GAN's losses and penalties by plain formulas; DiffAugment; runs with them go on exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from image_runs import assert_same_run, cancel_at, ignore, measured, write_digits
from torch import Tensor, nn

from engine.errors import Cancelled
from engine.models import gan
from engine.models.diff_augment import NUMBERS, augmented
from engine.models.gan_losses import LOSSES, gradient_penalty, zero_centred
from engine.runs import RunFolder
from engine.trainers.train_gan import FEW_IMAGES, TrainGan

TINY = {"batch_size": 4, "width": 4, "latent_dim": 8, "seed": 7, "log_every": 1} | {
    "sample_every": 4,
    "checkpoint_every": 4,
    "max_steps": 9,
    "held_out": 0.0,
}
REAL, FAKE = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([-0.7, 0.4, 1.5])


class Quadratic(nn.Module):
    """D(x) = scale·Σ x², whose gradient is 2·scale·x."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, images: Tensor) -> Tensor:
        return self.scale * images.square().flatten(1).sum(1)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_digits(tmp_path_factory.mktemp("data"), 10)


class TestLosses:
    def test_wgan_gp_is_the_difference_of_the_means(self) -> None:
        loss = LOSSES["wgan_gp"]
        assert loss.discriminator(REAL, FAKE).item() == pytest.approx(0.4 - 1.1 / 3, abs=1e-6)
        assert loss.generator(FAKE, REAL).item() == pytest.approx(-0.4, abs=1e-6)

    def test_relativistic_asks_which_of_a_pair_is_the_real_one(self) -> None:
        loss = LOSSES["relativistic"]
        expected = -torch.log(torch.sigmoid(REAL - FAKE)).mean()
        assert torch.allclose(loss.discriminator(REAL, FAKE), expected)
        expected = -torch.log(torch.sigmoid(FAKE - REAL)).mean()
        assert torch.allclose(loss.generator(FAKE, REAL), expected)
        assert loss.compares

    def test_penalties_come_every_so_often_and_weigh_accordingly(self) -> None:
        weights = [LOSSES["relativistic"].penalty_weight(step) for step in range(1, 9)]
        assert weights == pytest.approx([0, 0, 0, 4, 0, 0, 0, 4])
        assert LOSSES["relativistic"].penalty_weight(4, gamma=2.0) == 8.0
        assert [LOSSES["wgan_gp"].penalty_weight(step) for step in (1, 2)] == [10.0, 10.0]
        assert LOSSES["hinge"].penalty_weight(4, gamma=2.0) == 0.0

    def test_gradient_penalty_of_a_known_gradient(self) -> None:
        reals, fakes, share = torch.randn(3, 1, 4, 4), torch.randn(3, 1, 4, 4), torch.rand(3)
        between = share.view(3, 1, 1, 1) * reals + (1 - share.view(3, 1, 1, 1)) * fakes
        expected = ((2 * 0.7 * between).flatten(1).norm(dim=1) - 1).square().mean()
        network = Quadratic(0.7)
        found = gradient_penalty(network, reals, fakes, share)
        assert torch.allclose(found, expected)
        found.backward()
        assert network.scale.grad != 0

    def test_zero_centred_penalty_of_a_known_gradient(self) -> None:
        reals, fakes = torch.randn(3, 1, 4, 4), torch.randn(3, 1, 4, 4)
        squared = [4 * 0.49 * images.square().sum((1, 2, 3)).mean() for images in (reals, fakes)]
        network = Quadratic(0.7)
        found = zero_centred(network, reals, fakes, torch.rand(3))
        assert torch.allclose(found, sum(squared) / 2)
        found.backward()
        assert network.scale.grad is not None
        assert network.scale.grad.item() == pytest.approx(2 * found.item() / 0.7, rel=1e-4)

    def test_penalties_go_with_a_discriminator_that_nothing_else_binds(self, digits: str) -> None:
        for loss, bound in (("hinge", True), ("wgan_gp", False), ("relativistic", False)):
            learner = TrainGan(dataset=digits, loss=loss, **TINY).learner(ignore)
            parametrized = any("original" in name for name in learner.discriminator.state_dict())
            assert parametrized == bound == learner.config.spectral_norm

    def test_a_run_from_before_is_read_with_spectral_norm(self) -> None:
        assert gan.GanConfig("dcgan", 28, 1, 8, 4).spectral_norm


class TestAugment:
    def test_moves_by_up_to_an_eighth_and_cuts_out_a_quarter_of_the_area(self) -> None:
        images = torch.ones(1, 1, 32, 32)
        chance = torch.zeros(1, NUMBERS)
        chance[0, :4] = torch.tensor([0.0, 0.999, 0.5, 0.5])
        changed = augmented(images, chance)[0, 0]
        expected = torch.ones(32, 32)
        expected[:4] = 0  # what would have come from above the image
        expected[:, -4:] = 0
        expected[8:24, 8:24] = 0
        assert torch.equal(changed, expected)

    def test_pixels_move_as_they_are(self) -> None:
        images = torch.randn(1, 1, 32, 32)
        chance = torch.zeros(1, NUMBERS)
        chance[0, :4] = torch.tensor([0.999, 0.5, 0.0, 0.0])
        changed = augmented(images, chance)[0, 0]
        assert torch.equal(changed[8:28], images[0, 0, 12:32])

    def test_colors_change_in_color_only_and_by_the_middle_numbers_not_at_all(self) -> None:
        chance = torch.full((2, NUMBERS), 0.5)
        chance[:, 2:4] = 0.0
        for channels in (1, 3):
            images = torch.randn(2, channels, 32, 32)
            same = augmented(images, chance)
            assert torch.allclose(same[:, :, 8:, 8:], images[:, :, 8:, 8:], atol=1e-5)
            other = chance.clone()
            other[:, 4:] = torch.rand(2, 3)
            differs = not torch.allclose(augmented(images, other), same, atol=1e-3)
            assert differs == (channels == 3)

    def test_the_generator_learns_through_it(self) -> None:
        images = torch.randn(2, 3, 28, 28, requires_grad=True)
        augmented(images, torch.rand(2, NUMBERS)).sum().backward()
        assert images.grad is not None
        assert (images.grad != 0).any((1, 2, 3)).all()

    def test_auto_is_for_few_images(self) -> None:
        assert TrainGan().augments(FEW_IMAGES - 1)
        assert not TrainGan().augments(FEW_IMAGES)  # the embedded digits
        assert TrainGan(augment="on").augments(10**6)
        assert not TrainGan(augment="off").augments(10)

    def test_real_and_drawn_images_are_both_changed(
        self, digits: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []

        def count(images: Tensor, chance: Tensor) -> Tensor:
            assert chance.shape == (len(images), NUMBERS)
            seen.append(len(images))
            return images

        monkeypatch.setattr("engine.models.diff_augment.augmented", count)
        learner = TrainGan(dataset=digits, model="mlp_small", **TINY).learner(ignore)
        learner.step(1)
        assert seen == [4, 4, 4]  # for the discriminator real and drawn, for the generator drawn

    def test_a_run_from_before_goes_on_without(self) -> None:
        assert TrainGan.from_dict({"resume": True}).augment == "off"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("loss", "penalised"), [("wgan_gp", range(1, 10)), ("relativistic", (4, 8))]
)
def test_a_stopped_run_goes_on_bit_for_bit(
    loss: str, penalised: range, digits: str, tmp_path: Path
) -> None:
    task = TrainGan(dataset=digits, loss=loss, **TINY)
    task.run(ignore, tmp_path / "straight")
    told = measured(tmp_path / "straight")
    assert [step for step, found in told.items() if "gradient_penalty" in found] == [*penalised]
    with pytest.raises(Cancelled):
        task.run(cancel_at(6), tmp_path / "stopped")
    torch.manual_seed(123)
    TrainGan(max_steps=9, resume=True).run(ignore, tmp_path / "stopped")
    assert_same_run(tmp_path / "straight", tmp_path / "stopped")
    assert RunFolder(tmp_path / "stopped").description()["augmented"] is True


def test_the_penalty_reaches_the_discriminator_with_its_weight(digits: str) -> None:
    moved = []
    for gamma in (1e-6, 1000.0):
        torch.manual_seed(0)
        learner = TrainGan(
            dataset=digits, loss="relativistic", gamma=gamma, model="mlp_small", **TINY
        ).learner(ignore)
        for step in range(1, 41):
            measured_now = learner.step(step)
        moved.append(measured_now["gradient_penalty"])
    assert moved[1] < 0.2 * moved[0]
