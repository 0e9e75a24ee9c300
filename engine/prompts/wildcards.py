"""Wildcards in a prompt: `{red|blue}` and `__animal__` become one of several, by the seed."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

from engine import folders
from engine.errors import EngineError, FileError

LONGEST = 100_000
"""Characters of a prompt in which all has been drawn."""
MOST_ROUNDS = 100
"""A list may name other lists, but not in a circle."""
LARGEST_LIST = 4_000_000
"""Bytes of a file."""

_TOKEN = re.compile(r"\\.|__(?P<name>[^\W_](?:[\w/-]*?[^\W_])??)__|[{}|]|[^\\{}|_]+|.", re.DOTALL)


def evaluate(text: str, seed: int, purpose: str = "") -> str:
    """`text` with every wildcard drawn; the same seed draws the same.

    `purpose` (the field's name) keeps the draws of two texts with one seed apart. What came out
    is evaluated to itself. Raises EngineError for a list that is not there or never ends.
    """
    chance = random.Random(f"{seed} {purpose}")
    for _ in range(MOST_ROUNDS):
        text, drawn = _draw(text, chance)
        if len(text) > LONGEST:
            break
        if not drawn:
            return text
    raise EngineError(
        "The wildcards of this prompt never come to an end.",
        "One of the lists names itself, or two name each other: change the lists.",
    )


def has_wildcards(text: str) -> bool:
    """Whether `text` stands for more than one prompt."""
    chosen_among: list[bool] = []  # of each open brace, whether it offers more than one
    for match in _TOKEN.finditer(text):
        token = match[0]
        if match["name"]:
            return True
        if token == "{":
            chosen_among.append(False)
        elif token == "|" and chosen_among:
            chosen_among[-1] = True
        elif token == "}" and chosen_among and chosen_among.pop():
            return True
    return False


def names() -> tuple[str, ...]:
    """Of all the lists: the person's own, and those that ship with the studio."""
    found = set()
    for room in _rooms():
        found |= {path.relative_to(room).with_suffix("").as_posix() for path in _lists(room)}
    return tuple(sorted(found))


def own_folder() -> Path:
    """Where a person puts lists of their own: NAME.txt, one choice a line."""
    return folders.home() / "wildcards"


def _draw(text: str, chance: random.Random) -> tuple[str, bool]:
    """`text` with what stands in it drawn once, and whether there was anything."""
    stack: list[list[str]] = [[""]]  # of each open brace, the choices so far
    drawn = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == "{":
            stack.append([""])
        elif token == "|" and len(stack) > 1:
            stack[-1].append("")
        elif token == "}" and len(stack) > 1:
            choices = stack.pop()
            chosen = _choose(choices, chance) if len(choices) > 1 else f"{{{choices[0]}}}"
            drawn |= len(choices) > 1
            stack[-1][-1] += chosen
        elif match["name"]:
            stack[-1][-1] += _choose(_choices(match["name"]), chance)
            drawn = True
        else:
            stack[-1][-1] += token
    while len(stack) > 1:  # a brace without a partner stands for itself
        choices = stack.pop()
        stack[-1][-1] += "{" + "|".join(choices)
    return stack[0][0], drawn


def _choose(choices: Sequence[str], chance: random.Random) -> str:
    # Not choice(): only random() promises to stay the same in every version of Python.
    return choices[int(chance.random() * len(choices))]


def _choices(name: str) -> list[str]:
    """The lines of the list `name`; raises EngineError."""
    for room in _rooms():
        path = room / f"{name}.txt"
        if path in _lists(room):
            return _lines(path)
    known = ", ".join(f"__{known}__" for known in names()[:30])
    raise EngineError(
        f"There is no wildcard named __{name}__.",
        f"Put a list {name}.txt into {own_folder()}, one choice a line; there are: {known}.",
    )


def _rooms() -> tuple[Path, Path]:
    return own_folder(), folders.RESOURCES / "wildcards"


def _lists(room: Path) -> list[Path]:
    return [path for path in room.rglob("*.txt") if path.is_file()]


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > LARGEST_LIST:
            raise FileError(f"{path} is too long for a list.", "Keep it below 4 MB.")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise FileError(
            f"{path} could not be read: {error.strerror}.", "Check the file and its permissions."
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    choices = [line for line in lines if line and not line.startswith("#")]
    if not choices:
        raise FileError(f"{path} holds no choices.", "Write one a line into it.")
    return choices
