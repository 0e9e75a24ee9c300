"""The button that copies a run as a Python program, or says why there is none."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QToolButton, QWidget

from engine.errors import EngineError
from engine.run_programs.program import PROGRAMS, has_program, run_program
from engine.runs import RunFolder
from studio import theme
from studio.widgets.tooltips import literal


class CopyRun(QToolButton):
    """Disabled for runs of trainers that this version does not know; its tooltip then says so."""

    said = Signal(str)
    failed = Signal(object)  # an EngineError

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run: RunFolder | None = None
        self._trainer = ""
        self.setIcon(theme.icon("terminal"))
        self.setAccessibleName(self.tr("Copy as Python"))
        theme.set_role(self, "quiet")
        self.clicked.connect(self.copy)
        self.set_run(None, "")

    def set_run(self, run: RunFolder | None, trainer: str) -> None:
        """The run on the page, if any, and the name of the task that trains it."""
        self._run, self._trainer = run, trainer
        reason = self._why_not()
        self.setEnabled(not reason)
        what = self.tr("Copy as Python: a program of plain PyTorch that repeats this run")
        self.setToolTip(literal(reason) if reason else what)

    def copy(self) -> None:
        """Put the program on the clipboard; also the deed of the command, which is never grey."""
        reason = self._why_not()
        if reason or self._run is None:
            self.said.emit(reason)
            return
        try:
            program = run_program(self._run)
        except EngineError as error:
            self.failed.emit(error)
            return
        QGuiApplication.clipboard().setText(program)
        self.said.emit(self.tr("Copied: a program of plain PyTorch that repeats this run."))

    def _why_not(self) -> str:
        """Why there is no program; empty when there is one."""
        if self._run is None:
            return self.tr("There is no run to copy as Python yet.")
        if has_program(self._trainer):
            return ""
        return self.tr(
            "Copy as Python: this version of Atelier does not know {trainer}, only {known}."
        ).format(trainer=self._trainer, known=", ".join(PROGRAMS))
