"""Values that change while a training runs: checked, obeyed, written down, resumed exactly."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from several_processes import trainer
from small_training import Line, Regression
from training_diary import Diary, at, bits, losses, marks

from engine import checkpoints, live_values
from engine.errors import Cancelled, InvalidTask
from engine.runs import MetricsTail, RunFolder

TASK = Regression(
    max_steps=30, batch_size=4, seed=5, log_every=1, sample_every=10, checkpoint_every=10
)
GO_ON = dataclasses.replace(TASK, resume=True)


def set_rate(run: RunFolder, value: Any, name: str = "learning_rate") -> Any:
    return lambda: run.send("set", name=name, value=value)


def rate(run: RunFolder, step: int) -> float:
    _, state = checkpoints.load(run.checkpoint_path(step))
    found = {group["lr"] for group in state["optimizer"]["param_groups"]}
    assert found == {state["live"]["learning_rate"]}
    return found.pop()


def test_a_rate_is_obeyed_from_the_next_step_and_marked(tmp_path: Path) -> None:
    plain, run = RunFolder(tmp_path / "plain"), RunFolder(tmp_path / "run")
    TASK.run(Diary(), plain.path)
    TASK.run(Diary(at(12, set_rate(run, 0.002))), run.path)
    assert (12, "learning_rate = 0.002 #1") in marks(run.path)
    lines, _ = MetricsTail(run).read()
    assert {"set": {"learning_rate": 0.002}} in [line.details for line in lines]
    # What was measured at step 13 is the loss before its update.
    assert losses(run.path)[:13] == losses(plain.path)[:13]
    assert losses(run.path)[13:] != losses(plain.path)[13:]
    assert [rate(run, step) for step in (10, 20, 30)] == [0.05, 0.002, 0.002]
    assert run.description()["fields"]["learning_rate"] == 0.05, "what the run began with"


@pytest.mark.parametrize("stop", [12, 15, 20])
def test_resume_is_exact_after_a_change(tmp_path: Path, stop: int) -> None:
    straight, run = RunFolder(tmp_path / "straight"), RunFolder(tmp_path / "run")
    TASK.run(Diary(at(12, set_rate(straight, 0.2))), straight.path)

    def cancel() -> None:
        raise Cancelled

    change, end = at(12, set_rate(run, 0.2)), at(stop, cancel)

    def act(event: Any) -> None:
        change(event)
        end(event)

    with pytest.raises(Cancelled):
        TASK.run(Diary(act), run.path)
    GO_ON.run(Diary(), run.path)
    assert bits(straight.path) == bits(run.path)
    assert losses(straight.path) == losses(run.path)


def test_what_is_set_while_nobody_trains_waits_for_whoever_goes_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    dataclasses.replace(TASK, max_steps=10).run(Diary(), run.path)
    set_rate(run, 0.3)()
    run.send("stop")  # to a run that is not there: void
    set_rate(run, 0.002)()
    GO_ON.run(Diary(), run.path)
    assert rate(run, 30) == 0.002
    assert (10, "learning_rate = 0.002 #3") in marks(run.path)
    dataclasses.replace(GO_ON, max_steps=40).run(Diary(at(35, set_rate(run, 0.1))), run.path)
    dataclasses.replace(GO_ON, max_steps=50).run(Diary(), run.path)
    assert rate(run, 50) == 0.1, "what was heard once is not done again"


NONSENSE = [
    {"name": "learning_rate", "value": -1.0},
    {"name": "learning_rate", "value": "fast"},
    {"name": "learning_rate", "value": None},
    {"name": "learning_rate", "value": [0.1]},
    {"name": "learning_rate", "value": True},
    {"name": "learning_rate", "value": float("nan")},
    {"name": "learning_rate"},
    {"name": "slope", "value": 3.0},
    {"name": "max_steps", "value": 3},
    {"name": "__class__", "value": 3},
    {"name": 7, "value": 3},
    {},
]


def test_nonsense_changes_nothing_and_ends_no_training(tmp_path: Path) -> None:
    plain, run = RunFolder(tmp_path / "plain"), RunFolder(tmp_path / "run")
    TASK.run(Diary(), plain.path)

    def send() -> None:
        for number, details in enumerate(NONSENSE, 1):
            command = {"command": "set", **details}
            (run.path / "control" / f"{number:06d}.json").write_text(json.dumps(command))
        (run.path / "control" / "000099.json").write_text('{"command": "step", "part": "nose"}')
        (run.path / "control" / "000100.json").write_text('{"command": "roll_back", "step": true}')
        (run.path / "control" / "000101.json").write_text('{"command": "roll_back", "step": 7}')

    TASK.run(Diary(at(12, send)), run.path)
    said = [event for step, event in marks(run.path) if step == 12]
    assert len(said) == len(NONSENSE) + 3
    assert all(event.startswith("not understood #") for event in said)
    assert "not understood #1: Learning rate is -1.0, but must be at least 0." in said
    assert "no checkpoint of step 7" in said[-1]
    assert bits(plain.path) == bits(run.path)


class RigidLine:
    """A learner with nothing but what it must have."""

    def __init__(self, line: Line) -> None:
        self.description, self.step, self.sample = line.description, line.step, line.sample
        self.state, self.load_state = line.state, line.load_state


class Rigid(Regression):
    def learner(self, report: Any) -> Any:
        return RigidLine(Line(self))


def test_a_learner_that_cannot_change_refuses(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    Rigid(**TASK.to_dict()).run(Diary(at(5, set_rate(run, 0.2))), run.path)
    assert run.checkpoints()[-1][0] == 30
    assert any("cannot change while it learns" in event for _, event in marks(run.path))
    assert run.description()["live"] == []


def test_all_processes_hear_it(tmp_path: Path) -> None:
    """Each averages the gradients of all, so one with another rate would drift away from them."""
    short = dataclasses.replace(TASK, max_steps=12)
    act: list[Any] = [(0, 0, {"command": "set", "name": "learning_rate", "value": 0.01})]
    slow = dataclasses.replace(short, learning_rate=0.01)
    with trainer() as together:
        assert together.train(short, tmp_path / "changed", act=act) == [0, 0]
        assert together.train(slow, tmp_path / "slow") == [0, 0]
    assert (0, "learning_rate = 0.01 #1") in marks(tmp_path / "changed")
    assert bits(tmp_path / "changed") == bits(tmp_path / "slow")


def test_only_live_fields_change_by_their_own_rule() -> None:
    assert [field.name for field in live_values.live_fields(Regression)] == ["learning_rate"]
    assert live_values.changed(TASK, {"learning_rate": "0.5"}).learning_rate == 0.5  # type: ignore[attr-defined]
    with pytest.raises(InvalidTask, match="cannot change while it runs"):
        live_values.changed(TASK, {"seed": 4})
    kept = live_values.restored(TASK, {"learning_rate": 0.7, "of_a_later_version": 1})
    assert kept == dataclasses.replace(TASK, learning_rate=0.7)
