"""One line of a JSONL file of texts: {"text"}, {"prompt", "completion"} or {"messages"}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.gate import json_text

ROLES = ("system", "user", "assistant")
FIELDS = 'a "text", a "prompt" and a "completion", or "messages"'


@dataclass(frozen=True)
class Message:
    """One turn of a conversation; `role` is one of ROLES."""

    role: str
    content: str


@dataclass(frozen=True)
class Document:
    """A text to learn from. A conversation has its messages too, for a model's chat template."""

    text: str
    messages: tuple[Message, ...] = ()


def parse_line(line: str) -> Document:
    """What the line says; raises ValueError, in words for a person, when it cannot be used.

    A prompt and a completion are joined as they are, by a line break where neither has a space
    there. Messages become lines of "role: content".
    """
    record = json_text.parse(line)
    if not isinstance(record, dict):
        raise ValueError("it is not a JSON object")
    document = _document(record)
    if not document.text.strip():
        raise ValueError("it holds no text")
    try:
        document.text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a character (a lone surrogate)") from None
    return document


def _document(record: dict[str, Any]) -> Document:
    if "text" in record:
        return Document(_text(record, "text"))
    if "messages" in record:
        return _conversation(record["messages"])
    if "prompt" in record and "completion" in record:
        prompt, completion = _text(record, "prompt"), _text(record, "completion")
        glued = prompt and completion and not (prompt[-1].isspace() or completion[0].isspace())
        return Document(f"{prompt}\n{completion}" if glued else prompt + completion)
    raise ValueError(f"it has neither {FIELDS}")


def _conversation(messages: Any) -> Document:
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise ValueError('"messages" is not a list of messages')
    told = tuple(Message(_text(each, "role"), _text(each, "content")) for each in messages)
    for message in told:
        if message.role not in ROLES:
            raise ValueError(f"{message.role[:40]!r} is no role: use {', '.join(ROLES)}")
    return Document("".join(f"{each.role}: {each.content}\n" for each in told), told)


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise ValueError(f'"{name}" is not a text')
    return value
