"""Each alarm is caused on purpose by a real small training; healthy trainings raise none."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from memorizer import Memorizer
from small_training import Regression
from training_diary import Diary, at, marks

from engine.alarms import rules
from engine.alarms.alarm import Alarm, AllClear, Remedy
from engine.alarms.history import WINDOW, History
from engine.alarms.watch import Watch
from engine.errors import EngineError
from engine.runs import MetricLine, MetricsTail, RunFolder, parse_metric
from engine.trainers.train_gan import TrainGan

CADENCE = {"log_every": 10, "sample_every": 20, "checkpoint_every": 50, "keep_checkpoints": 50}
GAN = TrainGan(model="mlp_small", batch_size=16, seed=1, precision="float32", **CADENCE)  # type: ignore[arg-type]


def told(run: RunFolder) -> list[MetricLine]:
    return [line for line in MetricsTail(run).read()[0] if line.event]


def alarms(run: RunFolder) -> list[tuple[int, Alarm]]:
    found = [(line.step, Alarm.from_details(line.event, line.details)) for line in told(run)]
    return [(step, alarm) for step, alarm in found if alarm]


def train(path: Path, steps: int, **changes: Any) -> RunFolder:
    run = RunFolder(path / "run")
    dataclasses.replace(GAN, max_steps=steps, **changes).run(Diary(), run.path)
    return run


@pytest.mark.parametrize("loss", ["hinge", pytest.param("non_saturating", marks=pytest.mark.slow)])
def test_a_healthy_gan_raises_none(tmp_path: Path, loss: str) -> None:
    run = train(tmp_path, 300, loss=loss)
    assert alarms(run) == []
    lines = [line.values for line in MetricsTail(run).read()[0] if line.values]
    diversity = [values["sample_diversity"] for values in lines if "sample_diversity" in values]
    assert len(diversity) == 15 and min(diversity) > rules.ALIKE


def test_a_healthy_regression_raises_none(tmp_path: Path) -> None:
    task = Regression(max_steps=400, batch_size=16, seed=5, checkpoint_every=100, nan_at=0)
    task.run(Diary(), tmp_path / "run")
    assert alarms(RunFolder(tmp_path / "run")) == []


def test_a_discriminator_that_wins(tmp_path: Path) -> None:
    """The generator stands nearly still, the discriminator learns ten times as fast."""
    run = train(
        tmp_path, 200, generator_learning_rate=1e-6, discriminator_learning_rate=5e-3,
        checkpoint_every=20, keep_checkpoints=2,
    )  # fmt: skip
    ((step, alarm),) = alarms(run)
    assert (alarm.kind, alarm.event) == (
        "discriminator_winning",
        "alarm: the discriminator is winning",
    )
    assert WINDOW <= step <= 200
    assert alarm.numbers["discriminator_loss"] < 0.05
    assert alarm.numbers["d_real"] - alarm.numbers["d_fake"] > 0.4
    assert f"D(x) = {alarm.numbers['d_real']:.2f}" in alarm.reason
    lower = {"discriminator_learning_rate": 2.5e-3}
    assert alarm.remedies[0] == Remedy(None, lower)
    back = {remedy.step for remedy in alarm.remedies} - {None}
    assert back <= {step for step, _ in run.checkpoints()}, "what it offers is not pruned"


@pytest.mark.slow
def test_it_clears_when_the_remedy_is_taken_and_is_raised_again(tmp_path: Path) -> None:
    """The generator learns again: the alarm is over, and its end is written down."""
    run = RunFolder(tmp_path / "run")
    task = dataclasses.replace(
        GAN, max_steps=600, generator_learning_rate=0.0, discriminator_learning_rate=1e-3
    )

    def let_it_learn() -> None:
        run.send("set", name="generator_learning_rate", value=5e-3)

    task.run(Diary(at(200, let_it_learn)), run.path)
    events = [line for line in told(run) if "discriminator is winning" in line.event]
    assert [line.event.split(":")[0] for line in events[:2]] == ["alarm", "over"]
    assert events[0].step < 200 < events[1].step
    assert events[1].details == {"cleared": "discriminator_winning"}


def test_gradients_that_explode(tmp_path: Path) -> None:
    run = train(tmp_path, 60, discriminator_learning_rate=1.0)
    found = [alarm for _, alarm in alarms(run) if alarm.kind == "exploding_gradients"]
    assert len(found) == 1, "once, not at every look"
    assert max(found[0].numbers.values()) > 100
    assert "learning rate" in found[0].reason
    assert found[0].remedies, "lower the rate of the network whose gradients explode"
    ((name, value),) = found[0].remedies[0].changes.items()
    assert name in ("generator_learning_rate", "discriminator_learning_rate")
    assert value == pytest.approx(getattr(GAN, name) * (1000 if "disc" in name else 1) * 0.1)


def test_mode_collapse(tmp_path: Path) -> None:
    """A discriminator that hardly learns: the generator draws the one image it likes best."""
    run = train(tmp_path, 300, generator_learning_rate=0.05, discriminator_learning_rate=1e-6)
    found = {alarm.kind: (step, alarm) for step, alarm in alarms(run)}
    assert set(found) == {"mode_collapse"}
    step, alarm = found["mode_collapse"]
    assert step >= rules.FIRST_STEPS
    assert alarm.numbers["sample_distance"] < 0.15 * alarm.numbers["real_distance"]
    assert Remedy(None, {"generator_learning_rate": 0.025}) in alarm.remedies


def test_overfitting(tmp_path: Path) -> None:
    """A network of 2,000 weights learns twelve noisy points by heart."""
    run = RunFolder(tmp_path / "run")
    task = Memorizer(max_steps=300, seed=3, checkpoint_every=5, keep_checkpoints=100)
    task.run(Diary(), run.path)
    ((_, alarm),) = alarms(run)
    numbers = alarm.numbers
    assert alarm.kind == "overfitting"
    assert "alarm: overfitting" in [event for _, event in marks(run.path)], "in older windows too"
    assert numbers["val_loss"] > 1.05 * numbers["best_val_loss"]
    assert numbers["train_loss"] < numbers["train_loss_at_best"]
    assert [remedy.changes for remedy in alarm.remedies] == [{}], "another rate is no help"
    back = alarm.remedies[0].step
    assert back == numbers["best_step"]


def test_one_that_does_not_overfit_raises_none(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    Memorizer(max_steps=150, seed=3, points=8000).run(Diary(), run.path)
    assert alarms(run) == []


def test_not_a_number(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    task = Regression(max_steps=30, batch_size=4, seed=5, checkpoint_every=10, nan_at=14)
    with pytest.raises(EngineError, match="step 14: loss became nan"):
        task.run(Diary(), run.path)
    ((step, alarm),) = alarms(run)
    assert (step, alarm.kind, alarm.event) == (14, "not_finite", "loss became nan")
    assert "The checkpoint of step 10 is safe." in alarm.reason
    assert alarm.numbers["step"] == 14
    assert "loss_before" in alarm.numbers
    assert alarm.remedies == (Remedy(10, {"learning_rate": 0.005}), Remedy(10))
    text = run.metrics_path.read_text().splitlines()[-1]
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_a_real_overflow_is_not_a_number_either(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    task = Regression(max_steps=400, batch_size=4, seed=5, learning_rate=1e30)
    with pytest.raises(EngineError, match=r"became (nan|inf)"):
        task.run(Diary(), run.path)
    assert alarms(run)[-1][1].kind == "not_finite"


class TestRules:
    """The edges that no training hits on purpose."""

    def test_one_spike_is_none(self) -> None:
        history = History()
        for step in range(1, 60):
            history.add(step, {"gradient_norm": 1e6 if step == 30 else 2.0})
            assert rules.exploding_gradients(history, step) is None

    def test_a_large_network_may_have_large_gradients(self) -> None:
        history = History()
        for step in range(1, 60):
            history.add(step, {"gradient_norm": 400.0})
            assert rules.exploding_gradients(history, step) is None

    def test_a_wasserstein_loss_below_zero_is_no_victory(self) -> None:
        history = History()
        for step in range(1, 2 * WINDOW):
            history.add(step, {"discriminator_loss": -8.0, "d_real": 1.0, "d_fake": 0.0})
            assert rules.discriminator_winning(history, step) is None

    def test_a_fall_of_the_diversity_is_seen_above_the_floor(self) -> None:
        history = History()
        for step in range(25, 600, 25):
            history.add_spread(step, 0.6 if step < 300 else 0.2, 1.0)
            found = rules.mode_collapse(history, step)
            assert (found is not None) == (step >= 400), step
            assert found is None or found.good_step == 299

    def test_a_val_loss_that_rises_with_the_loss_is_no_overfitting(self) -> None:
        history = History()
        for step in range(1, 40):
            history.add(step, {"loss": 1.0 + step, "val_loss": 1.0 + step})
            assert rules.overfitting(history, step) is None

    def test_raised_once_until_it_clears(self) -> None:
        watch, said = Watch(), []
        for step in range(1, 500):
            bad = 50 < step < 100 or 300 < step < 350
            watch.see(step, {"gradient_norm": 1e4 if bad else 1.0})
            said += [(step, type(new)) for new in watch.look(step, GAN, [])]
        assert [kind for _, kind in said] == [Alarm, AllClear, Alarm, AllClear]


class TestLines:
    def test_an_older_reader_still_reads_the_file(self, tmp_path: Path) -> None:
        """What parse_metric was before: it knows nothing of details."""
        run = RunFolder(tmp_path / "run")
        run.create({})
        alarm = Alarm("mode_collapse", "alarm: mode collapse", "They are alike.", {"ratio": 0.1})
        run.log_event(7, alarm.event, alarm.details())
        record = json.loads(run.metrics_path.read_text())
        assert {"step", "time", "event"} < set(record)
        assert (record["step"], record["event"]) == (7, "alarm: mode collapse")
        assert alarms(run) == [(7, alarm)]

    @pytest.mark.parametrize(
        "details",
        [
            7, None, [], {"alarm": 3}, {"alarm": {}},
            {"alarm": {"kind": "x", "reason": "y", "numbers": 3, "remedies": []}},
            {"alarm": {"kind": "x", "reason": "y", "numbers": {}, "remedies": [3]}},
            {"alarm": {"kind": "x", "reason": "y", "numbers": {}, "remedies": [{"step": "z"}]}},
        ],
    )  # fmt: skip
    def test_nonsense_is_no_alarm(self, details: Any) -> None:
        line = parse_metric(json.dumps({"step": 1, "time": 0, "event": "e", "details": details}))
        assert line is not None
        assert Alarm.from_details(line.event, line.details) is None
