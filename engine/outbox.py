"""What a running task says on its way to the window: in batches, what is superfluous left out."""

from __future__ import annotations

import threading
import time
from multiprocessing.connection import Connection

from engine.events import Event, Preview, Progress, Token
from engine.messages import Events

EVENT_INTERVAL = 1 / 30  # seconds between two batches of events


class Outbox:
    """Sends events in batches, 30 a second at most, so that a fast task never floods the window.

    Only the newest Progress and the newest Preview of each picture are kept in a batch, tokens are
    joined; nothing else is dropped, and the last of everything always arrives.
    """

    def __init__(self, connection: Connection) -> None:
        self.broken = False
        self._connection = connection
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._job = 0
        self._sending = threading.Lock()
        threading.Thread(target=self._run, name="outbox", daemon=True).start()

    def put(self, job: int, event: Event) -> None:
        with self._changed:
            self._job = job
            self._events = merge(self._events, event)
            self._changed.notify()

    def send(self, message: object) -> None:
        """Send `message` now, after all that was put before it."""
        with self._sending:
            self._flush()
            self._send(message)

    def _run(self) -> None:
        while not self.broken:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._events))
            with self._sending:
                self._flush()
            time.sleep(EVENT_INTERVAL)

    def _flush(self) -> None:
        with self._changed:
            job, events, self._events = self._job, self._events, []
        if events:
            self._send(Events(job, events))

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except OSError:  # the window is gone; the task hears of it at its next report
            self.broken = True


def merge(events: list[Event], event: Event) -> list[Event]:
    """`events` with `event` added and what it makes superfluous left out."""
    if isinstance(event, Token) and events and isinstance(events[-1], Token):
        return [*events[:-1], Token(events[-1].text + event.text)]
    if isinstance(event, Progress):
        events = [old for old in events if not isinstance(old, Progress)]
    elif isinstance(event, Preview):
        events = [
            old for old in events if not (isinstance(old, Preview) and old.index == event.index)
        ]
    return [*events, event]
