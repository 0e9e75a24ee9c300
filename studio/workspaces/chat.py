"""Chat: a person and a model say things in turn; all of it can be edited, and branches."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow

from engine import packs, text_files
from engine.chat_log import BEGINNING
from engine.errors import EngineError, FileError, InvalidTask
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine
from studio.actions import Command, add_actions
from studio.answering import Answering, history
from studio.chat_shelf import ChatShelf
from studio.dialogs.paths import ask_where_to_write_text
from studio.model_look import ModelLook
from studio.open_chat import OpenChat
from studio.pack_fetch import PackFetch
from studio.settings import Settings
from studio.widgets.chat_desk import ChatDesk
from studio.widgets.pack_notice import PackNotice
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.preset_row import PresetRow
from studio.widgets.shelf_list import ShelfList
from studio.widgets.side_dock import LEFT, add_dock

PARAMETERS = "chat/parameters"


class ChatWorkspace(QMainWindow):
    """One chat is open; the others are listed at the left."""

    draw_requested = Signal(str)

    def __init__(
        self, engine: Engine, settings: Settings, answers: type[Task] | None = None
    ) -> None:
        """`answers` is the task that answers, with the fields of chat_answer."""
        super().__init__()
        self._settings = settings
        self._desk = ChatDesk(*map(PackNotice, packs.PACKS))
        self._list = ShelfList(
            title=self.tr("chats"),
            new=self.tr("New chat (Ctrl+N)"),
            delete=self.tr("Move this chat to the trash"),
            untitled=self.tr("Empty chat"),
        )
        self._form = ParameterForm(
            answers or task_class("chat_answer"), exclude=("prompt", "history")
        )
        self._form.set_values(settings.value(PARAMETERS, {}))
        self._form.undo_stack.clear()
        ModelLook(engine, self._form, self)
        self._answering = Answering(engine, self)
        self._pack = PackFetch(engine, packs.PACKS[0], self._desk.notice, self)
        self._files_pack = PackFetch(engine, packs.PACKS[1], self._desk.files_notice, self)
        self._retry: Callable[[], object] = self.send
        self._asked = ""
        self._shelf = ChatShelf(settings, self._list, self)
        self.setCentralWidget(self._desk)
        self.setFocusProxy(self._desk.box)
        self._add_docks()
        self._actions = {a.objectName(): a for a in add_actions(self, self.actions_table())}
        self._connect()
        self._shelf.restore()
        self._notice_model()

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("chat_new", tr("New chat"), "Ctrl+N", "plus", self._shelf.begin),
            Command("chat_again", tr("Answer again"), "Ctrl+R", "refresh-cw", self.answer_again),
            Command("chat_stop", tr("Stop"), "Esc", "square", self._answering.stop),
            Command("chat_edit", tr("Edit my last message"), "Ctrl+L", "pen-line", self.edit_last),
            Command("chat_undo", tr("Undo"), "Ctrl+Z", "undo-2", self.undo),
            Command("chat_redo", tr("Redo"), "Ctrl+Shift+Z", "redo-2", self.redo),
            Command(
                "chat_search",
                tr("Search the chats"),
                "Ctrl+F",
                "search",
                self._list.search.setFocus,
            ),
            Command("chat_draw", tr("Draw the last answer"), "Ctrl+D", "brush", self.draw),
            Command("chat_export", tr("Export the chat…"), "Ctrl+E", "save", self.export),
        ]

    @property
    def _chat(self) -> OpenChat:
        return self._shelf.chat

    # ------------------------------------------------------------------ saying and answering

    def send(self) -> None:
        """Say what stands in the box, after the last message."""
        shown = self._chat.shown()
        self._ask(self._desk.box.prompt.toPlainText().strip(), shown[-1].number if shown else 0)

    def answer_again(self, number: int = 0) -> None:
        """Another answer in the place of this one, or of the last; the old one stays beside it."""
        self._retry = lambda: self.answer_again(number)
        shown = self._chat.shown()
        if self._answering.running or not shown or self._is_model_missing():
            return
        last = self._chat.log[number] if number else shown[-1]
        question = last.number if last.role == "user" else last.parent
        if question == BEGINNING:
            return
        asked = self._chat.log[question]
        if task := self._task(asked.text, asked.parent):
            self._answering.start(task, self._chat, question, one_step=False)

    def edit(self, number: int, text: str) -> None:
        """Ask something else in the place of a message, or put other words into the answer's."""
        message = self._chat.log[number]
        if message.role == "user":
            self._ask(text, message.parent)
        else:
            self._chat.say("assistant", text, message.parent)

    def edit_last(self) -> None:
        mine = [view for view in self._desk.view.views() if view.message.role == "user"]
        if mine and not self._answering.running:
            mine[-1].edit()

    def _ask(self, text: str, parent: int) -> None:
        self._retry = self.send
        if self._answering.running or self._is_model_missing():
            return
        box = self._desk.box.prompt
        if not text:
            box.setFocus()
        elif task := self._task(text, parent):
            question = self._chat.say("user", text, parent)
            self._asked = text
            box.remember()
            box.clear()
            self._answering.start(task, self._chat, question, one_step=True)
            self._desk.view.go_to_end()

    def _task(self, text: str, parent: int) -> Task | None:
        """The task that answers `text` after the message `parent`; None where the form says why."""
        self._desk.error.hide()
        try:
            return self._form.task(prompt=text, history=history(self._chat.log.path(parent)))
        except InvalidTask as error:
            if error.field in ("prompt", "history"):
                self._desk.error.show_error(error, can_retry=False)
            return None

    def _explain_failure(self, error: EngineError) -> None:
        """Say it; what was asked goes back into the box, so that nothing has to be typed again."""
        box = self._desk.box.prompt
        if self._asked and not box.toPlainText():
            box.setPlainText(self._asked)
        self._asked = ""
        self._desk.error.show_error(error)
        if isinstance(error, InvalidTask):
            self._form.show_error(error.field, error.message)

    # ------------------------------------------------------------------ this chat

    def turn(self, number: int, delta: int) -> None:
        """Show an earlier (negative) or later alternative of a message."""
        beside = self._chat.log.alternatives(number)
        place = beside.index(number) + delta
        if 0 <= place < len(beside):
            self._chat.choose(beside[place])

    def undo(self) -> None:
        self._answering.stop()
        self._chat.undo()

    def redo(self) -> None:
        self._answering.stop()
        self._chat.redo()

    def draw(self) -> None:
        """Hand the last answer to Create."""
        answers = [m.text for m in self._chat.shown() if m.role == "assistant"]
        if answers and answers[-1].strip():
            self.draw_requested.emit(" ".join(answers[-1].split()))

    def export(self) -> None:
        """Ask where to, and write there what is shown."""
        if path := ask_where_to_write_text(self):
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        names = {"user": self.tr("You"), "assistant": self.tr("Model")}
        try:
            text_files.write(path, self._chat.log.markdown(names))
        except FileError as error:
            self._explain(error, lambda: self.export_to(path))
        else:
            self._desk.status.setText(self.tr("Exported to {}").format(path))

    # ------------------------------------------------------------------ what is shown

    def _show(self) -> None:
        shown = self._chat.shown()
        places = []
        for message in shown:
            beside = self._chat.log.alternatives(message.number)
            places.append((beside.index(message.number) + 1, len(beside)))
        self._desk.show_empty(not shown)
        self._desk.view.show_messages(shown, places)
        self._show_state()

    def _show_opened(self) -> None:
        """Another chat is in front of the person."""
        self._answering.forget()
        self._desk.error.hide()
        self._show()
        self._desk.view.go_to_end()
        self._desk.box.setFocus()

    def _show_state(self) -> None:
        running = self._answering.running
        self._desk.box.set_ready(not running)
        self._desk.view.set_ready(not running)
        self._desk.status.setText(self._answering.status())
        self._desk.show_use(self._answering.use)
        self._actions["chat_again"].setEnabled(not running and bool(self._chat.shown()))
        self._actions["chat_stop"].setEnabled(running)

    def _explain(self, error: EngineError, retry: Callable[[], object]) -> None:
        self._retry = retry
        self._desk.error.show_error(error)

    def _notice_model(self) -> bool:
        """Whether a model has to be fetched first, which a notice says then."""
        values = self._form.values()
        finder = values.get("embedding_model", "") if values.get("documents") else ""
        missed = self._pack.missed_by(values.get("model", ""))
        return self._files_pack.missed_by(finder) or missed

    def _is_model_missing(self) -> bool:
        missing = self._notice_model()
        for notice in (self._desk.notice, self._desk.files_notice):
            if notice.isVisible():
                notice.focus_action()
        return missing

    def _set_model(self, field: str, model: str) -> None:
        self._form.set_values({field: model})

    def closeEvent(self, event: QCloseEvent) -> None:
        self._answering.stop()
        self._shelf.chat.close()
        super().closeEvent(event)

    # ------------------------------------------------------------------ parts

    def _connect(self) -> None:
        view, box = self._desk.view, self._desk.box
        view.again.connect(self.answer_again)
        view.edited.connect(self.edit)
        view.turned.connect(self.turn)
        view.branched.connect(self._shelf.branch)
        view.deleted.connect(lambda number: self._chat.delete(number))
        box.sent.connect(self.send)
        box.stopped.connect(self._answering.stop)
        self._shelf.changed.connect(self._show)
        self._shelf.opened.connect(self._show_opened)
        self._shelf.failed.connect(self._explain)
        self._answering.changed.connect(self._show_state)
        self._answering.failed.connect(self._explain_failure)
        self._desk.error.retry.connect(self._try_again)
        for field, pack in (("model", self._pack), ("embedding_model", self._files_pack)):
            pack.chosen.connect(partial(self._set_model, field))
            pack.fetched.connect(self._notice_model)
            pack.failed.connect(lambda error, pack=pack: self._explain(error, pack.start))
        self._form.changed.connect(self._remember_parameters)

    def _try_again(self) -> None:
        self._desk.error.hide()
        self._retry()

    def _remember_parameters(self) -> None:
        self._settings.set_value(PARAMETERS, self._form.values())
        self._notice_model()

    def _add_docks(self) -> None:
        add_dock(self, "chat_list", self.tr("Chats"), self._list, LEFT)
        add_dock(self, "chat_parameters", self.tr("Parameters"), PresetRow(self._form))
