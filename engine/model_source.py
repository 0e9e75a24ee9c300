"""Where a fetched model came from: its repository, commit and licence, noted beside it.

In a folder the note is one of its files; beside a single file it is a hidden one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from engine import files
from engine.errors import FileError

NAME = "source.json"
LARGEST = 1_000_000  # bytes of a note


@dataclass(frozen=True)
class ModelSource:
    repository: str
    commit: str
    licence: str
    fetched: str
    """When, in local time."""
    files: dict[str, str]
    """The hash of each file, as the Hub told it and as it was found here."""


def note_of(path: Path) -> Path:
    """Where the note of the model at `path` lies."""
    return path / NAME if path.is_dir() else path.with_name(f".{path.name}.{NAME}")


def write(note: Path, source: ModelSource) -> None:
    """Raises FileError."""
    files.write_json(note, asdict(source))


def read(path: Path) -> ModelSource | None:
    """None where the model was not fetched, or its note cannot be read."""
    note = note_of(path)
    try:
        if not note.is_file() or note.stat().st_size > LARGEST:
            return None
        values = files.read_json(note)
        texts = {
            name: str(values.get(name, ""))
            for name in ("repository", "commit", "licence", "fetched")
        }
    except (OSError, FileError):
        return None
    hashes = values.get("files")
    return ModelSource(**texts, files=dict(hashes) if isinstance(hashes, dict) else {})
