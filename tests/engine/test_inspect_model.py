"""What a model is and needs, told before it is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_encoder
from tiny_language_models import CONTEXT, save_folder, save_gguf
from tiny_models import save_stable_diffusion

from engine.errors import ModelError, OutOfMemory
from engine.events import Event, ModelFacts, Saved
from engine.language import llama_cpp, loading, transformers_folder
from engine.registry import task_class


def inspect(path: Path, out: Path, save: bool = False) -> tuple[ModelFacts, list[Event]]:
    events: list[Event] = []
    task = task_class("inspect_model").from_dict({"model": str(path), "save": save})
    task.run(events.append, out)
    return next(event for event in events if isinstance(event, ModelFacts)), events


def weights_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def test_a_folder_needs_its_weights_in_the_precision_that_is_computed_in(tmp_path) -> None:
    folder = save_folder(tmp_path / "writer")
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# Writer\n")
    facts, _ = inspect(folder, tmp_path)
    assert facts.kind == "language model" and facts.family == "llama"
    assert facts.context_length == CONTEXT and facts.licence == "apache-2.0"
    assert facts.on_disk == weights_of(folder)
    assert facts.needs == 4 * facts.parameters + transformers_folder.LIBRARIES
    assert facts.free > 1e8


def test_a_gguf_needs_its_file_and_room_for_its_context(tmp_path) -> None:
    path = save_gguf(tmp_path / "writer.gguf")
    facts, _ = inspect(path, tmp_path)
    assert facts.kind == "language model" and facts.name == "writer"
    keys_and_values = 2 * 2 * (16 + 16) * 2  # layers, heads, their size, bytes in float16
    room = CONTEXT * keys_and_values
    assert facts.needs == path.stat().st_size + room + llama_cpp.BUFFERS


def test_a_pipeline_and_an_encoder_are_told_apart(tmp_path) -> None:
    drawing, _ = inspect(save_stable_diffusion(tmp_path / "drawing"), tmp_path)
    assert drawing.kind == "image model" and drawing.family == "StableDiffusion"
    assert drawing.on_disk == weights_of(tmp_path / "drawing")
    meaning, _ = inspect(tiny_encoder.save_folder(tmp_path / "meaning", "boats trains"), tmp_path)
    assert meaning.kind == "embedding model"


def test_the_record_says_the_same(tmp_path) -> None:
    facts, events = inspect(save_folder(tmp_path / "writer"), tmp_path / "out", save=True)
    (saved,) = [event.path for event in events if isinstance(event, Saved)]
    told = json.loads(saved.read_text(encoding="utf-8"))
    assert told["parameters"] == facts.parameters and told["needs"] == facts.needs


def test_a_model_that_lacks_something_is_named(tmp_path) -> None:
    folder = save_folder(tmp_path / "writer")
    for name in ("tokenizer.json", "vocab.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"its tokenizer .* is missing"):
        inspect(folder, tmp_path)
    weights = save_folder(tmp_path / "cut") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="is cut short"):
        inspect(weights.parent, tmp_path)


@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_what_is_told_is_what_decides_whether_it_is_loaded(kind, tmp_path, monkeypatch) -> None:
    path = tmp_path / ("writer" if kind == "folder" else "writer.gguf")
    save_folder(path) if kind == "folder" else save_gguf(path)
    needs = inspect(path, tmp_path)[0].needs
    monkeypatch.setattr("engine.memory.free_memory", lambda: needs - 1)
    with pytest.raises(OutOfMemory, match=r"writer.* needs 0.2 GB|writer.* needs 0.0 GB"):
        loading.load(path, False, lambda event: None)
    monkeypatch.setattr("engine.memory.free_memory", lambda: needs)
    assert loading.load(path, False, lambda event: None).name == "writer"
