"""The person's preferences and the state of the window, in one JSON file that is never lost."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QByteArray, QObject, QTimer, Signal

from engine import files, folders
from engine.errors import FileError

log = logging.getLogger(__name__)

SAVE_AFTER = 500  # milliseconds of quiet before a change is written

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
        self._values = _read(self.path)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER)
        self._timer.timeout.connect(self.save)

    def value(self, key: str, default: Value) -> Value:
        """The stored value, or `default` where there is none of its type."""
        stored = self._values.get(key, default)
        same_kind = isinstance(stored, type(default)) and isinstance(stored, bool) == isinstance(
            default, bool
        )
        return stored if same_kind else default

    def set_value(self, key: str, value: Any) -> None:
        if self._values.get(key) == value:
            return
        self._values[key] = value
        self._timer.start()
        self.changed.emit(key)

    def bytes(self, key: str) -> QByteArray:
        """The geometry or dock layout that Qt gave us the last time; empty where there is none."""
        try:
            return QByteArray(base64.b64decode(self.value(key, ""), validate=True))
        except binascii.Error:
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
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s cannot be read (%s); it is kept as .bad", path, error)
        path.replace(path.with_suffix(".bad"))
        return {}
    return values if isinstance(values, dict) else {}
