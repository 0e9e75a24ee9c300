"""Other runs whose curves are drawn beside those of the run that is shown, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from studio import theme
from studio.widgets.curves import Array, Series
from studio.widgets.dot import Dot
from studio.widgets.flow_layout import FlowLayout

OWN, OTHERS = "run_1", ("run_2", "run_3", "run_4", "run_5")
"""Fields of `Colors`. More runs could not be told apart."""
CROSS = 12  # pixels


@dataclass
class ComparedRun:
    label: str
    color: str
    series: dict[str, Series] = field(default_factory=dict)


class ComparedRuns(QWidget):
    """The runs by a key each; the bar over the curves names them in their colours."""

    changed = Signal()
    dismissed = Signal(str)  # the key of a run that the person does not want to see any more

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs: dict[str, ComparedRun] = {}
        self._own = ""
        self._entries: list[QWidget] = []
        self._row = FlowLayout(self, gap=theme.SPACING)
        self._row.setContentsMargins(theme.SPACING, 0, theme.SPACING, 0)
        self.hide()

    @property
    def full(self) -> bool:
        return len(self.runs) == len(OTHERS)

    def color(self, key: str) -> str:
        """The name of a colour, empty for a run that is not compared."""
        return self.runs[key].color if key in self.runs else ""

    def set_own(self, label: str) -> None:
        """What the run is called that is shown."""
        if label != self._own:
            self._own = label
            self._show()

    def add(self, key: str, label: str) -> None:
        """Begin to compare, in a colour that no other has; the data comes with `extend`."""
        taken = {run.color for run in self.runs.values()}
        color = next(color for color in OTHERS if color not in taken)
        self.runs[key] = ComparedRun(label, color)
        self._show()
        self.changed.emit()

    def remove(self, key: str) -> None:
        if self.runs.pop(key, None):
            self._show()
            self.changed.emit()

    def extend(
        self,
        key: str,
        columns: Mapping[str, tuple[Array, Array]],
        smoothing: float,
        *,
        afresh: bool = False,
    ) -> None:
        """Add (steps, values) by metric; `afresh`: what was there before is void."""
        run = self.runs.get(key)
        if run is None:
            return  # it was dismissed while its folder was read
        if afresh:
            run.series.clear()
        known = set(run.series)
        for name, (steps, values) in columns.items():
            run.series.setdefault(name, Series(smoothing)).extend(steps, values)
        if afresh or set(run.series) != known:
            self.changed.emit()

    def every_series(self) -> list[Series]:
        return [series for run in self.runs.values() for series in run.series.values()]

    def _show(self) -> None:
        for entry in self._entries:
            self._row.removeWidget(entry)
            entry.setParent(None)
            entry.deleteLater()
        self._entries = []
        if self.runs:
            self._entries = [_entry(OWN, self._own)]
            for key, run in self.runs.items():
                dismiss = self._dismiss_button(key, run.label)
                self._entries.append(_entry(run.color, run.label, dismiss))
        for entry in self._entries:
            self._row.addWidget(entry)
        self.setVisible(bool(self.runs))

    def _dismiss_button(self, key: str, label: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon("x", "muted"))
        button.setIconSize(QSize(CROSS, CROSS))
        button.setToolTip(self.tr("Take the curves of this run away"))
        button.setAccessibleName(self.tr("Stop comparing with {run}").format(run=label))
        theme.set_role(button, "quiet")
        # Later: the button goes with the entry it stands in.
        button.clicked.connect(lambda: self.dismissed.emit(key), Qt.ConnectionType.QueuedConnection)
        return button


def _entry(color: str, label: str, button: QToolButton | None = None) -> QWidget:
    entry = QWidget()
    name = QLabel(label)
    name.setTextFormat(Qt.TextFormat.PlainText)
    theme.set_role(name, "caption")
    row = QHBoxLayout(entry)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.SPACING // 2)
    row.addWidget(Dot(color))
    row.addWidget(name)
    if button:
        row.addWidget(button)
    return entry
