"""What was found out once and would take long to find out again; all of it may be lost.

Each kind is a file of JSON among the caches.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from engine import files, folders
from engine.errors import FileError


def remembered(name: str) -> dict[str, Any]:
    """The values of the file `name`; none where there is no such file or it is spoiled."""
    try:
        return files.read_json(folders.cache() / name)
    except FileError:
        return {}


def remember(name: str, values: Mapping[str, Any]) -> None:
    """Put these in the place of what was there; where they cannot be written, they are lost."""
    with contextlib.suppress(FileError):
        files.write_json(folders.cache() / name, dict(values))
