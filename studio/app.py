"""Builds the application: logging, excepthook, settings, theme, engines, main window."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from engine import device, folders
from engine.process import Standby
from engine.worker import Engine
from studio.main_window import MainWindow
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
    settings = Settings()
    look = Theme(app, settings.value(THEME, "system"), settings.value(TEXT_SCALE, 100))
    standby = Standby()
    make, train = Engine("make", standby), Engine("train", standby)
    window = MainWindow(make, train, settings, look)
    conductor = Conductor(make, train, settings, look)
    settings.changed.connect(conductor.apply)
    window.show()
    QTimer.singleShot(0, lambda: _add_panels(window, make, train, records))
    QTimer.singleShot(STANDBY_AFTER, standby.prepare)
    code = app.exec()
    for engine in (make, train):
        engine.request_close()
    for engine in (make, train):
        engine.close()
    standby.close()
    return code


class Conductor:
    """Lets training wait while something is made, and lets preferences take effect."""

    def __init__(self, make: Engine, train: Engine, settings: Settings, look: Theme) -> None:
        self._make, self._train = make, train
        self._settings = settings
        self._look = look
        make.busy_changed.connect(self._park)
        self._set_threads()

    def _park(self) -> None:
        wanted = self._settings.value(PARK_TRAINING, True)
        self._train.set_parked(wanted and self._make.busy)

    def apply(self, key: str) -> None:
        """Carry out a preference that has just changed."""
        if key == THEME:
            self._look.set_scheme(self._settings.value(THEME, "system"))
        elif key == TEXT_SCALE:
            self._look.set_text_scale(self._settings.value(TEXT_SCALE, 100))
        elif key == PARK_TRAINING:
            self._park()
        elif key == THREADS:
            self._set_threads()

    def _set_threads(self) -> None:
        for engine in (self._make, self._train):
            engine.threads = self._settings.value(THREADS, 0)


def _add_panels(window: MainWindow, make: Engine, train: Engine, records: LogHandler) -> None:
    from studio.panels.jobs import JobsPanel
    from studio.panels.log import LogPanel

    window.add_dock(JobsPanel([make, train], window), shown=True)
    window.add_dock(LogPanel(records, window), shown=False)
    window.restore_layout()


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
