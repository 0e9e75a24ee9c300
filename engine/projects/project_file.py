"""The project file: a zip with a description, layers as PNG, a preview and the inputs of tasks.

    project.json            the description (engine/projects/description.py)
    preview.png             what a file chooser can show
    selection.png           a mask, where something is selected
    layers/<hash>.png       the pixels of a layer, once however many layers share them
    inputs/<hash>.png       what tasks have read: the name is the beginning of its SHA-256

Any program can open it.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from engine import files, memory
from engine.errors import FileError
from engine.gate import archive as gate
from engine.gate.images import MAXIMUM_PIXELS
from engine.projects import description
from engine.projects.contents import Contents, Picture
from engine.projects.description import MAXIMUM_BYTES, NewerFormat
from engine.projects.pixels import Pixels, decode_layer, decode_mask, digest, size_of

SUFFIX = ".atelier"
MAXIMUM_MEMBERS = 3000
MAXIMUM_INPUTS = 1000
MAXIMUM_PICTURE = 5 * MAXIMUM_PIXELS
"""Bytes of one PNG: more than its pixels need uncompressed."""

_MEMBERS = re.compile(
    r"project\.json|preview\.png|selection\.png|layers/[0-9a-f]{64}\.png|inputs/[0-9a-f]{16}\.png"
)


@dataclass(frozen=True)
class Project:
    """What a project file holds; pixels are read when they are asked for."""

    contents: Contents
    pictures: Mapping[str, Sequence[Picture]] = field(default_factory=dict)
    """By the id of the layer; one that is transparent all over has none, a huge one several."""
    selection: Picture | None = None
    """A mask; white is selected."""
    preview: bytes = b""
    inputs: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
    """By the first 16 digits of their SHA-256."""


# ------------------------------------------------------------------ writing


def write_project(path: Path, project: Project) -> None:
    """Write the file whole or not at all; raises FileError, also for a picture that is gone.

    It is read back before it takes the place of an older one.
    """

    def write(stream: IO[bytes]) -> None:
        try:
            _write(stream, project)
            with gate.opened(stream, MAXIMUM_MEMBERS) as archive:
                _read(path, archive)
            stream.seek(0, 2)
        except (*gate.DAMAGED, zipfile.LargeZipFile) as error:
            raise FileError(
                f"{path} was not written, because it could not be opened again: {error}.",
                "Make the document smaller, or merge layers, and save again.",
            ) from error

    files.write_stream(path, write)


def _write(stream: IO[bytes], project: Project) -> None:
    described = description.describe(project.contents)
    for layer in described["layers"]:
        layer["pictures"] = [_place(one) for one in project.pictures.get(layer["id"], ())]
    described["selection"] = project.selection and _place(project.selection)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        data = description.to_bytes(described)
        archive.writestr(_member("project.json"), data, zipfile.ZIP_DEFLATED)
        archive.writestr(_member("preview.png"), project.preview)
        pictures = [one for several in project.pictures.values() for one in several]
        for picture in {one.digest: one for one in pictures}.values():
            archive.writestr(_member(f"layers/{picture.digest}.png"), picture.read())
        if project.selection:
            archive.writestr(_member("selection.png"), project.selection.read())
        for name, read in list(project.inputs.items())[:MAXIMUM_INPUTS]:
            archive.writestr(_member(f"inputs/{name}.png"), read())


def _member(name: str) -> zipfile.ZipInfo:
    """Without a time, so that the same project is the same file."""
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o100644 << 16
    return member


def _place(picture: Picture) -> dict[str, Any]:
    return {"x": picture.x, "y": picture.y, "digest": picture.digest}


# ------------------------------------------------------------------ reading


def read_project(path: Path) -> Project:
    """Check the file and read all but the pixels.

    Raises FileError that names it, OutOfMemory where its layers do not fit.
    """
    with _archive(path) as archive:
        project = _read(path, archive)
        needed = 4 * _pixels(archive, project)
    memory.require(needed, f"{path} needs", "Close other programs, then open it again.")
    return project


def layer_pixels(path: Path, picture: Picture) -> Pixels:
    """Of a picture read from `path`; raises FileError where they are not what was saved."""
    return _checked(path, picture, decode_layer)


def mask_pixels(path: Path, picture: Picture) -> Pixels:
    return _checked(path, picture, decode_mask)


def read_member(path: Path, name: str) -> bytes:
    """Raises FileError."""
    with _archive(path) as archive:
        return gate.read(archive, name, MAXIMUM_PICTURE)


def damaged(path: Path, error: BaseException) -> FileError:
    """For a file that is there, but is not what it should be."""
    return FileError(
        f"{path} is not a project that can be opened: {error}.",
        "It may be cut short or damaged. Take an older copy; this one has not been changed.",
    )


def _read(path: Path, archive: zipfile.ZipFile) -> Project:
    described = description.parse(gate.read(archive, "project.json", MAXIMUM_BYTES))
    gate.check_members(archive, _MEMBERS)
    contents = description.contents_of(described)
    pictures = {
        layer["id"]: [_picture(path, archive, place) for place in _places(layer)]
        for layer in described["layers"]
    }
    selection = described.get("selection")
    inputs = [Path(name).stem for name in archive.namelist() if name.startswith("inputs/")]
    return Project(
        contents,
        pictures,
        None if selection is None else _picture(path, archive, selection, "selection.png"),
        gate.read(archive, "preview.png", MAXIMUM_PICTURE),
        {name: _input(path, name) for name in inputs},
    )


def _places(layer: Mapping[str, Any]) -> list[Any]:
    return description.short_list(layer, "pictures", MAXIMUM_MEMBERS)


def _picture(path: Path, archive: zipfile.ZipFile, place: Any, member: str = "") -> Picture:
    if not isinstance(place, dict):
        raise ValueError("it does not say where the pixels of a layer are")
    hashed = description.text(place, "digest", 64)
    if not re.fullmatch("[0-9a-f]{64}", hashed):
        raise ValueError("a picture in it has no proper name")
    name = member or f"layers/{hashed}.png"
    size_of(gate.beginning(archive, name, 24))
    far = description.MAXIMUM_SIDE
    x, y = (description.whole(place, axis, -far, far) for axis in "xy")
    return Picture(x, y, hashed, _reader(path, name))


def _reader(path: Path, name: str) -> Callable[[], bytes]:
    return lambda: read_member(path, name)


def _input(path: Path, name: str) -> Callable[[], bytes]:
    def read() -> bytes:
        data = read_member(path, f"inputs/{name}.png")
        if not hashlib.sha256(data).hexdigest().startswith(name):
            raise damaged(path, ValueError("an input of a task is not the one that was saved"))
        return data

    return read


def _checked(path: Path, picture: Picture, decode: Callable[[bytes], Pixels]) -> Pixels:
    try:
        pixels = decode(picture.read())
        if digest(pixels) != picture.digest:
            raise ValueError("a picture in it is not the one that was saved")
    except ValueError as error:
        raise damaged(path, error) from error
    return pixels


def _pixels(archive: zipfile.ZipFile, project: Project) -> int:
    sizes = [
        size_of(gate.beginning(archive, f"layers/{picture.digest}.png", 24))
        for pictures in project.pictures.values()
        for picture in pictures
    ]
    return sum(width * height for width, height in sizes)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with open(path, "rb") as stream, gate.opened(stream, MAXIMUM_MEMBERS) as archive:
            yield archive
    except NewerFormat as error:
        raise FileError(
            f"{path} was made by a newer version of Atelier.",
            "Open it with that version; nothing in it has been changed.",
        ) from error
    except OSError as error:
        raise FileError(
            f"{path} could not be read: {error.strerror or error}.",
            "Check the path and its permissions.",
        ) from error
    except gate.DAMAGED as error:
        raise damaged(path, error) from error
