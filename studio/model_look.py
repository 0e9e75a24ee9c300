"""Says under the field of a model what it needs, against what is free, before it is loaded."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer

from engine import packs
from engine.errors import EngineError, InvalidTask
from engine.events import Event, ModelFacts
from engine.registry import task_class
from engine.worker import Engine, Job
from studio.latest_wish import LatestWish
from studio.widgets.parameter_form import ParameterForm

QUIET = 500  # milliseconds without a change, as a path is typed


class ModelLook(QObject):
    """Looks whenever another model stands in the form, and the form can be seen."""

    def __init__(self, engine: Engine, form: ParameterForm, parent: QObject) -> None:
        super().__init__(parent)
        self._form, self._field = form, form.editor("model")
        self._looked_at = ""
        self._wish = LatestWish(engine, self)
        self._wish.reported.connect(self._hear)
        self._wish.ended.connect(self._ended)
        self._timer = QTimer(self, singleShot=True, interval=QUIET)
        self._timer.timeout.connect(self._look)
        form.changed.connect(self._timer.start)
        engine.jobs_changed.connect(self._timer.start)  # a starter pack may have been fetched
        form.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._timer.start()
        return False

    def _look(self) -> None:
        model = str(self._field.value())
        if not self._form.isVisible() or model == self._looked_at:
            return
        self._wish.forget()
        self._say("")
        if packs.missing_one(model):  # a notice offers it, and says how large it is
            return
        try:
            task = task_class("inspect_model").from_dict({"model": model, "save": False})
        except InvalidTask:  # nothing is chosen
            return
        self._looked_at = model
        self._wish.want(lambda: task)

    def _hear(self, event: Event) -> None:
        if isinstance(event, ModelFacts):
            self._say(*self._told(event))

    def _ended(self, job: Job) -> None:
        if isinstance(job.error, EngineError):
            self._say(f"{job.error.message} {job.error.hint}".strip(), True)

    def _say(self, text: str, warns: bool = False) -> None:
        self._field.show_note(text, warns)

    def _told(self, facts: ModelFacts) -> tuple[str, bool]:
        """What it needs, in words, and whether that is more than there is."""
        needs, free = _size(facts.needs), _size(facts.free)
        if facts.needs > facts.free:
            said = self.tr("Needs {} of memory, {} are free: close programs, or take another.")
            return said.format(needs, free), True
        return self.tr("Needs {} of memory, {} are free").format(needs, free), False


def _size(count: int) -> str:
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
