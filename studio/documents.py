"""The texts on the disk: one file each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine import files, folders
from engine.errors import FileError
from studio.shelf_index import ShelfIndex

FIRST = "draft.txt"
"""The text that is there before there are others."""
TITLE_LENGTH = 60


def folder() -> Path:
    return folders.home() / "documents"


def new_path() -> Path:
    """Where the next text will lie."""
    return files.new_path(folder(), f"text-{files.timestamp()}", ".md")


def index() -> ShelfIndex:
    return ShelfIndex(_paths, _read)


def title(text: str) -> str:
    """The first words, without the marks of a heading; empty for an empty text."""
    line = next((each for each in text.splitlines() if each.strip()), "")
    words = " ".join(line.lstrip("# ").split())
    return words if len(words) <= TITLE_LENGTH else words[:TITLE_LENGTH].rstrip() + " …"


def _paths() -> Iterator[Path]:
    first = folder() / FIRST
    if first.is_file():
        yield first
    yield from folder().glob("text-*.md")


def _read(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileError(f"{path} could not be read: {error.strerror or error}.") from error
    return title(text), text
