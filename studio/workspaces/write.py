"""Write: the page in the middle, the model's suggestion in it, its parameters at the right."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow

from engine import folders, packs
from engine.errors import EngineError, FileError, InvalidTask
from engine.registry import task_class
from engine.task import Task, random_seed
from engine.worker import Engine
from studio import word_count
from studio.actions import Command, add_actions
from studio.alternatives import Alternatives
from studio.comparing import Comparing
from studio.document_shelf import DocumentShelf
from studio.drafts import Draft
from studio.model_look import ModelLook
from studio.pack_fetch import PackFetch
from studio.prompt_templates import PromptTemplates
from studio.reading import Reading
from studio.settings import Settings
from studio.spell_check import SpellCheck
from studio.text_changes import TextChanges
from studio.text_sharing import TextSharing
from studio.widgets.desk import Desk
from studio.widgets.pack_notice import PackNotice
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.preset_row import PresetRow
from studio.widgets.side_dock import LEFT, add_dock
from studio.word_look import WordLook
from studio.writing import Writing

COUNT_AFTER = 150  # milliseconds of quiet before words are counted again
PARAMETERS = "write/parameters"
NOT_IN_THE_FORM = ("prompt", "apply_chat_template", "reads_end")


class WriteWorkspace(QMainWindow):
    """A person writes, and asks a language model for text or to go on."""

    draw_requested = Signal(str)

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        writes: type[Task] | None = None,
        changes: type[Task] | None = None,
        looks: type[Task] | None = None,
    ) -> None:
        """`writes` is the task that writes, with the fields of text_generation; `changes` the one
        that changes what is there, of rework_text; `looks` tells its words, of next_tokens."""
        super().__init__()
        self._settings = settings
        desk = Desk(PackNotice(packs.PACKS[0]))
        self._page, self._bar, self._ask_box = desk.page, desk.bar, desk.ask_box
        self._error, self._notice = desk.error, desk.notice
        self._retry: Callable[[], object] = self.ask
        self.form = ParameterForm(writes or task_class("text_generation"), exclude=NOT_IN_THE_FORM)
        self._changes = TextChanges(
            changes or task_class("rework_text"), settings, self.change, self
        )
        self._bar.set_changes(self._changes.menu)
        self._templates = PromptTemplates(self._ask_box, self)
        self._writing = Writing(engine, self._page, self)
        self._alternatives = Alternatives(self._page, self._writing, self._bar, self)
        self.sharing = TextSharing(self._page, self._writing, self._bar, self)
        ModelLook(engine, self.form, self)
        self._why = WordLook(engine, looks, self._page, self._writing, self.form.values, self)
        self.reading = Reading(desk, self)
        self._comparing = Comparing(engine, settings, self)
        self._spelling = SpellCheck(self._page, settings, self)
        self._pack = PackFetch(engine, packs.PACKS[0], self._notice, self)
        self._counting = QTimer(self, singleShot=True, interval=COUNT_AFTER)
        prompt = self._ask_box.prompt
        kept = folders.home() / "documents" / "prompt.txt"
        self._draft = Draft(kept, prompt.toPlainText, prompt.setPlainText, self)
        self._shelf = DocumentShelf(self._page, settings, self)
        self.setCentralWidget(desk)
        self.setFocusProxy(self._page)
        add_dock(self, "write_texts", self.tr("Texts"), self._shelf.list, LEFT)
        add_dock(self, "write_parameters", self.tr("Parameters"), PresetRow(self.form))
        self._connect()
        self._actions = {a.objectName(): a for a in add_actions(self, self.actions_table())}
        self._restore()
        self._update()
        self._notice_model()

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("write_ask", tr("Ask the model to write"), "Ctrl+Return", "sparkles", self.ask),
            Command(
                "write_continue",
                tr("Continue from the cursor"),
                "Ctrl+Shift+Return",
                "pen-line",
                self.write_on,
            ),
            Command("write_keep", tr("Keep the suggestion"), "Alt+Return", "check", self.keep),
            Command(
                "write_stop", tr("Stop, or discard the suggestion"), "Esc", "square", self.step_back
            ),
            Command("write_again", tr("Write another"), "Ctrl+R", "refresh-cw", self.write_again),
            Command(
                "write_change",
                tr("Change the selection…"),
                "Ctrl+J",
                "wand-sparkles",
                self._bar.open_changes,
            ),
            *self._shelf.actions_table(),
            *self._alternatives.actions_table(),
            *self.sharing.actions_table(),
            *self._templates.actions_table(),
            *self._comparing.actions_table(),
            *self._why.actions_table(),
            *self._spelling.actions_table(),
            *self.reading.actions_table(),
            Command(
                "write_prompt", tr("Go to the prompt"), "Ctrl+L", "terminal", self._ask_box.setFocus
            ),
        ]

    # ------------------------------------------------------------------ writing

    def ask(self) -> None:
        """Let the model write what the prompt says, in a paragraph of its own."""
        self._retry = self.ask
        self._ask_box.prompt.remember()
        self._start(self._ask_box.prompt.toPlainText(), answers=True)

    def write_on(self) -> None:
        """Let the model go on from the cursor."""
        self._retry = self.write_on
        self._page.keep()
        before = word_count.read_before(self._page)
        if not before.strip():
            said = self.tr("There is no text before the cursor to go on from.")
            hint = self.tr("Write a few words first, or ask for something below.")
            self._error.show_error(InvalidTask("prompt", said, hint), can_retry=False)
            return
        self._start(before.rstrip(" "), answers=False)

    def change(self, change: str, language: str) -> None:
        """Let the model change the selection, or the paragraph of the cursor."""
        self._retry = lambda: self.change(change, language)
        if self._notice_model():
            self._notice.focus_action()
            return
        try:
            task = self._changes.begin(self._page, change, language, self.form.values())
        except InvalidTask as error:
            self._error.show_error(error, can_retry=False)
        else:
            self._run(task)

    def write_again(self) -> None:
        """Another text for the same request, in the place of the suggestion."""
        task = self._writing.task
        if task and self._page.suggestion and not self._writing.running:
            self._page.replace_suggestion()
            self._run(dataclasses.replace(task, seed=random_seed()))  # type: ignore[call-arg]

    def keep(self) -> None:
        self._page.keep()
        self._page.setFocus()

    def step_back(self) -> None:
        """The first time stops the model, the second takes its text out."""
        if self._writing.running:
            self._writing.stop()
        else:
            self._page.discard()

    def _start(self, prompt: str, answers: bool) -> None:
        """`answers`: in a paragraph of its own; else on from the cursor, as if the writer wrote."""
        if self._notice_model():
            self._notice.focus_action()
            return
        try:
            if answers:
                self._templates.check()
            task = self.form.task(prompt=prompt, apply_chat_template=answers, reads_end=not answers)
        except InvalidTask as error:
            if error.field == "prompt":
                self._error.show_error(error, can_retry=False)
                self._ask_box.setFocus()
            return
        self._page.begin_suggestion(new_paragraph=answers)
        self._run(task)

    def _run(self, task: Task) -> None:
        self._error.hide()
        self.form.show_seed_used(task.to_dict()["seed"])
        self._writing.start(task, folders.outputs())

    # ------------------------------------------------------------------ what is shown

    def _update(self) -> None:
        """Show what can be done now."""
        writing, waiting = self._writing.running, bool(self._page.suggestion)
        if writing:
            self._bar.show_writing()
            self._bar.set_status(self._writing.status())
        else:
            self._bar.show_suggestion() if waiting else self._bar.show_idle()
            self._count()
        self._ask_box.set_ready(not writing)
        self._actions["write_ask"].setEnabled(not writing)
        self._actions["write_continue"].setEnabled(not writing)
        self._actions["write_change"].setEnabled(not writing and not waiting)
        self._actions["write_stop"].setEnabled(writing or waiting)
        self._actions["write_keep"].setEnabled(waiting)
        self._actions["write_again"].setEnabled(waiting and not writing)

    def _count(self) -> None:
        if self._writing.running:
            return
        if self._page.suggestion:
            words = self.tr("{} new words").format(len(self._page.suggestion.split()))
            self._bar.set_status(words + self._writing.status())
        else:
            self._bar.set_status(word_count.told(self._page))

    def _explain_failure(self, error: EngineError) -> None:
        self._error.show_error(error)
        if isinstance(error, InvalidTask):
            self.form.show_error(error.field, error.message)

    def _explain(self, error: EngineError, retry: Callable[[], object] | None) -> None:
        self._retry = retry or self.ask
        self._error.show_error(error, can_retry=retry is not None)

    def _notice_model(self) -> bool:
        """Whether the model that is chosen has to be fetched first, which a notice says then."""
        return self._pack.missed_by(self.form.values().get("model", ""))

    # ------------------------------------------------------------------ from one start to the next

    def _restore(self) -> None:
        """The text, the prompt and the parameters as they were."""
        self.form.set_values(self._settings.value(PARAMETERS, {}))
        self.form.undo_stack.clear()
        self._spelling.restore()
        self._shelf.restore()
        try:
            self._draft.restore()
        except FileError as error:
            self._error.show_error(error, can_retry=False)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._writing.stop()
        self._shelf.close()
        self._draft.close()
        super().closeEvent(event)

    # ------------------------------------------------------------------ parts

    def _connect(self) -> None:
        self._page.document().contentsChanged.connect(self._counting.start)
        self._page.cursorPositionChanged.connect(self._counting.start)
        self._page.suggestion_ended.connect(self._update)
        for part in (self._templates, self._why, self._spelling):
            part.failed.connect(lambda error: self._error.show_error(error, can_retry=False))
        self._counting.timeout.connect(self._count)
        self._ask_box.prompt.document().contentsChanged.connect(self._draft.touch)
        self._draft.failed.connect(lambda error: self._explain(error, self._draft.touch))
        self._shelf.failed.connect(self._explain)
        self._ask_box.asked.connect(self.ask)
        self._ask_box.continued.connect(self.write_on)
        self._bar.stop.connect(self._writing.stop)
        self._bar.keep.connect(self.keep)
        self._bar.discard.connect(self._page.discard)
        self._bar.again.connect(self.write_again)
        self.sharing.draw_requested.connect(self.draw_requested)
        self.sharing.failed.connect(lambda error: self._explain(error, self.sharing.export))
        self._writing.changed.connect(self._update)
        self._writing.failed.connect(self._explain_failure)
        self._error.retry.connect(self._try_again)
        self._pack.chosen.connect(lambda model: self.form.set_values({"model": model}))
        self._pack.fetched.connect(self._notice_model)
        self._pack.failed.connect(lambda error: self._explain(error, self._pack.start))
        self.form.changed.connect(self._remember_parameters)

    def _try_again(self) -> None:
        self._error.hide()
        self._retry()

    def _remember_parameters(self) -> None:
        self._settings.set_value(PARAMETERS, self.form.values())
        self._notice_model()
