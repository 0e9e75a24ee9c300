"""What Generate means, case by case; no window is needed for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect

from engine.generators.text_to_image import TextToImage
from studio.requests import Meaning, Scene, button_text, button_tip, task_values

FRAME = QRect(0, 0, 200, 100)
LARGE = QRect(0, 0, 2000, 2000)
NOTHING = QRect()


@pytest.mark.parametrize(
    ("scene", "strength", "meaning"),
    [
        (Scene(FRAME), 1.0, Meaning.CREATE),
        (Scene(FRAME), 0.4, Meaning.CREATE),
        (Scene(FRAME, NOTHING, QRect(10, 10, 20, 20)), 1.0, Meaning.CREATE),
        (Scene(FRAME, FRAME), 1.0, Meaning.CREATE),
        (Scene(FRAME, FRAME), 0.99, Meaning.REFINE),
        (Scene(FRAME, FRAME, QRect(10, 10, 20, 20)), 1.0, Meaning.FILL),
        (Scene(FRAME, FRAME, QRect(10, 10, 20, 20)), 0.3, Meaning.FILL),
        (Scene(FRAME, FRAME, QRect(-30, 10, 60, 20)), 1.0, Meaning.EXTEND),
        (Scene(FRAME, FRAME, QRect(-16, -5, 60, 60)), 1.0, Meaning.FILL),
        (Scene(FRAME, FRAME, QRect(-17, -5, 60, 60)), 1.0, Meaning.EXTEND),
        (Scene(FRAME, FRAME, QRect(180, 80, 36, 36)), 1.0, Meaning.FILL),
        (Scene(FRAME, FRAME, QRect(180, 80, 36, 37)), 1.0, Meaning.EXTEND),
        (Scene(FRAME, FRAME, QRect(200, 10, 5, 60)), 1.0, Meaning.EXTEND),  # all of it beside
        (Scene(LARGE, LARGE, QRect(-100, 10, 600, 60)), 1.0, Meaning.FILL),
        (Scene(LARGE, LARGE, QRect(-101, 10, 600, 60)), 1.0, Meaning.EXTEND),
        (Scene(FRAME, QRect(50, 0, 100, 100)), 1.0, Meaning.EXTEND),
        (Scene(FRAME, QRect(50, 0, 100, 100), QRect(60, 10, 20, 20)), 1.0, Meaning.FILL),
        (Scene(FRAME, QRect(50, 0, 100, 100), NOTHING, solid=False), 1.0, Meaning.CREATE),
        (Scene(FRAME, QRect(50, 0, 100, 100), NOTHING, solid=False), 0.5, Meaning.REFINE),
        (Scene(FRAME, QRect(50, 0, 100, 100), QRect(0, 0, 20, 9), solid=False), 1, Meaning.FILL),
    ],
)
def test_the_canvas_and_the_strength_decide(
    scene: Scene, strength: float, meaning: Meaning
) -> None:
    assert scene.meaning(strength) is meaning


RECTS = st.builds(
    QRect, st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 99), st.integers(1, 99)
)


@given(picture=RECTS, selection=RECTS)
def test_the_sides_lead_from_the_picture_to_the_whole(picture: QRect, selection: QRect) -> None:
    scene = Scene(FRAME, picture, selection)
    sides = scene.sides()
    assert min(sides.values()) >= 0
    grown = picture.adjusted(-sides["left"], -sides["top"], sides["right"], sides["bottom"])
    assert grown == scene.whole
    assert any(sides.values()) == (scene.meaning(1.0) is Meaning.EXTEND)


def test_what_goes_on_replaces_the_whole_and_reads_the_picture() -> None:
    scene = Scene(FRAME, FRAME, QRect(-30, 10, 60, 20))
    assert scene.target(Meaning.EXTEND) == QRect(-30, 0, 230, 100)
    assert scene.source(Meaning.EXTEND) == FRAME
    assert scene.target(Meaning.CREATE).isEmpty()


def test_it_goes_on_only_where_the_selection_is_pulled_clearly_beyond() -> None:
    scene = Scene(FRAME, FRAME, QRect(-30, -4, 235, 50))
    assert scene.sides() == {"left": 30, "top": 0, "right": 0, "bottom": 0}


def test_a_task_gets_the_fields_it_has() -> None:
    form = {"model": "stickers", "seed": 7, "width": 64, "prompt": "a", "no_such_field": 1}
    values = task_values(TextToImage, Meaning.CREATE, Scene(FRAME), form, 1.0, {})
    assert values == {"model": "stickers", "seed": 7, "width": 64, "prompt": "a"}


@pytest.mark.parametrize(
    ("form", "size"),
    [((0, 0), (0, 0)), ((400, 200), (400, 200)), ((64, 64), (0, 0)), ((64, 0), (0, 0))],
)
def test_a_size_of_another_shape_is_left_to_the_task(
    form: tuple[int, int], size: tuple[int, int]
) -> None:
    asked = dict(zip(("width", "height"), form, strict=True))
    scene = Scene(FRAME, FRAME)
    values = task_values(TextToImage, Meaning.REFINE, scene, asked, 0.5, {"image": Path("a")})
    assert (values["width"], values["height"]) == size


def test_the_button_says_what_it_does() -> None:
    assert len({button_text(meaning) for meaning in Meaning}) == len(Meaning)
    assert "40 %" in button_tip(Meaning.REFINE, 0.4)
    assert "40 %" in button_tip(Meaning.FILL, 0.4)
    assert "%" not in button_tip(Meaning.FILL, 1.0)
