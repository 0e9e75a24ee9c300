"""Everything a picture's file tells of how it was made, as lines for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from engine import registry
from engine.errors import EngineError, FileError
from engine.metadata import TaskRecord, Value
from engine.picture_settings import OWN_PROGRAM, Settings, settings_in
from engine.task import Param

SHOWN_APART = ("prompt", "negative_prompt")
MOST_VALUE = 2000  # characters


@dataclass(frozen=True)
class Section:
    """One step of how a picture was made: the last one first."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """What it is, and its value."""


@dataclass(frozen=True)
class Facts:
    prompt: str = ""
    negative_prompt: str = ""
    sections: tuple[Section, ...] = ()
    problem: str = ""
    """Why nothing can be told."""


def read_facts(path: Path) -> Facts:
    """Off the GUI thread: it reads a file."""
    try:
        settings = settings_in(path)
    except FileError as error:
        return Facts(problem=error.message)
    if settings is None:
        return Facts()
    first = settings.record or TaskRecord(settings.task, settings.values)
    steps = _steps(first)
    sections = [_section(step, settings.program) for step in steps]
    sections += _others(settings, first)
    return Facts(_nearest(steps, "prompt"), _nearest(steps, "negative_prompt"), tuple(sections))


def _steps(record: TaskRecord | None) -> list[TaskRecord]:
    steps = []
    while record is not None:
        steps.append(record)
        record = record.source
    return steps


def _nearest(steps: list[TaskRecord], name: str) -> str:
    return next((str(step.values[name]) for step in steps if name in step.values), "")


def _section(record: TaskRecord, program: str) -> Section:
    title, params = _names(record.name)
    lines = [
        _line(name, value, params.get(name))
        for name, value in record.values.items()
        if name not in SHOWN_APART and value != ""
    ]
    lines += [(_tr("As written"), _shown(value)) for value in record.written.values()]
    if record.model_hash:
        lines.append((_tr("Model hash"), record.model_hash[:16]))
    return Section(title if program == OWN_PROGRAM else f"{title} ({program})", tuple(lines))


def _others(settings: Settings, record: TaskRecord) -> list[Section]:
    """What else has to be the same for the same picture, and what has no place here."""
    sections = []
    if settings.left_out:
        lines = tuple(("", left_out) for left_out in settings.left_out)
        sections.append(Section(_tr("Not known here"), lines))
    if record.made_with:
        lines = tuple((name, _shown(value)) for name, value in record.made_with.items())
        sections.append(Section(_tr("Made with"), lines))
    return sections


def _line(name: str, value: Value, param: Param | None) -> tuple[str, str]:
    if param is None:
        return name, _shown(value)
    return param.label, param.zero if value == 0 and param.zero else _shown(value)


def _names(task: str) -> tuple[str, dict[str, Param]]:
    """What a person calls a task and its fields, where it is known."""
    try:
        found = registry.task_class(task)
    except EngineError:
        return task, {}
    return found.title, {field.name: field.param for field in found.fields()}


def task_title(task: str) -> str:
    return _names(task)[0]


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return _tr("yes") if value else _tr("no")
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MOST_VALUE else text[:MOST_VALUE] + " …"


def _tr(text: str) -> str:
    return QCoreApplication.translate("picture_facts", text)
