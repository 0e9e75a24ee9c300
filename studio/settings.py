"""The person's preferences and the state of the window, in one JSON file that is never lost."""

from __future__ import annotations

import base64
import copy
import json
import logging
from pathlib import Path
from typing import Any, TypeVar, cast

from PySide6.QtCore import QByteArray, QObject, QTimer, Signal

from engine import files, folders
from engine.errors import FileError

log = logging.getLogger(__name__)

SAVE_AFTER = 500  # milliseconds from a change until it is written, with those that follow it

Value = TypeVar("Value")

THEME = "theme"
TEXT_SCALE = "text_scale"
PARK_TRAINING = "park_training"
THREADS = "threads"


class Settings(QObject):
    """Keys and JSON values. A damaged file is set aside and the defaults are used."""

    changed = Signal(str)

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self.path = path or folders.home() / "settings.json"
        files.sweep_temporary(self.path.parent)
        self._values = _read(self.path)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER)
        self._timer.timeout.connect(self.save)

    def value(self, key: str, default: Value) -> Value:
        """The stored value, or `default` where there is none of its type."""
        stored: Any = self._values.get(key)
        if isinstance(default, float) and type(stored) is int:
            stored = float(stored)  # JSON does not tell 1 from 1.0
        same_kind = isinstance(stored, type(default)) and isinstance(stored, bool) == isinstance(
            default, bool
        )
        # A copy: whoever changes a list they were given has not changed the settings.
        return cast(Value, copy.deepcopy(stored)) if same_kind else default

    def set_value(self, key: str, value: Any) -> None:
        """Raises TypeError or ValueError for what JSON cannot hold, here and not when saving."""
        plain = json.loads(json.dumps(value, allow_nan=False))
        if key in self._values and self._values[key] == plain:
            return
        self._values[key] = plain
        if not self._timer.isActive():  # else a slider being dragged would put it off for ever
            self._timer.start()
        self.changed.emit(key)

    def bytes(self, key: str) -> QByteArray:
        """The geometry or dock layout that Qt gave us the last time; empty where there is none."""
        try:
            return QByteArray(base64.b64decode(self.value(key, ""), validate=True))
        except ValueError:  # not base64, or not even ASCII
            return QByteArray()

    def set_bytes(self, key: str, value: QByteArray) -> None:
        self.set_value(key, base64.b64encode(value.data()).decode("ascii"))

    def save(self) -> None:
        """Write now. A full disk costs the preferences of this session, never the session."""
        self._timer.stop()
        try:
            files.write_json(self.path, self._values)
        except FileError as error:
            log.warning("preferences were not saved: %s", error)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("not a JSON object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read (%s); it is kept as .bad", path, error)
        _set_aside(path)
        return {}
    return values


def _set_aside(path: Path) -> None:
    try:
        path.replace(files.new_path(path.parent, path.stem, ".bad"))
    except OSError as error:
        log.warning("%s cannot be set aside: %s", path, error)
