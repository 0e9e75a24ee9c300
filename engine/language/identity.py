"""Which model it was, to the last bit: hashes of weights, remembered until the file changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.events import Progress, Report
from engine.remembered import remember, remembered

BLOCK = 2**22
RECORD = "sha256.json"


def sha256(path: Path, report: Report) -> str:
    """SHA-256 of the file, computed once for each size and time of change; raises Cancelled."""
    status = path.stat()
    key = f"{path}|{status.st_size}|{status.st_mtime_ns}"
    known = remembered(RECORD)
    if key not in known:
        known[key] = _sha256(path, status.st_size, report)
        remember(RECORD, known)
    return str(known[key])


def _sha256(path: Path, size: int, report: Report) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for number, block in enumerate(iter(lambda: stream.read(BLOCK), b"")):
            report(Progress(min(number * BLOCK, size), size, "checking the model file, once"))
            digest.update(block)
    return digest.hexdigest()
