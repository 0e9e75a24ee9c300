"""About: what this is, whose work is in it and under which licence, and where the data lives."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine import folders, packs
from studio.theme import SPACING, app_icon, set_role

LIBRARIES = (
    "PySide6-Essentials",
    "torch",
    "transformers",
    "diffusers",
    "xllamacpp",
    "ncnn",
    "onnxruntime",
    "spandrel",
    "Pillow",
)
MARK = 48  # pixels


class AboutDialog(QDialog):
    """Nothing heavy is imported to know a version."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Atelier"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACING, 3 * SPACING, 3 * SPACING, 2 * SPACING)
        column.setSpacing(2 * SPACING)
        column.addLayout(self._make_head())
        column.addWidget(_label(self._facts()))
        column.addWidget(self._make_choice())
        column.addWidget(self._licence, 1)
        close = QPushButton(self.tr("Close"))
        close.setToolTip(self.tr("Close this window"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self._show_licence()

    def sizeHint(self) -> QSize:
        return super().sizeHint().expandedTo(QSize(72 * SPACING, 72 * SPACING))

    def _make_head(self) -> QHBoxLayout:
        mark = QLabel()
        mark.setPixmap(app_icon().pixmap(QSize(MARK, MARK), self.devicePixelRatioF()))
        name = _label(self.tr("Atelier {}").format(installed_version("atelier")))
        set_role(name, "title")
        promise = _label(
            self.tr(
                "Write, draw and train small models on your own machine. Everything runs offline: "
                "nothing you make leaves it, and the network is used only to fetch a starter pack "
                "when you ask for it."
            )
        )
        words = QVBoxLayout()
        words.setSpacing(SPACING // 2)
        words.addWidget(name)
        words.addWidget(promise)
        head = QHBoxLayout()
        head.setSpacing(2 * SPACING)
        head.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        return head

    def _facts(self) -> str:
        libraries = " · ".join(f"{name} {installed_version(name)}" for name in LIBRARIES)
        return "\n".join(
            (
                self.tr("Your data: {}").format(folders.home()),
                self.tr("Licence: Apache-2.0"),
                f"Python {platform.python_version()} · {libraries}",
            )
        )

    def _make_choice(self) -> QComboBox:
        self._works = QComboBox()
        self._works.setAccessibleName(self.tr("Work in Atelier"))
        self._works.setToolTip(self.tr("Whose work is in Atelier, and under which licence"))
        for path in licences():
            self._works.addItem(path.stem.replace("-", " ").capitalize(), path)
        for pack in packs.PACKS:
            self._works.addItem(pack.name, f"{pack.source}\n\nLicence: {pack.licence}")
        self._works.currentIndexChanged.connect(self._show_licence)
        self._licence = QPlainTextEdit(readOnly=True)
        self._licence.setAccessibleName(self.tr("Licence text"))
        self._licence.setMinimumHeight(8 * self.fontMetrics().lineSpacing())
        self._licence.setToolTip(self.tr("The licence and the people to thank"))
        return self._works

    def _show_licence(self) -> None:
        source = self._works.currentData()
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        self._licence.setPlainText(text or "")


def licences() -> list[Path]:
    """The licence texts that ship with the studio, a file for each work in it."""
    return sorted((folders.RESOURCES / "licences").glob("*.txt"))


def installed_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "–"


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
