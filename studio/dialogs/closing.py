"""What the window asks before it closes."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox, QWidget


def ask_to_stop(parent: QWidget) -> bool:
    """Ask once, because closing stops what is being made."""
    question = QMessageBox(parent)
    question.setObjectName("confirm_close")
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle(_tr("Close Atelier"))
    question.setText(_tr("Work is still running. Stop it and close?"))
    question.setInformativeText(_tr("A training run saves a checkpoint first and can be resumed."))
    stop = question.addButton(_tr("Stop and close"), QMessageBox.ButtonRole.DestructiveRole)
    stay = question.addButton(_tr("Keep working"), QMessageBox.ButtonRole.RejectRole)
    question.setDefaultButton(stay)
    question.exec()
    return question.clickedButton() is stop


def _tr(text: str) -> str:
    return QCoreApplication.translate("Closing", text)
