"""The settings a picture was made with, whatever program made it, as a form can show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import library, registry
from engine.checks import coerce
from engine.errors import EngineError, FileError, InvalidTask
from engine.foreign_metadata import automatic1111, comfyui, invokeai
from engine.foreign_metadata.found import LONGEST_NAME, Found, stem
from engine.gate.images import XMP_KEYWORD, read_text
from engine.metadata import TaskRecord, Value, encodable, parse_record
from engine.picture_files import record_in
from engine.prompts.evaluation import evaluated_values

OWN_PROGRAM = "Atelier"
TASK = "text_to_image"
"""To which the settings of other programs are given."""
PROGRAMS = (invokeai, comfyui, automatic1111)
MARK = "trainedalgorithmicmedia"
"""In lower case, what all of IPTC's marks of models' pictures have, composites too."""


@dataclass(frozen=True)
class Settings:
    """What can be restored and, named for a person, what can not."""

    task: str
    """The name of the task these are fields of."""
    values: Mapping[str, Value]
    left_out: tuple[str, ...] = ()
    """What the picture was made with that has no place here: "LoRA foo (0.8)", "hires fix"."""
    program: str = OWN_PROGRAM
    record: TaskRecord | None = None
    """Of pictures made here: everything the file tells."""


def settings_in(path: Path) -> Settings | None:
    """The settings stored in the picture at `path`; None where it tells none.

    Of pictures made here: as they were written, with wildcards and styles, where that still
    draws the same. Raises FileError for what is no picture, and for what cannot be read.
    """
    texts = read_text(path)
    try:
        return _own(texts) or _foreign(texts)
    except ValueError as error:
        raise FileError(
            f"The settings stored in {path} cannot be read: {error}.",
            "The picture itself can still be used.",
        ) from error


def says_by_model(path: Path) -> bool:
    """Whether the picture at `path` says that a model had a part in it, in whatever way.

    Of one whose texts cannot be read it is assumed.
    """
    try:
        texts = read_text(path)
        marked = MARK in texts.get(XMP_KEYWORD, "").lower()
        return marked or bool(_own(texts) or _foreign(texts))
    except (FileError, ValueError):
        return True


def _own(texts: Mapping[str, str]) -> Settings | None:
    text = record_in(texts)
    if text is None:
        return None
    record = parse_record(text)
    return Settings(record.name, as_written(record), record=record)


def as_written(record: TaskRecord) -> Mapping[str, Value]:
    """The values to show in a form: what was typed, unless it would draw something else now."""
    if not record.written:
        return record.values
    written = {**record.values, **record.written}
    try:
        drawn = evaluated_values(written)
    except (EngineError, ValueError):  # a list or a style is not here any more
        return record.values
    same = all(record.values.get(name) == text for name, text in drawn.items())
    return written if same else record.values


def _foreign(texts: Mapping[str, str]) -> Settings | None:
    for program in PROGRAMS:
        found = program.read(texts)
        if found is not None:
            return _checked(found)
    return None


def _checked(found: Found) -> Settings:
    """Only what the task takes; the rest is named."""
    values: dict[str, Value] = {}
    for field in registry.task_class(TASK).fields():
        if field.name not in found.values:
            continue
        value = found.values[field.name]
        try:
            value = _model(value) if field.name == "model" else coerce(field, value)
        except InvalidTask:
            found.leave(f"{field.param.label} {str(value)[:LONGEST_NAME]}".strip())
        else:
            values[field.name] = encodable(value) if isinstance(value, str) else value
    return Settings(TASK, values, tuple(map(encodable, found.left_out)), found.program)


def _model(name: Any) -> str:
    """The model of that name on this machine; raises InvalidTask."""
    wanted = stem(name)
    for here in library.image_models():
        if here.lower() == wanted.lower():
            return here
    raise InvalidTask("model", f"There is no model {wanted!r} here.")
