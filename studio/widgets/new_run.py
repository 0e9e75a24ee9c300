"""What to train and on what: a picker over the trainers, the form of the chosen one, Start."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from engine.errors import InvalidTask
from engine.task import Task
from studio import theme
from studio.widgets.error_box import ErrorBox
from studio.widgets.parameter_form import ParameterForm


class NewRun(QWidget):
    """`start_requested` carries a checked task; what is wrong is said under its field."""

    start_requested = Signal(object)
    look_requested = Signal(str)  # the dataset whose images a person wants to see

    def __init__(self, trainers: Sequence[type[Task]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trainers = list(trainers)
        self._picker = QComboBox()
        self._picker.setToolTip(self.tr("What to train"))
        self._picker.setAccessibleName(self.tr("Trainer"))
        self._summary = QLabel()
        self._summary.setWordWrap(True)
        theme.set_role(self._summary, "caption")
        self._forms = QStackedWidget()
        for trainer in self._trainers:
            self._picker.addItem(trainer.title)
            self._forms.addWidget(
                ParameterForm(trainer, exclude=("resume", "resume_step", "branch_from"))
            )
        self._picker.currentIndexChanged.connect(self._show)
        self.errors = ErrorBox()
        self.errors.retry.connect(self.start)
        self.button = QPushButton(theme.icon("play"), self.tr("Start training"))
        self.button.setToolTip(self.tr("Begin a new run with these settings"))
        self.button.clicked.connect(self.start)
        self.look = QPushButton(theme.icon("database"), self.tr("Look at the data"))
        self.look.setToolTip(
            self.tr("See the images, how many there are, and which are broken or there twice")
        )
        self.look.clicked.connect(
            lambda: self.look_requested.emit(str(self.form.values()["dataset"]))
        )
        self._lay_out()
        self._show(0)

    def _lay_out(self) -> None:
        head = QVBoxLayout()
        head.setContentsMargins(2 * theme.SPACING, 2 * theme.SPACING, 2 * theme.SPACING, 0)
        head.setSpacing(theme.SPACING)
        head.addWidget(self._picker)
        head.addWidget(self._summary)
        foot = QVBoxLayout()
        foot.setContentsMargins(2 * theme.SPACING, theme.SPACING, *(2 * theme.SPACING,) * 2)
        foot.setSpacing(theme.SPACING)
        foot.addWidget(self.errors)
        foot.addWidget(self.look)
        foot.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self._forms, 1)
        layout.addLayout(foot)

    @property
    def form(self) -> ParameterForm:
        form = self._forms.currentWidget()
        assert isinstance(form, ParameterForm)
        return form

    def choose(self, name: str) -> None:
        """Pick the trainer called `name`."""
        names = [trainer.name() for trainer in self._trainers]
        if name in names:
            self._picker.setCurrentIndex(names.index(name))

    def set_alone(self, alone: bool) -> None:
        """Whether this is the only Start in sight, and so the button that stands out."""
        theme.set_role(self.button, "primary" if alone else "")
        self.button.setIcon(theme.icon("play", "on_accent" if alone else "text"))

    def start(self) -> None:
        self.errors.hide()
        try:
            task = self.form.task()
        except InvalidTask:
            return  # the form says it under the field
        self.start_requested.emit(task)

    def _show(self, index: int) -> None:
        self._forms.setCurrentIndex(index)
        self._summary.setText(self._trainers[index].summary)
        names = {field.name for field in self._trainers[index].fields()}
        self.look.setVisible({"dataset", "image_size"} <= names)  # of images, not of texts
