"""Writes: a language model answers a prompt, or continues it, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.events import Progress, Report
from engine.task import param
from engine.writing_task import WritingTask

if TYPE_CHECKING:
    from engine.language.model import LanguageModel


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
