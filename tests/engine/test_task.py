"""A task takes any value from outside and either is valid or says which field is not, and why."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine import registry
from engine.checks import coerce
from engine.errors import InvalidTask
from engine.events import Report
from engine.task import MAX_SEED, RANDOM_SEED, Task, param, seed_param


@dataclass(frozen=True)
class Everything(Task):
    """A field of every kind."""

    title = "Everything"
    summary = "Has a field of every kind."

    prompt: str = param(label="Prompt", help="Say what to draw.", required=True, kind="prompt")
    note: str = param("", label="Note", help="Anything.")
    scheduler: str = param("ddim", label="Scheduler", help="How.", choices=("ddim", "euler"))
    model: str = param("small", label="Model", help="What.", choices=lambda: (), editable=True)
    width: int = param(64, label="Width", help="Pixels.", minimum=8, maximum=4096, multiple_of=8)
    steps: int = param(20, label="Steps", help="How many.", minimum=1)
    free: int = param(0, label="Free", help="Any whole number.")
    guidance: float = param(6.0, label="Guidance", help="How close.", minimum=0, maximum=30)
    loose: float = param(0.0, label="Loose", help="Any number.")
    tiled: bool = param(False, label="Tiled", help="Saves memory.")
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        raise NotImplementedError


NAMES = [field.name for field in Everything.fields()]
NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.sampled_from([10**4000, -(10**4000), 2**32, 2**32 - 1, -1, -2, 0]),
    st.floats(),
    st.sampled_from(["1e3", "٣", "-1", " 8 ", "0x10", "1_0", "nan", "inf", "8.0", "9" * 5000, ""]),
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from(["true", "FALSE", "ddim"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(NAMES), JSON)
@example("tiled", ["9" * 5000] * 3)
@example("tiled", [["9" * 5000] * 3] * 3)
def test_any_value_is_taken_or_refused_by_name(name: str, value: Any) -> None:
    try:
        task = Everything.from_dict({"prompt": "a fox", name: value})
    except InvalidTask as error:
        assert error.field == name
        assert Everything.field(name).param.label in error.message
        assert len(error.message) < 400
    else:
        kept = getattr(task, name)
        assert type(kept) is Everything.field(name).type
        assert_within(name, kept)
        assert Everything.from_dict(json.loads(json.dumps(task.to_dict()))) == task


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [10**5000, [10**5000]], ids=["number", "list"])
def test_a_number_too_long_to_print_is_no_accident(name: str, value: Any) -> None:
    try:
        Everything.from_dict({"prompt": "a fox", name: value})
    except InvalidTask as error:
        assert error.field == name
    else:
        assert name in ("free", "steps")  # every other number has an upper limit


def assert_within(name: str, value: Any) -> None:
    described = Everything.field(name).param
    if isinstance(value, float):
        assert math.isfinite(value)
    if not isinstance(value, (str, bool)):
        assert described.minimum is None or value >= described.minimum
        assert described.maximum is None or value <= described.maximum
        assert not described.multiple_of or value % described.multiple_of == 0
    if described.choices and not described.editable:
        assert value in described.options()


@given(
    st.fixed_dictionaries(
        {
            "prompt": st.text(min_size=1).filter(str.strip),
            "width": st.integers(1, 512).map(lambda n: n * 8),
            "guidance": st.floats(0, 30),
            "loose": st.floats(allow_nan=False, allow_infinity=False),
            "free": st.integers(-(2**70), 2**70),
            "tiled": st.booleans(),
            "seed": st.integers(0, MAX_SEED),
        }
    )
)
def test_round_trip(values: dict[str, Any]) -> None:
    task = Everything.from_dict(values)
    again = Everything.from_dict(json.loads(json.dumps(task.to_dict())))
    assert again == task
    assert {name: task.to_dict()[name] for name in values} == values


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("steps", "3", 3),
        ("steps", " 3 ", 3),
        ("steps", "٣", 3),  # the digits of the person's own script
        ("steps", 3.0, 3),
        ("guidance", "1e1", 10.0),
        ("guidance", 3, 3.0),
        ("tiled", "TRUE", True),
        ("model", "/any/path", "/any/path"),
        ("free", 2**200, 2**200),
    ],
)
def test_what_means_the_same_is_taken(name: str, value: Any, kept: Any) -> None:
    result = coerce(Everything.field(name), value)
    assert result == kept
    assert type(result) is type(kept)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("steps", "1e3", "Steps must be a whole number, not '1e3'."),
        ("steps", 2.5, "Steps must be a whole number, not 2.5."),
        ("steps", True, "Steps must be a whole number, not True."),
        ("guidance", False, "Guidance must be a number, not False."),
        ("steps", None, "Steps must be a whole number, not None."),
        ("steps", 0, "Steps is 0, but must be at least 1."),
        ("steps", math.inf, "Steps must be a whole number, not inf."),
        ("guidance", math.nan, "Guidance is nan, but must be between 0 and 30."),
        ("loose", "inf", "Loose is inf, but must be a finite number."),
        ("width", 100, "Width is 100, but must be a multiple of 8."),
        ("width", 4, "Width is 4, but must be between 8 and 4096."),
        ("seed", -2, "Seed is -2, but must be between -1 and 4294967295."),
        ("tiled", 1, "Tiled must be true or false, not 1."),
        ("note", 7, "Note must be text, not 7."),
        ("scheduler", "magic", "Scheduler cannot be 'magic'."),
        ("prompt", " \n", "Prompt is empty."),
    ],
)
def test_what_is_refused_is_said_in_plain_words(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidTask) as caught:
        Everything.from_dict({"prompt": "a fox", name: value})
    assert (caught.value.field, caught.value.message) == (name, message)


def test_unknown_and_missing_fields_are_named() -> None:
    with pytest.raises(InvalidTask, match="no field named 'colour'") as unknown:
        Everything.from_dict({"prompt": "a fox", "colour": "red"})
    assert unknown.value.field == "colour"
    with pytest.raises(InvalidTask, match="Prompt is missing") as missing:
        Everything.from_dict({})
    assert missing.value.field == "prompt"


def test_choices_that_are_all_gone_accept_nothing() -> None:
    @dataclass(frozen=True)
    class Empty(Task):
        title = "Empty"
        summary = "Nothing to choose."
        run_name: str = param("", label="Run", help="Which.", choices=tuple)

    with pytest.raises(InvalidTask, match="nothing to choose from"):
        Empty(run_name="gone")


def test_a_random_seed_is_chosen_once_and_kept() -> None:
    first, second = Everything(prompt="a"), Everything(prompt="a")
    assert first.seed != RANDOM_SEED
    assert 0 <= first.seed <= MAX_SEED
    assert first.seed != second.seed
    assert Everything.from_dict(first.to_dict()) == first


def test_a_task_cannot_be_changed() -> None:
    task = Everything(prompt="a")
    with pytest.raises(AttributeError):
        task.prompt = "b"  # type: ignore[misc]


@pytest.mark.parametrize("name", registry.task_names())
def test_every_task_of_the_house_can_be_shown(name: str) -> None:
    task = registry.task_class(name)
    assert task.name() == name
    assert task.title
    assert task.summary.endswith(".")
    for field in task.fields():
        assert field.param.label[0].isupper(), field.name
        assert len(field.param.help) > 10, field.name
        if field.has_default and not field.param.required:
            coerce(field, field.default)
