"""Which model it was, to the last bit: hashes of weights, remembered until the file changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from engine import files, folders
from engine.errors import FileError
from engine.events import Progress, Report

BLOCK = 2**22


def sha256(path: Path, report: Report) -> str:
    """SHA-256 of the file, computed once for each size and time of change; raises Cancelled."""
    status = path.stat()
    key = f"{path}|{status.st_size}|{status.st_mtime_ns}"
    known = _known()
    if key not in known:
        known[key] = _sha256(path, status.st_size, report)
        with contextlib.suppress(FileError):  # it is only quicker the next time
            files.write_json(_record(), known)
    return str(known[key])


def _sha256(path: Path, size: int, report: Report) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for number, block in enumerate(iter(lambda: stream.read(BLOCK), b"")):
            report(Progress(min(number * BLOCK, size), size, "checking the model file, once"))
            digest.update(block)
    return digest.hexdigest()


def _record() -> Path:
    return folders.cache() / "sha256.json"


def _known() -> dict[str, Any]:
    try:
        known = json.loads(_record().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
