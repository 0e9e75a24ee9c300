"""What Generate means: from what is on the canvas and what the form says to a task and its inputs.

Nothing here needs a window, so that every case can be tried alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QPoint, QRect

from engine.task import Task

FULL = 1.0
"""The strength at which nothing of what is there shines through."""
OVERSHOT = 16
"""Pixels beyond a side that a selection may reach and yet mean the picture alone."""
OVERSHOT_PART = 20
"""The same as a part of the side, where that is more."""


class Meaning(Enum):
    """The task that each one asks for is its value."""

    CREATE = "text_to_image"
    REFINE = "image_to_image"
    FILL = "inpaint"
    EXTEND = "outpaint"


@dataclass(frozen=True)
class Scene:
    """What Generate looks at, as rectangles in pixels of the document."""

    frame: QRect
    """The document."""
    picture: QRect = field(default_factory=QRect)
    """The bounds of what can be seen in it; empty where nothing can."""
    selection: QRect = field(default_factory=QRect)
    """The bounds of what is selected; empty where nothing is."""
    solid: bool = True
    """Whether the picture fills its bounds: a drawing on nothing has no sides to go on from."""

    @property
    def whole(self) -> QRect:
        """The picture with what it is to reach."""
        return self.picture.united(self.meant if self.selection else self.frame)

    @property
    def meant(self) -> QRect:
        """The selection, ended at a side that it hardly overshoots: no hand is that exact."""
        inner, drawn = self.picture, self.selection
        across = max(OVERSHOT, inner.width() // OVERSHOT_PART)
        down = max(OVERSHOT, inner.height() // OVERSHOT_PART)
        near = inner.adjusted(-across, -down, across, down)
        first = QPoint(
            inner.left() if near.left() <= drawn.left() < inner.left() else drawn.left(),
            inner.top() if near.top() <= drawn.top() < inner.top() else drawn.top(),
        )
        last = QPoint(
            inner.right() if inner.right() < drawn.right() <= near.right() else drawn.right(),
            inner.bottom() if inner.bottom() < drawn.bottom() <= near.bottom() else drawn.bottom(),
        )
        ended = QRect(first, last)
        return ended if ended.isValid() else drawn  # it lies beside the picture

    def meaning(self, strength: float) -> Meaning:
        """What Generate does here at this strength (0 to 1)."""
        if not self.picture:
            return Meaning.CREATE
        if self.solid and self.whole != self.picture:
            return Meaning.EXTEND
        if self.selection:
            return Meaning.FILL
        return Meaning.CREATE if strength >= FULL else Meaning.REFINE

    def target(self, meaning: Meaning) -> QRect:
        """Where the result belongs. What is created has a size of its own."""
        if meaning is Meaning.CREATE:
            return QRect()
        return self.whole if meaning is Meaning.EXTEND else self.source(meaning)

    def source(self, meaning: Meaning) -> QRect:
        """The part of the document that the task reads."""
        if meaning is Meaning.CREATE:
            return QRect()
        return self.picture if self.solid else self.frame

    def sides(self) -> dict[str, int]:
        """How far beyond the picture it goes on, in pixels."""
        inner, outer = self.picture, self.whole
        return {
            "left": inner.left() - outer.left(),
            "top": inner.top() - outer.top(),
            "right": outer.right() - inner.right(),
            "bottom": outer.bottom() - inner.bottom(),
        }


def task_values(
    draws: type[Task],
    meaning: Meaning,
    scene: Scene,
    form: Mapping[str, Any],
    strength: float,
    inputs: Mapping[str, Path],
) -> dict[str, Any]:
    """The fields of the task: those of the form that it has, and what the canvas says.

    `inputs` are the files it reads, by field.
    """
    wanted: dict[str, Any] = dict(form)
    if meaning is not Meaning.CREATE:
        wanted["strength"] = strength
        wanted |= scene.sides() if meaning is Meaning.EXTEND else {}
        wanted |= _size(form, scene.target(meaning))
    wanted |= {name: str(path) for name, path in inputs.items()}
    return {field.name: wanted[field.name] for field in draws.fields() if field.name in wanted}


def _size(form: Mapping[str, Any], target: QRect) -> dict[str, int]:
    """The size asked for where it has the shape of what is there; else the task's own choice."""
    width, height = int(form.get("width", 0)), int(form.get("height", 0))
    same = width and height and Fraction(width, height) == Fraction(target.width(), target.height())
    return {"width": width, "height": height} if same else {"width": 0, "height": 0}


def button_text(meaning: Meaning) -> str:
    """What the button says it will do."""
    return {
        Meaning.CREATE: _tr("Generate"),
        Meaning.REFINE: _tr("Refine"),
        Meaning.FILL: _tr("Fill"),
        Meaning.EXTEND: _tr("Extend"),
    }[meaning]


def button_tip(meaning: Meaning, strength: float) -> str:
    """The same in a sentence, and why."""
    percent = round(strength * 100)
    if meaning is Meaning.FILL and strength < FULL:
        text = _tr("Draw what is selected anew, from what is there: {} % new")
    else:
        text = {
            Meaning.CREATE: _tr("Draw a new picture; several may wait in line"),
            Meaning.REFINE: _tr(
                "Draw the picture on the canvas anew, from what is there: {} % new"
            ),
            Meaning.FILL: _tr("Draw the prompt into what is selected; the rest stays as it is"),
            Meaning.EXTEND: _tr("Let the picture go on into what is empty or selected beside it"),
        }[meaning]
    return f"{text.format(percent)} (Ctrl+Enter)"


def _tr(text: str) -> str:
    return QCoreApplication.translate("requests", text)
