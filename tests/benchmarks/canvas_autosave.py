"""What saving costs the person who paints: 4096 × 4096 pixels, ten layers without a blank pixel.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/canvas_autosave.py

"window" is the time for which the GUI thread itself is busy with a save; "late" is by how much a
16 ms timer fires late while the rest goes on in another thread. The idle window in the same run is
the control: read the difference, not the figure.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtCore import QObject, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QUndoStack
from PySide6.QtWidgets import QApplication, QWidget

from studio.canvas.document import Document
from studio.canvas.layer import Layer
from studio.canvas.tiles import TileStore
from studio.projects import Projects
from studio.settings import Settings
from studio.surroundings import Surroundings

SIDE = int(os.environ.get("SIDE", "4096"))
LAYERS = int(os.environ.get("LAYERS", "10"))
INTERVAL = 16


class Clock(QObject):
    """Milliseconds by which its ticks come late."""

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self._last = 0.0
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def measure(self, name: str, until: Callable[[], bool]) -> None:
        began = time.perf_counter()
        self.late, self._last = [], began
        self._timer.start()
        while not until():
            QApplication.processEvents()
            time.sleep(0.001)
        self._timer.stop()
        late = sorted(self.late) or [0.0]
        print(
            f"{name:44} {time.perf_counter() - began:6.1f} s   late: median"
            f" {statistics.median(late):5.1f}  99 % {late[int(len(late) * 0.99)]:6.1f}"
            f"  most {late[-1]:6.1f} ms",
            flush=True,
        )

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, (now - self._last) * 1000 - INTERVAL))
        self._last = now


def photograph(seed: int) -> QImage:
    """Smooth light with the grain of a sensor, opaque: no two tiles are equal."""
    random = np.random.default_rng(seed)
    light = np.linspace(30, 200, SIDE, dtype=np.float32)
    grain = random.normal(0, 3, (SIDE, SIDE, 1)).astype(np.float32)
    pixels = np.empty((SIDE, SIDE, 4), np.uint8)
    pixels[:, :, :3] = (light[:, None, None] + light[None, :, None] * 0.2 + grain).clip(0, 255)
    pixels[:, :, 3] = 255
    return QImage(
        pixels.data, SIDE, SIDE, SIDE * 4, QImage.Format.Format_ARGB32_Premultiplied
    ).copy()


def stroke(document: Document, at: QPoint) -> None:
    layer = document.active
    assert layer is not None
    rect = QRect(at, QSize(400, 120))
    with document.edit(layer, "Stroke") as edit, edit.paint(rect) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor("orange"))
        painter.drawEllipse(rect)


def size_of(folder: Path) -> float:
    """Megabytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    home = tempfile.TemporaryDirectory()
    os.environ["ATELIER_HOME"] = home.name
    app = QApplication([])
    window, clock = QWidget(), Clock()
    document = Document(QSize(SIDE, SIDE), QUndoStack(window), window)
    around = Surroundings(lambda: {"prompt": "x"}, lambda _: None, dict, lambda _: None)
    projects = Projects(document, around, Settings(), window)
    saving = projects._autosaving
    projects.restore()
    while projects._restoring:
        app.processEvents()
    for number in range(LAYERS):
        pixels = TileStore.from_image(photograph(number))
        document.add_layer(Layer(f"Layer {number}", pixels=pixels, opacity=0.8))
    saving._stop()

    began, cpu, rounds = time.perf_counter(), time.thread_time(), 20
    for _ in range(rounds):
        saving._take()
    print(
        f"window: a snapshot of {LAYERS} layers of {SIDE} × {SIDE}"
        f" {(time.thread_time() - cpu) / rounds * 1000:.2f} ms of processor,"
        f" {(time.perf_counter() - began) / rounds * 1000:.2f} ms"
    )
    end = time.perf_counter() + 5
    clock.measure("idle", lambda: time.perf_counter() > end)
    saving._save()
    clock.measure("the first autosave, of everything", lambda: not saving._busy)
    before = size_of(saving.folder)
    stroke(document, QPoint(900, 900))
    saving._save()
    clock.measure("an autosave after one stroke", lambda: not saving._busy)
    print(f"  on the disk: {before:.0f} MB, one stroke {size_of(saving.folder) - before:.2f} MB")

    path = Path(home.name) / "large.atelier"
    done: list[str] = []
    projects.said.connect(done.append)
    projects.failed.connect(lambda error: sys.exit(str(error)))
    projects.save_to(path)
    clock.measure("a project saved for the first time", lambda: len(done) == 1)
    stroke(document, QPoint(1500, 300))
    projects.save_to(path)
    clock.measure("saved again after one stroke", lambda: len(done) == 2)
    print(f"  the file: {path.stat().st_size / 1e6:.0f} MB")
    projects.close()


if __name__ == "__main__":
    main()
