"""Changes a text with a language model: rewrites, shortens, expands, summarises, translates it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.errors import InvalidTask
from engine.events import Progress, Report
from engine.task import param, with_default
from engine.writing_task import WritingTask

if TYPE_CHECKING:
    from engine.language.model import LanguageModel

CHANGES = {
    "rewrite": "Rewrite the following text in other words while preserving its core meaning.",
    "shorten": "Rewrite the following text to make it more concise while preserving its core "
    "meaning.",
    "expand": "Rewrite the following text to make it longer and more detailed while preserving its "
    "core meaning.",
    "summarise": "Provide a concise, objective summary of the following text in one or two "
    "sentences.",
    "simplify": "Rewrite the following text in plain, simple words while preserving its core "
    "meaning.",
    "correct": "Correct the spelling and grammar of the following text and change nothing else.",
    "imagine": "Describe a painting of the following in one sentence, with its subject, its "
    "colours and its light.",
    "translate": "Translate the following text into {language}.",
}
"""What the model is told, by the name of the change. Small models follow words they have learned
from: these are close to those of SmolTalk (2502.02737), on which the starter pack was trained."""


@dataclass(frozen=True)
class ReworkText(WritingTask):
    """Zero-shot: an instruct model is told what to do with the text, and shown no examples."""

    title: ClassVar[str] = "Change a text"
    summary: ClassVar[str] = "Rewrites, shortens, expands, summarises or translates a text."

    prompt: str = param(
        label="Text",
        help="The text that is to be changed.",
        kind="prompt",
        required=True,
    )
    change: str = param(
        "rewrite",
        label="Change",
        help="What is done with the text. How well depends on the model: a small one shortens and "
        "rewrites better than it translates.",
        choices=tuple(CHANGES),
    )
    language: str = param(
        "English",
        label="Language",
        help="Into which the text is translated; other changes do not need it.",
    )

    # Close to the text: its own words have to come again.
    temperature: float = with_default(WritingTask, "temperature", 0.2)
    repetition_penalty: float = with_default(WritingTask, "repetition_penalty", 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.change == "translate" and not self.language.strip():
            raise InvalidTask("language", "There is no language to translate into.", "Name one.")

    @property
    def instruction(self) -> str:
        """What the model is asked to do, with the text under it."""
        told = CHANGES[self.change].format(language=" ".join(self.language.split()))
        return f"{told}\n\n{self.prompt.strip()}"

    def is_answer(self, model: LanguageModel) -> bool:
        return True

    def whole_prompt(self, model: LanguageModel, report: Report) -> str:
        if model.chat is None:
            raise InvalidTask(
                "model",
                f"{model.name} only continues a text; it follows no instructions.",
                "Choose an instruct model to change a text with.",
            )
        report(Progress(0, None, "preparing the prompt"))
        return model.chat.render(self.instruction, self.system_prompt)
