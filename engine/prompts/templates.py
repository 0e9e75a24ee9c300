"""Prompts with places to fill in (“A story about {who}”): those of the studio, and one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine import files, folders
from engine.errors import FileError
from engine.gate import json_text

LARGEST_FILE = 4_000_000
LONGEST_NAME = 60
OWN = ""
"""The language of templates that a person made: they are in no list of a language."""

_PLACE = re.compile(r"\{([^{}\n]{1,40})\}")


@dataclass(frozen=True)
class Template:
    """`language` is a code such as en or zh, or OWN."""

    name: str
    prompt: str
    language: str = OWN

    @property
    def few_shot(self) -> bool:
        """Whether it shows examples to go on from: the last line is begun, not told to be written.

        A base model follows such a one too.
        """
        return self.prompt.rstrip().endswith((":", "："))


def places(prompt: str) -> tuple[str, ...]:
    """What is to be filled in, braces included, each once, in the order of the text."""
    return tuple(dict.fromkeys(match[0] for match in _PLACE.finditer(prompt)))


def shipped() -> tuple[Template, ...]:
    return _read(folders.RESOURCES / "templates.json")


def own() -> tuple[Template, ...]:
    """The person's, in their order; raises FileError."""
    path = own_file()
    return _read(path) if path.is_file() else ()


def keep(template: Template) -> None:
    """Among the person's own, in the place of one with its name; raises FileError."""
    others = [one for one in own() if one.name != template.name]
    save_own([*others, template])


def save_own(kept: Iterable[Template]) -> None:
    """Keep these as the person's own, and no others; raises FileError."""
    files.write_json(own_file(), [asdict(template) for template in kept])


def own_file() -> Path:
    return folders.home() / "templates.json"


def proper_name(text: str) -> str:
    """`text` as the name of a template: one line, not too long."""
    return " ".join(text.split())[:LONGEST_NAME].strip()


def _read(path: Path) -> tuple[Template, ...]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("it is too long")
        entries = json_text.parse(path.read_bytes())
        if not isinstance(entries, list):
            raise ValueError("it is not a list")
        return tuple(_template(entry) for entry in entries)
    except (OSError, ValueError) as error:
        raise FileError(
            f"The templates in {path} cannot be read: {error}.", "Mend the file, or remove it."
        ) from error


def _template(entry: Any) -> Template:
    if not isinstance(entry, dict):
        raise ValueError("a template is not an object")
    name, prompt, language = (entry.get(key, "") for key in ("name", "prompt", "language"))
    if not all(isinstance(text, str) for text in (name, prompt, language)):
        raise ValueError("a template has something else than text in it")
    if not prompt.strip() or proper_name(name) != name or not name:
        raise ValueError(f"no template can be named {name[:LONGEST_NAME]!r}, or it has no prompt")
    return Template(name, prompt, language)
