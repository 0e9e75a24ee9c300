"""The chats on the disk: one file each."""

from __future__ import annotations

import json
from pathlib import Path

from engine import files, folders
from engine.chat_log import ChatLog
from engine.errors import FileError
from studio.shelf_index import ShelfIndex


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


def index() -> ShelfIndex:
    return ShelfIndex(lambda: folder().glob("*.json"), _read)


def _read(path: Path) -> tuple[str, str]:
    chat = open_log(path)
    return chat.title, "\n".join(message.text for message in chat.shown())
