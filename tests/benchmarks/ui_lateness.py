"""How late the window's own clock gets while models write, draw and train in it.

    xvfb-run -s "-screen 0 1366x768x24" python tests/benchmarks/ui_lateness.py

A precise 16 ms timer on the GUI thread notes how late it fires. Idle phases of the same window in
the same run are the control: read the difference, not the figure. Needs the starter pack
(`python -m engine fetch_pack`).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QPlainTextEdit

from engine import device, packs
from engine.worker import Engine
from studio.app import Studio
from studio.panels.log_records import LogHandler

INTERVAL = 16  # milliseconds
SECONDS = 20.0  # of each phase


class Lateness(QObject):
    """Milliseconds by which a 16 ms timer fires late."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def measure(self, until: Callable[[], bool]) -> list[float]:
        self.late = []
        self._last = time.perf_counter()
        self._timer.start()
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end and not until():
            QTest.qWait(100)
        self._timer.stop()
        return self.late

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - INTERVAL))
        self._last = now


def figures(late: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and maximum."""
    ordered = sorted(late)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]


def trigger(workspace: QMainWindow, name: str) -> None:
    next(action for action in workspace.actions() if action.objectName() == name).trigger()


def type_prompt(workspace: QMainWindow, text: str) -> None:
    prompt = next(
        e for e in workspace.findChildren(QPlainTextEdit) if e.accessibleName() == "Prompt"
    )
    prompt.setPlainText(text)


def phase(
    studio: Studio, lateness: Lateness, name: str, action: str, prompt: str, engine: Engine
) -> None:
    """One activity, with the idle window before it as its control."""
    workspace = studio.window.open_workspace(name)
    QTest.qWait(3000)
    idle = figures(lateness.measure(lambda: False))
    if prompt:
        type_prompt(workspace, prompt)

    def keep_busy() -> bool:
        if not engine.busy:
            trigger(workspace, action)
        return False

    busy = figures(lateness.measure(keep_busy))
    for job in engine.jobs:
        job.cancel()
    while engine.busy:
        QTest.qWait(50)
    more = [b - i for b, i in zip(busy, idle, strict=True)]
    row = "  ".join(
        f"{i:6.1f} {b:6.1f} {m:+6.1f}" for i, b, m in zip(idle, busy, more, strict=True)
    )
    print(f"{name:8}  {row}", flush=True)


def main() -> None:
    device.prepare_environment()
    if not packs.installed(packs.PACKS[0]):
        sys.exit("The starter pack is missing: python -m engine fetch_pack")
    app = QApplication(sys.argv)
    studio = Studio(app, LogHandler())
    studio.window.show()
    lateness = Lateness()
    print(
        "lateness in ms    p50: idle  busy  more    p99: idle  busy  more    max: idle  busy  more"
    )
    phase(studio, lateness, "write", "write_ask", "Tell a long story about the sea.", studio.make)
    phase(studio, lateness, "create", "create_generate", "red heart", studio.make)
    phase(studio, lateness, "train", "start", "", studio.train)
    studio.window.close()
    studio.close()


if __name__ == "__main__":
    main()
