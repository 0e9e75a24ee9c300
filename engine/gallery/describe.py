"""Reads what one picture says of itself, without decoding its pixels; never raises for a file."""

from __future__ import annotations

from pathlib import Path

from engine import folders
from engine.errors import FileError
from engine.gallery.pictures import Description
from engine.gate.images import read_size
from engine.metadata import TaskRecord
from engine.picture_settings import settings_in
from engine.runs import RunFolder

MOST_CHARACTERS = 20_000
"""Of a prompt that is indexed; the file keeps all of it."""


def describe(path: Path) -> Description:
    """What can be said of the file at `path`, or why nothing can be."""
    try:
        width, height = read_size(path)
    except FileError as error:
        return Description(problem=error.message)
    if folders.runs() in path.parents:
        return _of_sample(path, width, height)
    try:
        settings = settings_in(path)
    except FileError:  # a picture all the same
        settings = None
    if settings is None:
        return Description(width, height)
    record = settings.record or TaskRecord(settings.task, settings.values)
    return Description(
        width,
        height,
        _nearest(record, "prompt"),
        _nearest(record, "negative_prompt"),
        _nearest(record, "model"),
        _nearest(record, "seed"),
        record.name,
    )


def _nearest(record: TaskRecord, field: str) -> str:
    """The value of a field in the record, else in that of the picture it was made from."""
    step: TaskRecord | None = record
    while step is not None:
        if field in step.values:
            return str(step.values[field])[:MOST_CHARACTERS]
        step = step.source
    return ""


def _of_sample(path: Path, width: int, height: int) -> Description:
    """The latest pictures of a training: found by the run, the trainer and what it learns from."""
    run = RunFolder(path.parent.parent)
    try:
        said = run.description()
    except FileError:
        said = {}
    fields = said.get("fields")
    data = str(fields.get("dataset", "")) if isinstance(fields, dict) else ""
    return Description(
        width,
        height,
        prompt=Path(data).name[:MOST_CHARACTERS],
        model=run.path.name,
        task=str(said.get("task", ""))[:MOST_CHARACTERS],
    )
