"""One answer being written: its job on the engine, its way into the chat, what it took of the
model's context."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from engine import folders
from engine.chat_log import Message
from engine.errors import EngineError
from engine.events import ContextUse, Event, Mended, Notice, Token
from engine.task import Task
from engine.worker import Engine, Job
from studio.open_chat import OpenChat


class Answering(QObject):
    """Answers one message at a time. `failed` carries the EngineError."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.use: ContextUse | None = None
        """Of the last answer."""
        self.notice = ""
        self._engine = engine
        self._job: Job | None = None
        self._chat: OpenChat | None = None
        self._number = 0

    @property
    def running(self) -> bool:
        return self._job is not None

    def start(self, task: Task, chat: OpenChat, question: int, *, one_step: bool) -> None:
        """Let `task` answer the message `question`; with `one_step` both are undone together."""
        self._chat, self.notice = chat, ""
        self._number = chat.say("assistant", "", question, one_step=one_step)
        self._job = job = Job(task, folders.outputs())
        job.started.connect(self.changed)
        job.reported.connect(self._take)
        job.finished.connect(self._end)
        job.cancelled.connect(self._end)
        job.failed.connect(self._fail)
        self._engine.submit(job)
        self.changed.emit()

    def stop(self) -> None:
        """What is there stays."""
        if self._job:
            self._job.cancel()
            self._end()

    def forget(self) -> None:
        """Another chat is open: what is known of the last answer is not about it."""
        self.use, self.notice = None, ""
        self.changed.emit()

    def status(self) -> str:
        """What the model does now, in a few words; empty once a text grows."""
        if not (self._job and self._chat):
            return self.notice
        if self._number in self._chat.log and self._chat.log[self._number].text:
            return self.tr("Writing")
        progress = self._job.progress
        if progress and progress.stage:
            return progress.stage[0].upper() + progress.stage[1:] + " …"
        return self.tr("Starting …")

    def _take(self, event: Event) -> None:
        if isinstance(event, Token) and self._chat:
            told = self._chat.log[self._number].text if self._number in self._chat.log else ""
            self._chat.grow(self._number, event.text if told else event.text.lstrip())
        elif isinstance(event, Mended) and self._chat:
            self._chat.mend(self._number, event.text.lstrip())
        elif isinstance(event, ContextUse):
            self.use = event
        elif isinstance(event, Notice):
            self.notice = event.message
        self.changed.emit()

    def _end(self) -> None:
        job, self._job = self._job, None
        if job:
            job.started.disconnect(self.changed)
            job.reported.disconnect(self._take)
            job.finished.disconnect(self._end)
            job.cancelled.disconnect(self._end)
            job.failed.disconnect(self._fail)
        self.changed.emit()

    def _fail(self, error: EngineError) -> None:
        chat, number = self._chat, self._number
        self._end()
        if chat and number in chat.log and not chat.log[number].text:
            chat.undo()  # nothing was answered: as it was before it was asked
        self.failed.emit(error)


def history(messages: Sequence[Message]) -> str:
    """What was said before, as the task takes it."""
    told = [{"role": message.role, "content": message.text} for message in messages]
    return json.dumps(told, ensure_ascii=False)
