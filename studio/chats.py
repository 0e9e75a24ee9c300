"""The chats on the disk: one file each, listed, searched, opened, deleted into the trash."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from engine import files, folders
from engine.chat_log import ChatLog
from engine.errors import FileError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChatEntry:
    """One line of the list."""

    path: Path
    title: str
    text: str
    """All that is shown of it, for the search."""
    changed: float
    """Seconds since the epoch."""


def folder() -> Path:
    return folders.home() / "documents" / "chats"


def new_path() -> Path:
    """Where the next chat will lie."""
    return files.new_path(folder(), f"chat-{files.timestamp()}", ".json")


def open_log(path: Path) -> ChatLog:
    """The chat in a file; raises FileError, and the file stays as it is."""
    try:
        return ChatLog.from_dict(json.loads(path.read_bytes()))
    except OSError as error:
        raise FileError(
            f"{path} could not be read: {error.strerror or error}.",
            "Look whether the disk is there and the file may be read.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"{path} holds no chat, or only a part of one.",
            "It is left as it is; begin another chat, or open one of the others.",
        ) from error


def matches(entry: ChatEntry, wanted: str) -> bool:
    """Whether every word of a search occurs in the chat."""
    text = entry.text.casefold()
    return all(word in text for word in wanted.casefold().split())


class Chats:
    """The list; a file is read again only when it has changed."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple[int, int], ChatEntry | None]] = {}

    def entries(self) -> list[ChatEntry]:
        """All chats that can be read, the newest first."""
        found = {path: self._entry(path) for path in folder().glob("*.json")}
        self._read = {path: self._read[path] for path in found if path in self._read}
        readable = [entry for entry in found.values() if entry]
        return sorted(readable, key=lambda entry: entry.changed, reverse=True)

    def _entry(self, path: Path) -> ChatEntry | None:
        try:
            status = path.stat()
        except OSError as error:
            log.warning("a chat is left out of the list: %s", error)
            return None
        version = status.st_mtime_ns, status.st_size
        if path not in self._read or self._read[path][0] != version:
            self._read[path] = version, _entry_of(path, status.st_mtime)
        return self._read[path][1]


def _entry_of(path: Path, changed: float) -> ChatEntry | None:
    try:
        shown = open_log(path)
    except FileError as error:
        log.warning("a chat is left out of the list: %s", error)
        return None
    text = "\n".join(message.text for message in shown.shown())
    return ChatEntry(path, shown.title, text, changed)
