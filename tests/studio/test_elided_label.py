"""A label in too little room."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from studio.widgets.elided_label import ElidedLabel

WORDS = "48 new words · 12 tokens/s"


def test_what_does_not_fit_ends_in_dots_and_is_told_by_the_tooltip(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.setText(WORDS)
    label.resize(80, 24)
    label.show()
    label.grab()
    assert label.shown().endswith("…") and len(label.shown()) < len(WORDS)
    assert label.toolTip() == WORDS
    label.resize(800, 24)
    label.grab()
    assert label.shown() == WORDS and label.toolTip() == ""
