"""A popup in which a colour is chosen: by eye, by its number, or among those used before."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHideEvent, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from studio import theme
from studio.theme import SPACING, set_role
from studio.widgets.color_field import HueStripe, ShadeField

ACROSS = 7  # recent colours in a row
SIDE = 3 * SPACING  # of a small swatch


class Swatch(QAbstractButton):
    """A small square of one colour."""

    def __init__(self, color: QColor, side: int = SIDE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self.color = QColor()
        self.set_color(color)

    def set_color(self, color: QColor) -> None:
        self.color = QColor(color)
        self.setAccessibleName(color.name())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        frame = self.rect().toRectF().adjusted(1, 1, -1, -1)
        outline.addRoundedRect(frame, SPACING / 2, SPACING / 2)
        painter.fillPath(outline, self.color)
        colors = theme.colors()
        marked = self.hasFocus() or self.underMouse()
        painter.setPen(QPen(colors.accent_text if marked else colors.border, 2 if marked else 1))
        painter.drawPath(outline)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.HoverEnter, QEvent.Type.HoverLeave):
            self.update()
        return super().event(event)


class ColorPicker(QFrame):
    """Says `chosen` with every move, so that the change is seen where the colour is used."""

    chosen = Signal(QColor)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        set_role(self, "card")
        self._shade, self._hue = ShadeField(), HueStripe()
        self._shade.moved.connect(self._shaded)
        self._hue.moved.connect(self._turned)
        self._before, self._now = Swatch(QColor()), Swatch(QColor())
        self._number = QLineEdit()
        self._recent = QGridLayout()
        self._recent_label = QLabel(self.tr("Recent"))
        self._build_number()
        self._lay_out()

    def open(self, color: QColor, recent: Sequence[QColor], at: QPoint) -> None:
        """Show the popup with its corner at `at`, a place on the screen, moved to fit there."""
        self._before.set_color(color)
        self._show_recent(recent)
        self.show_color(color)
        self.adjustSize()
        room = self.screen().availableGeometry()
        at.setX(max(room.left(), min(at.x(), room.right() - self.width())))
        at.setY(max(room.top(), min(at.y(), room.bottom() - self.height())))
        self.move(at)
        self.show()
        self._shade.setFocus()

    @property
    def color(self) -> QColor:
        return QColor(self._now.color)

    def show_color(self, color: QColor) -> None:
        """A grey has no hue of its own and keeps the one that was chosen."""
        hue = color.hueF()
        if hue >= 0:
            self._shade.hue = self._hue.hue = hue
        self._shade.saturation, self._shade.brightness = color.saturationF(), color.valueF()
        self._refresh(color)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.close()
        else:
            super().keyPressEvent(event)

    # ------------------------------------------------------------------ building

    def _build_number(self) -> None:
        self._number.setAccessibleName(self.tr("Colour as a number"))
        self._number.setToolTip(self.tr("Red, green and blue in hexadecimal, such as #ff8800"))
        self._number.setMaxLength(7)
        self._number.textEdited.connect(self._typed)
        self._number.editingFinished.connect(self._number_left)
        self._before.setToolTip(self.tr("The colour before; click to have it back"))
        self._before.clicked.connect(lambda: self._choose(self._before.color))
        self._now.setToolTip(self.tr("The colour now"))
        self._now.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._now.clicked.connect(self.close)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(self._number, 1)
        row.addWidget(self._before)
        row.addWidget(self._now)
        set_role(self._recent_label, "caption")
        self._recent.setSpacing(SPACING // 2)
        self._recent.setAlignment(Qt.AlignmentFlag.AlignLeft)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING, SPACING, SPACING, SPACING * 3 // 2)
        column.setSpacing(0)
        column.addWidget(self._shade)
        column.addWidget(self._hue)
        inner = QVBoxLayout()
        inner.setContentsMargins(SPACING, SPACING // 2, SPACING, 0)
        inner.setSpacing(SPACING)
        inner.addLayout(row)
        inner.addWidget(self._recent_label)
        inner.addLayout(self._recent)
        column.addLayout(inner)

    def _show_recent(self, colors: Sequence[QColor]) -> None:
        while (item := self._recent.takeAt(0)) is not None:
            swatch = item.widget()
            if swatch is not None:
                swatch.deleteLater()
        for place, color in enumerate(colors):
            swatch = Swatch(color)
            swatch.setToolTip(color.name())
            swatch.clicked.connect(lambda checked=False, c=color: self._choose(c))
            self._recent.addWidget(swatch, place // ACROSS, place % ACROSS)
        self._recent_label.setVisible(bool(colors))

    # ------------------------------------------------------------------ choosing

    def _shaded(self, saturation: float, darkness: float) -> None:
        self._shade.saturation, self._shade.brightness = saturation, 1 - darkness
        self._say()

    def _turned(self, hue: float, _: float) -> None:
        self._shade.hue = self._hue.hue = min(hue, 0.9999)  # 1 is red again, at the other end
        self._say()

    def _say(self) -> None:
        shade = self._shade
        color = QColor.fromHsvF(shade.hue, shade.saturation, shade.brightness).toRgb()
        self._refresh(color)
        self.chosen.emit(color)

    def _typed(self, text: str) -> None:
        color = QColor.fromString("#" + text.strip().lstrip("#"))
        if color.isValid() and len(text.strip().lstrip("#")) == 6:
            self._choose(color)

    def _number_left(self) -> None:
        """Three digits stand for six; what is no number gives way to the colour as it is."""
        digits = self._number.text().strip().lstrip("#")
        color = QColor.fromString("#" + digits)
        if color.isValid() and len(digits) == 3:
            self._choose(color)
        self._number.setText(self.color.name())

    def _choose(self, color: QColor) -> None:
        self.show_color(color)
        self.chosen.emit(color)

    def _refresh(self, color: QColor) -> None:
        self._now.set_color(color)
        if QColor.fromString(self._number.text()) != color:  # else the cursor would jump
            self._number.setText(color.name())
        self._shade.update()
        self._hue.update()
