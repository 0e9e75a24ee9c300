"""What Create keeps from one start to the next: the project, what was asked, what was staged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtWidgets import QWidget

from engine import folders
from engine.errors import EngineError
from engine.masks import open_mask
from engine.metadata import TaskRecord
from studio import images
from studio.background import Background
from studio.canvas.selection import Selection
from studio.generating import Generating, record_in_file
from studio.opening import Opening
from studio.projects import Projects
from studio.reusing import Reusing
from studio.settings import Settings
from studio.staging import Place, Result, Staging
from studio.surroundings import Surroundings

PLACE = "place"
STAGED = "staged"
SHOWN = "shown"
MOST = 24
"""Results that are found again over the canvas; all are in the outputs folder."""


class Sessions(QObject):
    """Joins the projects with what Create shows beside the document."""

    refused = Signal(object)  # EngineError

    def __init__(
        self,
        staging: Staging,
        generating: Generating,
        opening: Opening,
        reusing: Reusing,
        settings: Settings,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._staging = staging
        self._generating = generating
        self._background = Background(self)
        around = Surroundings(reusing.request, reusing.show, self._view, self._show_view)
        self.projects = Projects(staging.document, around, settings, parent)
        self.projects.failed.connect(self.refused)
        self.projects.picture_chosen.connect(opening.open_file)
        self.projects.opened.connect(staging.discard)
        self.projects.opened.connect(generating.forget_places)
        opening.replacing.connect(self.projects.leave)
        opening.replacing.connect(generating.forget_places)
        generating.remembered.connect(self.projects.remember)
        staging.settled.connect(self.projects.touch)
        staging.view.zoom_changed.connect(self.projects.touch)

    def _view(self) -> dict[str, Any]:
        """Where one looks and what is staged, as JSON values."""
        results, index = self._staging.state()
        document = self._staging.document
        first = max(0, len(results) - MOST)
        return {
            PLACE: self._staging.view.viewport.place(),
            STAGED: [
                {
                    "path": str(one.path),
                    "rect": _numbers(one.place.rect_in(document)),
                    "name": one.name,
                }
                for one in results[first:]
            ],
            SHOWN: index - first,
        }

    def _show_view(self, view: Mapping[str, Any]) -> None:
        """Show it again, as far as the files are still there."""
        place = view.get(PLACE)
        self._staging.view.go_to(place if isinstance(place, dict) else {})
        staged, shown = view.get(STAGED), view.get(SHOWN)
        if not isinstance(staged, list) or not staged:
            return
        index = shown if isinstance(shown, int) else -1
        document = self._staging.document
        frame = document.frame

        def take(results: list[Result]) -> None:
            if results and document is self._staging.document and not self._staging.count:
                for result in results:
                    self._generating.results[result.path] = result
                    self._generating.arrived.emit(result.path, result.name)
                self._staging.restore(results, index)

        self._background.run(
            lambda: [r for entry in staged[:MOST] for r in _result(entry, frame)], take
        )


def _result(entry: Any, frame: QRect) -> list[Result]:
    """The result that an entry tells of; none for one that cannot be used.

    A project from outside may name any file; only what was made here is looked at.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        return []
    path, rect = Path(entry["path"]), entry.get("rect")
    if not path.resolve().is_relative_to(folders.outputs().resolve()) or not path.is_file():
        return []
    if not isinstance(rect, list) or len(rect) != 4:
        return []
    if not all(type(number) is int for number in rect):
        return []
    record = record_in_file(path)
    left, top, width, height = rect
    place = QRect(left, top, width, height) if min(width, height) > 0 else QRect()
    name = entry.get("name")
    title = name if isinstance(name, str) else path.stem
    return [Result(path, Place(place, _selection(record, place), frame), record, title)]


def _numbers(rect: QRect) -> list[int]:
    return [rect.x(), rect.y(), rect.width(), rect.height()]


def _selection(record: TaskRecord | None, rect: QRect) -> Selection | None:
    """What a fill has drawn anew, from the mask that its record names."""
    mask = record.values.get("mask") if record else None
    if record is None or not isinstance(mask, str) or not mask or rect.isEmpty():
        return None
    try:
        image = open_mask(folders.inputs() / mask, (rect.width(), rect.height()))
    except EngineError:  # the whole result is shown then, which looks the same
        return None
    return Selection.from_image(images.from_pil(image), rect.topLeft())
