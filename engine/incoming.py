"""Models that come in: what each becomes among those of the person, and how that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from engine import files, folders, library, model_facts, pickled_folder
from engine.errors import ModelError
from engine.events import ModelFacts, Report
from engine.gate import checkpoint_file
from engine.gate.checkpoint_file import CheckpointFile
from engine.gate.lora import LOW_RANK
from engine.gate.model_folder import Component
from engine.gate.weights import PICKLE_SUFFIXES, pickle_error
from engine.single_file import checkpoint as checkpoints
from engine.single_file.layout import is_checkpoint
from engine.single_file.other_parts import other_parts
from engine.single_file.schedules import AUTO
from engine.single_file.writing import write_safetensors

CHUNK = 16 * 2**20
READ_PICKLES = (
    "Switch on “Convert pickles”: only its numbers are read then, nothing of it is run, and they "
    "are written as safetensors. Or get this model as .safetensors."
)

Written = Callable[[str, int], None]
"""Hears of what and how many bytes were written, and may raise to stop."""


@dataclass(frozen=True)
class Wishes:
    """What the person says about a model that comes in."""

    read_pickles: bool = False
    prediction: str = AUTO
    missing_from: str = ""
    vae: str = ""


@dataclass(frozen=True)
class Incoming:
    """A model that passed the gate."""

    target: Path
    size: int
    """Bytes that are written."""
    fill: Callable[[Path, Written], None]
    """Makes the file or folder of that name; raises EngineError."""
    facts: ModelFacts | None = field(default=None)
    """None where they are known only of what it becomes."""
    converted: bool = False
    """Whether it becomes another thing, which then passes the gate itself."""


@contextmanager
def opened(path: Path, wishes: Wishes, report: Report) -> Iterator[Incoming]:
    """What lies at `path`, told by what is inside; raises ModelError."""
    if pickled := pickled_folder.weights_to_convert(path):
        if not wishes.read_pickles:
            raise ModelError(pickle_error(pickled[0].source).message, READ_PICKLES)
        yield _pickled_folder(path, pickled)
    elif not path.is_file() or not model_facts.may_be_model(path):
        yield _as_it_is(path, report)
    elif checkpoint_file.is_pickle(path):
        if not wishes.read_pickles:
            raise ModelError(pickle_error(path).message, READ_PICKLES)
        with checkpoint_file.opened(path, pickles=True) as file, _vae(wishes) as vae:
            yield _pickled_file(file, wishes, vae)
    elif model_facts.is_whole_image_model(path):
        with checkpoint_file.opened(path) as file, _vae(wishes) as vae:
            yield _checkpoint(file, wishes, vae)
    else:
        yield _as_it_is(path, report)


def _as_it_is(path: Path, report: Report) -> Incoming:
    facts = model_facts.facts_at(path, report)
    parts = list(_parts(path))
    room = folders.loras() if facts.kind == "LoRA" else folders.models()

    def fill(made: Path, written: Written) -> None:
        for part in parts:
            _copy(part, made / part.relative_to(path) if path.is_dir() else made, written)

    return Incoming(room / path.name, _size(parts), fill, facts)


@contextmanager
def _vae(wishes: Wishes) -> Iterator[CheckpointFile | None]:
    """The VAE that the person chose, if any; raises ModelError."""
    if not wishes.vae:
        yield None
        return
    path = Path(wishes.vae).expanduser().absolute()
    if checkpoint_file.is_pickle(path) and not wishes.read_pickles:
        raise ModelError(pickle_error(path).message, READ_PICKLES)
    with checkpoint_file.opened(path, pickles=wishes.read_pickles) as file:
        yield file


def _checkpoint(file: CheckpointFile, wishes: Wishes, vae: CheckpointFile | None) -> Incoming:
    checkpoint = checkpoints.look(file, wishes.prediction, vae)
    others: tuple[Component, ...] = ()
    source = Path()
    if checkpoint.layout.missing and wishes.missing_from:
        source = library.find(wishes.missing_from)
        others = other_parts(checkpoint.layout, source)
    checkpoint.require_whole(tuple(part.name for part in others))
    copied = [file for part in others for file in _files_of(source / part.name)]

    def fill(made: Path, written: Written) -> None:
        named = {part.name: (part.library, part.class_name) for part in others}
        checkpoints.write(checkpoint, made, named, written)
        for part in copied:
            _copy(part, made / part.relative_to(source), written)

    target = folders.models() / file.path.stem
    size = checkpoint.size + _size(copied)
    return Incoming(target, size, fill, model_facts.of_checkpoint(checkpoint), converted=True)


def _pickled_file(file: CheckpointFile, wishes: Wishes, vae: CheckpointFile | None) -> Incoming:
    """A whole image model or a LoRA; nothing else comes as one pickle."""
    if is_checkpoint(file.shapes):
        return _checkpoint(file, wishes, vae)
    if not any(LOW_RANK.search(name) for name in file.shapes):
        raise ModelError(
            f"{file.path} holds neither an image model nor a LoRA.", "Choose another file."
        )

    def fill(made: Path, written: Written) -> None:
        tensors = {name: file.tensor(name) for name in file.shapes}
        write_safetensors(made, tensors, partial(written, made.name))

    target = folders.loras() / f"{file.path.stem}.safetensors"
    return Incoming(target, file.path.stat().st_size, fill, converted=True)


def _pickled_folder(path: Path, pickled: list[pickled_folder.Pickled]) -> Incoming:
    parts = list(_parts(path))
    size = _size(parts) + _size([each.source for each in pickled])

    def fill(made: Path, written: Written) -> None:
        for part in parts:
            _copy(part, made / part.relative_to(path), written)
        pickled_folder.convert(pickled, path, made, written)

    return Incoming(folders.models() / path.name, size, fill, converted=True)


def _parts(path: Path) -> Iterator[Path]:
    """The files that are read of a model, which lie in its folder and in the folders in it."""
    if not path.is_dir():
        yield path
        return
    yield from _files_of(path)
    for folder in sorted(path.glob("[!.]*/")):
        yield from _files_of(folder)


def _files_of(folder: Path) -> Iterator[Path]:
    for part in sorted(folder.glob("[!.]*")):
        if part.is_file() and part.suffix.lower() not in PICKLE_SUFFIXES:
            yield part


def _size(parts: list[Path]) -> int:
    return sum(part.stat().st_size for part in parts)


def _copy(source: Path, target: Path, written: Written) -> None:
    def pour(stream: BinaryIO) -> None:
        with open(source, "rb") as origin:
            while data := origin.read(CHUNK):
                stream.write(data)
                written(source.name, len(data))

    files.write_stream(target, pour)
