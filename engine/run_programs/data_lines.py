"""The lines of a program that load the images of a run just as the run did."""

from __future__ import annotations

from pathlib import Path

from engine.data import digits, idx, stickers
from engine.data.image_folder import SUFFIXES
from engine.run_programs.copied_source import Source, copied
from engine.run_programs.recorded import RecordedRun

_IDX = '''\
def load_images():
    """The images in an IDX file, uint8 (N, H, W, channels)."""
    values = read_idx(DATA)
    return values[..., None] if values.ndim == 3 else values


def read_idx(path):
    data = Path(path).read_bytes()
    if data[:2] == b"\\x1f\\x8b":
        data = gzip.decompress(data)
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    return np.frombuffer(bytearray(data[4 + 4 * data[3] :]), np.uint8).reshape(shape)
'''
_STICKERS = '''\
def load_images():
    """The pictures on a sheet, uint8 (N, 64, 64, 3); white places are none."""
    sheet = np.asarray(Image.open(DATA).convert("RGB"))
    pictures = sheet.reshape(-1, 64, COLUMNS, 64, 3).swapaxes(1, 2).reshape(-1, 64, 64, 3)
    return pictures[(pictures < 255).any(axis=(1, 2, 3))]
'''
_FOLDER = '''\
folders = []  # in which the images lie


def load_images():
    """The readable images in a folder and its subfolders, cut to squares, (N, SIZE, SIZE, 3)."""
    pictures = []
    folders.clear()
    for path in sorted(p for p in Path(DATA).rglob("*") if p.suffix.lower() in SUFFIXES):
        if any(part.startswith(".") for part in path.relative_to(DATA).parts):
            continue  # hidden
        try:
            pictures.append(np.asarray(square(upright_on_white(path), SIZE)))
            folders.append(path.relative_to(DATA).parts[0])
        except (OSError, SyntaxError, ValueError):
            print("left out:", path)
    return np.stack(pictures)
'''
UPRIGHT = """\
def upright_on_white(path):
    picture = Image.open(path)
    picture.load()
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    paper = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(paper, picture.convert("RGBA")).convert("RGB")
"""
_CUT = """\
images = load_images(){cut}
digest = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
assert digest == {sha256!r}, "these are not the images of the run"
"""
_HELD_OUT = """\
# {held_out:,} images were held out: multiples of the golden ratio choose them evenly.
order = np.argsort(np.arange(1, len(images) + 1) * ((math.sqrt(5) - 1) / 2) % 1, kind="stable")
learned = np.sort(order[{held_out}:])
"""
_LABELS = """\
labels = {labels}
digest = hashlib.sha256(repr(CLASSES).encode() + labels.tobytes()).hexdigest()
assert digest == {sha256!r}, "these are not the classes of the run"
"""


def data_lines(run: RecordedRun, dataset: str, classes: tuple[str, ...]) -> tuple[Source, str]:
    """(definitions, lines): `images` (N, SIZE, SIZE, CHANNELS), and the `learned` indices; with
    classes also the `labels` (N,).
    """
    size, channels = run.number("image_size"), run.number("channels")
    imports = {"import hashlib", "import numpy as np"}
    names: list[str] = []
    constants, labels = "", ""
    if dataset == "stickers":
        load, path = _STICKERS, stickers.SHEET
        imports |= {"from PIL import Image"}
        constants = f"COLUMNS = {stickers.COLUMNS}\n"
    elif dataset != "digits" and Path(dataset).is_dir():
        load, path = f"{_FOLDER}\n\n{UPRIGHT}", Path(dataset)
        imports |= {"from pathlib import Path", "from PIL import Image", "from PIL import ImageOps"}
        names.append("square")
        constants = f"SUFFIXES = {SUFFIXES!r}\n"
        labels = "np.array([CLASSES.index(name) for name in folders], np.int64)"
    else:
        load, path = _IDX, digits.images_path() if dataset == "digits" else Path(dataset)
        imports |= {"import gzip", "import struct", "from pathlib import Path"}
        labels = f"read_idx({str(idx.labels_path(path))!r}).astype(np.int64)"
    cut = ""
    if (dataset, size, channels) != ("digits", digits.SIZE, 1):
        cut = "\nimages = with_channels(squares(images, SIZE), CHANNELS)"
        names += ["square", "squares", "with_channels"]
    code = f"DATA = {str(path)!r}\n{constants}\n\n{load}"
    if names:
        taken = copied("data/crop.py", names)
        imports |= taken.imports | {"from numpy.typing import NDArray"}
        code += f"\n\n{taken.code}\n"
    lines = _CUT.format(cut=cut, sha256=run.sha256)
    if classes:
        lines += _LABELS.format(labels=labels, sha256=run.labels_sha256)
    if run.held_out:
        imports.add("import math")
        lines += _HELD_OUT.format(held_out=run.held_out)
    else:
        lines += "learned = np.arange(len(images))\n"
    return Source(frozenset(imports), code), lines
