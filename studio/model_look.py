"""Says under the field of a model what it needs, against what is free, before it is loaded."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer

from engine import packs
from engine.amounts import told
from engine.errors import EngineError, InvalidTask
from engine.events import IMAGE_MODEL, Event, MemoryPlan, ModelFacts
from engine.fitting import ERROR
from engine.memory_plans import AS_IT_IS
from engine.registry import task_class
from engine.worker import Engine, Job
from studio.latest_wish import LatestWish
from studio.widgets.parameter_form import ParameterForm

ENDED = "ended"
"""Jobs that have ended: no field of the task, but after one there may be more to tell."""
QUIET = 500  # milliseconds without a change, as a path is typed


class ModelLook(QObject):
    """Looks whenever another model stands in the form, and the form can be seen."""

    def __init__(self, engine: Engine, form: ParameterForm, parent: QObject) -> None:
        super().__init__(parent)
        self._engine, self._form, self._field = engine, form, form.editor("model")
        self._looked_at: dict[str, Any] = {}
        self._offered: MemoryPlan | None = None
        self._wish = LatestWish(engine, self)
        self._wish.reported.connect(self._hear)
        self._wish.ended.connect(self._ended)
        self._timer = QTimer(self, singleShot=True, interval=QUIET)
        self._timer.timeout.connect(self._look)
        form.changed.connect(self._timer.start)
        engine.jobs_changed.connect(self._timer.start)  # a starter pack may have been fetched
        self._field.offer_taken.connect(self._take_offer)
        form.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._timer.start()
        return False

    def _look(self) -> None:
        model = str(self._field.value())
        asked = self._asked(model)
        if self._engine.busy or not self._form.isVisible() or asked == self._looked_at:
            return  # what is drawn or waits goes first; at its end there is a look
        self._wish.forget()
        if model != self._looked_at.get("model"):
            self._say("")
        if packs.missing_one(model):  # a notice offers it, and says how large it is
            return
        try:
            values = {name: value for name, value in asked.items() if name != ENDED}
            task = task_class("inspect_model").from_dict(values)
        except InvalidTask:  # nothing is chosen
            return
        self._looked_at = asked
        self._wish.want(lambda: task)

    def _asked(self, model: str) -> dict[str, Any]:
        """The fields of the task that looks, and what else may change its answer."""
        asked: dict[str, Any] = {"model": model, "save": False}
        values = self._form.values()
        if "memory_plan" not in values:
            return asked
        sized = "width" in values and not self._form.editor("width").isHidden()
        size = {name: values[name] for name in ("width", "height")} if sized else {}
        ended = sum(job.state.ended for job in self._engine.jobs)  # a drawing was measured
        plan = {"memory_plan": values["memory_plan"], "resizable": sized}
        return asked | size | plan | {ENDED: ended}

    def _hear(self, event: Event) -> None:
        if isinstance(event, ModelFacts):
            self._say(*self._told(event))
            self._make_offer(event)

    def _make_offer(self, facts: ModelFacts) -> None:
        """The mildest way that fits, where the one that is set does not."""
        fitting = (plan for plan in facts.plans if plan.needs <= facts.free)
        self._offered = next(fitting, None) if facts.needs > facts.free else None
        if self._offered is None:
            self._field.show_offer("")
        elif self._offered.lossless:
            same = self.tr("The picture stays the same to the last bit.")
            self._field.show_offer(self._offer(self._offered), same)
        else:
            differs = self.tr("The picture becomes another one, or differs a little.")
            self._field.show_offer(self._offer(self._offered), differs)

    def _offer(self, plan: MemoryPlan) -> str:
        ways = [plan.name] if plan.name != AS_IT_IS else []
        if "width" in plan.values:
            ways.insert(0, "{width} × {height}".format(**plan.values))
        return self.tr("Use {} ({})").format(", ".join(ways or [plan.name]), told(plan.needs))

    def _take_offer(self) -> None:
        if self._offered:
            self._form.set_values(self._offered.values)
            self._field.show_offer("")

    def _ended(self, job: Job) -> None:
        if isinstance(job.error, EngineError):
            self._say(f"{job.error.message} {job.error.hint}".strip(), True)

    def _say(self, text: str, warns: bool = False) -> None:
        if not warns:
            self._field.show_offer("")
        self._field.show_note(text, warns)

    def _told(self, facts: ModelFacts) -> tuple[str, bool]:
        """What it needs, in words, and whether that is more than there is."""
        needs, free = told(facts.needs), told(facts.free)
        needed = self.tr("Needs {} of memory").format(needs)
        if facts.kind == IMAGE_MODEL:  # and more to draw, which is not known, or not yet
            needed = self.tr("Needs at least {} of memory").format(needs)
        if plan := next((plan for plan in facts.plans if plan.needs == facts.needs), None):
            needed = self._by_plan(plan)
        if facts.needs > facts.free:
            said = self.tr("{}, {} are free: close programs, or take another.")
            return said.format(needed, free), True
        return self.tr("{}, {} are free").format(needed, free), False

    def _by_plan(self, plan: MemoryPlan) -> str:
        """What a picture takes: measured here, or estimated, with how far that may be off."""
        if not plan.took:
            said = self.tr("Needs about {} of memory (± {} %)")
            return said.format(told(plan.estimated), round(100 * ERROR))
        said = self.tr("Took {} of memory here last time ({} were expected)")
        return said.format(told(plan.took), told(plan.estimated))
