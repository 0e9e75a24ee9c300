"""The lines of a program that read the text of a run, and hold out the same part of it."""

from __future__ import annotations

from pathlib import Path

from engine.data import shakespeare
from engine.data.jsonl import FIELDS, ROLES
from engine.data.text_corpus import (
    HELD_OUT,
    MANY,
    RECORD_SUFFIXES,
    SHAKESPEARE,
    TEXT_SUFFIXES,
)
from engine.run_programs.copied_source import Source, copied

_EMBEDDED = '''\
def load_documents():
    """The texts, none of which is a record of its own."""
    works = gzip.decompress(Path(DATA).read_bytes()).decode().split("\\f")
    return [Document(work) for work in works]
'''
_FILES = '''\
def load_documents():
    """The texts of the file or the folder, of JSONL one a line."""
    path, found = Path(DATA), []
    for each in [path] if path.is_file() else sorted(filter(is_text, path.rglob("*"))):
        try:
            text = each.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            print("left out:", each)
            continue
        text = text.replace("\\r\\n", "\\n").replace("\\r", "\\n")
        if each.suffix.lower() in RECORD_SUFFIXES:
            found += records(text)
        elif text.strip():
            found.append(Document(text))
    return found


def is_text(path):
    hidden = any(part.startswith(".") for part in path.relative_to(DATA).parts)
    known = path.suffix.lower() in TEXT_SUFFIXES + RECORD_SUFFIXES
    return known and not hidden and path.is_file()


def records(text):
    """The lines of JSONL that can be used."""
    global whole
    whole = True
    for line in text.split("\\n"):
        try:
            document = _document(json.loads(line))
            document.text.encode()
        except ValueError:
            continue
        if document.text.strip():
            yield document
'''
_SPLIT = '''\
def split(documents, whole):
    """(documents to learn from, documents held out): whole ones by their hash, or the ends."""
    if whole:
        least = _least(documents)
        return [d for d in documents if d.text not in least], [
            d for d in documents if d.text in least
        ]
    cut = [(document.text, _cut(document.text)) for document in documents]
    return [Document(text[:at]) for text, at in cut if text[:at].strip()], [
        Document(text[at:]) for text, at in cut if text[at:].strip()
    ]
'''
_LINES = """\
documents = load_documents()
learned, held_out = split(documents, {whole})
digest = hashlib.sha256()
for part in (learned, held_out):
    digest.update(f"{{len(part)}} documents\\n".encode())
    for document in part:
        data = document.text.encode()
        digest.update(f"{{len(data)}}\\n".encode() + data)
assert digest.hexdigest() == {sha256!r}, "these are not the texts of the run"
"""


def text_lines(dataset: str, sha256: str) -> Source:
    """Definitions and lines: the documents that are `learned`, and those `held_out`."""
    imports = {"import hashlib", "from pathlib import Path"}
    names = ["Message", "Document"]
    constants = f"HELD_OUT = {HELD_OUT}\n"
    if dataset == SHAKESPEARE:
        imports.add("import gzip")
        load, path, whole = _EMBEDDED, shakespeare.path(), "False"
    else:
        imports.add("import json")
        names += ["_document", "_conversation", "_text"]
        constants += f"TEXT_SUFFIXES = {TEXT_SUFFIXES!r}\nRECORD_SUFFIXES = {RECORD_SUFFIXES!r}\n"
        constants += (
            f"ROLES = {ROLES!r}\nFIELDS = {FIELDS!r}\nwhole = False  # until a record is read\n"
        )
        load, path = _FILES, Path(dataset)
        whole = f"(whole and len(documents) > 1) or len(documents) >= {MANY}"
    document = copied("data/jsonl.py", names)
    splitting = copied("data/text_corpus.py", ["_least", "_cut"])
    code = "\n\n\n".join(part.strip("\n") for part in (document.code, load, _SPLIT, splitting.code))
    lines = _LINES.format(whole=whole, sha256=sha256)
    taken = (
        imports | document.imports | splitting.imports | {"from collections.abc import Sequence"}
    )
    return Source(
        frozenset(taken), f"DATA = {str(path)!r}\n{constants}\n\n{code}\n\n\n{lines}".rstrip("\n")
    )
