"""The page of one run: its name, what went wrong, the monitor, the controls."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError
from studio import theme
from studio.run_follower import RunState
from studio.widgets.alarm_banner import AlarmBanner
from studio.widgets.copy_run import CopyRun
from studio.widgets.error_box import ErrorBox
from studio.widgets.live_bar import LiveBar
from studio.widgets.number_box import indent_text
from studio.widgets.run_monitor import RunMonitor
from studio.widgets.transport import Status, TransportBar

MAX_STEPS = 100_000_000
LOW = 26  # lines of text: what a page needs to show everything at once


class RunPage(QWidget):
    """Asks for `command` (see TransportBar), to `train_further` by some steps, or the folder."""

    command = Signal(str)
    train_further = Signal(int)
    folder_requested = Signal()
    draw_requested = Signal()
    part_step = Signal(str)
    value_set = Signal(str, float)  # the live field and its new value
    remedy_chosen = Signal(object)  # a Remedy
    branch_requested = Signal(int)  # the step of the checkpoint
    roll_back_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = _plain_label("title")
        self._subtitle = _plain_label("caption")
        self._subtitle.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._folder = QToolButton()
        self._folder.setIcon(theme.icon("folder-open"))
        self._folder.setToolTip(self.tr("Open the folder of this run"))
        self._folder.setAccessibleName(self.tr("Open folder"))
        theme.set_role(self._folder, "quiet")
        self._folder.clicked.connect(self.folder_requested)
        self._draw = QPushButton(theme.icon("sparkles"), self.tr("Draw samples"))
        self._draw.setToolTip(self.tr("Draw new images with what this run has learned"))
        self._draw.clicked.connect(self.draw_requested)
        self.copy_run = CopyRun()
        self.errors = ErrorBox()
        self.notice = _plain_label("notice")
        self.notice.setWordWrap(True)
        self.further = FurtherBar()
        self.further.accepted.connect(self.train_further)
        self.monitor = RunMonitor()
        self.transport = TransportBar()
        self.transport.command.connect(self._pass_on)
        self.transport.part_step.connect(self.part_step)
        self.alarm = AlarmBanner()
        self.alarm.chosen.connect(self.remedy_chosen)
        self.live = LiveBar()
        self.live.value_set.connect(self.value_set)
        self.transport.tune_toggled.connect(self._tune)
        self.transport.checkpoint.branch.connect(self.branch_requested)
        self.transport.checkpoint.roll_back.connect(self.roll_back_requested)
        self.header = QHBoxLayout()
        self.header.setSpacing(theme.SPACING)
        self.header.addWidget(self._title)
        self.header.addWidget(self._subtitle, 1)
        self.header.addWidget(self._draw)
        self.header.addWidget(self.copy_run)
        self.header.addWidget(self._folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(2 * theme.SPACING,) * 4)
        layout.setSpacing(theme.SPACING)
        layout.addLayout(self.header)
        for widget in (self.errors, self.alarm, self.notice, self.further):
            layout.addWidget(widget)
        layout.addWidget(self.monitor, 1)
        layout.addWidget(self.live)
        layout.addWidget(self.transport)
        self.copy_run.said.connect(self.say)
        self.copy_run.failed.connect(lambda error: self.errors.show_error(error, can_retry=False))
        self.clear("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.alarm.set_compact(self._is_low())

    def _is_low(self) -> bool:
        return self.height() < LOW * self.fontMetrics().lineSpacing()

    def _tune(self, on: bool) -> None:
        """A low page has no room for both: who tunes has read the alarm."""
        if on and self._is_low():
            self.alarm.put_away()
        self.live.setVisible(on)

    def clear(self, title: str) -> None:
        """Another run: forget the one before."""
        self.set_title(title, "")
        self.copy_run.set_run(None, "")
        self.errors.hide()
        self.notice.hide()
        self.further.hide()
        self.alarm.clear()
        self.transport.set_tunable(False)
        self.transport.set_parts(())
        self.monitor.clear()

    def set_title(self, title: str, subtitle: str) -> None:
        self._title.setText(title)
        self._subtitle.setText(subtitle)

    @property
    def title(self) -> str:
        return self._title.text()

    def say(self, message: str) -> None:
        """Something worth knowing although the work goes on."""
        self.notice.setText(message)
        self.notice.setVisible(bool(message))

    def explain_end(self, state: RunState, events: Sequence[str]) -> None:
        """A run of another time that ended badly: what is known, and what is left of it."""
        step = f"{state.step:,}"
        if state.word == "failed":
            message = self.tr("This training failed at step {step}.").format(step=step)
            if events:
                message += " " + self.tr("Its last entry: {event}.").format(event=events[-1])
        elif state.word == "interrupted":
            message = self.tr("This training was interrupted at step {step}.").format(step=step)
        else:
            return
        if state.checkpoint is None:
            hint = self.tr("There is no checkpoint to go on from; start a new run.")
        else:
            hint = self.tr(
                "The checkpoint of step {step} is safe: Train further goes on from it."
            ).format(step=f"{state.checkpoint:,}")
        self.errors.show_error(EngineError(message, hint), can_retry=False)

    def show_status(self, status: Status) -> None:
        self.transport.show_status(status)
        if status.word in ("running", "paused", "waiting"):
            self.further.hide()

    def _pass_on(self, command: str) -> None:
        if command == "go_on":
            self.further.open()
        else:
            self.command.emit(command)


class FurtherBar(QFrame):
    """Asks in place how many more steps to train."""

    accepted = Signal(int)  # how many more steps

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_role(self, "card")
        self._from = 0
        self._steps = QSpinBox()
        indent_text(self._steps)
        self._steps.setRange(1, MAX_STEPS)
        self._steps.setGroupSeparatorShown(True)
        self._steps.setToolTip(self.tr("How many steps to add to those learned so far"))
        self._steps.setAccessibleName(self.tr("More steps"))
        self._steps.valueChanged.connect(self._explain)
        self._until = _plain_label("caption")
        start = QPushButton(self.tr("Train further"))
        start.setToolTip(self.tr("Go on from the newest checkpoint"))
        theme.set_role(start, "primary")
        start.clicked.connect(self._accept)
        self._steps.lineEdit().returnPressed.connect(self._accept)
        cancel = QPushButton(self.tr("Not now"))
        cancel.setToolTip(self.tr("Leave the run as it is"))
        theme.set_role(cancel, "quiet")
        cancel.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(QLabel(self.tr("More steps")))
        layout.addWidget(self._steps)
        layout.addWidget(self._until, 1)
        layout.addWidget(cancel)
        layout.addWidget(start)
        self.hide()

    def offer(self, step: int, planned: int) -> None:
        """From the checkpoint at `step`; `planned` is where the run once wanted to end."""
        self._from = step
        if not self.isVisible():  # do not change what is being typed
            self._steps.setValue(planned - step if planned > step else max(planned, 1))
        self._explain()

    def open(self) -> None:
        self.show()
        self._steps.setFocus()
        self._steps.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _accept(self) -> None:
        self.hide()
        self.accepted.emit(self._steps.value())

    def _explain(self) -> None:
        self._until.setText(
            self.tr("from the checkpoint at step {start} to step {end}").format(
                start=f"{self._from:,}", end=f"{self._from + self._steps.value():,}"
            )
        )


def _plain_label(role: str) -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    theme.set_role(label, role)
    return label
