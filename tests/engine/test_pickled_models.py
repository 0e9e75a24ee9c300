"""Models whose weights are pickles: their numbers come in as safetensors, and nothing else does."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import subprocess
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from original_layout import tensors_of
from published_models import pipeline
from safetensors.torch import load_file
from tiny_language_models import save_folder
from tiny_loras import save_kohya_lora
from tiny_models import save_stable_diffusion

from engine import folders, library
from engine.errors import FileError, ModelError
from engine.events import Event, ModelFacts, Saved
from engine.gate import pickled_weights
from engine.gate.model_folder import check_pipeline
from engine.registry import task_class


def add(path: Path, read_pickles: bool = True) -> list[Event]:
    events: list[Event] = []
    fields = {"path": str(path), "read_pickles": read_pickles}
    task_class("add_model").from_dict(fields).run(events.append, path.parent)
    return events


def nothing_came() -> bool:
    rooms = (folders.models(), folders.loras())
    return not any(
        path for room in rooms if room.is_dir() for path in room.glob("*") if path not in rooms
    )


def pickled(folder: Path, shards: int = 1) -> Path:
    """The model folder with its weights as they were before safetensors."""
    for file in folder.rglob("*.safetensors"):
        tensors = load_file(file)
        stem = "pytorch_model" if file.name == "model.safetensors" else "diffusion_pytorch_model"
        file.unlink()
        if shards == 1:
            torch.save(tensors, file.parent / f"{stem}.bin")
            continue
        names = sorted(tensors)
        weight_map = {}
        for number in range(shards):
            mine = names[number::shards]
            shard = f"{stem}-{number + 1:05}-of-{shards:05}.bin"
            torch.save({name: tensors[name] for name in mine}, file.parent / shard)
            weight_map |= dict.fromkeys(mine, shard)
        index = json.dumps({"metadata": {}, "weight_map": weight_map})
        (file.parent / f"{stem}.bin.index.json").write_text(index)
    return folder


# ------------------------------------------------------------------ what comes in


def test_a_checkpoint_of_2022_comes_in(tmp_path, monkeypatch) -> None:
    """With what its training left beside the weights: a class by its name, and counters."""
    pipe = pipeline("sd1", small=True, tokenizers=tmp_path / "t")
    named = "pytorch_lightning.callbacks.model_checkpoint"
    callback = type("ModelCheckpoint", (), {"__module__": named, "__qualname__": "ModelCheckpoint"})
    module = type(torch)(named)
    module.ModelCheckpoint = callback  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        for name in ("pytorch_lightning", "pytorch_lightning.callbacks", named):
            patch.setitem(__import__("sys").modules, name, module)
        beside = {"callbacks": {callback: {"best": None}}, "global_step": 470000}
        state = {name: tensor.clone() for name, tensor in tensors_of(pipe).items()}
        torch.save(beside | {"state_dict": OrderedDict(state)}, tmp_path / "v1.ckpt")
    before = (tmp_path / "v1.ckpt").read_bytes()
    with pytest.raises(ModelError, match="is a pickle file") as caught:
        add(tmp_path / "v1.ckpt", read_pickles=False)
    assert "Convert pickles" in caught.value.hint and nothing_came()
    events = add(tmp_path / "v1.ckpt")
    assert (folders.models() / "v1").is_dir() and (tmp_path / "v1.ckpt").read_bytes() == before
    assert check_pipeline(folders.models() / "v1").parameters == next(
        event.parameters for event in events if isinstance(event, ModelFacts)
    )
    unet = load_file(folders.models() / "v1" / "unet" / "diffusion_pytorch_model.safetensors")
    assert torch.equal(unet["conv_in.weight"], pipe.unet.conv_in.weight)
    assert not list((folders.models() / "v1").rglob("*.ckpt"))


@pytest.mark.parametrize("shards", [1, 3])
def test_a_folder_comes_in_with_the_same_numbers(shards, tmp_path) -> None:
    drawing = save_stable_diffusion(tmp_path / "drawing")
    writing = save_folder(tmp_path / "writing")
    expected = {
        path.relative_to(tmp_path): load_file(path) for path in tmp_path.rglob("*.safetensors")
    }
    for folder in (pickled(drawing, shards), pickled(writing, shards)):
        with pytest.raises(ModelError, match="is a pickle file"):
            add(folder, read_pickles=False)
        (saved,) = [event.path for event in add(folder) if isinstance(event, Saved)]
        assert saved == folders.models() / folder.name and not list(saved.rglob("*.bin"))
    found: dict[Path, dict[str, torch.Tensor]] = {}
    for path in folders.models().rglob("*.safetensors"):
        stem = path.name.split("-0")[0].removesuffix(".safetensors")
        room = path.relative_to(folders.models()).parent
        found.setdefault(room / f"{stem}.safetensors", {}).update(load_file(path))
    assert found.keys() == expected.keys()
    for name, tensors in expected.items():
        assert found[name].keys() == tensors.keys()
        assert all(torch.equal(found[name][key], tensor) for key, tensor in tensors.items())
    assert "drawing" in library.image_models() and "writing" in library.text_models()


def test_a_lora_comes_in(tmp_path) -> None:
    path = save_kohya_lora(save_stable_diffusion(tmp_path / "sd"), tmp_path / "ink.safetensors")
    torch.save(load_file(path), tmp_path / "ink.pt")
    events = add(tmp_path / "ink.pt")
    assert [event.kind for event in events if isinstance(event, ModelFacts)] == ["LoRA"]
    assert library.loras() == ("ink",)
    assert load_file(folders.loras() / "ink.safetensors").keys() == load_file(path).keys()


# ------------------------------------------------------------------ what does not


class Marker:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path, run: Callable[..., Any] = Path.touch) -> None:
        self.path, self.run = path, run

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any]]:
        return self.run, ([f"touch {self.path}"] if self.run is not Path.touch else self.path,)


HOSTILE: dict[str, Callable[[Path, Path], object]] = {
    "bare": lambda path, marker: path.write_bytes(pickle.dumps(Marker(marker))),
    "bare, protocol 2": lambda path, marker: path.write_bytes(pickle.dumps(Marker(marker), 2)),
    "in torch's archive": lambda path, marker: torch.save(Marker(marker), path),
    "beside weights": lambda path, marker: torch.save(
        {"model.diffusion_model.x": torch.zeros(3), "extra": Marker(marker)}, path
    ),
    "a shell": lambda path, marker: torch.save(
        {"state_dict": {"a": Marker(marker, subprocess.check_call)}}, path
    ),
    "of the old kind": lambda path, marker: torch.save(
        {"a": Marker(marker)}, path, _use_new_zipfile_serialization=False
    ),
    "without end": lambda path, marker: torch.save(
        {"model.diffusion_model.a": torch.zeros(1).expand(2_000_000, 1_000_000)}, path
    ),
    "not weights": lambda path, marker: torch.save([1, 2, 3], path),
    "unknown weights": lambda path, marker: torch.save({"a": torch.zeros(3)}, path),
    "cut short": lambda path, marker: _cut(path),
    "a zip of zeros": lambda path, marker: _bomb(path),
    "complex": lambda path, marker: torch.save(
        {"a.lora_down.weight": torch.zeros(3, dtype=torch.complex64)}, path
    ),
}


def _cut(path: Path) -> None:
    torch.save({"model.diffusion_model.x": torch.zeros(3000)}, path)
    path.write_bytes(path.read_bytes()[:-2000])


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(20_000_000))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_harmless_and_named(name, tmp_path) -> None:
    marker = tmp_path / "marker"
    path = tmp_path / "x.ckpt"
    HOSTILE[name](path, marker)
    for read_pickles in (False, True):
        with pytest.raises((ModelError, FileError)) as caught:
            add(path, read_pickles)
        assert "x.ckpt" in caught.value.message or "a.lora_down.weight" in caught.value.message
        assert caught.value.hint or read_pickles
    assert not marker.exists() and nothing_came()


@pytest.mark.parametrize(
    "where", [("unet", "diffusion_pytorch_model"), ("text_encoder", "pytorch_model")]
)
def test_a_hostile_file_in_a_folder_is_harmless(where, tmp_path) -> None:
    folder = pickled(save_stable_diffusion(tmp_path / "drawing"))
    torch.save({"a": Marker(tmp_path / "marker")}, folder / where[0] / f"{where[1]}.bin")
    with pytest.raises(ModelError, match="was not opened"):
        add(folder)
    assert not (tmp_path / "marker").exists() and nothing_came()


def test_a_folder_with_a_program_is_refused_before_its_pickles_are_read(tmp_path) -> None:
    folder = pickled(save_stable_diffusion(tmp_path / "drawing"))
    (folder / "unet" / "own.py").write_text("raise SystemExit")
    torch.save({"a": Marker(tmp_path / "marker")}, folder / "unet/diffusion_pytorch_model.bin")
    with pytest.raises(ModelError, match="program of its own"):
        add(folder)
    assert not (tmp_path / "marker").exists() and nothing_came()


@given(where=st.floats(0, 1), data=st.binary(max_size=6), gone=st.integers(0, 6), old=st.booleans())
@settings(max_examples=300)
def test_damage_is_always_said(where, data, gone, old, tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.ckpt"
    whole = WHOLE[old]
    place = int(where * len(whole))
    damaged = whole[:place] + data + whole[place + gone :]
    if old:
        path.write_bytes(damaged)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, member in MEMBERS.items():
                archive.writestr(name, damaged if name.endswith("data.pkl") else member)
    with suppress(ModelError):  # some damage does not show
        pickled_weights.read(path, largest=10_000)


def _saved(old: bool) -> io.BytesIO:
    stream = io.BytesIO()
    weights = {"a.lora_down.weight": torch.zeros(3), "b": torch.ones(2, 2).half()}
    everything = {"state_dict": weights, "x": [1, 2.5, "s", None, True]}
    torch.save(everything, stream, _use_new_zipfile_serialization=not old)
    return stream


with zipfile.ZipFile(_saved(False)) as _archive:
    MEMBERS = {name: _archive.read(name) for name in _archive.namelist()}
WHOLE = {
    True: _saved(True).getvalue(),
    False: next(data for name, data in MEMBERS.items() if name.endswith("data.pkl")),
}


@pytest.mark.parametrize(
    "named",
    ["../../x.bin", "x.bin", "pytorch_model-00009-of-00009.bin", 3, "other-00001-of-00002.bin"],
)
def test_an_index_that_names_others_is_refused(named, tmp_path) -> None:
    (tmp_path / "x.bin").write_bytes(b"")
    folder = pickled(save_folder(tmp_path / "writing"), shards=2)
    shutil.copy(folder / "pytorch_model-00001-of-00002.bin", folder / "other-00001-of-00002.bin")
    index = {"weight_map": {"a": named}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match="is missing"):
        add(folder)
    assert nothing_came()
