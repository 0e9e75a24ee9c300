"""Figures of what the evaluator names: drawings by concept, paraphrase and style, and artwork."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tests.benchmarks.sticker_quality.artwork import Artwork, Pictures
from tests.benchmarks.sticker_quality.drawings import Artist, Request, seen
from tests.benchmarks.sticker_quality.evaluator import Evaluator
from tests.benchmarks.sticker_quality.fixed_lists import FixedLists, styled_concepts
from tests.benchmarks.sticker_quality.ranking import among_first, confusion, places
from tests.benchmarks.sticker_quality.style_classifier import StyleClassifier

SEEDS = (1, 2)
NAMED = 3  # guesses told of a drawing that was not recognised

Figures = dict[str, Any]


def named(evaluator: Evaluator, pictures: Pictures, right: Sequence[Collection[str]]) -> Figures:
    """Top-1 and top-5 of pictures, each of which may show any concept of its own set of codes."""
    scores = evaluator.judge(pictures).concept.numpy()
    column = {code: index for index, code in enumerate(evaluator.concepts)}
    found = places(scores, [[column[code] for code in codes] for codes in right])
    return {
        "top_1": among_first(found, 1),
        "top_5": among_first(found, 5),
        "pictures": len(found),
        "places": found.tolist(),
    }


def guesses(evaluator: Evaluator, artwork: Artwork, pictures: Pictures) -> list[list[str]]:
    """What each picture looks like, the likeliest first."""
    order = (-evaluator.judge(pictures).concept).argsort(dim=1)[:, :NAMED].tolist()
    return [[artwork.names[evaluator.concepts[index]].english for index in row] for row in order]


def concepts(
    evaluator: Evaluator, artwork: Artwork, artist: Artist, lists: FixedLists
) -> dict[str, Figures]:
    """The 200 concepts by English name, twice, and by Chinese name; wrong names; the artwork."""
    codes = [*lists.concepts]
    print("concepts in English, two seeds")
    drawn = seen(artist.draw([*concept_requests(lists)]))
    shown = [{code} for _ in SEEDS for code in codes]
    print("concepts in Chinese")
    requests = [Request(name.chinese, SEEDS[0]) for name in lists.concepts.values()]
    chinese = seen(artist.draw(requests))
    real = [index for code in codes for index in artwork.indices_of(code)]
    of_real = [{artwork.concepts[index]} for index in real]
    decoded = artist.through_autoencoder([artwork.open(index) for index in real])
    return {
        "drawn": named(evaluator, drawn, shown),
        "drawn_judged_by_another_name": named(evaluator, drawn, [*shown[1:], shown[0]]),
        "artwork": named(evaluator, artwork.pictures[real], of_real),
        "artwork_through_autoencoder": named(evaluator, seen(decoded), of_real),
        "chinese": named(evaluator, chinese, [{code} for code in codes]),
    }


def concept_requests(lists: FixedLists) -> Iterator[Request]:
    """All concepts with the first seed, then all with the second."""
    for seed in SEEDS:
        for name in lists.concepts.values():
            yield Request(name.english, seed)


def paraphrases(
    evaluator: Evaluator, artwork: Artwork, artist: Artist, lists: FixedLists
) -> Figures:
    """Words that occur in no caption; and what was drawn for those not understood."""
    print("paraphrases")
    pictures = seen(artist.draw([Request(phrase, SEEDS[0]) for phrase in lists.paraphrases]))
    right = [{artwork.codes[name] for name in names} for names in lists.paraphrases.values()]
    figures = named(evaluator, pictures, right)
    looks = guesses(evaluator, artwork, pictures)
    figures["not_among_first_5"] = {
        phrase: look
        for phrase, look, place in zip(lists.paraphrases, looks, figures["places"], strict=True)
        if place >= 5
    }
    return figures


def styles(
    evaluator: Evaluator,
    classifier: StyleClassifier,
    artwork: Artwork,
    artist: Artist,
    lists: FixedLists,
) -> Figures:
    """Each style chosen by its name: how often the drawing is in it; where its word is typed before
    the prompt instead; the same of the artwork.

    All of concepts that the classifier has never seen.
    """
    print("styles")
    complete = styled_concepts(lists, artwork)
    codes = {lists.concepts[code].english: code for code in complete}
    requests = [
        Request(lists.concepts[code].english, seed, style)
        for style in classifier.styles
        for code in complete
        for seed in SEEDS
    ]
    typed = [Request(f"{one.style} {one.prompt}", one.seed) for one in requests]
    asked = np.repeat(np.arange(len(classifier.styles)), len(complete) * len(SEEDS))
    real = [index for code in complete for index in artwork.indices_of(code)]
    of_real = np.array([classifier.styles.index(artwork.styles[index]) for index in real])
    originals = [artwork.open(index) for index in real]
    right = [{codes[request.prompt]} for request in requests]
    pictures, by_word = artist.draw(requests), artist.draw(typed)
    return {
        "styles": classifier.styles,
        "drawn": _styled(classifier, pictures, asked),
        "drawn_by_a_word_in_the_prompt": _styled(classifier, by_word, asked),
        "artwork": _styled(classifier, originals, of_real),
        "artwork_through_autoencoder": _styled(
            classifier, artist.through_autoencoder(originals), of_real
        ),
        "concept_of_drawn": named(evaluator, seen(pictures), right),
        "concept_of_drawn_by_a_word": named(evaluator, seen(by_word), right),
    }


def _styled(classifier: StyleClassifier, pictures: Sequence[Image.Image], asked: Any) -> Figures:
    said = classifier.judge(pictures)
    table = confusion(said, asked, len(classifier.styles))
    return {"right": float((said == asked).mean()), "pictures": len(said), "seen": table.tolist()}


def combinations(
    evaluator: Evaluator, artwork: Artwork, artist: Artist, lists: FixedLists
) -> list[Figures]:
    """What prompts that combine look like; shown, not scored."""
    print("combinations")
    requests = [Request(prompt, SEEDS[0]) for prompt in lists.combinations]
    looks = guesses(evaluator, artwork, seen(artist.draw(requests)))
    return [
        {"prompt": prompt, "in_captions": prompt in artwork.captions, "looks_like": look}
        for prompt, look in zip(lists.combinations, looks, strict=True)
    ]
