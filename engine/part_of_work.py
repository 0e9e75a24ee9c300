"""Reports of one piece of work among many alike, as parts of the whole."""

from __future__ import annotations

from engine.events import Event, Progress, Report


def of_many(report: Report, number: int, count: int, what: str) -> Report:
    """The reports of piece `number`, from 0, of `count`; `what` is what a piece is called."""

    def tell(event: Event) -> None:
        if isinstance(event, Progress):
            part = event.step / event.total if event.total else 0.0
            stage = f"{event.stage}: {what} {number + 1} of {count}"
            event = Progress(round(100 * (number + part)), 100 * count, stage)
        report(event)

    return tell
