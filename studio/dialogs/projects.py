"""What projects ask: which to open, where to save, whether to save first."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from engine.projects.project_file import SUFFIX
from studio.autosaving import Kept


class Answer(Enum):
    SAVE = auto()
    GO = auto()
    STAY = auto()


def ask_what_to_open(parent: QWidget, folder: Path) -> Path | None:
    chosen, _ = QFileDialog.getOpenFileName(
        parent,
        _tr("Open a project or a picture"),
        str(folder),
        _tr("Projects and pictures ({})").format(f"*{SUFFIX} *.png *.jpg *.jpeg *.webp"),
    )
    return Path(chosen) if chosen else None


def ask_where_to_save(parent: QWidget, suggested: Path) -> Path | None:
    """A path that ends as projects do; the system has asked before it replaces a file."""
    suggested = suggested.with_name(suggested.name + SUFFIX)
    title, kinds = _tr("Save the project"), _tr("Projects ({})").format(f"*{SUFFIX}")
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(suggested), kinds)
    if not chosen:
        return None
    path = Path(chosen)
    if path.suffix.lower() == SUFFIX:
        return path
    path = path.with_name(path.name + SUFFIX)  # of this name nobody has been asked
    return path if not path.exists() or _may_replace(parent, path) else None


def ask_to_save(parent: QWidget, name: str) -> Answer:
    """Whether to save a named project before something else comes onto the canvas."""
    question = QMessageBox(parent)
    question.setObjectName("confirm_replace")
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle(_tr("Unsaved changes"))
    question.setText(_tr("Save the changes to “{}” first?").format(name))
    question.setInformativeText(_tr("Without that they are kept, and found under Open recent."))
    save = question.addButton(_tr("Save"), QMessageBox.ButtonRole.AcceptRole)
    go = question.addButton(_tr("Don't save"), QMessageBox.ButtonRole.DestructiveRole)
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.setDefaultButton(save)
    question.exec()
    clicked = question.clickedButton()
    return Answer.SAVE if clicked is save else Answer.GO if clicked is go else Answer.STAY


def offer(
    parent: QWidget,
    projects: list[Path],
    open_project: Callable[[Path], object],
    kept: list[Kept],
    open_kept: Callable[[Kept], object],
) -> None:
    """Show a menu of these where the pointer is."""
    menu = QMenu(parent)
    menu.setObjectName("recent_projects")
    menu.setToolTipsVisible(True)
    menu.aboutToHide.connect(menu.deleteLater)
    if projects:
        menu.addAction(_tr("Projects")).setEnabled(False)
    for path in projects:
        _add(menu, path.stem, str(path), partial(open_project, path))
    if kept:
        menu.addSeparator()
        menu.addAction(_tr("Replaced before they were saved")).setEnabled(False)
    for one in kept:
        _add(menu, one.label, str(one.folder), partial(open_kept, one))
    menu.popup(QCursor.pos())


def _add(menu: QMenu, text: str, tip: str, chosen: Callable[[], object]) -> None:
    action = menu.addAction(text.replace("&", "&&"))
    action.setToolTip(tip)
    action.triggered.connect(lambda: chosen())


def _may_replace(parent: QWidget, path: Path) -> bool:
    question = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle(_tr("Save the project"))
    question.setText(_tr("{} is there already. Replace it?").format(path.name))
    replace = question.addButton(_tr("Replace"), QMessageBox.ButtonRole.DestructiveRole)
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.exec()
    return question.clickedButton() is replace


def _tr(text: str) -> str:
    return QCoreApplication.translate("ProjectDialogs", text)
