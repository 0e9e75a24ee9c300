"""What a model needs stands under its field before it is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from small_tasks import Count
from tiny_language_models import save_folder

from engine import cache, device, folders, library, measured_memory
from engine.gate.model_folder import check_pipeline
from engine.memory_plans import AS_IT_IS
from engine.registry import task_class
from engine.worker import Engine, Job
from studio.model_look import QUIET, ModelLook
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


def test_what_is_made_goes_before_a_look(qtbot, engine, form, tmp_path) -> None:
    job = Job(Count(total=10_000, pause=0.01), tmp_path)
    engine.submit(job)
    put_model("poet")
    form.set_values({"model": "poet"})
    qtbot.wait(QUIET + 300)
    assert not engine._unlisted
    job.cancel()
    wait_for(qtbot, form, "Needs 150 MB of memory, ")


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


@pytest.fixture
def drawing(qtbot: QtBot, engine: Engine) -> Iterator[ParameterForm]:
    form = ParameterForm(task_class("text_to_image"))
    qtbot.addWidget(form)
    ModelLook(engine, form, form)
    form.show()
    yield form
    form.close()


def test_one_click_picks_the_way_to_draw_that_fits(qtbot, drawing, monkeypatch) -> None:
    """Of the embedded model, whose weights of 16 bits a CPU widens to 32."""
    monkeypatch.setattr("engine.device.has_native_bfloat16", lambda: False)
    monkeypatch.setattr("engine.memory.free_memory", lambda: 10_000_000_000)
    cache.clear()
    drawing.set_values({"width": 256, "height": 240})
    wait_for(qtbot, drawing, " of memory (± ")
    field = drawing.editor("model")
    assert field.note().endswith("10.0 GB are free")
    assert field.offer() == "", "it fits"
    monkeypatch.setattr("engine.memory.free_memory", lambda: 230_000_000)
    drawing.set_values({"height": 256})
    qtbot.waitUntil(lambda: field.offer() != "", timeout=20_000)
    assert "230 MB are free: close programs" in field.note()
    assert field.offer().startswith("Use ") and field.offer().endswith(" MB)")
    field._offer.click()
    assert field.offer() == ""
    values = drawing.values()
    assert values["width"] < 256 and values["width"] % 64 == 0
    qtbot.waitUntil(lambda: field.note().endswith("230 MB are free"), timeout=20_000)
    drawing.undo_stack.undo()
    assert drawing.values()["width"] == 256, "one step of undo"


def test_what_it_took_here_stands_there(qtbot, drawing, monkeypatch) -> None:
    folder = check_pipeline(library.find(library.EMBEDDED_IMAGE_MODEL))
    key = measured_memory.key_of(folder.fingerprint, AS_IT_IS, (128, 128), device.best_device())
    measured_memory.remember(key, 193_000_000)
    drawing.set_values({"width": 128, "height": 128})
    wait_for(qtbot, drawing, "Took 193 MB of memory here last time (")
    assert " were expected), " in drawing.editor("model").note()
