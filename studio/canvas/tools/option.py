"""A setting of a tool, declared once: its control in the options bar and its range follow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

if TYPE_CHECKING:
    from studio.canvas.tools.tool import Tool

Value = TypeVar("Value")


class Option(Generic[Value]):
    """An attribute of a tool that tells the tool when it changes; numbers stay in their range."""

    def __init__(
        self,
        default: Value,
        *,
        label: str,
        help: str,
        minimum: float = 0,
        maximum: float = 100,
        unit: str = "",
        choices: tuple[str, ...] = (),
    ) -> None:
        self.default = default
        self.label = label
        self.help = help
        self.minimum = minimum
        self.maximum = maximum
        self.unit = unit
        self.choices = choices
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, tool: None, owner: type) -> Option[Value]: ...
    @overload
    def __get__(self, tool: Tool, owner: type) -> Value: ...
    def __get__(self, tool: Tool | None, owner: type) -> Option[Value] | Value:
        return self if tool is None else tool.values.get(self.name, self.default)

    def __set__(self, tool: Tool, value: Value) -> None:
        allowed = self.allowed(value)
        if allowed != getattr(tool, self.name):
            tool.values[self.name] = allowed
            tool.option_changed.emit(self.name)

    def allowed(self, value: Any) -> Value:
        """The nearest value that can be used; the default for what is of another type."""
        kind: Any = type(self.default)
        if kind in (bool, str):
            fits = isinstance(value, kind) and (not self.choices or value in self.choices)
        else:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            fits = number and math.isfinite(value)
            value = kind(min(max(value, self.minimum), self.maximum)) if fits else value
        return cast(Value, value) if fits else self.default


def options_of(tool: type[Tool]) -> list[Option[Any]]:
    """What can be set, in the order it was declared first; a subclass may declare one anew."""
    found: dict[str, Option[Any]] = {}
    for cls in reversed(tool.__mro__):
        found.update({name: v for name, v in vars(cls).items() if isinstance(v, Option)})
    return list(found.values())
