"""Two language models on the same prompts."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from small_language_runs import CADENCE, save_text
from tiny_language_models import SENTENCES, save_folder, save_gguf

from engine import folders
from engine.errors import InvalidTask, ModelError
from engine.events import ComparedModel, ComparedText, Event, Saved
from engine.registry import task_class
from engine.task import Task
from engine.trainers.train_language_model import TrainLanguageModel


def compare(**fields: object) -> Task:
    return task_class("compare_language_models").from_dict({"max_new_tokens": 30} | fields)


def run(task: Task, out: Path) -> list[Event]:
    events: list[Event] = []
    task.run(events.append, out)
    return events


def test_each_writes_what_it_would_write_alone(tmp_path) -> None:
    folder, packed = save_folder(tmp_path / "folder"), save_gguf(tmp_path / "packed.gguf")
    task = compare(prompts="The sea\nA red fox", model=str(folder), other_model=str(packed), seed=1)
    events = run(task, tmp_path / "out")
    told = {(e.model, e.prompt): e.text for e in events if isinstance(e, ComparedText)}
    assert told.keys() == {(0, 0), (0, 1), (1, 0), (1, 1)}
    alone = task_class("text_generation").from_dict(
        {"prompt": "A red fox", "model": str(packed), "max_new_tokens": 30, "do_sample": False}
    )
    text = next(e.path for e in run(alone, tmp_path / "alone") if isinstance(e, Saved))
    assert text.read_text(encoding="utf-8") == "A red fox" + told[1, 1]
    page, record = [e.path for e in events if isinstance(e, Saved)]
    assert told[0, 0].strip() in page.read_text(encoding="utf-8")
    models = json.loads(record.read_text(encoding="utf-8"))["models"]
    assert [each["name"] for each in models] == ["folder", "packed.gguf"]
    assert models[1]["texts"] == [told[1, 0], told[1, 1]]


def test_words_arrive_as_they_are_written(tmp_path) -> None:
    folder, packed = save_folder(tmp_path / "folder"), save_gguf(tmp_path / "packed.gguf")
    task = compare(prompts="The sea", model=str(folder), other_model=str(packed))
    first = [e.text for e in run(task, tmp_path) if isinstance(e, ComparedText) and e.model == 0]
    assert len(first) > 3
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(first))


def test_a_text_known_by_heart_surprises_less_than_another(tmp_path) -> None:
    folder, packed = save_folder(tmp_path / "folder"), save_gguf(tmp_path / "packed.gguf")
    figures = []
    for name, text in (("known", "\n".join(SENTENCES)), ("strange", "Quarks! Zebras? 12345 ;;")):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
        task = compare(
            prompts="The sea",
            model=str(folder),
            other_model=str(packed),
            text=str(tmp_path / f"{name}.txt"),
        )
        figures.append([e for e in run(task, tmp_path) if isinstance(e, ComparedModel)])
    for known, strange in zip(*figures, strict=True):
        assert known.bits_per_byte < strange.bits_per_byte / 2
    assert figures[0][0].perplexity == pytest.approx(figures[0][1].perplexity, rel=0.02)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompts": " \n \n"}, "prompts"),
        ({"prompts": "a\n" * 101}, "prompts"),
        ({"prompts": "a", "model": "x", "other_model": "x"}, "other_model"),
    ],
)
def test_nonsense_is_refused(fields, field) -> None:
    with pytest.raises(InvalidTask) as caught:
        compare(**{"model": "a", "other_model": "b"} | fields)
    assert caught.value.field == field


def test_a_second_model_that_is_not_there_is_named_before_the_first_writes(tmp_path) -> None:
    folder = save_folder(tmp_path / "folder")
    task = compare(prompts="The sea", model=str(folder), other_model=str(tmp_path / "gone"))
    events: list[Event] = []
    with pytest.raises(ModelError, match=r"no model at .*gone"):
        task.run(events.append, tmp_path)
    assert not [e for e in events if isinstance(e, ComparedText)]


def test_a_training_is_compared_by_its_name_and_by_its_folder(tmp_path) -> None:
    task = TrainLanguageModel(
        dataset=save_text(tmp_path), block_size=16, num_layers=1, num_heads=2, width=16,
        vocab_size=280, batch_size=4, max_steps=4, seed=5, **CADENCE,
    )  # fmt: skip
    task.run(lambda event: None, folders.runs() / "mine")
    texts = []
    for model in ("mine", str(folders.runs() / "mine")):
        other = save_folder(tmp_path / "folder")
        events = run(compare(prompts="The sea", model=model, other_model=str(other)), tmp_path)
        texts.append({(e.model, e.prompt): e.text for e in events if isinstance(e, ComparedText)})
    assert texts[0] == texts[1] and texts[0].keys() == {(0, 0), (1, 0)}
