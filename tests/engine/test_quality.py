"""The arithmetic of quality numbers, against torchmetrics and against what papers promise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

from engine.data.digits import load_digits
from engine.data.held_out import split
from engine.errors import DatasetError
from engine.grid import cut_grid, image_grid
from engine.models.gan import from_pixels
from engine.quality import feature_space, learn_digits
from engine.quality.feature_space import HELD_OUT, space_for
from engine.quality.kernel_distance import kernel_distance, subset_distances
from engine.quality.manifolds import manifolds
from engine.quality.measure import measure
from engine.quality.reference import Reference, worth_holding_out


def normal(count: int, seed: int, mean: float = 0.0, scale: float = 1.0, width: int = 8) -> Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.randn(count, width, generator=chance, dtype=torch.float64) * scale + mean


def chance() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class AsTheyAre(nn.Module):
    """The feature network of a test: features are the images themselves."""

    num_features = 8

    def forward(self, images: Tensor) -> Tensor:
        return images.double().flatten(1)


class TestKernelDistance:
    def test_each_subset_is_what_torchmetrics_says(self) -> None:
        real, fake = normal(40, 1), normal(50, 2, mean=0.3)
        order = [torch.randperm(count, generator=chance())[:12] for count in (40, 50)]
        masks = [torch.zeros(1, count, dtype=torch.float64) for count in (40, 50)]
        for mask, chosen in zip(masks, order, strict=True):
            mask[0, chosen] = 1
        ours = subset_distances(real, fake, *masks)
        theirs = poly_mmd(real[order[0]], fake[order[1]], degree=3, gamma=None, coef=1.0)
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-12)

    @pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
    def test_mean_and_deviation_are_near_those_of_torchmetrics(self) -> None:
        real, fake = normal(200, 1), normal(200, 2, mean=0.2)
        theirs = KernelInceptionDistance(AsTheyAre(), subsets=400, subset_size=50, normalize=True)
        theirs.inception.num_features = 8
        torch.manual_seed(0)
        theirs.update(real, real=True)
        theirs.update(fake, real=False)
        mean, deviation = (value.item() for value in theirs.compute())
        ours = kernel_distance(real, fake, chance(), subsets=400, subset_size=50)
        error = deviation / math.sqrt(400)
        assert ours.mean == pytest.approx(mean, abs=6 * error)
        assert ours.deviation == pytest.approx(deviation, rel=0.2)

    def test_it_is_unbiased_whatever_the_count(self) -> None:
        for count in (20, 100):
            found = [
                kernel_distance(normal(count, s), normal(count, 1000 + s), chance(), 1).mean
                for s in range(150)
            ]
            error = np.std(found) / math.sqrt(len(found))
            assert abs(np.mean(found)) < 4 * error

    def test_it_grows_with_the_distance_and_needs_a_few_images(self) -> None:
        real = normal(100, 1)
        near, far = (kernel_distance(real, normal(100, 2, mean=m), chance()) for m in (0.2, 1.0))
        assert near.mean < far.mean
        with pytest.raises(ValueError, match="four images"):
            kernel_distance(real, normal(3, 1), chance())


def manifolds_word_for_word(real: Tensor, fake: Tensor) -> tuple[float, float, float, float]:
    """As the papers write them, one image at a time."""

    def radius(of: Tensor, index: int, k: int) -> float:
        others = [(of[index] - other).norm().item() for j, other in enumerate(of) if j != index]
        return sorted(others)[k - 1]

    near, wide = ([radius(real, i, k) for i in range(len(real))] for k in (3, 5))
    fake_near = [radius(fake, j, 3) for j in range(len(fake))]
    across = [[(r - f).norm().item() for f in fake] for r in real]
    count, drawn = range(len(real)), range(len(fake))
    precision = sum(any(across[i][j] <= near[i] for i in count) for j in drawn) / len(fake)
    recall = sum(any(across[i][j] <= fake_near[j] for j in drawn) for i in count) / len(real)
    density = sum(across[i][j] <= wide[i] for i in count for j in drawn) / (5 * len(fake))
    coverage = sum(any(across[i][j] <= wide[i] for j in drawn) for i in count) / len(real)
    return precision, recall, density, coverage


class TestManifolds:
    def test_they_are_what_the_papers_say(self) -> None:
        real, fake = normal(40, 1, width=3), normal(30, 2, mean=1.0, scale=1.2, width=3)
        found = manifolds(real, fake)
        ours = (found.precision, found.recall, found.density, found.coverage)
        assert ours == pytest.approx(manifolds_word_for_word(real, fake), abs=1e-12)
        assert 0 < found.precision < 1
        assert 0 < found.recall < 1

    def test_few_kinds_lose_recall_and_nonsense_loses_precision(self) -> None:
        real = torch.cat([normal(100, 1, mean=-5), normal(100, 2, mean=5)])
        half = manifolds(real, normal(200, 3, mean=5))
        assert half.precision > 0.8
        assert half.recall < 0.6
        assert half.coverage < 0.6
        wide = manifolds(real, normal(200, 4, scale=20))
        assert wide.precision < 0.2
        with pytest.raises(ValueError, match="more than 5"):
            manifolds(real, normal(5, 1))


@pytest.fixture(scope="module")
def digits() -> NDArray[np.uint8]:
    return load_digits()[0]


@pytest.fixture(scope="module")
def reference(digits: NDArray[np.uint8]) -> Reference:
    return Reference(digits, *split(len(digits), HELD_OUT, 2000), 400)


class TestFeatureSpaces:
    @pytest.mark.parametrize("dataset", ["digits", "any other"])
    def test_damage_is_seen_and_sameness_too(
        self, dataset: str, digits: NDArray[np.uint8], reference: Reference
    ) -> None:
        space = space_for(dataset)
        real = space.features(reference.images)
        same = measure(real, space.features(reference.others), 0)
        noise = np.random.default_rng(0).normal(0, 40, reference.others.shape)
        noisy = np.clip(reference.others + noise, 0, 255).astype(np.uint8)
        worse = measure(real, space.features(noisy), 0)
        blank = measure(real, space.features(np.zeros_like(noisy)), 0)
        assert abs(same.kid.mean) < 3 * same.kid.deviation
        assert same.kid.mean + 3 * same.kid.deviation < worse.kid.mean < blank.kid.mean
        assert min(same.manifolds.precision, same.manifolds.recall) > 0.8
        assert max(blank.manifolds.precision, blank.manifolds.recall) == 0
        assert same.manifolds.coverage > worse.manifolds.coverage > blank.manifolds.coverage

    def test_the_classifier_reads_what_it_has_not_learned_from(self) -> None:
        from safetensors import safe_open
        from safetensors.torch import load_file

        from engine.models.digit_classifier import DigitClassifier

        images, labels = load_digits()
        _, held = split(len(images), HELD_OUT, len(images))
        network = DigitClassifier().eval()
        network.load_state_dict(load_file(feature_space.CLASSIFIER))
        answers = network(from_pixels(torch.from_numpy(images[held]))).argmax(1).numpy()
        accuracy = (answers == labels[held]).mean()
        assert accuracy >= 0.985
        with safe_open(feature_space.CLASSIFIER, "pt") as file:
            assert file.metadata()["accuracy"] == f"{accuracy:.4f} of 2000 held-out digits"

    def test_it_is_trained_again_by_one_command(self, tmp_path: Path) -> None:
        before = torch.get_rng_state()
        first, second = tmp_path / "first", tmp_path / "second"
        accuracy = learn_digits.learn(first, epochs=1)
        learn_digits.learn(second, epochs=1)
        assert accuracy > 0.85
        assert first.read_bytes() == second.read_bytes()
        assert torch.equal(before, torch.get_rng_state())

    @pytest.mark.parametrize("dataset", ["digits", "any other"])
    def test_a_space_takes_no_chance_and_any_images(self, dataset: str) -> None:
        before = torch.get_rng_state()
        space = space_for(dataset)
        assert space.sha256 == space_for(dataset).sha256
        for size, channels in ((28, 1), (32, 3), (64, 1)):
            shape = (3, size, size, channels)
            pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
            features = space.features(pixels)
            assert features.shape[0] == 3
            assert features.isfinite().all()
        assert torch.equal(before, torch.get_rng_state())

    def test_gray_is_the_same_in_color(self, digits: NDArray[np.uint8]) -> None:
        for dataset in ("digits", "any other"):
            space = space_for(dataset)
            gray, color = digits[:4], digits[:4].repeat(3, axis=3)
            assert torch.allclose(space.features(gray), space.features(color), atol=1e-5)

    def test_the_spaces_are_told_apart(self) -> None:
        labels = {space_for(name).label for name in ("digits", "stickers", "/some/folder")}
        assert len(labels) == 2
        assert any(label.startswith("digits classifier ") for label in labels)
        assert any(label.startswith("frozen random convolutions ") for label in labels)


def test_the_line_says_all_that_belongs_to_a_number(reference: Reference) -> None:
    space = space_for("digits")
    found = measure(space.features(reference.images), space.features(reference.others), 0)
    line = found.line(space)
    assert line.startswith("KID ×10³ = ")
    assert f"± {found.kid.deviation * 1000:.1f}, precision 0." in line
    assert line.endswith(f"(400 samples, {space.label})")
    assert found.to_dict()["samples"] == 400


class TestReference:
    def test_it_is_never_learned_from_where_some_is_held_out(self) -> None:
        images = np.arange(200, dtype=np.uint8).reshape(200, 1, 1, 1)
        learned, held_out = split(200, 0.2)
        reference = Reference(images, learned, held_out, 1000)
        assert len(reference) == 40
        assert set(reference.images.flat) == set(held_out)
        assert set(reference.others.flat) < set(learned)
        assert reference.label == "40 held-out images"

    def test_else_it_says_so(self) -> None:
        images = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)
        reference = Reference(images, *split(100, 0.0), 30)
        assert len(reference) == len(reference.others) == 30
        assert not set(reference.images.flat) & set(reference.others.flat)
        assert reference.label == "30 of the images that were learned from"

    def test_too_few_are_refused_and_not_held_out(self) -> None:
        images = np.zeros((30, 1, 1, 1), np.uint8)
        with pytest.raises(DatasetError, match="too few images"):
            Reference(images, *split(30, 0.5), 1000)
        assert worth_holding_out(400, 0.2) == 0.0
        assert worth_holding_out(10_000, 0.2) == 0.2


@pytest.mark.parametrize("count", [1000, 1500, 10_000])
def test_what_is_held_out_is_spread_and_a_smaller_part_lies_in_a_larger(count: int) -> None:
    learned, held_out = split(count, 0.2, count)
    assert len(held_out) == count // 5
    assert np.array_equal(np.sort(np.concatenate([learned, held_out])), np.arange(count))
    assert set(split(count, 0.05)[1]) < set(held_out)
    in_tenths = np.histogram(held_out, 10, (0, count))[0]
    assert np.ptp(in_tenths) <= 3


@pytest.mark.parametrize(("count", "columns"), [(1, 0), (7, 0), (7, 3), (16, 0)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_can_be_cut_again(count: int, columns: int, channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 5, 5, channels), np.uint8)
    grid = np.asarray(image_grid(images, columns)).reshape(
        image_grid(images, columns).height, -1, channels
    )
    assert np.array_equal(cut_grid(grid, count, 5), images)
