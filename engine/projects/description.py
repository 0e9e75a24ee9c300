"""The contents of a project as JSON and back; what comes from outside is checked field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from engine.gate import json_text
from engine.gate.images import MAXIMUM_PIXELS
from engine.metadata import TaskRecord, parse_record, record_text, version
from engine.projects.contents import Contents, LayerEntry

FORMAT = 1
MAXIMUM_BYTES = 32_000_000
"""Of a description; with 200 layers it has some hundred thousand."""
MAXIMUM_LAYERS = 1000
MAXIMUM_HISTORY = 10_000
MAXIMUM_SIDE = 1_000_000
LONGEST_TEXT = 10_000
"""Characters of a name or a path."""


class NewerFormat(ValueError):
    """It was written by a version of Atelier that is not out yet."""


def describe(contents: Contents) -> dict[str, Any]:
    """As JSON values; `parse` and `contents_of` are the way back."""
    return {
        "format": FORMAT,
        "program": f"Atelier {version()}",
        "width": contents.width,
        "height": contents.height,
        "layers": [_layer(entry) for entry in contents.layers],
        "active": contents.active,
        "settings": dict(contents.settings),
        "view": dict(contents.view),
        "history": [json.loads(record_text(record)) for record in contents.history],
    }


def to_bytes(description: Mapping[str, Any]) -> bytes:
    """In one line: written at every autosave, read by programs."""
    return json.dumps(description, ensure_ascii=True, allow_nan=False).encode("ascii")


def parse(data: bytes) -> dict[str, Any]:
    """The description in `data`; raises ValueError, or NewerFormat which is one."""
    description = json_text.parse(data)
    if not isinstance(description, dict) or type(description.get("format")) is not int:
        raise ValueError("it is not in the form Atelier writes")
    if description["format"] > FORMAT:
        raise NewerFormat("it was written by a newer version of Atelier")
    return description


def contents_of(description: Mapping[str, Any]) -> Contents:
    """Raises ValueError for what no document can have.

    A record that cannot be read is left out and counted: the pixels do not depend on it.
    """
    width = whole(description, "width", 1, MAXIMUM_SIDE)
    height = whole(description, "height", 1, MAXIMUM_SIDE)
    if width * height > MAXIMUM_PIXELS:
        raise ValueError(f"{width} × {height} pixels are more than can be opened")
    described = short_list(description, "layers", MAXIMUM_LAYERS)
    layers = tuple(_entry(value) for value in described)
    ids = {entry.id for entry in layers}
    if len(ids) != len(layers):
        raise ValueError("two layers have the same id")
    active = text(description, "active")
    if active and active not in ids:
        raise ValueError("there is no layer like the active one")
    history = [_record(value) for value in short_list(description, "history", MAXIMUM_HISTORY)]
    readable = [entry.record for entry in layers if entry.record]
    of_layers = [value for value in described if value.get("record") is not None]
    return Contents(
        width,
        height,
        layers,
        active,
        mapping(description, "settings"),
        mapping(description, "view"),
        tuple(record for record in history if record),
        history.count(None) + len(of_layers) - len(readable),
    )


def _layer(entry: LayerEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.name[:LONGEST_TEXT],
        "kind": entry.kind,
        "opacity": entry.opacity,
        "blend_mode": entry.blend_mode,
        "visible": entry.visible,
        "locked": entry.locked,
        "record": json.loads(record_text(entry.record)) if entry.record else None,
    }


def _entry(value: Any) -> LayerEntry:
    if not isinstance(value, dict):
        raise ValueError("a layer is not described")
    record = value.get("record")
    identity = text(value, "id", 100)
    if not identity:
        raise ValueError("a layer has no id")
    return LayerEntry(
        id=identity,
        name=text(value, "name"),
        kind=_word(value, "kind"),
        opacity=_fraction(value, "opacity"),
        blend_mode=_word(value, "blend_mode"),
        visible=_flag(value, "visible"),
        locked=_flag(value, "locked"),
        record=None if record is None else _record(record),
    )


def _record(value: Any) -> TaskRecord | None:
    """None for one that cannot be read, or that only a newer version can."""
    try:
        return parse_record(json.dumps(value))
    except (ValueError, RecursionError):
        return None


# ------------------------------------------------------------------ one field each


def text(values: Mapping[str, Any], name: str, longest: int = LONGEST_TEXT) -> str:
    """Without what no widget can hold: NUL and lone surrogates."""
    value = values.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"its {name} is no text, or too long")
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def whole(values: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = values.get(name)
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"its {name} is not a number from {least} to {most}")
    return value


def short_list(values: Mapping[str, Any], name: str, longest: int) -> list[Any]:
    value = values.get(name)
    if not isinstance(value, list) or len(value) > longest:
        raise ValueError(f"its {name} is no list, or longer than {longest}")
    return value


def mapping(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = values.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"its {name} is no mapping")
    return value


def _word(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z-]{0,39}", value):
        raise ValueError(f"a layer has an impossible {name}")
    return value


def _fraction(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"a layer has an impossible {name}")
    return float(value)


def _flag(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name)
    if type(value) is not bool:
        raise ValueError(f"a layer does not say whether it is {name}")
    return value
