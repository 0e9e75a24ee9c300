"""The controls of a training where a player has them, and how it stands in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QWidget

from studio import theme
from studio.widgets.checkpoint_button import CheckpointButton
from studio.widgets.dot import Dot

DOTS = {
    "running": "success",
    "paused": "warning",
    "waiting": "warning",
    "failed": "danger",
    "interrupted": "danger",
}
BUTTONS = {
    "running": {"pause", "stop", "sample", "save"},
    "paused": {"resume", "step", "stop", "sample", "save"},
    "waiting": {"stop"},
}


@dataclass(frozen=True)
class Status:
    """How a training stands. `word` is waiting, running, paused, stopped, finished, failed, …"""

    word: str
    doing: str
    """The same in words a person understands: learning, loading the data."""
    step: int = 0
    total: int = 0
    steps_per_second: float | None = None
    seconds_left: float | None = None
    resumable: bool = False
    """Whether there is a checkpoint to go on from."""
    pending: str = ""
    """A command that was sent and is not yet carried out."""
    memory: int = 0
    """Bytes that the process which trains holds; 0 where that is not known."""

    @property
    def possible(self) -> set[str]:
        """The commands that can act now."""
        return BUTTONS.get(self.word, {"go_on"} if self.resumable else set())


class TransportBar(QWidget):
    """Asks for commands: pause, resume, step, stop, sample, save, go_on."""

    command = Signal(str)
    part_step = Signal(str)  # one step of a part of the learner alone
    tune_toggled = Signal(bool)  # whether to show the values that can change

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[str, ...] = ()
        self._main_command = "pause"
        self._main = QPushButton()
        self._main.clicked.connect(lambda: self.command.emit(self._main_command))
        self._buttons = {
            "step": self._button(
                "step-forward", self.tr("Single step"), self.tr("Learn one step, then wait again")
            ),
            "stop": self._button(
                "square", self.tr("Stop"), self.tr("End the training; what was learned is saved")
            ),
            "sample": self._button(
                "image-plus", self.tr("Sample now"), self.tr("Draw a sample grid at this step")
            ),
            "save": self._button(
                "save", self.tr("Save now"), self.tr("Write a checkpoint at this step")
            ),
        }
        for name, button in self._buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.command.emit(name))
        self._tune = self._button(
            "sliders-horizontal",
            self.tr("Tune"),
            self.tr("Change learning rates and weights while it learns"),
        )
        self._tune.setCheckable(True)
        self._tune.toggled.connect(self.tune_toggled)
        self._tune.hide()
        self.checkpoint = CheckpointButton()
        self.setFocusProxy(self._main)
        self._dot = Dot("muted")
        self._words = _number_label()
        self._speed = _number_label("caption")
        self._speed.setToolTip(self.tr("Steps a second since it began or last went on"))
        self._memory = _number_label("caption")
        self._memory.setToolTip(self.tr("Memory that the process of this training holds"))
        self._left = _number_label("caption")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._main)
        layout.addWidget(self._buttons["step"])
        layout.addWidget(self._buttons["stop"])
        layout.addSpacing(theme.SPACING)
        layout.addWidget(self._dot)
        layout.addWidget(self._words)
        layout.addStretch(1)
        layout.addWidget(self._memory)
        layout.addSpacing(theme.SPACING)
        layout.addWidget(self._speed)
        layout.addSpacing(theme.SPACING)
        layout.addWidget(self._left)
        layout.addSpacing(theme.SPACING)
        for button in (self._tune, self._buttons["sample"], self._buttons["save"]):
            layout.addWidget(button)
        layout.addWidget(self.checkpoint)
        self.show_status(Status("stopped", ""))

    def show_status(self, status: Status) -> None:
        possible = status.possible
        self._show_main(status, possible)
        for name, button in self._buttons.items():
            if button.hasFocus() and name not in possible:
                self._main.setFocus()  # Qt would go on to the next button, whatever that does
            button.setEnabled(name in possible)
        self._dot.set_color(DOTS.get(status.word, "muted"))
        self._words.setText(self._sentence(status))
        self._memory.setText(self._memory_text(status))
        self._speed.setText(self._speed_text(status))
        self._left.setText("" if status.seconds_left is None else self._time_text(status))

    def set_parts(self, parts: Sequence[str]) -> None:
        """Offer a step of each part alone, in a menu beside the button of the single step."""
        if tuple(parts) == self._parts:
            return
        self._parts = tuple(parts)
        button = self._buttons["step"]
        if old := button.menu():
            button.setMenu(None)  # type: ignore[arg-type]  # which takes the old one away
            old.deleteLater()
        button.setPopupMode(QToolButton.ToolButtonPopupMode.DelayedPopup)
        if not parts:
            return
        menu = QMenu(button)
        every = menu.addAction(self.tr("All networks"))
        every.triggered.connect(lambda: self.command.emit("step"))
        for part in parts:
            only = menu.addAction(self._part_words(part))
            only.triggered.connect(lambda _=False, part=part: self.part_step.emit(part))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def set_tunable(self, tunable: bool) -> None:
        """Whether the run has values that can change while it learns."""
        self._tune.setVisible(tunable)
        if not tunable:
            self._tune.setChecked(False)

    def _part_words(self, part: str) -> str:
        return {
            "generator": self.tr("Generator alone"),
            "discriminator": self.tr("Discriminator alone"),
        }.get(part, part.replace("_", " ").capitalize())

    def press(self, name: str) -> None:
        """As if the button was pressed: `main`, step, stop, sample or save. Does nothing when the
        button cannot act."""
        (self._main if name == "main" else self._buttons[name]).click()

    @property
    def text(self) -> str:
        """All that is said in words."""
        labels = (self._words, self._speed, self._left, self._memory)
        return " ".join(label.text() for label in labels)

    def _show_main(self, status: Status, possible: set[str]) -> None:
        """One button, as on a player: it shows what pressing it does."""
        if status.word in ("running", "waiting"):
            command, text, sign = "pause", self.tr("Pause"), "pause"
            help = self.tr("Wait at the next step with everything loaded")
        elif status.word == "paused":
            command, text, sign = "resume", self.tr("Resume"), "play"
            help = self.tr("Go on learning where it waits")
        else:
            command, text, sign = "go_on", self.tr("Train further…"), "play"
            help = self.tr("Go on from the newest checkpoint for more steps")
        if command != self._main_command or not self._main.text():
            self._main_command = command
            self._main.setText(text)
            self._main.setIcon(theme.icon(sign))
            self._main.setToolTip(help)
            self._main.setAccessibleName(text)
        self._main.setEnabled(command in possible)

    def _sentence(self, status: Status) -> str:
        step = self.tr("Step {step} of {total}").format(
            step=f"{status.step:,}", total=f"{status.total:,}"
        )
        doing = status.doing
        if status.pending:
            doing = {
                "pause": self.tr("pausing at the next step"),
                "resume": self.tr("going on"),
                "step": self.tr("learning one step"),
                "stop": self.tr("stopping and saving"),
                "sample": self.tr("drawing samples"),
                "save": self.tr("saving"),
                "roll_back": self.tr("rolling back"),
                "set": doing,  # it learns on meanwhile
            }[status.pending]
        return " · ".join(part for part in (step if status.total else "", doing) if part)

    def _speed_text(self, status: Status) -> str:
        if status.word != "running" or not status.steps_per_second:
            return ""
        return self.tr("{speed} steps/s").format(speed=f"{status.steps_per_second:.1f}")

    def _memory_text(self, status: Status) -> str:
        if status.word not in BUTTONS or not status.memory:
            return ""
        return self.tr("{size} MB").format(size=f"{status.memory / 2**20:,.0f}")

    def _time_text(self, status: Status) -> str:
        seconds = round(status.seconds_left or 0)
        if seconds < 60:
            return self.tr("{seconds} s left").format(seconds=seconds)
        minutes = round(seconds / 60)
        if minutes < 60:
            return self.tr("{minutes} min left").format(minutes=minutes)
        return self.tr("{hours} h {minutes} min left").format(
            hours=minutes // 60, minutes=minutes % 60
        )

    def _button(self, sign: str, name: str, tooltip: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon(sign))
        button.setToolTip(f"{name}: {tooltip}")
        button.setAccessibleName(name)
        button.setIconSize(QSize(16, 16))
        theme.set_role(button, "quiet")
        return button


def _number_label(role: str = "") -> QLabel:
    """Digits of equal width, so that a running number does not shake its neighbours."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    font = label.font()
    font.setFeature(font.Tag("tnum"), 1)
    label.setFont(font)
    theme.set_role(label, role)
    return label
