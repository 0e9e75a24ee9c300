"""Answers the newest message of a chat, with what was said before in mind."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import library, packs
from engine.errors import InvalidTask
from engine.events import Progress, Report
from engine.task import param
from engine.writing_task import WritingTask

if TYPE_CHECKING:
    from engine.language.model import LanguageModel, Request, Written
    from engine.retrieval.search import Found

ROLES = ("user", "assistant")
KEPT = 0.6
"""Part of the context that is filled again once something has to be forgotten."""

ASKED = "Answer the question at the end from these passages. If they do not say it, say so."
QUOTED = 14
"""Words of a passage that are shown."""

Messages = list[dict[str, str]]


@dataclass(frozen=True)
class ChatAnswer(WritingTask):
    """When a chat outgrows what the model can read, its oldest messages are left out and counted.

    What was read for the message before is not read again, so an answer depends a little, through
    rounding, on what the model did last.
    """

    title: ClassVar[str] = "Chat"
    summary: ClassVar[str] = "Answers a message of a chat."

    prompt: str = param(label="Message", help="The newest message.", kind="prompt", required=True)
    history: str = param(
        "[]",
        label="Said before",
        help="The messages before this one, oldest first, as JSON: "
        '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
        kind="text",
        advanced=True,
    )

    documents: str = param(
        "",
        label="Answer from",
        help="A folder or file of your own: the passages that fit the message best are read before "
        "it is answered, and named under the answer. Text, Markdown, Word and PDF.",
        kind="folder",
    )
    passages: int = param(
        4,
        label="Passages",
        help="How many passages of the files are read; more take room from the chat.",
        minimum=1,
        maximum=20,
        advanced=True,
    )
    embedding_model: str = param(
        library.STARTER_EMBEDDING_MODEL,
        label="Passages found by",
        help="The model that tells which passages are about the same as the message. A name, or "
        "the folder of an encoder of transformers.",
        choices=library.embedding_models,
        editable=True,
        kind="embedding",
        advanced=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.messages()

    def messages(self) -> Messages:
        """The history; raises InvalidTask where it is none."""
        try:
            found = json.loads(self.history or "[]")
        except (ValueError, RecursionError) as error:
            raise _no_history("is no JSON") from error
        if not isinstance(found, list):
            raise _no_history("is no list of messages")
        return [_message(each) for each in found]

    def is_answer(self, model: LanguageModel) -> bool:
        return True

    def whole_prompt(self, model: LanguageModel, report: Report) -> str:
        if model.chat is None:
            raise InvalidTask(
                "model",
                f"{model.name} only continues a text; it answers no questions.",
                "Choose an instruct model to chat with, or let this one continue a text in Write.",
            )
        report(Progress(0, None, "preparing the prompt"))
        return model.chat.render(self.prompt, self.system_prompt, self.messages())

    def request(self, model: LanguageModel, report: Report) -> Request:
        return dataclasses.replace(
            super().request(model, report), room=self.max_new_tokens, keeps_prefix=True
        )

    def write(self, model: LanguageModel, report: Report) -> Written:
        if not self.documents.strip():
            return self._answer(model, report)
        found = self._find_passages(report)
        asked = dataclasses.replace(self, prompt=_with_passages(self.prompt, found), documents="")
        written = asked.write(model, report)
        return dataclasses.replace(written, appendix=_sources(found))

    def _find_passages(self, report: Report) -> list[Found]:
        """Raises DatasetError, ModelError."""
        from engine.retrieval import embedding, passages, search

        if pack := packs.missing_one(self.embedding_model):
            raise packs.missing(pack)
        path = Path(self.documents).expanduser()
        held = passages.read_passages(path, report)
        encoder = embedding.load(library.find(self.embedding_model), report)
        return search.best_passages(self.prompt, held, encoder, self.passages, report)

    def _answer(self, model: LanguageModel, report: Report) -> Written:
        from engine.language.model import PromptTooLong

        try:
            return super().write(model, report)
        except PromptTooLong as error:
            messages = self.messages()
            left = newest(messages, error.tokens, error.context_length)
            if not messages:  # the message alone is too long
                raise
            told = json.dumps(left, ensure_ascii=False)
            written = dataclasses.replace(self, history=told).write(model, report)
            forgotten = len(messages) - len(left) + written.forgotten
            return dataclasses.replace(written, forgotten=forgotten)


def _with_passages(prompt: str, found: Sequence[Found]) -> str:
    """What the model is asked where it has passages to answer from."""
    told = "\n\n".join(f"[{n}] {each.passage.text}" for n, each in enumerate(found, start=1))
    return f"{ASKED}\n\n{told}\n\n{prompt}"


def _sources(found: Sequence[Found]) -> str:
    """The passages as Markdown, under an answer."""
    lines = [
        f"{n}. {each.passage.path.name}, {each.passage.place}: “{_beginning(each.passage.text)}”"
        for n, each in enumerate(found, start=1)
    ]
    return "\n\n**Read for this answer**\n\n" + "\n".join(lines) + "\n"


def _beginning(text: str) -> str:
    words = text.split()
    return " ".join(words[:QUOTED]) + (" …" if len(words) > QUOTED else "")


def newest(messages: Messages, tokens: int, context_length: int) -> Messages:
    """The end of a chat of about `tokens`, beginning with a message of the person: what takes
    KEPT of the context, so that not every answer has to forget again; less than all in any case."""
    characters = sum(len(each["content"]) for each in messages)
    allowed = characters * KEPT * context_length / tokens
    left = list(messages)
    while left:
        del left[0]
        characters = sum(len(each["content"]) for each in left)
        if left and left[0]["role"] == "user" and characters <= allowed:
            break
    return left


def _message(told: Any) -> dict[str, str]:
    if not isinstance(told, dict) or told.keys() != {"role", "content"}:
        raise _no_history("holds something that is no message of a role and a content")
    role, content = told["role"], told["content"]
    if role not in ROLES or not isinstance(content, str):
        raise _no_history(f"holds a role other than {' and '.join(ROLES)}, or no text")
    return {"role": role, "content": content.encode("utf-8", "replace").decode()}


def _no_history(problem: str) -> InvalidTask:
    return InvalidTask(
        "history",
        f"What was said before {problem}.",
        'Write it as [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
    )
