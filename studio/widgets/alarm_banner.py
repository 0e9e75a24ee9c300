"""What goes wrong in a training, in plain words, with buttons that do something about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.alarms.alarm import Alarm, Remedy
from studio import theme
from studio.widgets.flow_layout import FlowLayout


class AlarmBanner(QFrame):
    """Shows the newest alarm that stands and was not put away; hidden while there is none."""

    chosen = Signal(object)  # a Remedy

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "notice")
        self._shown: tuple[int, Alarm] | None = None
        self._offered: list[Remedy] = []
        self._put_away: set[tuple[int, str]] = set()
        self._compact = False
        self._sign = QLabel()
        self._title = _label("heading")
        self._reason = _label("")
        self._numbers = _label("caption")
        self._buttons = QWidget()
        self._row = FlowLayout(self._buttons, theme.SPACING)
        close = QPushButton(theme.icon("x"), "")
        close.setToolTip(self.tr("Put this away until it happens again"))
        close.setAccessibleName(self.tr("Put away"))
        theme.set_role(close, "quiet")
        close.clicked.connect(self.put_away)
        words = QVBoxLayout()
        words.setSpacing(theme.SPACING // 2)
        for widget in (self._title, self._reason, self._numbers, self._buttons):
            words.addWidget(widget)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def clear(self) -> None:
        """Another run: what was put away there does not count here."""
        self._put_away.clear()
        self._shown = None
        self.hide()

    def set_compact(self, compact: bool) -> None:
        """In a low window, leave out what the reason says as well, and the third way out."""
        if compact != self._compact:
            self._compact = compact
            self._show_parts()

    def put_away(self) -> None:
        if self._shown is not None:
            self._put_away.add((self._shown[0], self._shown[1].kind))
        self._shown = None
        self.hide()

    def show_alarms(
        self,
        alarms: Mapping[str, tuple[int, Alarm]],
        labels: Mapping[str, str],
        checkpoints: Collection[int],
    ) -> None:
        """`labels` are the names of fields; only remedies whose checkpoint is there are offered."""
        open_ones = [a for a in alarms.values() if (a[0], a[1].kind) not in self._put_away]
        newest = open_ones[-1] if open_ones else None
        offered = [
            remedy
            for remedy in (newest[1].remedies if newest else ())
            if remedy.step is None or remedy.step in checkpoints
        ]
        if newest == self._shown and offered == self._offered:
            return
        self._shown, self._offered = newest, offered
        if newest is None:
            self.hide()
        else:
            self._fill(*newest, labels, offered)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hold_height()

    def _hold_height(self) -> None:
        """A box layout that lacks room squeezes wrapped words; the docks should yield."""
        layout = self.layout()
        if layout is not None and self.isVisible():
            self._row.invalidate()
            layout.invalidate()
            layout.activate()
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))

    @property
    def text(self) -> str:
        """All that is said in words."""
        return "\n".join(x.text() for x in (self._title, self._reason, self._numbers))

    def _fill(
        self, step: int, alarm: Alarm, labels: Mapping[str, str], offered: list[Remedy]
    ) -> None:
        ratio = self.devicePixelRatioF()
        color = theme.colors().warning
        self._sign.setPixmap(theme.icon_pixmap("triangle-alert", color, QSize(16, 16), ratio))
        self._title.setText(
            self.tr("{what} · step {step}").format(what=self._name(alarm), step=f"{step:,}")
        )
        self._reason.setText(alarm.reason)
        numbers = [f"{_metric(name)} {value:.3g}" for name, value in alarm.numbers.items()]
        self._numbers.setText(" · ".join(numbers))
        self.setAccessibleName(self.text)
        while (item := self._row.takeAt(0)) is not None:
            if widget := item.widget():
                widget.setParent(None)
                widget.deleteLater()
        for remedy in offered:
            self._row.addWidget(self._button(remedy, labels))
        self.show()
        self._show_parts()

    def _show_parts(self) -> None:
        self._numbers.setVisible(bool(self._numbers.text()) and not self._compact)
        self._buttons.setVisible(bool(self._offered))
        for place in range(self._row.count()):
            item = self._row.itemAt(place)
            if item is not None and (button := item.widget()):
                button.setVisible(place < 2 or not self._compact)
        self._hold_height()

    def _button(self, remedy: Remedy, labels: Mapping[str, str]) -> QPushButton:
        button = QPushButton(self._words(remedy, labels))
        button.setIcon(theme.icon("history" if remedy.step is not None else "sliders-horizontal"))
        lines = [f"{labels.get(n, n)}: {value:.6g}" for n, value in remedy.changes.items()]
        if remedy.step is not None:
            lines.append(self.tr("What came after is kept in the folder of the run"))
        button.setToolTip("\n".join(lines))
        button.clicked.connect(lambda: self.chosen.emit(remedy))
        return button

    def _words(self, remedy: Remedy, labels: Mapping[str, str]) -> str:
        if remedy.step is not None and remedy.changes:
            return self.tr("Roll back to step {step} and lower the rate").format(
                step=f"{remedy.step:,}"
            )
        if remedy.step is not None:
            return self.tr("Roll back to step {step}").format(step=f"{remedy.step:,}")
        if len(remedy.changes) > 1:
            return self.tr("Lower the learning rates")
        ((name, value),) = remedy.changes.items()
        return self.tr("{field} to {value}").format(
            field=labels.get(name, name), value=f"{value:.6g}"
        )

    def _name(self, alarm: Alarm) -> str:
        return {
            "not_finite": self.tr("Not a number"),
            "exploding_gradients": self.tr("Gradients explode"),
            "discriminator_winning": self.tr("The discriminator is winning"),
            "mode_collapse": self.tr("Mode collapse"),
            "overfitting": self.tr("Overfitting"),
        }.get(alarm.kind, alarm.kind.replace("_", " ").capitalize())


def _metric(name: str) -> str:
    return {"d_real": "D(x)", "d_fake": "D(G(z))"}.get(name, name.replace("_", " "))


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    theme.set_role(label, role)
    return label
