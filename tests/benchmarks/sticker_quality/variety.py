"""Figures of how drawings differ: from seed to seed, and from the artwork the model has seen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.gate.images import open_image
from tests.benchmarks.sticker_quality.artwork import Artwork, Pictures
from tests.benchmarks.sticker_quality.drawings import Artist, seen
from tests.benchmarks.sticker_quality.evaluator import Evaluator
from tests.benchmarks.sticker_quality.fixed_lists import FixedLists
from tests.benchmarks.sticker_quality.naming import SEEDS, Figures, concept_requests
from tests.benchmarks.sticker_quality.ranking import cosine_distances, pixel_distances
from tests.benchmarks.sticker_quality.style_classifier import StyleClassifier

SHOWN = 32  # samples beside their nearest artwork


def seeds(
    evaluator: Evaluator,
    classifier: StyleClassifier,
    artwork: Artwork,
    artist: Artist,
    lists: FixedLists,
) -> Figures:
    """How far two seeds of one prompt are apart, and, to compare: styles, and other concepts."""
    drawn = artist.draw([*concept_requests(lists)])
    first, second = np.split(seen(drawn), len(SEEDS))
    real = {code: artwork.indices_of(code) for code in lists.concepts}
    pairs = np.array([pair for indices in real.values() for pair in combinations(indices, 2)])
    one_style = np.array([indices[0] for indices in real.values()])
    pictures = artwork.pictures
    styles_seen = np.split(classifier.judge(drawn), len(SEEDS))
    return {
        "two_seeds_of_one_prompt": _apart(evaluator, first, second),
        "two_styles_of_one_concept": _apart(
            evaluator, pictures[pairs[:, 0]], pictures[pairs[:, 1]]
        ),
        "two_concepts_in_one_style": _apart(
            evaluator, pictures[one_style], pictures[np.roll(one_style, 1)]
        ),
        "seeds_in_different_styles": float((styles_seen[0] != styles_seen[1]).mean()),
    }


def _apart(evaluator: Evaluator, first: Pictures, second: Pictures) -> Figures:
    """Mean distances of pairs, to the evaluator and by pixels."""
    features = [evaluator.judge(half).features.numpy() for half in (first, second)]
    by_pixels = pixel_distances(first, second)
    return {
        "features": float(cosine_distances(*features).mean()),
        "pixels": float(by_pixels.mean()),
        "pixels_tenth_percentile": float(np.quantile(by_pixels, 0.1)),
        "pairs": len(first),
    }


@dataclass(frozen=True)
class Nearest:
    """Samples beside the artwork that is nearest by pixels."""

    prompts: list[str]
    samples: list[Image.Image]
    files: list[str]
    distances: list[float]
    to_other_styles: list[float | None]
    """From that artwork to the nearest of the same concept in another style, where there is one."""

    def figures(self) -> Figures:
        known = [
            (own, other)
            for own, other in zip(self.distances, self.to_other_styles, strict=True)
            if other is not None
        ]
        return {
            "samples": len(self.samples),
            "mean_distance": float(np.mean(self.distances)),
            "mean_distance_of_that_artwork_to_another_style": float(
                np.mean([other for _, other in known])
            ),
            "nearer_than_another_style": float(np.mean([own < other for own, other in known])),
            "nearest_files": dict(zip(self.prompts, self.files, strict=True)),
        }

    def beside(self, artwork: Artwork) -> tuple[list[Image.Image], list[str]]:
        """Pictures and texts of a sheet: sample, nearest, sample, nearest …"""
        pictures: list[Image.Image] = []
        texts: list[str] = []
        for prompt, sample, file, distance in zip(
            self.prompts, self.samples, self.files, self.distances, strict=True
        ):
            pictures += [sample, open_image(artwork.folder / file)]
            texts += [prompt, f"nearest artwork: {distance:.3f}"]
        return pictures, texts


def nearest(artwork: Artwork, artist: Artist, lists: FixedLists) -> Nearest:
    """The first samples of the 200 concepts, and the training pictures nearest to them."""
    requests = [*concept_requests(lists)][:SHOWN]
    samples = artist.draw(requests)
    found = [_nearest_of(artwork.pictures, sample) for sample in seen(samples)]
    return Nearest(
        prompts=[request.prompt for request in requests],
        samples=samples,
        files=[artwork.files[index] for index, _ in found],
        distances=[distance for _, distance in found],
        to_other_styles=[_to_other_style(artwork, index) for index, _ in found],
    )


def _nearest_of(pictures: Pictures, sample: NDArray[np.uint8]) -> tuple[int, float]:
    distances = _distances(sample, pictures)
    index = int(distances.argmin())
    return index, float(distances[index])


def _to_other_style(artwork: Artwork, index: int) -> float | None:
    """From a picture to the nearest of its concept in another style, where there is one."""
    concept, style = artwork.concepts[index], artwork.styles[index]
    others = [
        other
        for other, described in enumerate(zip(artwork.concepts, artwork.styles, strict=True))
        if described[0] == concept and described[1] != style
    ]
    if not others:
        return None
    return float(_distances(artwork.pictures[index], artwork.pictures[others]).min())


def _distances(one: NDArray[np.uint8], many: Pictures) -> NDArray[np.floating[Any]]:
    """In parts: all artwork as floats at once would need hundreds of megabytes."""
    parts = np.array_split(many, max(1, len(many) // 512))
    return np.concatenate([pixel_distances(part, one[None]) for part in parts])
