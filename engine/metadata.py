"""What a picture says about how it was made: the whole task, readable key/values, the AI mark.

Nothing here tells of the machine or the person: a model is named, never located.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path, PureWindowsPath
from typing import Any

from PIL import Image

from engine import files, registry
from engine.errors import EngineError, FileError, InvalidTask
from engine.gate import json_text
from engine.gate.images import read_text
from engine.picture_files import KEYWORD, PARAMETERS, encode_png, encode_webp, record_in
from engine.task import Task

FORMAT = 1
MAXIMUM_RECORD = 1_000_000
"""Characters; a longer one was not written here."""

MOST_SOURCES = 8
"""Steps from a picture back to the one that was drawn."""

# The names under which other studios (A1111 and its heirs) look for the same fields.
READABLE_NAMES = {
    "num_inference_steps": "Steps",
    "scheduler": "Sampler",
    "guidance_scale": "CFG scale",
    "seed": "Seed",
}
_ELSEWHERE = {"prompt", "negative_prompt", "model", "width", "height", "num_images_per_prompt"}

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

    def origin(self) -> TaskRecord:
        """How the first of the pictures was made, which this one goes back to."""
        return self.source.origin() if self.source else self

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
                if described.param.kind == "model" and not values[described.name]:
                    raise InvalidTask(
                        described.name, f"The picture names no model: {value[:80]!r}."
                    )
        return task_class.from_dict(values)


def record_of(
    task: Task,
    *,
    model_hash: str = "",
    made_with: Mapping[str, str] | None = None,
    source: TaskRecord | None = None,
) -> TaskRecord:
    """What a picture says that `task` made, alone: its own seed, one image."""
    values = {f.name: _told(f.param.kind, getattr(task, f.name)) for f in task.fields()}
    if source and _depth(source) >= MOST_SOURCES:
        source = source.origin()
    software = {"atelier": version(), **(made_with or {})}
    return TaskRecord(task.name(), values, model_hash, software, source)


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
) -> None:
    """Write a PNG or, where `path` ends so, a WebP; raises FileError.

    Without a record it still says that a model has made it.
    """
    texts = {}
    if record is not None:
        texts[KEYWORD] = json.dumps(_plain(record) | {"format": FORMAT}, allow_nan=False)
        texts[PARAMETERS] = _encodable(parameters(record.origin(), image.size))
    program = f"Atelier {version()}"
    if path.suffix.lower() == ".webp":
        data = encode_webp(image, texts, program, quality, lossless)
    else:
        data = encode_png(image, texts, program)
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


def parse_record(text: str) -> TaskRecord:
    """The record in the JSON `text`, bounded and checked; raises ValueError."""
    if len(text) > MAXIMUM_RECORD:
        raise ValueError("they are too long")
    record = json_text.parse(text)
    if not isinstance(record, dict) or type(record.get("format")) is not int:
        raise ValueError("they are not in the form Atelier writes")
    if record["format"] > FORMAT:
        raise ValueError("they were written by a newer version of Atelier")
    return _checked(record)


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
    return TaskRecord(name, values, model_hash, made_with, before)


def parameters(record: TaskRecord, size: tuple[int, int]) -> str:
    """The readable text: prompt, negative prompt, then `Key: value` pairs on one line."""
    values = record.values
    lines = [str(values.get("prompt", ""))]
    if values.get("negative_prompt"):
        lines.append(f"Negative prompt: {values['negative_prompt']}")
    pairs = {READABLE_NAMES[name]: values[name] for name in READABLE_NAMES if name in values}
    pairs["Size"] = f"{size[0]}x{size[1]}"
    if record.model_hash:
        pairs["Model hash"] = record.model_hash[:10]
    if "model" in values:
        pairs["Model"] = values["model"]
    labels = _labels(record.name)
    for name, value in values.items():
        if name not in _ELSEWHERE and name not in READABLE_NAMES:
            pairs[labels.get(name, name)] = value
    pairs["Version"] = f"Atelier {version()}"
    lines.append(", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items()))
    return "\n".join(lines)


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
    return value


def _flat(values: Any) -> dict[str, Value]:
    """A short mapping from names to plain values; raises ValueError."""
    if not isinstance(values, dict) or len(values) > 100:
        raise ValueError("their fields are not a short list")
    checked: dict[str, Value] = {}
    for name, value in values.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
            raise ValueError("a field has no proper name")
        if isinstance(value, str):
            checked[name] = _encodable(value)
        elif type(value) is int and abs(value) >= 2**63:
            raise ValueError(f"{name} is too large")
        elif isinstance(value, (int, float)):
            checked[name] = value
        else:
            raise ValueError(f"{name} is neither text nor number")
    return checked


def _encodable(text: str) -> str:
    """Without what no file and no widget can hold: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _quoted(value: Value) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[,:"\n]', text) else text


def _plain(record: TaskRecord) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "task": record.name,
        "values": dict(record.values),
        "model_hash": record.model_hash,
        "made_with": dict(record.made_with),
    }
    return plain | ({"source": _plain(record.source)} if record.source else {})


def _depth(record: TaskRecord) -> int:
    return 1 + (_depth(record.source) if record.source else 0)


def _labels(task: str) -> dict[str, str]:
    """What a person calls the fields of the task of that name, where it is known."""
    try:
        return {f.name: f.param.label for f in registry.task_class(task).fields()}
    except EngineError:
        return {}
