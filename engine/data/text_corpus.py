"""Texts to learn from, with a part held out: from a file, a folder of files, or JSONL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import memory
from engine.data import shakespeare
from engine.data.jsonl import FIELDS, Document, parse_line
from engine.errors import DatasetError
from engine.events import Notice, Progress, Report

SHAKESPEARE = "shakespeare"
TEXT_SUFFIXES = (".txt", ".md")
RECORD_SUFFIXES = (".jsonl", ".ndjson")
HELD_OUT = 0.05
"""The share of the characters that is not learned from, but measured with."""
MANY = 20
"""With so many documents some are held out whole; of fewer, the end of each."""
NAMED = 5  # of what was left out, in a message
BYTES_EACH = 12
"""Of memory for a byte of text: the text itself, its copy, its tokens."""


@dataclass(frozen=True)
class TextCorpus:
    """Documents to learn from and documents held out. The same files are always split alike."""

    name: str
    training: tuple[Document, ...]
    held_out: tuple[Document, ...]

    def sha256(self) -> str:
        """Of all texts and of which are held out: tells whether two runs saw the same data."""
        digest = hashlib.sha256()
        for part in (self.training, self.held_out):
            digest.update(f"{len(part)} documents\n".encode())
            for document in part:
                data = document.text.encode()
                digest.update(f"{len(data)}\n".encode() + data)
        return digest.hexdigest()


def corpus_names() -> tuple[str, ...]:
    """The texts that ship with the studio; any path is a corpus too."""
    return (SHAKESPEARE,)


def load_corpus(name: str, report: Report) -> TextCorpus:
    """The corpus called `name`, or at that path; raises DatasetError, OutOfMemory.

    What cannot be read is named in a Notice and left out, unless nothing is left.
    """
    documents, whole = read_documents(name, report)
    training, held_out = split(documents, whole or len(documents) >= MANY)
    return TextCorpus(name, training, held_out)


def read_documents(name: str, report: Report) -> tuple[tuple[Document, ...], bool]:
    """(documents, whether they are records, none of which may be cut)."""
    if name == SHAKESPEARE:
        return tuple(Document(text) for text in shakespeare.load_works()), False
    path = Path(name).expanduser()
    paths = _texts_in(path) if path.is_dir() else [path]
    if not path.exists():
        raise DatasetError(
            f"There is no text at {path}.",
            f"Choose {SHAKESPEARE}, or give the path of a text file, a JSONL file or a folder.",
        )
    _check_memory(paths)
    reader = _Reader(report)
    for number, each in enumerate(paths):
        report(Progress(number, len(paths), "reading the text"))
        reader.read(each)
    return reader.documents(path), reader.records and len(reader.found) > 1


def split(
    documents: Sequence[Document], whole: bool
) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    """(documents to learn from, documents held out); raises DatasetError when there is too little.

    `whole`: those whose hash is least are held out, so that the order of files means nothing and
    copies of a document stay on one side. Else the end of each is held out, from a line break on.
    """
    if whole:
        held_out = _least(documents)
        training = tuple(d for d in documents if d.text not in held_out)
        return _both(training, tuple(d for d in documents if d.text in held_out))
    cut = [(document.text, _cut(document.text)) for document in documents]
    return _both(
        tuple(Document(text[:at]) for text, at in cut if text[:at].strip()),
        tuple(Document(text[at:]) for text, at in cut if text[at:].strip()),
    )


def _both(
    training: tuple[Document, ...], held_out: tuple[Document, ...]
) -> tuple[tuple[Document, ...], tuple[Document, ...]]:
    if not training or not held_out:
        raise DatasetError(
            "There is too little text to learn from one part and to measure with another.",
            "Give it more text.",
        )
    return training, held_out


def _least(documents: Sequence[Document]) -> set[str]:
    """The texts with the least hashes that make up the share that is held out, at least one."""
    texts = {document.text for document in documents}
    wanted = HELD_OUT * sum(map(len, texts))
    chosen: set[str] = set()
    count = 0
    for text in sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest()):
        if count >= wanted:
            break
        chosen.add(text)
        count += len(text)
    return chosen


def _cut(text: str) -> int:
    """Where the held-out end begins: at a line where there is one near, else at a space."""
    at = max(1, round((1 - HELD_OUT) * len(text)))
    for mark in ("\n", " "):
        found = text.rfind(mark, round((1 - 2 * HELD_OUT) * len(text)), at)
        if found > 0:
            return found + 1
    return at


# --------------------------------------------------------------------------- reading files


class _Reader:
    """Collects documents from files, and what is wrong with those that cannot be read."""

    def __init__(self, report: Report) -> None:
        self.found: list[Document] = []
        self.left_out: list[str] = []
        self.records = False
        self._report = report

    def read(self, path: Path) -> None:
        try:
            text = _decode(path)
        except DatasetError as error:
            self.left_out.append(error.message)
            return
        if path.suffix.lower() in RECORD_SUFFIXES:
            self.records = True
            self._read_records(path, text)
        elif text.strip():
            self.found.append(Document(text))
        else:
            self.left_out.append(f"{path} is empty.")

    def _read_records(self, path: Path, text: str) -> None:
        lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        if not lines:
            self.left_out.append(f"{path} is empty.")
        for number, line in lines:
            try:
                self.found.append(parse_line(line))
            except ValueError as error:
                self.left_out.append(f"{path}, line {number}: {error}.")

    def documents(self, path: Path) -> tuple[Document, ...]:
        """What was found; tells what was left out, raises DatasetError when nothing is there."""
        named = " ".join(self.left_out[:NAMED])
        more = len(self.left_out) - NAMED
        named += f" And {more:,} more." if more > 0 else ""
        if not self.found:
            hint = f"Each line is a JSON object with {FIELDS}." if self.records else ""
            raise DatasetError(
                named or f"There is no text in {path}.",
                hint or "Choose a text in UTF-8: a .txt or .md file, JSONL, or a folder of them.",
            )
        if self.left_out:
            self._report(Notice(f"{len(self.left_out):,} texts were left out. {named}"))
        return tuple(self.found)


def _texts_in(folder: Path) -> list[Path]:
    """The texts in the folder and its subfolders, in the order of their paths."""
    found = sorted(_visible(folder))
    if not found:
        raise DatasetError(
            f"There are no texts in {folder}.",
            f"Put texts into it ({', '.join(TEXT_SUFFIXES + RECORD_SUFFIXES)}) or choose another.",
        )
    return found


def _visible(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        known = path.suffix.lower() in TEXT_SUFFIXES + RECORD_SUFFIXES
        if known and not hidden and path.is_file():
            yield path


def _decode(path: Path) -> str:
    """The text of a file, with line breaks of one kind; raises DatasetError naming the offset."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read: {error.strerror}.", "Choose another."
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise DatasetError(
            f"{path} is not UTF-8: byte {at:,} (0x{data[at]:02x}) is part of no character.",
            "Save it as UTF-8 in a text editor.",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_memory(paths: Sequence[Path]) -> None:
    size = sum(path.stat().st_size for path in paths if path.is_file())
    needs = f"{size / 1e6:,.0f} MB of text need"
    memory.require(size * BYTES_EACH, needs, "Choose a part of the text.")
