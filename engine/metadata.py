"""What a picture says about how it was made: the whole task, readable key/values, the AI mark.

Nothing here tells of the machine or the person: a model is named, never located.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from pathlib import Path, PureWindowsPath
from typing import Any

from PIL import Image

from engine import files, registry
from engine.errors import FileError, InvalidTask
from engine.gate import json_text
from engine.gate.images import read_text
from engine.picture_files import KEYWORD, PARAMETERS, encode, record_in
from engine.readable_settings import parameters
from engine.task import Task

FORMAT = 1
MAXIMUM_RECORD = 1_000_000
"""Characters; a longer one is neither written nor read."""
LEFT_OUT = "left out, because it was too long"
"""What `made_with` says of a source that is not there."""

MOST_SOURCES = 8
"""Steps from a picture back to the one that was drawn."""

Value = str | int | float | bool


@dataclass(frozen=True)
class TaskRecord:
    """How a picture was made, as its file tells it. It comes from outside: show it, then ask."""

    name: str
    """Of the task."""
    values: Mapping[str, Value]
    model_hash: str = ""
    """SHA-256 over the weights, to tell whether the model of that name is the same one."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """Versions, device and dtype: what else has to be the same for the same picture."""
    source: TaskRecord | None = None
    """How the picture was made that this one was made from."""
    written: Mapping[str, Value] = field(default_factory=dict)
    """Fields as the person wrote them, with wildcards and styles, where `values` hold others."""

    def origin(self) -> TaskRecord:
        """How the first of the pictures was made, which this one goes back to."""
        return self.source.origin() if self.source else self

    def drawn(self) -> TaskRecord:
        """How the newest of these was made that came from a prompt; the first where none did."""
        return self if "prompt" in self.values or not self.source else self.source.drawn()

    def task(self) -> Task:
        """The task that makes this picture again; raises EngineError for what cannot be used.

        A model, file or folder is only ever a name here, never a path, and nothing is opened.
        """
        task_class = registry.task_class(self.name)
        values = dict(self.values)
        for described in task_class.fields():
            value = values.get(described.name)
            if described.param.kind in ("model", "file", "folder") and isinstance(value, str):
                values[described.name] = bare_name(value)
                required = described.param.kind == "model" and described.param.required
                if required and not values[described.name]:
                    raise InvalidTask(
                        described.name, f"The picture names no model: {value[:80]!r}."
                    )
            elif described.param.kind == "loras" and isinstance(value, str):
                values[described.name] = bare_loras(value)
        return task_class.from_dict(values)


def record_of(
    task: Task,
    *,
    model_hash: str = "",
    made_with: Mapping[str, str] | None = None,
    source: TaskRecord | None = None,
    written: Mapping[str, Value] | None = None,
) -> TaskRecord:
    """What a picture says that `task` made, alone: its own seed, one image.

    Raises InvalidTask where its own fields are too long to be read again.
    """
    values = {f.name: _told(f.param.kind, getattr(task, f.name)) for f in task.fields()}
    if source and _depth(source) >= MOST_SOURCES:
        source = source.origin()
    software = {"atelier": version(), **(made_with or {})}
    return _bounded(TaskRecord(task.name(), values, model_hash, software, source, written or {}))


def write_png(
    path: Path,
    image: Image.Image,
    task: Task,
    *,
    model_hash: str = "",
    made_with: Mapping[str, str] | None = None,
    source: TaskRecord | None = None,
) -> None:
    """Write `image` with everything needed to make it again; raises FileError.

    `task` is the one that makes this image alone: its own seed, one image.
    """
    record = record_of(task, model_hash=model_hash, made_with=made_with, source=source)
    write_picture(path, image, record)


def write_picture(
    path: Path,
    image: Image.Image,
    record: TaskRecord | None,
    *,
    quality: int = 90,
    lossless: bool = True,
    by_model: bool = True,
) -> None:
    """Write a PNG or, where `path` ends so, a WebP or JPEG; raises FileError.

    It is raised, too, for a record that is too long to be read again. Without a record it still
    says that a model has made it, unless none had a part in it.
    """
    program = f"Atelier {version()}"
    texts = {}
    if record is not None:
        if _is_too_long(record):
            raise FileError(
                f"{path} was not written: its settings are too long to be read again.",
                "Save it without its settings.",
            )
        texts[KEYWORD] = record_text(record)
        texts[PARAMETERS] = encodable(parameters(record.drawn(), image.size, program))
    data = encode(image, path.suffix, texts, program, quality, lossless, by_model)
    files.write_bytes(path, data)


def read_task(path: Path) -> TaskRecord | None:
    """How the picture at `path` was made; None if it was not made here.

    Raises FileError for what is no picture, and for settings that cannot be read.
    """
    text = record_in(read_text(path))
    if text is None:
        return None
    try:
        return parse_record(text)
    except ValueError as error:
        raise FileError(
            f"The settings stored in {path} cannot be read: {error}.",
            "The picture itself can still be used.",
        ) from error


def source_of(path: Path) -> TaskRecord | None:
    """For a picture made from the one at `path`: how that was made, as far as it can be told."""
    try:
        return read_task(path)
    except FileError:  # the picture itself can still be used
        return None


def record_text(record: TaskRecord) -> str:
    """The record as JSON; `parse_record` is the way back."""
    return json.dumps(_plain(record) | {"format": FORMAT}, allow_nan=False)


def parse_record(text: str) -> TaskRecord:
    """The record in the JSON `text`, bounded and checked; raises ValueError."""
    if len(text) > MAXIMUM_RECORD:
        raise ValueError("they are too long")
    record = json_text.parse(text)
    if not isinstance(record, dict) or type(record.get("format")) is not int:
        raise ValueError("they are not in the form Atelier writes")
    if record["format"] > FORMAT:
        raise ValueError("they were written by a newer version of Atelier")
    checked = _checked(record)
    if _is_too_long(checked):  # each sign may take twelve characters when it is written again
        raise ValueError("they are too long")
    return checked


def _checked(record: Mapping[str, Any], depth: int = 1) -> TaskRecord:
    name, model_hash = record.get("task"), record.get("model_hash", "")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        raise ValueError("they name no task")
    if not isinstance(model_hash, str) or not re.fullmatch(r"[0-9a-f]{0,64}", model_hash):
        raise ValueError("the model's hash is not one")
    values = _flat(record.get("values"))
    made_with = {key: str(value)[:200] for key, value in _flat(record.get("made_with", {})).items()}
    source = record.get("source")
    if source is not None and (not isinstance(source, dict) or depth >= MOST_SOURCES):
        raise ValueError("the picture they go back to is not described")
    before = _checked(source, depth + 1) if source else None
    written = _flat(record.get("written", {}))
    return TaskRecord(name, values, model_hash, made_with, before, written)


def bare_name(path: str) -> str:
    """The last part of a path of any system: a name that leads nowhere ("" for `..` and drives)."""
    name = PureWindowsPath(path.replace("\0", "")).name
    return "" if name in (".", "..") else name


@cache
def version() -> str:
    try:
        return metadata.version("atelier")
    except metadata.PackageNotFoundError:
        return ""  # started from a checkout that was not installed


def _told(kind: str, value: Value) -> Value:
    if kind in ("model", "file", "folder") and isinstance(value, str):
        return bare_name(value)
    if kind == "loras" and isinstance(value, str):
        return bare_loras(value)
    return value


def bare_loras(loras: str) -> str:
    """Without the folders of those that are named by a path."""
    lines = loras.splitlines(keepends=True)
    return "".join(line.rpartition("/" if "/" in line else "\\")[2] for line in lines)


def _flat(values: Any) -> dict[str, Value]:
    """A short mapping from names to plain values; raises ValueError."""
    if not isinstance(values, dict) or len(values) > 100:
        raise ValueError("their fields are not a short list")
    checked: dict[str, Value] = {}
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
            raise ValueError("a field has no proper name")
        if isinstance(value, str):
            checked[name] = encodable(value)
        elif type(value) is int and abs(value) >= 2**63:
            raise ValueError(f"{name} is too large")
        elif isinstance(value, (int, float)):
            checked[name] = value
        else:
            raise ValueError(f"{name} is neither text nor number")
    return checked


def encodable(text: str) -> str:
    """Without what no file and no widget can hold: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _plain(record: TaskRecord) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "task": record.name,
        "values": dict(record.values),
        "model_hash": record.model_hash,
        "made_with": dict(record.made_with),
    }
    plain |= {"written": dict(record.written)} if record.written else {}
    return plain | ({"source": _plain(record.source)} if record.source else {})


def _is_too_long(record: TaskRecord) -> bool:
    return len(record_text(record)) > MAXIMUM_RECORD


def _bounded(record: TaskRecord) -> TaskRecord:
    """With less of what it goes back to where all of it would be too long to be read again."""
    if not _is_too_long(record):
        return record
    if record.source and record.source.source:
        return _bounded(replace(record, source=record.source.origin()))
    if record.source:
        told = {**record.made_with, "source": LEFT_OUT}
        return _bounded(replace(record, source=None, made_with=told))
    longest = max(record.values, key=lambda name: len(str(record.values[name])))
    raise InvalidTask(
        longest,
        f"The {longest.replace('_', ' ')} is too long to be kept in the picture.",
        "Make it shorter, also what wildcards and styles put into it.",
    )


def _depth(record: TaskRecord) -> int:
    return 1 + (_depth(record.source) if record.source else 0)
