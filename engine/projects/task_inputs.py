"""What the tasks of a project have read, so that the project can be worked on elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from engine import files, folders
from engine.metadata import TaskRecord

_NAME = re.compile(r"([0-9a-f]{16})\.png")


def inputs_of(records: Iterable[TaskRecord]) -> dict[str, Callable[[], bytes]]:
    """The files that the records name and that are still there, by the hash they are called."""
    found = {}
    for name in {name for record in records for name in _names(record)}:
        path = folders.inputs() / f"{name}.png"
        if path.is_file():
            found[name] = path.read_bytes
    return found


def keep_inputs(inputs: Mapping[str, Callable[[], bytes]]) -> None:
    """Put them where tasks look for them; raises FileError."""
    for name, read in inputs.items():
        path = folders.inputs() / f"{name}.png"
        if not path.exists():
            files.write_bytes(path, read())


def _names(record: TaskRecord) -> Iterator[str]:
    for value in record.values.values():
        found = _NAME.fullmatch(value) if isinstance(value, str) else None
        if found:
            yield found[1]
    if record.source:
        yield from _names(record.source)
