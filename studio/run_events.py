"""What the events of a run amount to: the live values as they are now, the alarms that stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.alarms.alarm import Alarm
from engine.metrics_log import MetricLine


class RunEvents:
    """Reads the events of one run in their order."""

    def __init__(self) -> None:
        self.changed: dict[str, Any] = {}
        """Live values that are no longer what run.json says."""
        self.alarms: dict[str, tuple[int, Alarm]] = {}
        """(step, alarm) by kind, newest last, of those that are not over."""

    def read(self, events: Sequence[MetricLine], rewound: bool) -> None:
        """`rewound`: everything read before is void, and is among `events` as far as it counts."""
        if rewound:
            self.changed.clear()
            self.alarms.clear()
        for line in events:
            self._read(line)

    def _read(self, line: MetricLine) -> None:
        if alarm := Alarm.from_details(line.event, line.details):
            self.alarms.pop(alarm.kind, None)
            self.alarms[alarm.kind] = (line.step, alarm)
        self.alarms.pop(str(line.details.get("cleared")), None)
        if line.event == "resumed" or "from" in line.details:
            self.alarms.clear()  # whoever goes on looks anew
        values = line.details.get("set")
        if isinstance(values, Mapping):
            self.changed.update({str(name): value for name, value in values.items()})
