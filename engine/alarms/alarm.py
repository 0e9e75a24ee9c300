"""An alarm as it stands in metrics.jsonl: what is wrong, why, the numbers, and what can be done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOT_FINITE = "not_finite"
EXPLODING = "exploding_gradients"
DISCRIMINATOR_WINS = "discriminator_winning"
COLLAPSE = "mode_collapse"
OVERFITTING = "overfitting"


@dataclass(frozen=True)
class Remedy:
    """A way out: go back to the checkpoint of `step`, give live fields other values, or both."""

    step: int | None = None
    changes: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"step": self.step, "changes": dict(self.changes)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Remedy:
        """Raises ValueError, TypeError, KeyError or AttributeError for nonsense."""
        step = record["step"]
        changes = {str(name): float(value) for name, value in record["changes"].items()}
        return cls(None if step is None else int(step), changes)


@dataclass(frozen=True)
class Alarm:
    """`event` marks the curve; `reason` explains it to a person; `numbers` are all finite."""

    kind: str
    event: str
    reason: str
    numbers: Mapping[str, float]
    remedies: tuple[Remedy, ...] = ()

    def details(self) -> dict[str, Any]:
        """For `RunFolder.log_event`."""
        return {
            "alarm": {
                "kind": self.kind,
                "reason": self.reason,
                "numbers": {n: v for n, v in self.numbers.items() if math.isfinite(v)},
                "remedies": [remedy.to_dict() for remedy in self.remedies],
            }
        }

    @classmethod
    def from_details(cls, event: str, details: Mapping[str, Any]) -> Alarm | None:
        """The alarm of a line of metrics.jsonl; None when it is none, or damaged."""
        try:
            record = details["alarm"]
            return cls(
                str(record["kind"]),
                event,
                str(record["reason"]),
                {str(name): float(value) for name, value in record["numbers"].items()},
                tuple(Remedy.from_dict(remedy) for remedy in record["remedies"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None


@dataclass(frozen=True)
class AllClear:
    """What an alarm was raised for is over."""

    kind: str
    event: str

    def details(self) -> dict[str, Any]:
        return {"cleared": self.kind}
