"""A language model learns on two processes what it learns on one, and goes on exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from several_processes import Trainer, trainer
from small_language_runs import CADENCE, bits, events, measured, save_text

from engine.runs import RunFolder
from engine.trainers.train_language_model import TrainLanguageModel


@pytest.fixture(scope="module")
def together() -> Iterator[Trainer]:
    with trainer() as started:
        yield started


def test_two_processes_learn_what_one_learns_and_go_on_bit_for_bit(
    together: Trainer, tmp_path: Path
) -> None:
    task = TrainLanguageModel(
        dataset=save_text(tmp_path), block_size=16, num_layers=1, num_heads=2, width=16,
        vocab_size=280, batch_size=4, gradient_accumulation_steps=2, dropout=0.0, max_steps=8,
        seed=5, **CADENCE,
    )  # fmt: skip
    task.run(lambda event: None, tmp_path / "one")
    assert together.train(task, tmp_path / "two") == [0, 0]
    alone, shared = dict(measured(tmp_path / "one")), dict(measured(tmp_path / "two"))
    assert alone.keys() == shared.keys()
    for step, values in alone.items():
        assert shared[step] == pytest.approx(values, rel=1e-4), step
    assert RunFolder(tmp_path / "two").description()["processes"] == 2
    assert together.train(task, tmp_path / "again", act=[(1, 6, "cancel")])[1] in (0, 1, 130)
    assert together.train(dataclasses.replace(task, resume=True), tmp_path / "again") == [0, 0]
    assert bits(tmp_path / "again") == bits(tmp_path / "two")
    assert measured(tmp_path / "again") == measured(tmp_path / "two")


def test_both_end_when_the_first_finds_that_more_steps_are_no_use(
    together: Trainer, tmp_path: Path
) -> None:
    task = TrainLanguageModel(
        dataset=save_text(tmp_path), block_size=16, num_layers=1, num_heads=2, width=16,
        vocab_size=280, batch_size=4, max_steps=60, learning_rate=0.5, schedule="constant",
        patience=2, seed=5, **CADENCE,
    )  # fmt: skip
    assert together.train(task, tmp_path / "run") == [0, 0]
    assert any("stopped early" in event for _, event in events(tmp_path / "run"))
