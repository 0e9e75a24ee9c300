"""A chat that branches: whatever is asked or answered anew stands beside what was said before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Role = Literal["user", "assistant"]
BEGINNING = 0
"""The parent of the first messages; real ones are numbered from 1."""
TITLE_LENGTH = 60


@dataclass(frozen=True)
class Message:
    """What one of the two said, and after which message."""

    number: int
    parent: int
    role: Role
    text: str


class ChatLog:
    """A tree of messages. At every fork one of the alternatives is shown, the newest at first."""

    def __init__(
        self, messages: Iterable[Message] = (), chosen: Mapping[int, int] | None = None
    ) -> None:
        """`chosen`: which child is shown, by its parent; forks that it leaves out show the last."""
        self._messages = {message.number: message for message in messages}
        self._chosen = dict(chosen or {})

    def __getitem__(self, number: int) -> Message:
        return self._messages[number]

    def __contains__(self, number: int) -> bool:
        return number in self._messages

    def shown(self) -> list[Message]:
        """The messages from the beginning along the chosen alternatives."""
        path: list[Message] = []
        here = BEGINNING
        while children := self._children(here):
            chosen = self._chosen.get(here)
            here = chosen if chosen in children else children[-1]
            path.append(self._messages[here])
        return path

    def alternatives(self, number: int) -> list[int]:
        """The messages in the place of this one, itself among them, oldest first."""
        return self._children(self._messages[number].parent)

    def path(self, number: int) -> list[Message]:
        """The messages that lead to this one and itself, oldest first; none for BEGINNING."""
        path: list[Message] = []
        while number != BEGINNING:
            path.append(self._messages[number])
            number = self._messages[number].parent
        return path[::-1]

    def add(self, role: Role, text: str, parent: int) -> int:
        """Say something after `parent`, and show it; returns its number."""
        number = max(self._messages, default=BEGINNING) + 1
        self._messages[number] = Message(number, parent, role, text)
        self._chosen[parent] = number
        return number

    def grow(self, number: int, text: str) -> None:
        """More of a message that is being written."""
        message = self._messages[number]
        self._messages[number] = replace(message, text=message.text + text)

    def mend(self, number: int, text: str) -> None:
        """The message has another text, such as its own without what it said twice."""
        self._messages[number] = replace(self._messages[number], text=text)

    def choose(self, number: int) -> None:
        """Show this message in the place of its alternatives."""
        self._chosen[self._messages[number].parent] = number

    def delete(self, number: int) -> None:
        """Take out a message and all that follows it; the alternative before it is shown then."""
        beside = self.alternatives(number)
        parent, place = self._messages[number].parent, beside.index(number)
        beside.remove(number)
        doomed = [number]
        while doomed:
            gone = doomed.pop()
            doomed += self._children(gone)
            del self._messages[gone]
            self._chosen.pop(gone, None)
        self._chosen.pop(parent, None)
        if beside:
            self._chosen[parent] = beside[max(place - 1, 0)]

    def branch(self, number: int) -> ChatLog:
        """A chat of its own with what led to this message, and the message."""
        return ChatLog(self.path(number))

    @property
    def title(self) -> str:
        """How a list names it: the first words; empty before anything was said."""
        first = next(iter(self.shown()), None)
        words = " ".join(first.text.split()) if first else ""
        return words if len(words) <= TITLE_LENGTH else words[:TITLE_LENGTH].rstrip() + " …"

    def markdown(self, names: Mapping[str, str]) -> str:
        """What is shown as a text; `names` says who speaks, by the role."""
        told = (f"**{names[each.role]}**\n\n{each.text.strip()}" for each in self.shown())
        return "\n\n".join(told) + "\n"

    def copy(self) -> ChatLog:
        return ChatLog(self._messages.values(), self._chosen)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "messages": [asdict(message) for message in self._messages.values()],
            "chosen": {str(parent): number for parent, number in self._chosen.items()},
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> ChatLog:
        """The chat that `to_dict` told; raises ValueError for anything else."""
        try:
            messages = [Message(**each) for each in told["messages"]]
            chosen = {int(parent): number for parent, number in told["chosen"].items()}
        except (LookupError, TypeError, AttributeError) as error:
            raise ValueError("no chat") from error
        known = {BEGINNING}
        for each in messages:
            if not (
                type(each.number) is int
                and each.number not in known
                and each.number > BEGINNING
                and each.parent in known
                and each.role in get_args(Role)
                and isinstance(each.text, str)
            ):
                raise ValueError(f"no message of a chat: {each}")
            known.add(each.number)
        return cls(messages, chosen)

    def _children(self, parent: int) -> list[int]:
        return [m.number for m in self._messages.values() if m.parent == parent]
