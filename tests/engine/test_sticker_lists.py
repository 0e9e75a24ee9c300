"""The measurement of the sticker model: its fixed lists, names, and arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.sticker_quality.artwork import Name, describe, name_of
from tests.benchmarks.sticker_quality.fixed_lists import in_captions, read_lists
from tests.benchmarks.sticker_quality.ranking import (
    among_first,
    confusion,
    cosine_distances,
    pixel_distances,
    places,
)

# ------------------------------------------------------------------ the committed lists


def test_the_committed_lists_are_what_the_issue_asks_for() -> None:
    lists = read_lists()
    assert len(lists.concepts) == 200
    assert len({name.english for name in lists.concepts.values()}) == 200
    assert all(name.chinese and not name.chinese.isascii() for name in lists.concepts.values())
    assert len(lists.paraphrases) == 100
    assert all(names for names in lists.paraphrases.values())
    assert len(lists.combinations) == len({*lists.combinations}) == 16
    assert len(lists.contact_sheet) == len({*lists.contact_sheet}) == 64


def test_no_committed_paraphrase_is_the_name_of_a_concept() -> None:
    lists = read_lists()
    names = {name.english for name in lists.concepts.values()}
    names |= {name for shown in lists.paraphrases.values() for name in shown}
    assert in_captions(lists.paraphrases, names) == []


def test_a_phrase_is_found_in_captions_by_whole_words() -> None:
    captions = ["flat hot dog", "house-boat", "dogs"]
    phrases = ["Hot dog", "dog", "hot  DOG", "house boat", "hot", "boa", "dog house", "flat dog"]
    found = ["Hot dog", "dog", "hot  DOG", "house boat", "hot"]
    assert in_captions(phrases, captions) == found


# ------------------------------------------------------------------ the artwork


@pytest.mark.parametrize(
    ("file", "described"),
    [
        ("images/flat/1f431.png", ("1f431", "flat", "")),
        ("images/3d/1f431-blue.png", ("1f431", "3d", "blue")),
        ("images/noto/2764-fe0f-200d-1f525.png", ("2764-fe0f-200d-1f525", "noto", "")),
        ("images/noto/2764-fe0f-200d-1f525-red.png", ("2764-fe0f-200d-1f525", "noto", "red")),
    ],
)
def test_a_file_says_concept_style_and_color(file: str, described: tuple[str, ...]) -> None:
    assert describe(file) == described


def test_a_concept_is_named_by_its_commonest_captions() -> None:
    captions = ["piñata", "pinata", "piñata", "彩罐", "flat piñata", "彩罐", "五月节"]
    assert name_of(captions) == Name("piñata", "彩罐")


# ------------------------------------------------------------------ the arithmetic


def test_places_count_what_stands_before_the_best_right_answer() -> None:
    scores = np.array([[0.1, 0.9, 0.5], [0.1, 0.9, 0.5], [0.2, 0.1, 0.3]])
    found = places(scores, [{1}, {0, 2}, {0}])
    assert found.tolist() == [0, 1, 1]
    assert among_first(found, 1) == pytest.approx(1 / 3)
    assert among_first(found, 2) == 1.0


@given(st.integers(2, 8).flatmap(lambda n: st.tuples(st.permutations(range(n)), st.data())))
def test_the_place_is_that_in_the_sorted_order(drawn: tuple[list[int], st.DataObject]) -> None:
    order, random = drawn
    right = random.draw(st.sets(st.sampled_from(order), min_size=1))
    scores = np.empty(len(order))
    scores[order] = np.arange(len(order))[::-1]  # order[0] scores highest
    [place] = places(scores[None], [right])
    assert place == min(order.index(column) for column in right)


def test_confusion_has_a_row_for_what_was_asked() -> None:
    table = confusion(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), 3)
    assert table.tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 0]]


def test_distances() -> None:
    black, white = (np.full((1, 4, 4, 3), value, np.uint8) for value in (0, 255))
    assert pixel_distances(black, white) == pytest.approx([1.0])
    assert pixel_distances(white, white) == pytest.approx([0.0])
    one, other = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert cosine_distances(one, other) == pytest.approx([1.0])
    assert cosine_distances(one, one) == pytest.approx([0.0])
