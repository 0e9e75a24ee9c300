"""metrics.jsonl of a run: one flushed line a log, read while it grows.

{"step", "time", "values": {name: number}}        what was measured
{"step", "time", "event": text}                   what happened
{"step", "time", "event": text, "details": {…}}   the same for programs: {"alarm": …}, {"set": …}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import files

if TYPE_CHECKING:
    from engine.runs import RunFolder


@dataclass(frozen=True)
class MetricLine:
    """One line of metrics.jsonl: numbers measured at `step`, or an event that happened there."""

    step: int
    time: float
    values: Mapping[str, float]
    event: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What a program can use of the event: {"set": {name: value}}, {"alarm": {…}}."""


class MetricsTail:
    """Reads metrics.jsonl as it grows: each `read()` returns the lines that are new."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._offset = 0
        self._inode = 0

    def read(self) -> tuple[list[MetricLine], bool]:
        """(new lines, whether the file was rewritten and everything earlier is void)."""
        try:
            with open(self._run.metrics_path, "rb") as stream:
                status = os.fstat(stream.fileno())
                rewritten = self._inode not in (0, status.st_ino) or status.st_size < self._offset
                if rewritten:
                    self._offset = 0
                self._inode = status.st_ino
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return [], False
        except OSError as error:
            raise files.unreadable(self._run.metrics_path, error) from error
        whole = data[: data.rfind(b"\n") + 1]  # the last line may still be half-written
        self._offset += len(whole)
        lines = whole.decode("utf-8", "replace").split("\n")
        return [line for text in lines if (line := parse_metric(text))], rewritten


def parse_metric(line: str) -> MetricLine | None:
    """One line of metrics.jsonl, or None when it is damaged (a run never fails for its log)."""
    try:
        record = json.loads(line)
        values = {str(k): float(v) for k, v in record.get("values", {}).items()}
        details = record.get("details")
        return MetricLine(
            int(record["step"]),
            float(record["time"]),
            values,
            str(record.get("event", "")),
            details if isinstance(details, dict) else {},
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
