"""A small GPT from nothing: it learns, measures on held-out text, stops in time, resumes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from small_language_runs import (
    CADENCE,
    assert_same_run,
    cancel_at,
    events,
    measured,
    save_text,
    texts,
)

from engine import checkpoints, schedules
from engine.errors import Cancelled, DatasetError, InvalidTask
from engine.events import Event, Notice
from engine.gate.transformers_folder import check_language_model
from engine.language import perplexity
from engine.runs import RunFolder
from engine.trainers.train_language_model import TrainLanguageModel

SMALL: dict[str, Any] = {
    "block_size": 16, "num_layers": 1, "num_heads": 2, "width": 16, "vocab_size": 280,
    "batch_size": 8, "max_steps": 12, "learning_rate": 5e-3, "warmup_steps": 2, "seed": 5,
    "gradient_accumulation_steps": 2, **CADENCE,
}  # fmt: skip


def ignore(event: Event) -> None:
    pass


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_text(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def task(text: str) -> TrainLanguageModel:
    return TrainLanguageModel(dataset=text, **SMALL)


@pytest.fixture(scope="module")
def straight(task: TrainLanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "straight"
    task.run(ignore, run)
    return run


def test_it_learns_and_says_how_well(straight: Path) -> None:
    values = dict(measured(straight))
    assert values[12]["loss"] < values[1]["loss"] - 0.5
    assert [step for step, each in values.items() if "val_loss" in each] == [2, 4, 6, 8, 10, 12]
    last = values[12]
    assert last["perplexity"] == pytest.approx(2.718281828 ** last["val_loss"])
    assert all(each["gradient_norm"] > 0 for each in values.values())
    described = RunFolder(straight).description()
    assert described["dataset"]["tokens"] > 20 * described["dataset"]["held_out_tokens"] / 2
    assert described["perplexity"]["context"] == described["perplexity"]["stride"] == 16
    assert described["parameters"]["trained"] == described["parameters"]["all"]


def test_samples_are_texts_and_prompts_are_continued(
    straight: Path, text: str, tmp_path: Path
) -> None:
    assert list(texts(straight)) == [0, 4, 8, 12]
    assert texts(straight)[0].count("* * *") == 2
    prompted = TrainLanguageModel(
        dataset=text, **SMALL | {"max_steps": 4}, sample_prompts="One fox\nA"
    )
    prompted.run(ignore, tmp_path / "run")
    first, second = texts(tmp_path / "run")[4].split("\n\n* * *\n\n")
    assert first.startswith("One fox") and len(first) > 10 and second.startswith("A")


@pytest.mark.parametrize("step", [3, 6])
def test_resume_is_exact(
    task: TrainLanguageModel, straight: Path, tmp_path: Path, step: int
) -> None:
    with pytest.raises(Cancelled):
        task.run(cancel_at(step), tmp_path / "run")
    dataclasses.replace(task, resume=True).run(ignore, tmp_path / "run")
    assert_same_run(straight, tmp_path / "run")


def test_a_checkpoint_is_a_model_folder_of_transformers(straight: Path, text: str) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    _, path = RunFolder(straight).checkpoints()[-1]
    check_language_model(path)
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path)
    weights = checkpoints.load_tensors(path, "model")
    assert all(weights[name].equal(model.state_dict()[name]) for name in weights)
    held_out = Path(text).read_text()[-600:]
    ids = torch.tensor(tokenizer(held_out)["input_ids"])
    assert tokenizer.decode(ids) == held_out
    assert perplexity.measure(model, ids, 16, 8).value < 280 / 2


def test_the_best_weights_are_kept_and_it_stops_when_it_only_learns_by_heart(
    text: str, tmp_path: Path
) -> None:
    told: list[Event] = []
    worsening = SMALL | {"learning_rate": 0.5, "schedule": "constant", "max_steps": 100}
    run = tmp_path / "run"
    TrainLanguageModel(dataset=text, patience=3, **worsening).run(told.append, run)
    losses = [(v["val_loss"], step) for step, v in measured(run) if "val_loss" in v]
    best_loss, best_step = min(losses)
    ended = losses[-1][1]
    assert ended == best_step + 3 * 2 < 100
    said = f"stopped early: val_loss has not fallen in 3 measurements; the best was {best_loss:.4f}"
    assert (ended, f"{said} at step {best_step}") in events(run)
    assert any("stopped early" in event.message for event in told if isinstance(event, Notice))
    assert RunFolder(run).heartbeat().state == "finished"  # type: ignore[union-attr]
    assert max(texts(run)) == ended
    step, path = RunFolder(run).checkpoints()[-1]
    assert step == ended
    best = checkpoints.load_tensors(path, "best")
    TrainLanguageModel(dataset=text, patience=3, **worsening | {"max_steps": best_step}).run(
        ignore, tmp_path / "short"
    )
    _, short = RunFolder(tmp_path / "short").checkpoints()[-1]
    there = checkpoints.load_tensors(short, "model")
    assert all(best[name].equal(there[name]) for name in there)


def test_without_patience_it_goes_on_and_keeps_the_last_weights_alone(
    text: str, tmp_path: Path
) -> None:
    wild = SMALL | {"learning_rate": 0.5, "patience": 0}
    TrainLanguageModel(dataset=text, **wild).run(ignore, tmp_path / "run")
    step, path = RunFolder(tmp_path / "run").checkpoints()[-1]
    assert step == 12 and not checkpoints.has_entry(path, "best")


def test_a_text_that_changed_does_not_change_the_tokens_of_the_run(
    text: str, tmp_path: Path
) -> None:
    own = save_text(tmp_path)
    task = TrainLanguageModel(dataset=own, **SMALL)
    with pytest.raises(Cancelled):
        task.run(cancel_at(6), tmp_path / "run")
    before = checkpoints.load_entry(
        RunFolder(tmp_path / "run").checkpoint_path(6), "tokenizer.json"
    )
    Path(own).write_text("Zebras zigzag zealously. " * 400)
    told: list[Event] = []
    dataclasses.replace(task, resume=True).run(told.append, tmp_path / "run")
    assert any("not the same" in event.message for event in told if isinstance(event, Notice))
    after = checkpoints.load_entry(
        RunFolder(tmp_path / "run").checkpoint_path(12), "tokenizer.json"
    )
    assert after == before


def test_characters_as_tokens(text: str, tmp_path: Path) -> None:
    fields = SMALL | {"tokenizer": "characters", "max_steps": 2}
    TrainLanguageModel(dataset=text, **fields).run(ignore, tmp_path / "run")
    letters = set(Path(text).read_text())
    described = RunFolder(tmp_path / "run").description()
    assert described["model"]["vocab_size"] == len(letters) + 2


def test_what_cannot_be_trained_is_said(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidTask, match="heads") as caught:
        TrainLanguageModel(dataset=text, width=30, num_heads=4)
    assert caught.value.field == "width"
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DatasetError, match="empty"):
        TrainLanguageModel(dataset=str(tmp_path / "empty.txt"), **SMALL).run(ignore, tmp_path / "r")


def test_a_short_text_has_short_blocks_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("The sea is wide and deep.\nThe wind walks.\n")
    told: list[Event] = []
    fields = SMALL | {"block_size": 256, "max_steps": 1}
    TrainLanguageModel(dataset=str(tmp_path / "short.txt"), **fields).run(
        told.append, tmp_path / "r"
    )
    assert any("Blocks are of" in event.message for event in told if isinstance(event, Notice))


def test_schedules_are_those_of_transformers() -> None:
    from transformers import get_scheduler

    for name, theirs in (
        ("cosine", "cosine"),
        ("linear", "linear"),
        ("constant", "constant_with_warmup"),
    ):
        parameter = torch.nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([parameter], lr=1.0)
        scheduler = get_scheduler(theirs, optimizer, 5, 20)
        for step in range(1, 21):
            if step > 1:  # theirs wastes the first step on a rate of 0
                assert schedules.factor(name, step, 5, 20) == pytest.approx(
                    scheduler.get_last_lr()[0]
                )
            optimizer.step()
            scheduler.step()
        assert schedules.factor(name, 1, 5, 20) > 0
        assert schedules.factor(name, 1, 0, 20) == 1.0
