"""The model process: a task goes in through a pipe, its events come out. No Qt at either end.

Models run here and not in the window: importing torch or loading a tokenizer holds the interpreter
for up to a second, and a crash or a call that never returns must cost one job, not the window.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine import device, errors
from engine.errors import Cancelled, EngineError
from engine.task import Event, Preview, Progress, Task, Token

EVENT_INTERVAL = 1 / 30  # seconds between two batches of events
WARM_AFTER = 3.0  # seconds of idleness after which a standby process imports the heavy libraries

# What crosses the pipe, window → model process


@dataclass(frozen=True)
class RunTask:
    job: int
    task: Task
    out: Path
    threads: int = 0


@dataclass(frozen=True)
class CancelTask:
    job: int


@dataclass(frozen=True)
class Park:
    """Wait at the next report until `on` is False again."""

    on: bool


# … and back


@dataclass(frozen=True)
class Begun:
    """The process has the task; from here on its death is the task's failure."""

    job: int


@dataclass(frozen=True)
class Events:
    job: int
    events: Sequence[Event]


@dataclass(frozen=True)
class Parked:
    job: int
    on: bool


@dataclass(frozen=True)
class Stopping:
    """Cancelled was raised in the task, which now tidies up (a trainer saves its checkpoint)."""

    job: int


@dataclass(frozen=True)
class Ended:
    """The end of a run: `error` when it failed, `cancelled` when it was stopped."""

    job: int
    error: EngineError | None = None
    cancelled: bool = False


class ModelProcess:
    """The window's end: starts the process and holds its pipe.

    With `isolated=False` the same code runs in a thread, for debugging; it cannot be killed then.
    """

    def __init__(self, isolated: bool = True) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: Any = None
        self._killed = False
        if isolated:
            self._process = context.Process(
                target=_serve_isolated, args=(theirs,), name="atelier model", daemon=True
            )
            self._process.start()
            theirs.close()
        else:
            threading.Thread(target=_serve, args=(theirs,), daemon=True).start()

    @property
    def alive(self) -> bool:
        if self._process is None:
            return not self._killed
        return bool(self._process.is_alive())

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def kill(self) -> None:
        """End the process at once and free what it holds."""
        self._killed = True
        self.connection.close()
        if self._process:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None

    def exit_reason(self) -> str:
        """Why the process ended by itself, in words."""
        self._process.join(1.0)
        code = self._process.exitcode
        if code is None:
            return "it closed its pipe"
        if code < 0:
            return f"it was ended by {signal.Signals(-code).name}"
        return f"it exited with code {code}"


class Standby:
    """Keeps one process ready, with the heavy imports done, for whoever needs the next one."""

    def __init__(self, isolated: bool = True) -> None:
        self._isolated = isolated
        self._lock = threading.Lock()
        self._ready: ModelProcess | None = None

    def prepare(self) -> None:
        with self._lock:
            self._prepare()

    def take(self) -> ModelProcess:
        """A process of the caller's own; the next one is prepared behind it."""
        with self._lock:
            self._prepare()
            taken, self._ready = self._ready, None
            self._prepare()
        assert taken is not None
        return taken

    def close(self) -> None:
        with self._lock:
            if self._ready:
                self._ready.kill()
            self._ready = None

    def _prepare(self) -> None:
        if self._ready and not self._ready.alive:
            self._ready.kill()
            self._ready = None
        if self._ready is None:
            self._ready = ModelProcess(self._isolated)


# --------------------------------------------------------------------------- the other end


def _serve_isolated(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the window to decide
    device.prepare_environment()
    device.lower_priority()
    if not connection.poll(WARM_AFTER):
        _import_heavy_libraries()
    _serve(connection)


def _import_heavy_libraries() -> None:
    import diffusers  # noqa: F401
    import torch  # noqa: F401
    import transformers  # noqa: F401


def _serve(connection: Connection) -> None:
    """Run one task after the other until the window is gone."""
    outbox = _Outbox(connection)
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        if isinstance(message, RunTask):
            outbox.send(_Run(message, connection, outbox).run())


class _Run:
    """One run of a task in this process."""

    def __init__(self, request: RunTask, connection: Connection, outbox: _Outbox) -> None:
        self._request = request
        self._connection = connection
        self._outbox = outbox
        self._cancel = False
        self._told = False
        self._parked = False

    def run(self) -> Ended:
        job = self._request.job
        self._outbox.send(Begun(job))
        device.choose_threads(self._request.threads)
        try:
            self._request.task.run(self.report, self._request.out)
        except Cancelled:
            return Ended(job, cancelled=True)
        except EngineError as error:
            return Ended(job, error)
        except Exception as error:  # noqa: BLE001 — the worker's edge: whatever is left is a bug
            return Ended(job, errors.explain(error, traceback.format_exc()))
        return Ended(job)

    def report(self, event: Event) -> None:
        while not self._outbox.broken and (self._connection.poll() or self._parked):
            self._take()
        if self._outbox.broken:
            self._cancel = True
        if self._cancel and not self._told:
            self._told = True
            self._outbox.send(Stopping(self._request.job))
            raise Cancelled
        self._outbox.put(self._request.job, event)

    def _take(self) -> None:
        try:
            message = self._connection.recv()
        except (EOFError, OSError):  # the window is gone
            self._cancel, self._parked = True, False
            self._outbox.broken = True
            return
        if isinstance(message, CancelTask) and message.job == self._request.job:
            self._cancel, self._parked = True, False
        elif isinstance(message, Park) and message.on != self._parked and not self._cancel:
            self._parked = message.on
            self._outbox.send(Parked(self._request.job, message.on))


class _Outbox:
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
