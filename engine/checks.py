"""What a field of a task accepts: `coerce` turns a value into the field's type or says why not."""

from __future__ import annotations

import math
import reprlib
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidTask

if TYPE_CHECKING:
    from engine.task import Field

LONGEST_SHOWN = 120  # lists of short things grow long as well
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 200


def coerce(field: Field, value: Any) -> Any:
    """`value` as the field's type, checked against its ranges; raises InvalidTask."""
    converted = _converted(field, value)
    if isinstance(converted, str):
        _check_text(field, converted)
    elif not isinstance(converted, bool):
        _check_number(field, converted)
    return converted


def _converted(field: Field, value: Any) -> Any:
    label = field.param.label
    if field.type is str and isinstance(value, str):
        return value
    if field.type is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise InvalidTask(field.name, f"{label} must be true or false, not {shown(value)}.")
    if field.type in (int, float) and isinstance(value, (str, int, float)):
        try:
            number = float(value) if field.type is float else _whole(value)
        except (ValueError, OverflowError):
            wanted = "a whole number" if field.type is int else "a number"
            raise InvalidTask(
                field.name, f"{label} must be {wanted}, not {shown(value)}."
            ) from None
        if not isinstance(value, bool):
            return number
    wanted = {str: "text", int: "a whole number", float: "a number"}[field.type]
    raise InvalidTask(field.name, f"{label} must be {wanted}, not {shown(value)}.")


def _whole(value: str | int | float) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


def _check_text(field: Field, value: str) -> None:
    described = field.param
    if described.required and not value.strip():
        raise InvalidTask(field.name, f"{described.label} is empty.", "Fill it in and try again.")
    if described.choices is None or described.editable:
        return
    options = described.options()
    if value not in options:
        known = ", ".join(options) or "there is nothing to choose from"
        raise InvalidTask(
            field.name, f"{described.label} cannot be {shown(value)}.", f"Choose one of: {known}."
        )


def _check_number(field: Field, value: int | float) -> None:
    described = field.param
    low, high = described.minimum, described.maximum
    too_low = low is not None and value < low
    too_high = high is not None and value > high
    if too_low or too_high or (isinstance(value, float) and not math.isfinite(value)):
        wanted = _range(field)
    elif described.multiple_of and value % described.multiple_of:
        wanted = f"a multiple of {described.multiple_of}"
    else:
        return
    raise InvalidTask(field.name, f"{described.label} is {shown(value)}, but must be {wanted}.")


def _range(field: Field) -> str:
    low, high = field.param.minimum, field.param.maximum
    if low is not None and high is not None:
        return f"between {_plain(low)} and {_plain(high)}"
    if low is not None:
        return f"at least {_plain(low)}"
    return f"at most {_plain(high)}" if high is not None else "a finite number"


def _plain(number: float) -> str:
    """4294967295 and not 4.29497e+09, 1 and not 1.0."""
    return str(int(number)) if number == int(number) else str(number)


def shown(value: Any) -> str:
    """`value` for an error message, short even when it is a thousand digits long."""
    try:
        text = _short.repr(value)
    except ValueError:
        return "a number with thousands of digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
