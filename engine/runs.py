"""A training run is a folder that any program can read, while it grows and afterwards.

run.json             the task, versions, seed, threads
metrics.jsonl        one flushed line a log: see engine/metrics_log.py
samples/000500.png   grids drawn from fixed noise, or 000500.txt: texts from fixed prompts
checkpoints/step-500 safetensors and a manifest with hashes
control/000001.json  commands from outside: see engine/mailbox.py
heartbeat.json       who is training it, and when they last said so
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from engine import files, liveness
from engine.errors import FileError
from engine.mailbox import COMMANDS as COMMANDS
from engine.mailbox import Command, Mailbox
from engine.metrics_log import MetricLine as MetricLine
from engine.metrics_log import MetricsTail as MetricsTail
from engine.metrics_log import parse_metric

FORMAT = 1  # of run.json; a higher number is from a later version
FOLDERS = ("samples", "checkpoints", "control")
SAMPLE_SUFFIXES = (".png", ".txt")
MANIFEST = "manifest.json"
STALE_AFTER = 30.0  # seconds without a heartbeat until a run counts as interrupted


@dataclass(frozen=True)
class Heartbeat:
    """What the trainer last said of itself. `state`: running, paused, stopped, finished, failed."""

    state: str
    step: int
    time: float
    pid: int
    host: str

    @property
    def alive(self) -> bool:
        """Whether somebody is training now: never believed from a stored flag alone."""
        if self.state not in ("running", "paused"):
            return False
        if self.host != socket.gethostname():
            return time.time() - self.time < STALE_AFTER
        if not liveness.process_exists(self.pid):
            return False
        began = liveness.started(self.pid)
        return began is None or began < self.time + 2.0  # else it is another one with its number


class RunFolder:
    """Reads and writes one run. The trainer writes everything but `control`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mailbox = Mailbox(path / "control")
        self._last_state = ""
        self._last_beat = 0.0

    # ------------------------------------------------------------------ description

    @property
    def exists(self) -> bool:
        return (self.path / "run.json").is_file()

    def create(self, description: Mapping[str, Any]) -> None:
        """Make the folder; raises FileError. Once more, with another description, changes it."""
        for folder in (self.path, *(self.path / name for name in FOLDERS)):
            files.make_folder(folder)
        files.write_json(self.path / "run.json", dict(description))

    def description(self) -> dict[str, Any]:
        """What run.json says; raises FileError."""
        return files.read_json(self.path / "run.json")

    def check_format(self) -> None:
        """Raises FileError when a later version made the run: to go on with it could spoil it."""
        number = self.description().get("format", FORMAT)
        if not isinstance(number, int) or number > FORMAT:
            raise FileError(
                f"{self.path} was made by a newer version of Atelier.",
                "It can be watched here; to go on with it, use that version.",
            )

    def sweep(self) -> None:
        """Remove what a killed trainer or window left half-written."""
        for folder in (self.path, *(self.path / name for name in FOLDERS)):
            files.sweep_temporary(folder)

    # ------------------------------------------------------------------ metrics

    @property
    def metrics_path(self) -> Path:
        return self.path / "metrics.jsonl"

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._append({"step": step, "time": time.time(), "values": dict(values)})

    def log_event(self, step: int, event: str, details: Mapping[str, Any] | None = None) -> None:
        """`details` is the event for programs, such as {"set": {"learning_rate": 0.001}}."""
        record = {"step": step, "time": time.time(), "event": event}
        self._append({**record, "details": dict(details)} if details else record)

    def metric_texts(self) -> list[tuple[str, MetricLine]]:
        """The lines that are whole, as they were written and as they are read; raises FileError."""
        try:
            lines = self.metrics_path.read_bytes().decode("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise files.unreadable(self.metrics_path, error) from error
        return [(text, line) for text in lines if (line := parse_metric(text))]

    def drop_metrics_after(self, step: int) -> None:
        """Forget what was measured after `step`, which a resumed run measures again."""
        if self.metrics_path.exists():
            kept = [text for text, line in self.metric_texts() if line.step <= step]
            files.write_text(self.metrics_path, "".join(f"{text}\n" for text in kept))

    def _append(self, record: Mapping[str, Any]) -> None:
        files.append_line(self.metrics_path, json.dumps(record))

    # ------------------------------------------------------------------ samples, checkpoints

    def sample_path(self, step: int, suffix: str = ".png") -> Path:
        return self.path / "samples" / f"{step:06d}{suffix}"

    def has_sample(self, step: int) -> bool:
        return any(self.sample_path(step, suffix).exists() for suffix in SAMPLE_SUFFIXES)

    def save_sample(self, step: int, sample: Image.Image | str) -> Path:
        """Write a grid of images as PNG, a text as UTF-8; raises FileError."""
        if isinstance(sample, str):
            path = self.sample_path(step, ".txt")
            files.write_text(path, sample)
            return path
        path = self.sample_path(step)
        files.write_with(path, lambda temporary: sample.save(temporary, "PNG"))
        return path

    def samples(self) -> list[tuple[int, Path]]:
        """(step, path) of the sample grids or texts, in the order of training."""
        found = (self.path / "samples").glob("[0-9]*")
        return sorted(
            (int(path.stem), path)
            for path in found
            if path.suffix in SAMPLE_SUFFIXES and path.stem.isdecimal()
        )

    def checkpoint_path(self, step: int) -> Path:
        return self.path / "checkpoints" / f"step-{step}"

    def checkpoints(self) -> list[tuple[int, Path]]:
        """(step, folder) of the complete checkpoints, newest last."""
        found = (self.path / "checkpoints").glob("step-*")
        complete = [path for path in found if (path / MANIFEST).is_file()]
        return sorted(
            (int(number), path)
            for path in complete
            if (number := path.name.removeprefix("step-")).isdecimal()
        )

    # ------------------------------------------------------------------ control

    def send(self, command: str, **details: Any) -> int:
        """Ask the trainer for something; returns the number under which it will acknowledge.

        `details`: see engine/mailbox.py. Raises FileError.
        """
        return self.mailbox.send(command, details)

    def commands_after(self, number: int) -> list[tuple[int, Command]]:
        """Commands with a higher number, oldest first; a damaged one is an empty word."""
        return self.mailbox.after(number)

    def last_command(self) -> int:
        return self.mailbox.last()

    # ------------------------------------------------------------------ heartbeat

    def beat(self, state: str, step: int, every: float = 0.0) -> None:
        """Say that this process trains the run: a new state at once, else every `every` seconds."""
        now = time.monotonic()
        if state == self._last_state and now - self._last_beat < every:
            return
        self._last_state, self._last_beat = state, now
        files.write_json(
            self.path / "heartbeat.json",
            {
                "state": state,
                "step": step,
                "time": time.time(),
                "pid": os.getpid(),
                "host": socket.gethostname(),
            },
        )

    def heartbeat(self) -> Heartbeat | None:
        path = self.path / "heartbeat.json"
        if not path.is_file():
            return None
        said = files.read_json(path)
        try:
            return Heartbeat(
                str(said["state"]),
                int(said["step"]),
                float(said["time"]),
                int(said["pid"]),
                str(said["host"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FileError(f"{path} is damaged.", "Delete it; the run itself is safe.") from error


def list_runs(folder: Path) -> list[RunFolder]:
    """The runs in `folder`, newest first."""
    dated: list[tuple[float, Path]] = []
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):  # it holds no run, or was removed just now
            dated.append(((path / "run.json").stat().st_mtime, path))
    return [RunFolder(path) for _, path in sorted(dated, reverse=True)]
