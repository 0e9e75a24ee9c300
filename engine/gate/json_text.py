"""Reads JSON that comes from outside: no key twice, no NaN, no depth that ends the program."""

from __future__ import annotations

import json
import math
from typing import Any


def parse(text: str | bytes, *, finite: bool = True) -> Any:
    """The value of `text`; raises ValueError for anything that two readers could read differently.

    The caller bounds the size. Whole numbers of thousands of digits are refused by Python itself.
    `finite=False` lets NaN and Infinity pass, which diffusers writes into schedulers' settings.
    """
    try:
        return json.loads(
            text,
            parse_constant=_refuse_constant if finite else float,
            parse_float=_finite if finite else float,
            object_pairs_hook=_without_repeats,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is too large")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key occurs twice")
    return values
