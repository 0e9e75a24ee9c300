"""Reads what AUTOMATIC1111 and its heirs (Forge, SD.Next) write: prompts, then a line of pairs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from engine.foreign_metadata.found import MOST_TEXT, Found
from engine.foreign_metadata.samplers import take_sampler

PROGRAM = "AUTOMATIC1111"
KEYWORD = "parameters"
NEGATIVE = "Negative prompt:"
FEWEST_PAIRS = 2
"""On a last line with less, it is a part of the prompt."""

_TAKEN = {"Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model"}
# What changes nothing, or is told by another key.
_SILENT = {"Model hash", "Version", "VAE hash", "Lora hashes", "TI hashes", "Distilled CFG Scale"}
_EDITING = re.compile(r"\[[^\[\]:]{0,500}:[^\[\]:]{0,500}:\s*[\d.]+\s*\]")


def read(texts: Mapping[str, str]) -> Found | None:
    """Raises ValueError for a text too long to be read."""
    text = texts.get(KEYWORD)
    if text is None:
        return None
    if len(text) > MOST_TEXT:
        raise ValueError("they are too long")
    prompts, _, last = text.strip().rpartition("\n")
    pairs = pairs_in(last)
    if len(pairs) < FEWEST_PAIRS:
        prompts, pairs = text.strip(), {}
    found = Found(PROGRAM)
    _take_prompts(found, prompts)
    _take_pairs(found, pairs)
    return found


def pairs_in(line: str) -> dict[str, str]:
    """`Key: value, Key: "quoted, value"` as a mapping; what is no pair ends it."""
    pairs: dict[str, str] = {}
    place = 0
    while (colon := line.find(":", place)) >= 0:
        key = line[place:colon].strip()
        if not re.fullmatch(r"[\w ()/+.-]{1,80}", key):
            return pairs
        place = colon + 1
        while line[place : place + 1] == " ":
            place += 1
        pairs[key], place = _value(line, place)
    return pairs


def _value(line: str, place: int) -> tuple[str, int]:
    """The value that begins at `place`, and where the next pair begins."""
    if line[place : place + 1] == '"':
        try:
            value, end = json.JSONDecoder().raw_decode(line, place)
        except ValueError:
            pass
        else:
            comma = line.find(",", end)
            return str(value), comma + 1 if comma >= 0 else len(line)
    comma = line.find(",", place)
    end = comma if comma >= 0 else len(line)
    return line[place:end].strip(), end + 1


def _take_prompts(found: Found, text: str) -> None:
    prompt, negative, rest = text, "", f"\n{text}".find(f"\n{NEGATIVE}")
    if rest >= 0:
        prompt, negative = text[:rest].rstrip("\n"), text[rest + len(NEGATIVE) :].strip()
    found.take(prompt=found.without_networks(prompt))
    found.take(negative_prompt=found.without_networks(negative))
    if _EDITING.search(prompt) or _EDITING.search(negative):
        found.leave("prompt editing [from:to:when]")
    if re.search(r"\b(BREAK|AND)\b", prompt):
        found.leave("BREAK and AND in the prompt, which are words here")


def _take_pairs(found: Found, pairs: Mapping[str, str]) -> None:
    width, _, height = pairs.get("Size", "").partition("x")
    flow = "Distilled CFG Scale" in pairs
    found.take(
        num_inference_steps=pairs.get("Steps"),
        guidance_scale=pairs.get("Distilled CFG Scale", pairs.get("CFG scale")),
        seed=pairs.get("Seed"),
        width=width or None,
        height=height or None,
        model=pairs.get("Model"),
    )
    take_sampler(found, pairs.get("Sampler"), pairs.get("Schedule type", ""), flow=flow)
    hires = [f"{key} {value}" for key, value in pairs.items() if key.startswith("Hires ")]
    if hires:
        found.leave(f"hires fix ({', '.join(hires)})")
    for key, value in pairs.items():
        if key not in _TAKEN | _SILENT and not key.startswith("Hires "):
            found.leave(f"{key} {value}")
