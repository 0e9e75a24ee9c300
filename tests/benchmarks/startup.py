"""How long until the window is painted, against a bare PySide6 window with one pyqtgraph plot.

    python tests/benchmarks/startup.py

Whole processes, alternating, in one run; read the ratio, not the seconds. Needs a display (or
QT_QPA_PLATFORM=offscreen).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 9

WATCH = """
import sys
from PySide6.QtCore import QEvent, QObject, QTimer
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, painted)
        return False
def painted():
    heavy = [m for m in ("torch", "transformers", "diffusers") if m in sys.modules]
    print("painted", *heavy, flush=True)
"""

BARE = (
    WATCH
    + """
import pyqtgraph
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([])
watch = Watch()
window = QMainWindow()
plot = pyqtgraph.PlotWidget()
plot.viewport().installEventFilter(watch)
plot.plot(range(100))
window.setCentralWidget(plot)
window.resize(1280, 800)
window.show()
app.exec()
"""
)

STUDIO = (
    WATCH
    + """
from studio import app
from studio.main_window import MainWindow
watch = Watch()
show = MainWindow.show
def watched_show(window):
    window.installEventFilter(watch)
    show(window)
MainWindow.show = watched_show
app.main()
"""
)


def seconds_to_paint(code: str) -> float:
    """Wall time from starting the process to its first painted window."""
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "ATELIER_HOME": home},
        )
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        seconds = time.perf_counter() - began
        process.kill()
        process.wait()
        process.stdout.close()
    if line != "painted":
        raise SystemExit(f"unexpected: {line!r} (a heavy library before the first paint?)")
    return seconds


def main() -> None:
    seconds_to_paint(BARE), seconds_to_paint(STUDIO)  # files into the page cache
    pairs = [(seconds_to_paint(BARE), seconds_to_paint(STUDIO)) for _ in range(RUNS)]
    bare, studio = zip(*pairs, strict=True)
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"bare window with a plot  median {statistics.median(bare):.2f} s")
    print(f"the studio               median {statistics.median(studio):.2f} s")
    print(f"ratio, pair by pair      median {ratio:.2f}")


if __name__ == "__main__":
    main()
