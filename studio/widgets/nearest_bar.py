"""A sample beside the training images that are nearest to it, with their distances."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio import theme
from studio.widgets.crisp_picture import CrispPicture
from studio.widgets.error_box import ErrorBox
from studio.widgets.flow_layout import FlowLayout

PICTURE = 8 * theme.SPACING  # pixels


class NearestBar(QFrame):
    """Hidden until there is something to show; `closed` says that it was put away."""

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        heading = QLabel(self.tr("Nearest training images"))
        theme.set_role(heading, "heading")
        self._verdict = QLabel()
        self._verdict.setTextFormat(Qt.TextFormat.PlainText)
        self._verdict.setWordWrap(True)
        close = QToolButton()
        close.setIcon(theme.icon("x", "muted"))
        close.setIconSize(QSize(12, 12))
        close.setToolTip(self.tr("Put the comparison away"))
        close.setAccessibleName(self.tr("Close the comparison"))
        theme.set_role(close, "quiet")
        close.clicked.connect(self._dismiss)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(self.tr("Progress of comparing"))
        self.errors = ErrorBox()
        self._cells: list[QWidget] = []
        self._captions: list[str] = []
        self._row = FlowLayout(gap=theme.SPACING)
        header = QHBoxLayout()
        header.setSpacing(theme.SPACING)
        header.addWidget(heading, 0, Qt.AlignmentFlag.AlignTop)
        header.addWidget(self._verdict, 1)
        header.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(header)
        layout.addWidget(self._bar)
        layout.addLayout(self._row)
        layout.addWidget(self.errors)
        self.hide()

    def begin(self) -> None:
        """Another sample is compared; what was found last stays until there is something new."""
        self.errors.hide()
        self._bar.show()
        self.show()

    def end(self) -> None:
        self._bar.hide()

    def show_found(
        self, pictures: Sequence[QImage], distances: Sequence[float], usual: float, verdict: str
    ) -> None:
        """The sample first, then what is nearest to it, with its distance."""
        for cell in self._cells:
            self._row.removeWidget(cell)
            cell.setParent(None)
            cell.deleteLater()
        self._captions = [self.tr("Sample"), *(f"{distance:.3f}" for distance in distances)]
        self._cells = [
            _cell(picture, caption)
            for picture, caption in zip(pictures, self._captions, strict=True)
        ]
        for cell in self._cells:
            self._row.addWidget(cell)
        told = self.tr("Usual between training images: {usual}").format(usual=f"{usual:.3f}")
        self._verdict.setText(f"{verdict}\n{told}")
        self._verdict.setToolTip(
            self.tr(
                "Distances are root mean squares over all pixels, from 0 (the same) to 1. Usual is "
                "the median distance of a training image to the nearest other one"
            )
        )
        self.setAccessibleDescription(self._verdict.text())

    @property
    def text(self) -> str:
        """All that is said in words."""
        return " ".join([self._verdict.text(), *self._captions])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._dismiss()
        else:
            super().keyPressEvent(event)

    def _dismiss(self) -> None:
        self.hide()
        self.closed.emit()


def _cell(picture: QImage, caption: str) -> QWidget:
    image = CrispPicture()
    image.setMinimumSize(PICTURE, PICTURE)
    image.setFixedSize(PICTURE, PICTURE)
    image.show_image(picture)
    image.setAccessibleName(caption)
    label = QLabel(caption)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    theme.set_role(label, "caption")
    cell = QWidget()
    column = QVBoxLayout(cell)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.SPACING // 2)
    column.addWidget(image)
    column.addWidget(label)
    return cell
