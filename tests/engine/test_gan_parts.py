"""One network of a GAN steps alone, its rates change live, and all of it resumes exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from training_diary import Diary, bits, marks

from engine import checkpoints
from engine.events import Progress
from engine.runs import MetricsTail, RunFolder
from engine.trainers.train_gan import TrainGan

TASK = TrainGan(
    model="mlp_small", latent_dim=8, batch_size=4, seed=7, max_steps=8, precision="float32",
    log_every=1, sample_every=4, checkpoint_every=1, keep_checkpoints=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Paused at step 2; then the generator steps, the discriminator, both; a rate is changed."""
    run = RunFolder(tmp_path_factory.mktemp("gan") / "run")
    asked: list[int] = []

    def act(event: Any) -> None:
        if not isinstance(event, Progress):
            return
        if event.stage == "learning" and event.step == 2 and not asked:
            asked.append(run.send("pause"))
            asked.append(run.send("step", part="generator"))
            asked.append(run.send("step", part="discriminator"))
            asked.append(run.send("step"))
            asked.append(run.send("set", name="generator_learning_rate", value=0.01))
        if event.stage == "paused" and event.step == 5 and len(asked) == 5:
            asked.append(run.send("resume"))

    TASK.run(Diary(act), run.path)
    return run


def moved(run: RunFolder, name: str, step: int) -> bool:
    """Whether the weights of `name` are others after `step` than before."""
    before, after = (
        checkpoints.load_tensors(run.checkpoint_path(s), name) for s in (step - 1, step)
    )
    return any(not before[key].equal(after[key]) for key in before)


def test_only_the_part_that_was_asked_for_moves(run: RunFolder) -> None:
    networks = ("generator", "generator_ema", "discriminator")
    assert [moved(run, name, 3) for name in networks] == [True, True, False]
    assert [moved(run, name, 4) for name in networks] == [False, False, True]
    assert [moved(run, name, 5) for name in networks] == [True, True, True]
    measured = {line.step: set(line.values) for line in MetricsTail(run).read()[0] if line.values}
    assert "generator_loss" in measured[3] and "discriminator_loss" not in measured[3]
    assert "discriminator_loss" in measured[4] and "generator_loss" not in measured[4]
    assert {"generator_loss", "discriminator_loss"} < measured[5]
    assert (2, "step generator #2") in marks(run.path)
    assert run.description()["parts"] == ["generator", "discriminator"]


def test_its_optimizers_take_the_new_rate(run: RunFolder) -> None:
    _, state = checkpoints.load(run.checkpoint_path(8))
    rates = {
        n: state[f"{n}_optimizer"]["param_groups"][0]["lr"] for n in ("generator", "discriminator")
    }
    assert rates == {"generator": 0.01, "discriminator": TASK.discriminator_learning_rate}
    assert state["live"]["generator_learning_rate"] == 0.01


def test_it_resumes_exactly_with_the_rate_that_was_set(run: RunFolder, tmp_path: Path) -> None:
    task = dataclasses.replace(TASK, branch_from=str(run.path), resume_step=6)
    task.run(Diary(), tmp_path / "branch")
    assert bits(tmp_path / "branch") == bits(run.path)
