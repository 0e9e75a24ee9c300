"""A walk through what a generator can draw: two seeds, the way between them, directions."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.task import Field, Task, random_seed
from studio import theme
from studio.widgets.crisp_picture import CrispPicture
from studio.widgets.error_box import ErrorBox
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.number_box import NumberBox

FINENESS = 1000  # places of the slider between the two seeds
DIRECTIONS = ("direction_1", "direction_2", "direction_3", "direction_4")
PICTURE = 24 * theme.SPACING  # pixels: three for each of 64, six for each of 28
STROLL_EVERY, STROLL = 50, 5  # milliseconds between two steps of the stroll, and how far each goes


class WalkPanel(QWidget):
    """`moved` says that another picture is wanted; `values` are the fields of the walk."""

    moved = Signal()
    save_requested = Signal()

    def __init__(self, walk: type[Task], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._walk = walk
        self.picture = CrispPicture()
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.picture.setFixedHeight(PICTURE)
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.TextFormat.PlainText)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._caption.setWordWrap(True)
        theme.set_role(self._caption, "caption")
        self.errors = ErrorBox()
        self.errors.retry.connect(self.moved)
        self._from, self._to = self._seed_box("seed_from"), self._seed_box("seed_to")
        self._position = self._slider(walk.field("position"), 0, FINENESS, FINENESS // 2)
        self._directions = {
            name: self._slider(walk.field(name), *self._reach(name), 0) for name in DIRECTIONS
        }
        self._play = QToolButton()
        self._play.setIcon(theme.icon("play"))
        self._play.setCheckable(True)
        self._play.setToolTip(
            self.tr("Stroll: walk on by itself, from seed to seed, each new one by chance")
        )
        self._play.setAccessibleName(self.tr("Stroll"))
        theme.set_role(self._play, "quiet")
        self._play.toggled.connect(self._stroll)
        self._timer = QTimer(self, interval=STROLL_EVERY)
        self._timer.timeout.connect(self._step)
        self.save = QPushButton(theme.icon("save"), self.tr("Save picture"))
        self.save.setToolTip(
            self.tr("Write this picture as a file that tells how to make it again")
        )
        self.save.clicked.connect(self.save_requested)
        self._lay_out()
        self.set_ready(False, "")

    def values(self) -> dict[str, Any]:
        return {
            "seed_from": int(self._from.number()),
            "seed_to": int(self._to.number()),
            "position": self._position.value() / FINENESS,
            **{name: slider.value() / 100 for name, slider in self._directions.items()},
        }

    def set_ready(self, ready: bool, why_not: str) -> None:
        """Whether there is a generator to walk through."""
        self._controls.setEnabled(ready)
        self.save.setEnabled(ready)
        if not ready:
            self._play.setChecked(False)
            self.picture.show_image(None)
            self._caption.setText(why_not)

    def show_picture(self, image: QImage, caption: str) -> None:
        self.picture.show_image(image)
        self._caption.setText(caption)
        self.picture.setAccessibleName(caption)

    def say(self, text: str) -> None:
        self._caption.setText(text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.moved.emit()  # the training may have gone on meanwhile

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._play.setChecked(False)

    # ------------------------------------------------------------------ walking by itself

    def _stroll(self, on: bool) -> None:
        self._play.setIcon(theme.icon("pause" if on else "play"))
        if on:
            self._timer.start()
        else:
            self._timer.stop()

    def _step(self) -> None:
        """Where the way ends another begins, to a seed of chance."""
        if self._position.value() < FINENESS:
            self._position.setValue(self._position.value() + STROLL)
            return
        with QSignalBlocker(self._from), QSignalBlocker(self._to):
            self._from.setValue(self._to.number())
            self._to.setValue(random_seed())
        self._position.setValue(0)

    # ------------------------------------------------------------------ building

    def _lay_out(self) -> None:
        self._controls = QWidget()
        column = QVBoxLayout(self._controls)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACING)
        seeds = QGridLayout()
        seeds.setSpacing(theme.SPACING)
        seeds.setColumnStretch(1, 1)
        for row, (name, box) in enumerate((("seed_from", self._from), ("seed_to", self._to))):
            label = self._walk.field(name).param.label
            seeds.addWidget(self._label(label, box), row, 0)
            seeds.addWidget(box, row, 1)
            seeds.addWidget(self._dice(label, box), row, 2)
        column.addLayout(seeds)
        way = QHBoxLayout()
        way.setSpacing(theme.SPACING)
        way.addWidget(self._play)
        way.addWidget(self._position, 1)
        column.addLayout(way)
        column.addLayout(self._direction_rows())
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(2 * theme.SPACING, 0, *(2 * theme.SPACING,) * 2)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self.errors)
        layout.addWidget(self._controls)
        layout.addLayout(self._foot())
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 2 * theme.SPACING, 0, 0)
        outer.setSpacing(theme.SPACING)
        outer.addWidget(self.picture)
        outer.addWidget(self._caption)
        outer.addWidget(scroll, 1)
        self.setFocusProxy(self._position)

    def _dice(self, label: str, box: NumberBox) -> QToolButton:
        dice = QToolButton()
        dice.setIcon(theme.icon("dices"))
        dice.setToolTip(self.tr("Another seed by chance"))
        dice.setAccessibleName(self.tr("Throw dice: {label}").format(label=label))
        theme.set_role(dice, "quiet")
        dice.clicked.connect(lambda: box.setValue(random_seed()))
        return dice

    def _direction_rows(self) -> QGridLayout:
        rows = QGridLayout()
        rows.setSpacing(theme.SPACING)
        rows.setColumnStretch(1, 1)
        for row, (name, slider) in enumerate(self._directions.items()):
            rows.addWidget(self._label(self._walk.field(name).param.label, slider), row, 0)
            rows.addWidget(slider, row, 1)
        return rows

    def _foot(self) -> FlowLayout:
        back = QPushButton(theme.icon("rotate-ccw", "muted"), self.tr("Straight way"))
        back.setToolTip(self.tr("Put all directions back to the middle"))
        theme.set_role(back, "quiet")
        back.clicked.connect(self._straighten)
        row = FlowLayout(gap=theme.SPACING)
        row.addWidget(self.save)
        row.addWidget(back)
        return row

    def _straighten(self) -> None:
        for slider in self._directions.values():
            slider.setValue(0)

    def _label(self, text: str, buddy: QWidget) -> QLabel:
        label = QLabel(text)
        label.setBuddy(buddy)
        return label

    def _reach(self, name: str) -> tuple[int, int]:
        """Hundredths, as a slider counts in whole numbers."""
        param = self._walk.field(name).param
        return round(100 * (param.minimum or 0)), round(100 * (param.maximum or 0))

    def _slider(self, field: Field, low: int, high: int, value: int) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(low, high)
        slider.setValue(value)
        slider.setSingleStep((high - low) // 100)
        slider.setPageStep((high - low) // 10)
        slider.setToolTip(field.param.help)
        slider.setAccessibleName(field.param.label)
        slider.valueChanged.connect(self.moved)
        return slider

    def _seed_box(self, name: str) -> NumberBox:
        field = self._walk.field(name)
        box = NumberBox(whole=True, minimum=field.param.minimum, maximum=field.param.maximum)
        box.setValue(field.default)
        box.setMinimumWidth(10 * theme.SPACING)
        box.setToolTip(field.param.help)
        box.setAccessibleName(field.param.label)
        box.valueChanged.connect(self.moved)
        return box
