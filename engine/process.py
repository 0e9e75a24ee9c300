"""The model process: a task goes in through a pipe, its events come out. No Qt at either end.

Models run here and not in the window: importing torch or loading a tokenizer holds the interpreter
for up to a second, and a crash or a call that never returns must cost one job, not the window.
"""

from __future__ import annotations

import importlib
import multiprocessing
import signal
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine import cache, device, errors
from engine.errors import Cancelled, EngineError, OutOfMemory
from engine.events import Event, Report
from engine.libraries import importing
from engine.messages import Begun, CancelTask, Ended, Park, Parked, RunTask, Stopping
from engine.outbox import Outbox
from engine.task import Task

HEAVY = (
    ("torch", "Tensor"),
    ("transformers", "CLIPTextModelWithProjection"),
    ("diffusers", "AutoencoderTiny"),
    ("diffusers", "StableDiffusion3Pipeline"),
)
"""What a standby process imports: the libraries, and the classes of the embedded model."""

WARM_AFTER = 3.0  # seconds of idleness after which a standby process imports the heavy libraries


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
        if self._process is None:
            return "its thread ended"
        self._process.join(1.0)
        code = self._process.exitcode
        if code is None:
            return "it closed its pipe"
        if code < 0:
            known = {signal.value: signal.name for signal in signal.Signals}
            return f"it was ended by {known.get(-code, f'signal {-code}')}"
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
    from tqdm import tqdm  # here, not in the window's process, which it would hold up

    # tqdm's own lock is a semaphore of the system, which a killed process would leave behind.
    tqdm.set_lock(threading.RLock())
    if not connection.poll(WARM_AFTER):
        _warm_up(connection)
    _serve(connection)


def _warm_up(connection: Connection) -> None:
    """Import what takes long, one after the other, until there is something to do."""
    for module, name in HEAVY:
        if connection.poll():
            return
        with importing():
            getattr(importlib.import_module(module), name)  # diffusers imports its parts when asked


def _serve(connection: Connection) -> None:
    """Run one task after the other until the window is gone."""
    outbox = Outbox(connection)
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        if isinstance(message, RunTask):
            outbox.send(_Run(message, connection, outbox).run())


def attempt(task: Task, report: Report, out: Path) -> EngineError | None:
    """Run `task`; returns what a person can make of its failure. Cancelled passes through."""
    try:
        task.run(report, out)
    except EngineError as error:
        return error
    except Exception as error:  # noqa: BLE001 — the worker's edge: whatever is left is a bug
        explained = errors.explain(error, traceback.format_exc())
        if isinstance(explained, OutOfMemory):
            cache.clear()  # so that a smaller try has what is there
        return explained
    return None


class _Run:
    """One run of a task in this process."""

    def __init__(self, request: RunTask, connection: Connection, outbox: Outbox) -> None:
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
            return Ended(job, attempt(self._request.task, self.report, self._request.out))
        except Cancelled:
            return Ended(job, cancelled=True)

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
