"""Writes: a language model answers a prompt, or continues it, token by token."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.events import Notice, Progress, Report
from engine.task import param
from engine.writing_task import WritingTask

if TYPE_CHECKING:
    from engine.language.model import LanguageModel, Request, Written

KEPT = 0.7
"""Of what the model can read, when a text is longer: the rest is for what it writes."""


@dataclass(frozen=True)
class TextGeneration(WritingTask):
    """An answer to the prompt, or what follows it."""

    title: ClassVar[str] = "Write"
    summary: ClassVar[str] = "Writes text with a language model."

    apply_chat_template: bool = param(
        True,
        label="Answer",
        help="On: an instruct model answers the prompt. Off: it goes on writing from it, as a base "
        "model always does.",
        advanced=True,
    )

    reads_end: bool = param(
        False,
        label="Read the end",
        help="On: of a text that is longer than the model can read it reads the end. Off: such a "
        "text is refused.",
        advanced=True,
    )

    def write(self, model: LanguageModel, report: Report) -> Written:
        from engine.language.model import PromptTooLong

        try:
            return super().write(model, report)
        except PromptTooLong as error:
            kept = int(len(self.prompt) * KEPT * error.context_length / error.tokens)
            if not self.reads_end or not 0 < kept < len(self.prompt):
                raise
            report(Notice(f"{model.name} reads only the last {kept:,} characters of this text."))
            return dataclasses.replace(self, prompt=self.prompt[-kept:]).write(model, report)

    def request(self, model: LanguageModel, report: Report) -> Request:
        asked = super().request(model, report)
        room = self.max_new_tokens if self.reads_end else 0
        return dataclasses.replace(asked, room=room)

    def is_answer(self, model: LanguageModel) -> bool:
        return model.chat is not None and self.apply_chat_template

    def whole_prompt(self, model: LanguageModel, report: Report) -> str:
        """An instruct model gets its chat template; a base model continues what is there."""
        if model.chat is not None and self.is_answer(model):
            report(Progress(0, None, "preparing the prompt"))
            return model.chat.render(self.prompt, self.system_prompt)
        if self.system_prompt.strip():
            return f"{self.system_prompt}\n\n{self.prompt}"
        return self.prompt
