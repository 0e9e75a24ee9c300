"""What a model needs stands under its field before it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from tiny_language_models import save_folder

from engine import folders
from engine.registry import task_class
from engine.worker import Engine
from studio.model_look import ModelLook
from studio.widgets.parameter_form import ParameterForm


@pytest.fixture
def form(qtbot: QtBot, engine: Engine) -> Iterator[ParameterForm]:
    form = ParameterForm(task_class("text_generation"))
    qtbot.addWidget(form)
    ModelLook(engine, form, form)
    form.show()
    yield form
    form.close()


def wait_for(qtbot: QtBot, form: ParameterForm, words: str) -> None:
    qtbot.waitUntil(lambda: words in form.editor("model").note(), timeout=20_000)


def put_model(name: str) -> Path:
    return save_folder(folders.models() / name)


def test_what_is_needed_and_free_is_said(qtbot, engine, form) -> None:
    put_model("poet")
    form.set_values({"model": "poet"})
    wait_for(qtbot, form, "Needs 150 MB of memory, ")
    assert form.editor("model").note().endswith(" GB are free")
    assert engine.jobs == []


def test_a_model_that_does_not_fit_is_told_of_before_it_is_loaded(qtbot, form, monkeypatch) -> None:
    put_model("poet")
    monkeypatch.setattr("engine.memory.free_memory", lambda: 100_000_000)
    form.set_values({"model": "poet"})
    wait_for(qtbot, form, "Needs 150 MB of memory, 100 MB are free: close programs")
    assert form.editor("model")._note.property("role") == "problem"


def test_a_broken_model_is_named_and_a_whole_one_takes_its_words_away(qtbot, form) -> None:
    weights = put_model("broken") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    put_model("poet")
    form.set_values({"model": "broken"})
    wait_for(qtbot, form, "is cut short")
    form.set_values({"model": "poet"})
    wait_for(qtbot, form, "Needs 150 MB")


def test_a_starter_pack_that_is_not_there_is_left_to_its_notice(qtbot, engine, form) -> None:
    qtbot.wait(800)
    assert form.editor("model").note() == ""
