"""The chat in front of the person: its log, undone and redone, and kept on the disk as it grows."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.chat_log import ChatLog, Message, Role
from studio.drafts import Draft

MOST_UNDONE = 100


class OpenChat(QObject):
    """`changed` after every deed; `failed` carries a FileError, and the next change tries again."""

    changed = Signal()
    saved = Signal()
    failed = Signal(object)

    def __init__(self, path: Path, log: ChatLog, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self.log = log
        self._undone: list[ChatLog] = []
        self._done: list[ChatLog] = []
        self._draft = Draft(path, self._text, lambda text: None, self)
        self._draft.saved.connect(self.saved)
        self._draft.failed.connect(self.failed)

    def say(self, role: Role, text: str, parent: int, *, one_step: bool = False) -> int:
        """Add a message; with `one_step` it is undone together with what was done before it."""
        if not one_step:
            self._remember()
        number = self.log.add(role, text, parent)
        self._tell()
        return number

    def grow(self, number: int, text: str) -> None:
        """More of an answer; whoever took it back meanwhile gets no more of it."""
        if number in self.log:
            self.log.grow(number, text)
            self._tell()

    def mend(self, number: int, text: str) -> None:
        """An answer as it stands in the end."""
        if number in self.log:
            self.log.mend(number, text)
            self._tell()

    def choose(self, number: int) -> None:
        self.log.choose(number)
        self._tell()

    def delete(self, number: int) -> None:
        self._remember()
        self.log.delete(number)
        self._tell()

    def undo(self) -> bool:
        """Take back the last deed; False where there is none."""
        return self._step(self._done, self._undone)

    def redo(self) -> bool:
        return self._step(self._undone, self._done)

    def shown(self) -> list[Message]:
        return self.log.shown()

    def close(self) -> None:
        """Write what is not written yet."""
        self._draft.close()

    def keep(self) -> None:
        """Write it soon, whether it has changed or not."""
        self._draft.touch()

    def _step(self, source: list[ChatLog], target: list[ChatLog]) -> bool:
        if not source:
            return False
        target.append(self.log)
        self.log = source.pop()
        self._tell()
        return True

    def _remember(self) -> None:
        self._done = [*self._done, self.log.copy()][-MOST_UNDONE:]
        self._undone.clear()

    def _tell(self) -> None:
        self._draft.touch()
        self.changed.emit()

    def _text(self) -> str:
        return json.dumps(self.log.to_dict(), ensure_ascii=False, indent=1)
