"""What a PNG says about how it was made: the whole task, readable key/values, the AI mark.

Nothing here tells of the machine or the person: a model is named, never located.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path, PureWindowsPath
from typing import Any

from PIL import Image, PngImagePlugin

from engine import files, registry
from engine.errors import FileError, InvalidTask
from engine.gate import json_text
from engine.gate.images import read_text
from engine.task import Task

KEYWORD = "atelier"
FORMAT = 1
MAXIMUM_RECORD = 1_000_000
"""Characters; a longer one was not written here."""

XMP_KEYWORD = "XML:com.adobe.xmp"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

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


def write_png(
    path: Path,
    image: Image.Image,
    task: Task,
    *,
    model_hash: str = "",
    made_with: Mapping[str, str] | None = None,
) -> None:
    """Write `image` with everything needed to make it again; raises FileError.

    `task` is the one that makes this image alone: its own seed, one image.
    """
    values = {
        described.name: _told(described.param.kind, getattr(task, described.name))
        for described in task.fields()
    }
    software = {"atelier": version(), **(made_with or {})}
    record = {
        "format": FORMAT,
        "task": task.name(),
        "values": values,
        "model_hash": model_hash,
        "made_with": software,
    }
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(KEYWORD, json.dumps(record, allow_nan=False))
    chunks.add_text("parameters", _encodable(parameters(task, values, image.size, model_hash)))
    chunks.add_itxt(XMP_KEYWORD, _xmp())
    stream = io.BytesIO()
    image.save(stream, "PNG", pnginfo=chunks)
    files.write_bytes(path, stream.getvalue())


def read_task(path: Path) -> TaskRecord | None:
    """How the picture at `path` was made; None if it was not made here.

    Raises FileError for what is no picture, and for settings that cannot be read.
    """
    text = read_text(path).get(KEYWORD)
    if text is None:
        return None
    try:
        return parse_record(text)
    except ValueError as error:
        raise FileError(
            f"The settings stored in {path} cannot be read: {error}.",
            "The picture itself can still be used.",
        ) from error


def parse_record(text: str) -> TaskRecord:
    """The record in the JSON `text`, bounded and checked; raises ValueError."""
    if len(text) > MAXIMUM_RECORD:
        raise ValueError("they are too long")
    record = json_text.parse(text)
    if not isinstance(record, dict) or type(record.get("format")) is not int:
        raise ValueError("they are not in the form Atelier writes")
    if record["format"] > FORMAT:
        raise ValueError("they were written by a newer version of Atelier")
    name, model_hash = record.get("task"), record.get("model_hash", "")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name):
        raise ValueError("they name no task")
    if not isinstance(model_hash, str) or not re.fullmatch(r"[0-9a-f]{0,64}", model_hash):
        raise ValueError("the model's hash is not one")
    values = _flat(record.get("values"))
    made_with = {key: str(value)[:200] for key, value in _flat(record.get("made_with", {})).items()}
    return TaskRecord(name, values, model_hash, made_with)


def parameters(
    task: Task, values: Mapping[str, Value], size: tuple[int, int], model_hash: str = ""
) -> str:
    """The readable text: prompt, negative prompt, then `Key: value` pairs on one line."""
    lines = [str(values.get("prompt", ""))]
    if values.get("negative_prompt"):
        lines.append(f"Negative prompt: {values['negative_prompt']}")
    pairs = {READABLE_NAMES[name]: values[name] for name in READABLE_NAMES if name in values}
    pairs["Size"] = f"{size[0]}x{size[1]}"
    if model_hash:
        pairs["Model hash"] = model_hash[:10]
    if "model" in values:
        pairs["Model"] = values["model"]
    for described in task.fields():
        if described.name not in _ELSEWHERE and described.name not in READABLE_NAMES:
            pairs[described.param.label] = values[described.name]
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


def _xmp() -> str:
    """IPTC's mark of a picture made by a trained model, as XMP."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' xmp:CreatorTool="Atelier {version()}"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>'
        "</rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    )
