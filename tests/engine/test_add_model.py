"""Models taken in: what they are is found inside them; whole or not at all."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from tiny_language_models import save_folder, save_gguf
from tiny_loras import save_kohya_lora
from tiny_models import save_stable_diffusion

from engine import files, folders, library
from engine.errors import Cancelled, EngineError, FileError, InvalidTask, ModelError
from engine.events import Event, ModelFacts, Progress, Saved
from engine.registry import task_class


def add(path: Path, report=None) -> list[Event]:
    events: list[Event] = []
    task_class("add_model").from_dict({"path": str(path)}).run(report or events.append, path.parent)
    return events


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_each_kind_goes_where_it_is_looked_for_whatever_its_name(tmp_path) -> None:
    drawing = save_stable_diffusion(tmp_path / "画 model")
    writing = save_folder(tmp_path / "poet")
    packed = save_gguf(tmp_path / "packed.gguf")
    lora = save_kohya_lora(drawing, tmp_path / "ink.safetensors")
    kinds = []
    for path in (drawing, writing, packed, lora):
        before = contents(path) if path.is_dir() else path.read_bytes()
        events = add(path)
        kinds.append(next(e.kind for e in events if isinstance(e, ModelFacts)))
        words = next(e.trigger_words for e in events if isinstance(e, ModelFacts))
        assert words == (("inkwash", "brush") if path == lora else ())
        (target,) = [e.path for e in events if isinstance(e, Saved)]
        assert (contents(target) if path.is_dir() else target.read_bytes()) == before
        assert (contents(path) if path.is_dir() else path.read_bytes()) == before
    assert kinds == ["image model", "language model", "language model", "LoRA"]
    assert "画 model" in library.image_models() and library.loras() == ("ink",)
    assert {"poet", "packed"} <= set(library.text_models())


def test_what_is_not_read_is_not_copied(tmp_path) -> None:
    folder = save_folder(tmp_path / "poet")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04 a pickle")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("secret")
    add(folder)
    names = {path.name for path in (folders.models() / "poet").rglob("*")}
    assert names.isdisjoint({"pytorch_model.bin", ".git", "config"})


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("picture.gguf", b"\x89PNG\r\n", "not a safetensors"),
        ("pickle.safetensors", b"PK\x03\x04 torch", "pickle"),
        ("empty.safetensors", b"", "is empty"),
        ("picture.png", b"\x89PNG\r\n", "is no model"),
        ("half.gguf", b"GGUF\x03\0\0\0", "cut short"),
    ],
)
def test_what_is_none_is_told_by_its_content(name, data, problem, tmp_path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=problem):
        add(tmp_path / name)
    assert not (folders.models() / name).exists()


def test_a_name_that_is_taken_is_left_alone(tmp_path) -> None:
    add(save_gguf(tmp_path / "packed.gguf"))
    kept = (folders.models() / "packed.gguf").read_bytes()
    with pytest.raises(InvalidTask, match="already"):
        add(save_gguf(tmp_path / "packed.gguf"))
    assert (folders.models() / "packed.gguf").read_bytes() == kept


def test_a_stop_or_a_full_disk_leaves_nothing(tmp_path, monkeypatch) -> None:
    folder = save_folder(tmp_path / "poet")

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage.startswith("copying"):
            raise Cancelled

    with pytest.raises(Cancelled):
        add(folder, stop)
    assert list(folders.models().iterdir()) == []

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(FileError, match="No space left"):
            add(folder)
    assert list(folders.models().iterdir()) == []
    with monkeypatch.context() as patch:
        usage = shutil.disk_usage(tmp_path)._replace(free=1000)
        patch.setattr("shutil.disk_usage", lambda path: usage)
        with pytest.raises(EngineError, match="on the disk of"):
            add(folder)
    assert not any(p.name.startswith(files.TEMPORARY_PREFIX) for p in folders.models().iterdir())
