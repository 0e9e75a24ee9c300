"""The lines of a program that load a folder of pictures with their captions, as a run did."""

from __future__ import annotations

from engine.data.captioned_images import INDEX
from engine.data.image_folder import SUFFIXES
from engine.run_programs.copied_source import Source, copied
from engine.run_programs.data_lines import UPRIGHT

_LOADING = '''\
def load_images(size, need_captions):
    """(the pictures cut to squares, uint8 (N, size, size, 3); the captions of each)."""
    pictures, captions = [], []
    for path, told in entries(Path(DATA)):
        if need_captions and not told:
            continue
        try:
            pictures.append(np.asarray(square(upright_on_white(path), size)))
            captions.append(told)
        except (OSError, SyntaxError, ValueError):
            print("left out:", path)
    return np.stack(pictures), tuple(captions)


def entries(folder):
    """Each picture with its captions: from the index, or the .txt of the same name beside it."""
    index = folder / INDEX
    if index.is_file():
        for line in filter(str.strip, index.read_text(encoding="utf-8").splitlines()):
            entry = json.loads(line)
            told = [text.strip() for text in entry["captions"] if isinstance(text, str)]
            yield folder / entry["file"], tuple(filter(None, told))
        return
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # hidden
        beside = path.with_suffix(".txt")
        lines = beside.read_text(encoding="utf-8").splitlines() if beside.is_file() else []
        yield path, tuple(line.strip() for line in lines if line.strip())
'''
_LINES = """\
images, told = load_images({size}, need_captions={need_captions})
digest = hashlib.sha256(np.ascontiguousarray(images).data)
digest.update(repr(told).encode())
assert digest.hexdigest() == {sha256!r}, "these are not the pictures of the run"
"""
_IMPORTS = (
    "import hashlib",
    "import json",
    "import numpy as np",
    "from PIL import Image",
    "from PIL import ImageOps",
    "from pathlib import Path",
)


def captioned_source(dataset: str) -> Source:
    """Definitions for `captioned_lines`."""
    square = copied("data/crop.py", ["square"])
    constants = f"DATA = {dataset!r}\nINDEX = {INDEX!r}\nSUFFIXES = {SUFFIXES!r}\n"
    parts = (constants, _LOADING, UPRIGHT, square.code)
    code = "\n\n\n".join(part.strip("\n") for part in parts)
    return Source(square.imports | {*_IMPORTS}, code)


def captioned_lines(sha256: str, size: str, *, need_captions: bool) -> str:
    """Lines that load `images` (N, H, W, 3) and what is `told` of each, cut to the expression."""
    return _LINES.format(sha256=sha256, size=size, need_captions=need_captions)
