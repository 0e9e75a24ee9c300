"""A robot that uses the studio as a person does: real X events from xdotool, no method calls.

It finds where a widget is by looking into the window; what it does there goes through the display.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

Kind = TypeVar("Kind", bound=QWidget)


class Robot:
    """Mouse, keyboard, patience and a camera."""

    def __init__(self, window: QWidget, pictures: Path) -> None:
        self.window = window
        self._pictures = pictures
        pictures.mkdir(parents=True, exist_ok=True)

    def find(self, kind: type[Kind], name: str) -> Kind:
        """The visible widget with this object name, accessible name or text."""
        matches = [
            widget
            for top in QApplication.topLevelWidgets()
            for widget in [top, *top.findChildren(kind)]
            if isinstance(widget, kind) and widget.isVisible() and name in _names(widget)
        ]
        assert matches, f"no visible {kind.__name__} called {name!r}"
        return matches[0]

    def click(self, widget: QWidget, at: QPoint | None = None, button: int = 1) -> None:
        place = widget.mapToGlobal(at or widget.rect().center())
        _xdotool("mousemove", str(place.x()), str(place.y()))
        self.rest(0.1)
        _xdotool("click", str(button))
        self.rest(0.2)

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        a, b = widget.mapToGlobal(start), widget.mapToGlobal(end)
        _xdotool("mousemove", str(a.x()), str(a.y()), "mousedown", "1")
        for part in range(1, 6):
            middle = a + (b - a) * (part / 5)
            _xdotool("mousemove", str(middle.x()), str(middle.y()))
            self.rest(0.05)
        _xdotool("mouseup", "1")
        self.rest(0.2)

    def type(self, text: str) -> None:
        _xdotool("type", "--delay", "15", text)
        self.rest(0.2)

    def press(self, keys: str) -> None:
        """One key or combination, as xdotool names them: ctrl+Return."""
        _xdotool("key", keys)
        self.rest(0.2)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
            self.rest(0.05)

    def rest(self, seconds: float) -> None:
        QTest.qWait(int(seconds * 1000))

    def photograph(self, name: str) -> Path:
        """What is on the screen now."""
        self.rest(0.2)
        path = self._pictures / f"{name}.png"
        assert self.window.screen().grabWindow(0).save(str(path))
        return path


def _names(widget: QWidget) -> set[str]:
    text = getattr(widget, "text", None)
    shown = text() if callable(text) else ""
    return {widget.objectName(), widget.accessibleName(), str(shown).replace("&", "")}


def _xdotool(*arguments: str) -> None:
    process = subprocess.Popen(["xdotool", *arguments])
    while process.poll() is None:  # the window must go on living meanwhile
        QTest.qWait(5)
    assert process.returncode == 0
