"""Files cut into passages short enough to be found and quoted: text, Markdown, Word, PDF."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from engine.errors import DatasetError
from engine.events import Notice, Progress, Report

SUFFIXES = (".txt", ".md", ".markdown", ".rst", ".docx", ".pdf")
WORDS = 120
"""Of a passage: an embedding model reads 256 tokens, and four passages leave room for an answer."""
OVERLAP = 20
"""Words that a passage has in common with the next one of the same paragraph."""
LARGEST = 50_000_000  # bytes of one file
MOST_FILES = 5_000
NAMED = 5  # of the files left out, in a message

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it complains of every odd file at length


@dataclass(frozen=True)
class Passage:
    """A piece of a file."""

    path: Path
    place: str
    """Where it stands, as people say it: "page 3", "line 12"."""
    text: str


def find_files(path: Path) -> list[Path]:
    """The file, or all of its kinds in the folder, hidden ones left out; raises DatasetError."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DatasetError(f"There is nothing at {path}.", "Choose a file or a folder.")
    found = [
        each
        for each in sorted(path.rglob("*"))
        if each.suffix.lower() in SUFFIXES
        and each.is_file()
        and not any(part.startswith(".") for part in each.relative_to(path).parts)
    ]
    if not found:
        raise DatasetError(
            f"{path} holds no file that can be read.", f"Known are {', '.join(SUFFIXES)}."
        )
    if len(found) > MOST_FILES:
        raise DatasetError(
            f"{path} holds {len(found)} files; {MOST_FILES} at most can be searched.",
            "Choose a folder inside it.",
        )
    return found


def read_passages(path: Path, report: Report) -> list[Passage]:
    """All passages of the file or folder; raises DatasetError.

    A file that cannot be read is named in a Notice and left out, unless nothing is left.
    """
    files = find_files(path)
    passages: list[Passage] = []
    left_out: list[str] = []
    for number, file in enumerate(files):
        report(Progress(number, len(files), "reading the files"))
        try:
            passages += passages_of(file)
        except _reading_errors() as error:
            logging.getLogger(__name__).warning("%s is left out", file, exc_info=error)
            left_out.append(file.name)
    if not passages:
        named = f" Not readable: {_named(left_out)}." if left_out else ""
        raise DatasetError(f"{path} holds no text.{named}", "Choose other files.")
    if left_out:
        report(Notice(f"Left out, because they cannot be read: {_named(left_out)}."))
    return passages


def _reading_errors() -> tuple[type[Exception], ...]:
    """What the readers of these files raise for broken ones."""
    from docx.opc.exceptions import OpcError
    from pypdf.errors import PyPdfError

    plain = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
    return (*plain, ArithmeticError, SyntaxError, BadZipFile, zlib.error, OpcError, PyPdfError)


def passages_of(path: Path) -> Iterator[Passage]:
    """The passages of one file; raises what its reader does, and ValueError for a huge one."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST} bytes")
    for place, text in _parts(path):
        for piece in cut(text):
            yield Passage(path, place, piece)


def cut(text: str) -> Iterator[str]:
    """Pieces of at most WORDS words; a longer text in pieces that overlap, ended where a sentence
    does if one ends in the last third."""
    words = text.split()
    start = 0
    while start < len(words):
        end = min(start + WORDS, len(words))
        if end < len(words):
            ends = (n for n in range(end, start + 2 * WORDS // 3, -1) if words[n - 1][-1] in ".!?")
            end = next(ends, end)
        yield " ".join(words[start:end])
        if end == len(words):
            return
        start = max(end - OVERLAP, start + 1)


def _parts(path: Path) -> Iterator[tuple[str, str]]:
    """(place, text) of the pages of a PDF, or of the paragraphs of a text, short ones joined."""
    suffix = path.suffix.lower()
    if suffix == ".pdf":
        from pypdf import PdfReader

        for number, page in enumerate(PdfReader(path).pages, start=1):
            yield f"page {number}", page.extract_text()
    elif suffix == ".docx":
        import docx

        document = docx.Document(str(path))
        text = "\n\n".join(paragraph.text for paragraph in document.paragraphs)
        yield from (("paragraph " + str(n // 2 + 1), part) for n, part in _paragraphs(text))
    else:
        text = path.read_bytes().decode("utf-8", "replace")
        yield from (("line " + str(n + 1), part) for n, part in _paragraphs(text))


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """(number of the line from 0, text) of paragraphs, short ones joined to one passage."""
    joined: list[str] = []
    first = words = 0
    lines = text.splitlines()
    begins = 0
    for number, line in enumerate([*lines, ""]):
        if line.strip():
            continue
        paragraph = "\n".join(lines[begins:number])
        count = len(paragraph.split())
        if joined and words + count > WORDS:
            yield first, "\n\n".join(joined)
            joined, words = [], 0
        if count:
            first = first if joined else begins + _leading(lines, begins)
            joined.append(paragraph)
            words += count
        begins = number + 1
    if joined:
        yield first, "\n\n".join(joined)


def _leading(lines: list[str], start: int) -> int:
    """How many empty lines stand from `start` on."""
    return next((n for n, line in enumerate(lines[start:]) if line.strip()), 0)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
