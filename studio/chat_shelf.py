"""Which of the chats is open: the list, a new one, a branch, the one of the last session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.chat_log import ChatLog
from engine.errors import FileError
from studio import chats, trash
from studio.open_chat import OpenChat
from studio.settings import Settings
from studio.widgets.shelf_list import ShelfList

OPEN = "chat/open"


class ChatShelf(QObject):
    """`changed` when the open chat does, `opened` when it is another one; `failed` carries an
    error and what tries again."""

    changed = Signal()
    opened = Signal()
    failed = Signal(object, object)

    def __init__(self, settings: Settings, list_: ShelfList, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self._list = list_
        self._chats = chats.index()
        self.chat = self._taken(chats.new_path(), ChatLog())
        list_.chosen.connect(self.open_chat)
        list_.deleted.connect(self.delete_chat)
        list_.begun.connect(self.begin)

    def begin(self) -> None:
        """An empty chat; a file only once something is said."""
        self._put_forward(ChatLog())

    def open_chat(self, path: Path) -> None:
        if path == self.chat.path:
            return
        try:
            log = chats.open_log(path)
        except FileError as error:
            self.failed.emit(error, lambda: self.open_chat(path))
        else:
            self._put_forward(log, path)

    def branch(self, number: int) -> None:
        """Go on from a message in a chat of its own, which is on the disk at once."""
        self._put_forward(self.chat.log.branch(number))
        self.chat.keep()

    def delete_chat(self, path: Path) -> None:
        """Move a chat to the trash."""
        if path == self.chat.path:
            self.begin()
        try:
            trash.delete(path)
        except FileError as error:
            self.failed.emit(error, lambda: self.delete_chat(path))
        self._show_list()

    def restore(self) -> None:
        """Open the chat of the last session, else an empty one."""
        path = chats.folder() / Path(str(self._settings.value(OPEN, ""))).name
        if path.is_file():
            self.open_chat(path)
        self._show_list()
        self.changed.emit()

    def _put_forward(self, log: ChatLog, path: Path | None = None) -> None:
        self.chat.close()  # its file is there now, and no new one gets the same name
        path = path or chats.new_path()
        self.chat.deleteLater()
        self.chat = self._taken(path, log)
        self._settings.set_value(OPEN, path.name)
        self.opened.emit()
        self._show_list()

    def _taken(self, path: Path, log: ChatLog) -> OpenChat:
        chat = OpenChat(path, log, self)
        keep: Callable[[], None] = chat.keep
        chat.changed.connect(self.changed)
        chat.saved.connect(self._note_saved)
        chat.failed.connect(lambda error: self.failed.emit(error, keep))
        return chat

    def _note_saved(self) -> None:
        self._settings.set_value(OPEN, self.chat.path.name)
        self._show_list()

    def _show_list(self) -> None:
        self._list.show_entries(self._chats.entries(), self.chat.path)
