"""The legend of a pane: what each curve is, and its value, one for every run that is compared."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from studio import theme


class LegendKey(QWidget):
    """A dot in the colour of the curve, its name and its value; while runs are compared a piece of
    its line instead of the dot, and the values of all, in the colours of their runs."""

    def __init__(self, label: str, color: str) -> None:
        super().__init__()
        self._color = color
        self._own = ""
        self._sample = _Sample(color)
        name = QLabel(label)
        name.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(name, "caption")
        self.value = _Value()
        self._others: dict[str, tuple[str, QLabel]] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.SPACING // 2)
        for widget in (self._sample, name, self.value):
            self._row.addWidget(widget)

    def set_look(self, own: str, style: Qt.PenStyle | None) -> None:
        """Without a `style` a dot in the metric's colour; else a line, and the value in `own`."""
        self._own = own if style is not None else ""
        self._sample.show_line(self._color if style is None else "muted", style)
        self.restyle()

    def set_runs(self, runs: dict[str, str]) -> None:
        """A value for each of these other runs, in the colour that stands beside its name."""
        for _, label in self._others.values():
            label.setParent(None)
            label.deleteLater()
        self._others = {name: (color, _Value()) for name, color in runs.items()}
        for _, label in self._others.values():
            self._row.addWidget(label)
        self.restyle()

    def show_value(self, text: str, run: str = "") -> None:
        label = self._others[run][1] if run else self.value
        label.setText(text)

    def restyle(self) -> None:
        _tint(self.value, self._own)
        for color, label in self._others.values():
            _tint(label, color)
        self._sample.update()


class _Sample(QWidget):
    """A dot, or a piece of a line."""

    def __init__(self, color: str) -> None:
        super().__init__()
        self._color = color
        self._style: Qt.PenStyle | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(theme.SPACING if self._style is None else 3 * theme.SPACING, theme.SPACING)

    def show_line(self, color: str, style: Qt.PenStyle | None) -> None:
        self._color, self._style = color, style
        self.updateGeometry()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = QColor(getattr(theme.colors(), self._color))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self._style is None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color)
                painter.drawEllipse(self.rect())
                return
            painter.setPen(QPen(color, 1.5, self._style))
            middle = self.height() / 2
            painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))


class _Value(QLabel):
    """A number that changes all the time, and does not push its neighbours about."""

    def __init__(self) -> None:
        super().__init__("–")
        self.setTextFormat(Qt.TextFormat.PlainText)
        font = self.font()
        font.setFeature(font.Tag("tnum"), 1)
        self.setFont(font)

    def minimumSizeHint(self) -> QSize:
        usual = self.fontMetrics().horizontalAdvance("-0.000")
        return super().minimumSizeHint().expandedTo(QSize(usual, 0))

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()


def _tint(label: QLabel, color: str) -> None:
    """A colour of its own, or none."""
    css = f"color: {QColor(getattr(theme.colors(), color)).name()};" if color else ""
    if label.styleSheet() != css:
        label.setStyleSheet(css)
