"""Stars, tags and notes in a file of their own: what a person said must outlive every index.

`marks.jsonl` has a line a change, the last one of a picture counts. A picture is known by its path
and by its content, so that a file that was renamed or moved keeps its marks.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import files
from engine.errors import FileError
from engine.gallery.pictures import Mark
from engine.gate import json_text

NAME = "marks.jsonl"
MOST_LINE = 1_000_000
"""Bytes; the longest that is written has half as many, all of it escaped."""
MOST_TAGS, MOST_TAG, MOST_NOTES = 100, 100, 20_000
SPARSE = 4
"""The file is written anew when it has so many lines for each mark that counts."""
FEW = 1000
"""Lines that are never too many."""


@dataclass(frozen=True)
class Marked:
    """The mark of one file, and how to know the file again; `path` is as the index has it."""

    path: bytes
    mark: Mark
    size: int
    digest: str


def read_marks(file: Path) -> tuple[dict[bytes, Marked], int]:
    """The marks by path, and how many lines there are; what is no mark is skipped.

    Raises FileError.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}, 0
    except OSError as error:
        raise FileError(
            f"The stars and tags in {file} cannot be read: {error.strerror or error}.",
            "Check the file and its permissions.",
        ) from error
    marks: dict[bytes, Marked] = {}
    for line in lines:
        marked = _parse(line)
        if marked is None:
            continue
        marks.pop(marked.path, None)
        if not marked.mark.is_empty:
            marks[marked.path] = marked
    return marks, len(lines)


def append_marks(file: Path, changes: Iterable[Marked]) -> None:
    """Add changes at the end of the file; raises FileError."""
    lines = [_line(marked) for marked in changes]
    if not lines:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    # Behind a line that a kill cut in two, a new one begins.
    lead = "" if _ends_whole(file) else "\n"
    files.append_line(file, lead + "\n".join(lines))


def compact_marks(file: Path) -> None:
    """Write the file anew where most of its lines count no more; raises FileError."""
    marks, lines = read_marks(file)
    if lines > FEW and lines > SPARSE * len(marks):
        files.write_text(file, "".join(f"{_line(marked)}\n" for marked in marks.values()))


def stamp(file: Path) -> str:
    """Changes with every change of the file."""
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}:{found.st_size}"


def digest(path: Path) -> str:
    """SHA-256 of a file's content; empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags without surrounding or doubled spaces, without repeats, in the order given."""
    cleaned = (" ".join(tag.split())[:MOST_TAG] for tag in tags)
    return tuple(dict.fromkeys(_encodable(tag) for tag in cleaned if tag))[:MOST_TAGS]


def clean_notes(notes: str) -> str:
    return _encodable(notes)[:MOST_NOTES].strip()


def _encodable(text: str) -> str:
    """Without what no file and no database can hold: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _line(marked: Marked) -> str:
    value: dict[str, Any] = {"path": os.fsdecode(marked.path)}
    mark = marked.mark
    value |= {"star": mark.star, "tags": list(mark.tags), "notes": mark.notes}
    value |= {"size": marked.size, "sha256": marked.digest}
    return json.dumps(value)  # in ASCII, as a file's name may hold anything


def _parse(line: bytes) -> Marked | None:
    if not line.strip() or len(line) > MOST_LINE:
        return None
    try:
        value = json_text.parse(line.decode("utf-8"))
    except ValueError:
        return None
    path = _path_in(value) if isinstance(value, dict) else b""
    if not path:
        return None
    tags, notes = value.get("tags"), value.get("notes")
    size, sha256 = value.get("size"), value.get("sha256")
    mark = Mark(
        value.get("star") is True,
        clean_tags(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        clean_notes(notes) if isinstance(notes, str) else "",
    )
    return Marked(
        path,
        mark,
        size if type(size) is int and 0 <= size < 2**63 else 0,
        sha256 if isinstance(sha256, str) else "",
    )


def _path_in(value: dict[str, Any]) -> bytes:
    try:
        return os.fsencode(str(value.get("path", "")))
    except UnicodeEncodeError:
        return b""


def _ends_whole(file: Path) -> bool:
    try:
        with open(file, "rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"\n"
    except OSError:  # none there, or empty
        return True
