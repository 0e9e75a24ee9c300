"""Named styles: a pair of templates put around what a person wrote, by the name they chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import files, folders, library
from engine.errors import EngineError, FileError, ModelError
from engine.gate import json_text

PLACE = "{prompt}"
LARGEST_FILE = 4_000_000
SEPARATOR = ","
"""Between names in the field of a task, so that no name holds one."""
LEARNED_WEIGHT = 5
"""Of the word of a style that the model learned by name: the one word among those of the prompt."""


@dataclass(frozen=True)
class Style:
    """Where a template names no {prompt}, it follows what was written, after a comma."""

    name: str
    prompt: str = ""
    negative_prompt: str = ""


def styles(model: str) -> tuple[Style, ...]:
    """Every style there is for prompts of `model`: its own, the person's, those of the studio.

    Of two with one name the first counts. Raises FileError for a file that cannot be read.
    """
    found: dict[str, Style] = {}
    for style in (*models_own(model), *own(), *_shipped()):
        found.setdefault(style.name, style)
    return tuple(found.values())


def models_own(model: str) -> tuple[Style, ...]:
    """Those the model learned by name; a prompt of it asks for one of them at most."""
    try:
        words = library.styles(model)
    except ModelError:  # whoever uses the model is told
        return ()
    return tuple(Style(word, f"({word}:{LEARNED_WEIGHT}) {PLACE}") for word in words)


def own() -> tuple[Style, ...]:
    """The person's, in their order; raises FileError."""
    path = own_file()
    return _read(path) if path.is_file() else ()


def save_own(kept: Iterable[Style]) -> None:
    """Keep these as the person's own, and no others; raises FileError."""
    files.write_json(own_file(), [_plain(style) for style in kept])


def own_file() -> Path:
    return folders.home() / "styles.json"


def proper_name(text: str) -> str:
    """`text` as the name of a style: one line, without what separates names."""
    return " ".join(text.replace(SEPARATOR, " ").split())[:60]


def names_in(field: str) -> tuple[str, ...]:
    """The names in the field of a task, each once."""
    names = (name.strip() for name in field.split(SEPARATOR))
    return tuple(dict.fromkeys(name for name in names if name))


def joined(names: Sequence[str]) -> str:
    """The opposite of `names_in`."""
    return f"{SEPARATOR} ".join(names)


def styled(prompt: str, negative_prompt: str, field: str, model: str) -> tuple[str, str]:
    """Both prompts as the styles named in `field` make them, one after the other.

    Raises EngineError for a style that is not there.
    """
    if not names_in(field):
        return prompt, negative_prompt
    known = {style.name: style for style in styles(model)}
    for name in names_in(field):
        if name not in known:
            raise EngineError(
                f"There is no style named “{name}” for this model.",
                f"Take it away, or choose one of: {', '.join(known)}.",
            )
        prompt = _applied(known[name].prompt, prompt)
        negative_prompt = _applied(known[name].negative_prompt, negative_prompt)
    return prompt, negative_prompt


def others(field: str, model: str) -> str:
    """The field without the styles that the model learned by name."""
    learned = {style.name for style in models_own(model)}
    return joined([name for name in names_in(field) if name not in learned])


def around(field: str, model: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """What these styles put before and after the prompt, and before and after the negative one.

    Raises EngineError for a style that is not there.
    """
    here = "\0"  # which no prompt holds
    prompt, _, after_prompt = styled(here, here, field, model)[0].partition(here)
    negative, _, after_negative = styled(here, here, field, model)[1].partition(here)
    return (prompt, after_prompt), (negative, after_negative)


def _applied(template: str, text: str) -> str:
    if PLACE in template:
        return template.replace(PLACE, text).strip()
    return ", ".join(part for part in (text.strip(), template.strip()) if part)


def _shipped() -> tuple[Style, ...]:
    return _read(folders.RESOURCES / "styles.json")


def _read(path: Path) -> tuple[Style, ...]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("it is too long")
        entries = json_text.parse(path.read_bytes())
        if not isinstance(entries, list):
            raise ValueError("it is not a list")
        return tuple(_style(entry) for entry in entries)
    except (OSError, ValueError) as error:
        raise FileError(
            f"The styles in {path} cannot be read: {error}.", "Mend the file, or remove it."
        ) from error


def _style(entry: Any) -> Style:
    if not isinstance(entry, dict):
        raise ValueError("a style is not an object")
    told = [entry.get(key, "") for key in ("name", "prompt", "negative_prompt")]
    if not all(isinstance(text, str) for text in told) or not told[0].strip():
        raise ValueError("a style has no name, or templates that are not text")
    if proper_name(told[0]) != told[0]:
        raise ValueError(f"no style can be named {told[0][:60]!r}")
    return Style(*told)


def _plain(style: Style) -> dict[str, str]:
    return {
        "name": style.name,
        "prompt": style.prompt,
        "negative_prompt": style.negative_prompt,
    }
