"""Starter packs with the real pip and a registry that is a folder of this test."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from engine import folders, library, packs, registry
from engine.errors import Cancelled, EngineError, FileError, ModelError
from engine.events import Event, Progress, Saved
from engine.generators.fetch_pack import FetchPack
from engine.generators.text_generation import TextGeneration
from engine.packs import Member, Pack

MODEL = b"GGUF" + os.urandom(3_000_000)
MEMBER = "tiny_pack/model.gguf"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def pack(shelf: Path) -> Pack:
    wheel = shelf / "tiny_pack-1.0-py3-none-any.whl"
    info = "tiny_pack-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(MEMBER, MODEL)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-pack\nVersion: 1.0")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any")
        archive.writestr(f"{info}/RECORD", "")
    return Pack(
        name="Tiny",
        title="Tiny Model",
        size=wheel.stat().st_size,
        licence="Apache-2.0",
        source="this test",
        requirement="tiny-pack==1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        purpose="Testing needs a model.",
        members=(Member(MEMBER, len(MODEL), hashlib.sha256(MODEL).hexdigest()),),
    )


def changed(pack: Pack, **values: object) -> Pack:
    """The pack with another description of its file."""
    return replace(pack, members=(replace(pack.members[0], **values),))  # type: ignore[arg-type]


def ignore(event: Event) -> None:
    pass


def left_over() -> list[Path]:
    """Files that a fetch must not leave behind."""
    rooms = [folders.cache(), folders.models()]
    return [path for room in rooms if room.exists() for path in room.rglob("*") if path.is_file()]


def test_fetches_verifies_and_puts_it_among_the_models(pack: Pack) -> None:
    assert not packs.installed(pack)
    events: list[Event] = []
    path = packs.fetch(pack, events.append)
    assert path.read_bytes() == MODEL
    assert left_over() == [path]
    assert packs.installed(pack)
    assert library.find("Tiny") == path
    assert "Tiny" in library.text_models()
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert stages[0].startswith("fetching")
    assert stages[-1] == "unpacking"
    assert all(e.step <= e.total == pack.size for e in events if isinstance(e, Progress))


def test_is_not_fetched_twice(pack: Pack, shelf: Path) -> None:
    packs.fetch(pack, ignore)
    shutil.rmtree(shelf)
    assert packs.fetch(pack, ignore).read_bytes() == MODEL


@pytest.fixture
def folder_pack(pack: Pack) -> Pack:
    """The same wheel, of which two files make a folder."""
    metadata = "tiny_pack-1.0.dist-info/METADATA"
    told = b"Metadata-Version: 2.1\nName: tiny-pack\nVersion: 1.0"
    second = Member(metadata, len(told), hashlib.sha256(told).hexdigest())
    return replace(pack, members=(*pack.members, second))


def test_a_pack_of_several_files_is_a_folder(folder_pack: Pack, shelf: Path) -> None:
    path = packs.fetch(folder_pack, ignore)
    assert sorted(each.name for each in path.iterdir()) == ["METADATA", "model.gguf"]
    assert sorted(left_over()) == sorted(path.iterdir())
    shutil.rmtree(shelf)
    assert packs.fetch(folder_pack, ignore) == path
    (path / "METADATA").write_bytes(b"mine")
    with pytest.raises(FileError, match="not the starter pack"):
        packs.fetch(folder_pack, ignore)
    assert (path / "METADATA").read_bytes() == b"mine"


def test_a_folder_appears_whole_or_not_at_all(folder_pack: Pack) -> None:
    wrong = replace(folder_pack.members[1], sha256="0" * 64)
    with pytest.raises(ModelError, match="not what it should be"):
        packs.fetch(replace(folder_pack, members=(folder_pack.members[0], wrong)), ignore)
    assert left_over() == [] and not folder_pack.path.exists()


def test_another_file_of_that_name_is_the_persons_own(pack: Pack) -> None:
    folders.models().mkdir(parents=True)
    pack.path.write_bytes(b"mine")
    with pytest.raises(FileError, match="not the starter pack"):
        packs.fetch(pack, ignore)
    assert pack.path.read_bytes() == b"mine"


def test_a_wheel_with_another_hash_is_refused(pack: Pack) -> None:
    with pytest.raises(EngineError, match="HASHES"):
        packs.fetch(replace(pack, sha256="0" * 64), ignore)
    assert left_over() == []


def test_a_model_with_another_hash_is_thrown_away(pack: Pack) -> None:
    with pytest.raises(ModelError, match="not what it should be"):
        packs.fetch(changed(pack, sha256="0" * 64), ignore)
    with pytest.raises(ModelError, match="not what it should be"):
        packs.fetch(changed(pack, path="nowhere"), ignore)
    assert left_over() == []


def test_without_the_registry_it_says_what_to_do(pack: Pack, shelf: Path) -> None:
    (shelf / "tiny_pack-1.0-py3-none-any.whl").unlink()
    with pytest.raises(EngineError, match=r"tiny-pack==1\.0") as failed:
        packs.fetch(pack, ignore)
    assert "connection" in failed.value.hint
    assert str(folders.models()) in failed.value.hint
    assert left_over() == []


def test_without_pip_it_says_what_to_do(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="this Python has none") as failed:
        packs.fetch(pack, ignore)
    assert "ensurepip" in failed.value.hint


def test_a_full_disk_is_noticed_before_the_download(pack: Pack) -> None:
    with pytest.raises(FileError, match="is free"):
        packs.fetch(changed(pack, size=2**60), ignore)
    assert left_over() == []


@pytest.mark.parametrize("stage", ["fetching", "unpacking"])
def test_stop_leaves_nothing_behind(pack: Pack, stage: str) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage.startswith(stage):
            raise Cancelled

    with pytest.raises(Cancelled):
        packs.fetch(pack, stop)
    assert left_over() == []
    assert packs.fetch(pack, ignore).read_bytes() == MODEL


def test_a_folder_that_cannot_be_written_is_named(pack: Pack) -> None:
    folders.models().parent.mkdir(parents=True, exist_ok=True)
    folders.models().write_text("in the way")
    with pytest.raises(FileError, match="models"):
        packs.fetch(pack, ignore)


def test_the_task_fetches_a_known_pack(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "PACKS", (pack,))
    events: list[Event] = []
    FetchPack(pack="Tiny").run(events.append, tmp_path)
    assert events[-1] == Saved(pack.path)
    assert registry.task_class("fetch_pack") is FetchPack


def test_says_which_pack_a_task_needs() -> None:
    starter = packs.PACKS[0]
    task = TextGeneration(prompt="Hello")
    assert packs.needed_by(task) == starter
    assert packs.needed_by(TextGeneration(prompt="Hello", model="/another.gguf")) is None
    assert packs.needed_by(FetchPack()) is None
    folders.models().mkdir(parents=True)
    starter.path.write_bytes(b"GGUF")
    assert packs.needed_by(task) is None
