"""What was found in a picture of another program: fields of ours, and what has no place here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Any

from engine import library, loras
from engine.errors import InvalidTask
from engine.gate import json_text
from engine.loras import Wanted

MOST_TEXT = 8_000_000
"""Characters of one text; a longer one is not read."""
MOST_LEFT_OUT = 30
LONGEST_NAME = 80

_NETWORK = re.compile(r"<(lora|lyco|hypernet):([^:<>]{1,200})(?::([^<>]{0,40}))?>", re.IGNORECASE)


@dataclass
class Found:
    """Values are as they were told, not checked yet."""

    program: str
    values: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def take(self, **values: Any) -> None:
        """Keep those that are there at all."""
        self.values |= {name: value for name, value in values.items() if value is not None}

    def leave(self, what: str) -> None:
        """Name what cannot be restored, once."""
        named = " ".join(what.split())
        short = named if len(named) <= LONGEST_NAME else named[: LONGEST_NAME - 1] + "…"
        if short and short not in self.left_out and len(self.left_out) < MOST_LEFT_OUT:
            self.left_out.append(short)

    def take_network(self, name: object, weight: object) -> None:
        """A LoRA that is here by the same name acts again; others are named."""
        if not self._take_lora(name, weight):
            self.leave(_lora(name, weight))

    def _take_lora(self, name: object, weight: object) -> bool:
        known = library.known_lora(stem(name))
        if not known or not is_number(weight):
            return False
        told = str(self.values.get("loras", ""))
        try:
            wanted = loras.parse(told + "\n" + Wanted(known, float(str(weight))).line())
        except InvalidTask:  # stronger than can be, or there twice
            return False
        self.values["loras"] = loras.told(wanted)
        return True

    def without_networks(self, prompt: str) -> str:
        """The prompt without A1111's `<lora:name:0.8>`, which act by themselves, or are named."""

        def named(match: re.Match[str]) -> str:
            kind, name, weight = match[1].lower(), match[2], match[3] or "1"
            if kind == "lora" and self._take_lora(name, _number(weight)):
                return ""
            said = f" ({match[3]})" if match[3] else ""
            self.leave(f"{'hypernetwork' if kind == 'hypernet' else 'LoRA'} {name}{said}")
            return ""

        bare, count = _NETWORK.subn(named, prompt)
        if not count:
            return prompt
        return re.sub(r" {2,}", " ", re.sub(r" +,", ",", bare)).strip(" ,\n")


def parse(text: str) -> Any:
    """JSON as these programs write it, with NaN where ComfyUI does; raises ValueError."""
    if len(text) > MOST_TEXT:
        raise ValueError("they are too long")
    return json_text.parse(text, finite=False)


def _lora(name: object, weight: object) -> str:
    return f"LoRA {stem(name)} ({weight})" if is_number(weight) else f"LoRA {stem(name)}"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def is_number(value: object) -> bool:
    """A real one; not True, which is one to Python."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def stem(name: object) -> str:
    """The name of a file as it is shown: without folder and ending."""
    path = PureWindowsPath(str(name)[:300])
    known = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")
    return path.stem if path.suffix.lower() in known else path.name
