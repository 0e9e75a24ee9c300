"""A Task is a request that can run, and each of its fields says what a person should know."""

from __future__ import annotations

import dataclasses
import random
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from engine.checks import coerce, shown
from engine.errors import InvalidTask
from engine.events import Report

# --------------------------------------------------------------------------- parameters

Choices = Sequence[str] | Callable[[], Sequence[str]]


@dataclass(frozen=True)
class Param:
    """What a person needs to know about one field of a task; form, flag and check follow."""

    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: int | None = None
    choices: Choices | None = None
    editable: bool = False
    """With choices: whether a value outside them (such as a path) is accepted too."""
    kind: str = ""
    """A hint for the form: prompt, text, seed, model, file, folder, or empty for the plain type."""
    required: bool = False
    """An empty text is refused."""
    advanced: bool = False
    unit: str = ""
    zero: str = ""
    """What a form shows for 0, where 0 is the least and stands for a choice of the task's own."""
    live: bool = False
    """Whether a training can go on with another value: see engine/live_values.py."""

    def options(self) -> tuple[str, ...]:
        """The choices as they are now (models come and go)."""
        if self.choices is None:
            return ()
        return tuple(self.choices() if callable(self.choices) else self.choices)


def param(
    default: Any = MISSING,
    *,
    label: str,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    multiple_of: int | None = None,
    choices: Choices | None = None,
    editable: bool = False,
    kind: str = "",
    required: bool = False,
    advanced: bool = False,
    unit: str = "",
    zero: str = "",
    live: bool = False,
) -> Any:
    """Declare a field of a task once: the form, the flag and the range check follow from it."""
    described = Param(
        label,
        help,
        minimum,
        maximum,
        multiple_of,
        choices,
        editable,
        kind,
        required,
        advanced,
        unit,
        zero,
        live,
    )
    return dataclasses.field(default=default, metadata={"param": described})


@dataclass(frozen=True)
class Field:
    """One parameter of a task class, ready for a form or a command line."""

    name: str
    type: type
    default: Any
    param: Param

    @property
    def has_default(self) -> bool:
        return self.default is not MISSING


def same_param(task: type[Task], name: str) -> Any:
    """Declare a field just as another task declares it."""
    return with_default(task, name, task.field(name).default)


def with_default(task: type[Task], name: str, default: Any) -> Any:
    """Declare a field just as another task declares it, but for its default."""
    return dataclasses.field(default=default, metadata={"param": task.field(name).param})


# --------------------------------------------------------------------------- task

RANDOM_SEED = -1
MAX_SEED = 2**32 - 1


def seed_param() -> Any:
    """The seed every task with chance in it has."""
    return param(
        RANDOM_SEED,
        label="Seed",
        help="The same seed with the same settings gives the same result; -1 chooses a new one.",
        minimum=RANDOM_SEED,
        maximum=MAX_SEED,
        kind="seed",
    )


def random_seed() -> int:
    """A seed for a person who did not choose one."""
    return random.SystemRandom().randint(0, MAX_SEED)


@dataclass(frozen=True)
class Task:
    """A request that can run. Subclasses are frozen dataclasses whose fields are all `param()`s.

    The subclass lives in a file of its own in `engine/generators` or `engine/trainers`; the name
    of that file is the name of the task. A field of kind "seed" that is RANDOM_SEED gets its number
    here, so that a task always says how to make the same thing again.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    online: ClassVar[bool] = False
    """Whether it uses the network, which only those do that a person begins for that."""

    def __post_init__(self) -> None:
        for field in self.fields():
            value = coerce(field, getattr(self, field.name))
            if field.param.kind == "seed" and value == RANDOM_SEED:
                value = random_seed()
            object.__setattr__(self, field.name, value)

    def run(self, report: Report, out: Path) -> None:
        """Do the work: write results into the folder `out` and report each as `Saved`.

        Raises EngineError for what a person can mend, Cancelled (from `report`) on a stop.
        """
        raise NotImplementedError

    def again(self, out: Path) -> Task:
        """The task that tries once more in the folder `out` what this one began there."""
        return self

    @classmethod
    def name(cls) -> str:
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        return _declared_fields(cls)  # type: ignore[arg-type]  # a class is hashable

    @classmethod
    def field(cls, name: str) -> Field:
        return next(f for f in cls.fields() if f.name == name)

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON values; `from_dict` restores them."""
        return {f.name: getattr(self, f.name) for f in self.fields()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Task:
        """The task with these values; raises InvalidTask for what cannot be used."""
        known = {f.name for f in cls.fields()}
        for name in values:
            if name not in known:
                raise InvalidTask(str(name), f"{cls.title} has no field named {shown(name)}.")
        for field in cls.fields():
            if not field.has_default and field.name not in values:
                raise InvalidTask(field.name, f"{field.param.label} is missing.")
        return cls(**values)


@cache
def _declared_fields(cls: type[Task]) -> tuple[Field, ...]:
    hints = typing.get_type_hints(cls)
    return tuple(
        Field(f.name, _plain_type(hints[f.name]), f.default, f.metadata["param"])
        for f in dataclasses.fields(cls)
    )


def _plain_type(annotation: Any) -> type:
    """str, int, float or bool; `X | None` and other unions are not fields a form can show."""
    if isinstance(annotation, types.UnionType) or annotation not in (str, int, float, bool):
        raise TypeError(f"task fields are str, int, float or bool, not {annotation}")
    return typing.cast(type, annotation)
