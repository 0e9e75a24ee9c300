"""Builds the application: logging, excepthook, settings, theme, engines, main window."""

from __future__ import annotations

import logging
import signal
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from engine import device, folders
from engine.process import Standby
from engine.worker import Engine
from studio.garbage import GarbageCollector
from studio.journal import Journal
from studio.main_window import DOCK_HEIGHT, MainWindow
from studio.panels.log_records import LogHandler
from studio.settings import PARK_TRAINING, TEXT_SCALE, THEME, THREADS, Settings
from studio.theme import Theme

log = logging.getLogger(__name__)

LOG_BYTES = 1_000_000
STANDBY_AFTER = 1000  # milliseconds: the window paints first


def main() -> int:
    """Run the studio; returns the exit code of the process."""
    device.prepare_environment()
    records = LogHandler()
    _start_logging(records)
    sys.excepthook = _log_exception
    app = QApplication(sys.argv)
    app.setApplicationName("Atelier")
    studio = Studio(app, records)
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl+C in the terminal, the end of the session
        signal.signal(number, lambda *_: app.quit())
    studio.window.show()
    for path in app.arguments()[1:2]:  # what Qt has not taken for itself
        studio.window.open_file(Path(path).absolute())
    code = app.exec()
    studio.close()
    return code


class Studio:
    """The parts of a running studio and what joins them."""

    def __init__(self, app: QApplication, records: LogHandler) -> None:
        self._garbage = GarbageCollector(app)
        self.settings = Settings()
        self.theme = Theme(
            app, self.settings.value(THEME, "system"), self.settings.value(TEXT_SCALE, 100)
        )
        self.standby = Standby()
        self.make = Engine("make", self.standby)
        self.train = Engine("train", self.standby)
        self.fetch = Engine("fetch", self.standby)
        self._engines = (self.make, self.train, self.fetch)
        self.window = MainWindow(self.make, self.train, self.fetch, self.settings)
        self._records = records
        self._journal = Journal(self._engines)
        self.make.busy_changed.connect(self._park)
        self.settings.changed.connect(self._apply)
        self._set_threads()
        QTimer.singleShot(0, self._add_panels)
        QTimer.singleShot(STANDBY_AFTER, self.standby.prepare)

    def close(self) -> None:
        """End the engines; what runs is cancelled and saves what it can."""
        for engine in self._engines:
            engine.request_close()
        for engine in self._engines:
            engine.close()
        self.standby.close()
        self._garbage.close()

    def _add_panels(self) -> None:
        from studio.panels.jobs import JobsPanel
        from studio.panels.log import LogPanel
        from studio.widgets.folding import Folding

        jobs = JobsPanel(self._engines, self.window)
        self.window.add_dock(jobs, shown=True)
        self.window.add_dock(LogPanel(self._records, self.window), shown=False)
        self.window.restore_layout()
        folding = Folding(self.window, jobs, jobs.empty_text, DOCK_HEIGHT, self.settings)
        jobs.emptied.connect(folding.set_empty)
        folding.set_empty(jobs.is_empty)

    def _park(self) -> None:
        """Let training wait while something is made."""
        wanted = self.settings.value(PARK_TRAINING, True)
        self.train.set_parked(wanted and self.make.busy)

    def _apply(self, key: str) -> None:
        """Carry out a preference that has just changed."""
        if key == THEME:
            self.theme.set_scheme(self.settings.value(THEME, "system"))
        elif key == TEXT_SCALE:
            self.theme.set_text_scale(self.settings.value(TEXT_SCALE, 100))
        elif key == PARK_TRAINING:
            self._park()
        elif key == THREADS:
            self._set_threads()

    def _set_threads(self) -> None:
        for engine in (self.make, self.train):
            engine.threads = self.settings.value(THREADS, 0)


def _start_logging(records: logging.Handler) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(), records]
    try:
        folders.logs().mkdir(parents=True, exist_ok=True)
        handlers.append(
            RotatingFileHandler(
                folders.logs() / "atelier.log", maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8"
            )
        )
    except OSError as error:  # a full or read-only disk must not keep the studio from opening
        print(f"no log file: {error}", file=sys.stderr)  # noqa: T201
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=handlers,
    )


def _log_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """A bug in the window: logged with its traceback, shown in the log panel; work goes on."""
    log.critical("unexpected %s", kind.__name__, exc_info=(kind, error, trace))
