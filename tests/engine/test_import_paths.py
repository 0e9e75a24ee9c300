"""Every way by which a model comes in refuses the same hostile files, and runs nothing of them."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_describers
from PIL import Image
from test_gguf_gate import HOSTILE
from tiny_language_models import save_folder, save_gguf
from tiny_models import save_stable_diffusion

from engine import folders
from engine.errors import ModelError
from engine.events import Event, ModelListed
from engine.registry import task_class

Ask = Callable[[Path, Path], None]


class Marker:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def task(name: str, **fields: object) -> Ask:
    def ask(path: Path, out: Path) -> None:
        given = {key: str(path) if value == "PATH" else value for key, value in fields.items()}
        task_class(name).from_dict(given).run(lambda event: None, out)

    return ask


def listed(path: Path, out: Path) -> None:
    """The list of models tells of it, and goes on."""
    folders.models().mkdir(parents=True, exist_ok=True)
    target = folders.models() / path.name
    shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
    events: list[Event] = []
    task_class("list_models").from_dict({}).run(events.append, out)
    (told,) = [e for e in events if isinstance(e, ModelListed) and e.path.name == path.name]
    if told.facts is None:
        raise ModelError(told.problem, "")


WAYS: dict[str, Ask] = {
    "add": task("add_model", path="PATH"),
    "convert": task("add_model", path="PATH", read_pickles=True),
    "look": task("inspect_model", model="PATH", save=False),
    "list": listed,
    "write": task("text_generation", prompt="a", model="PATH", seed=1),
    "chat": task("chat_answer", prompt="a", model="PATH", seed=1),
    "measure": task("perplexity", text="shakespeare", model="PATH"),
    "draw": task("text_to_image", prompt="a", model="PATH", seed=1),
    "lora": task("text_to_image", prompt="a", loras="PATH", seed=1),
    "teach": task("train_lora", dataset="pictures", trigger="x", base_model="PATH", max_steps=1),
    "describe": task("describe_image", image="picture.png", model="PATH"),
}


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for path in ("picture.png", "pictures/picture.png"):
        Image.new("RGB", (16, 16), "red").save(tmp_path / path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["x.safetensors", "x.gguf", "x.bin"])
def test_a_pickle_is_never_opened(way, name, tmp_path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / name).write_bytes(pickle.dumps(Marker(marker)))
    with pytest.raises(ModelError):
        WAYS[way](tmp_path / name, tmp_path / "out")
    assert not marker.exists()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["writer", "pipeline", "describer"])
def test_a_program_that_comes_along_is_never_imported(way, kind, tmp_path) -> None:
    save = {
        "writer": save_folder,
        "pipeline": save_stable_diffusion,
        "describer": tiny_describers.save_captioner,
    }
    folder = save[kind](tmp_path / "model")
    marker = tmp_path / "marker"
    (folder / "modeling_own.py").write_text(f"open({str(marker)!r}, 'w')", encoding="utf-8")
    index = folder / ("model_index.json" if kind == "pipeline" else "config.json")
    told = json.loads(index.read_text(encoding="utf-8"))
    told["auto_map"] = {"AutoModelForCausalLM": "modeling_own.Model"}
    index.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ModelError):
        WAYS[way](folder, tmp_path / "out")
    assert not marker.exists() and "modeling_own" not in sys.modules


@pytest.mark.parametrize("way", WAYS)
def test_weights_that_are_cut_short_are_named(way, tmp_path) -> None:
    for path in (
        save_gguf(tmp_path / "cut.gguf"),
        save_folder(tmp_path / "cut") / "model.safetensors",
    ):
        path.write_bytes(path.read_bytes()[:-100])
        given = path if path.suffix == ".gguf" or way == "lora" else path.parent
        with pytest.raises(ModelError):
            WAYS[way](given, tmp_path / "out")


@pytest.mark.parametrize("way", ["add", "look", "list", "write", "chat", "measure"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_gguf_is_refused(way, name, tmp_path) -> None:
    (tmp_path / "x.gguf").write_bytes(HOSTILE[name])
    with pytest.raises(ModelError, match=r"x\.gguf"):
        WAYS[way](tmp_path / "x.gguf", tmp_path / "out")
