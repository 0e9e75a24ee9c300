"""metrics.jsonl of a run: one flushed line a log, read while it grows.

{"step", "time", "values": {name: number}}        what was measured
{"step", "time", "event": text}                   what happened
{"step", "time", "event": text, "details": {…}}   the same for programs: {"alarm": …}, {"set": …};
                                                  of a resume also {"max_steps": …}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine import files

if TYPE_CHECKING:
    from engine.runs import RunFolder

OF_THE_MACHINE = frozenset({"steps_per_second", "tokens_per_second", "memory_gb"})
"""Metrics that say how it went, not what was learned: they differ from run to run."""
REMEMBERED = 200  # bytes; every line tells a time, so that no two ends are alike


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
        self._last = b""
        """What stood before the offset. It tells a file that was written anew, also one that has
        grown beyond the offset since; its number on the disk may be that of the old one again."""

    def read(self) -> tuple[list[MetricLine], bool]:
        """(new lines, whether the file was rewritten and everything earlier is void)."""
        try:
            with open(self._run.metrics_path, "rb") as stream:
                stream.seek(self._offset - len(self._last))
                rewritten = stream.read(len(self._last)) != self._last
                if rewritten:
                    self._offset, self._last = 0, b""
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return [], False
        except OSError as error:
            raise files.unreadable(self._run.metrics_path, error) from error
        whole = data[: data.rfind(b"\n") + 1]  # the last line may still be half-written
        self._offset += len(whole)
        self._last = (self._last + whole)[-REMEMBERED:]
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
