"""The index and the folder: they agree whatever happens to the files, the index, the marks."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gallery_pictures import save_picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PIL import Image, PngImagePlugin

from engine import folders, metadata
from engine.errors import Cancelled, FileError
from engine.gallery import marks, scanning
from engine.gallery.database import PATIENCE, IndexBroken
from engine.gallery.index import NAME, Index
from engine.gallery.pictures import Mark, Picture
from engine.gallery.query import parse
from engine.gallery.search import Order
from engine.generators.upscale import Upscale
from engine.runs import RunFolder


@pytest.fixture
def index(home: Path) -> Index:
    return Index()


def names(index: Index, text: str = "", order: Order = Order.NEWEST) -> list[str]:
    found = index.pictures(index.search(parse(text), order))
    return [picture.path.stem for picture in found]


def the_one(index: Index, text: str = "") -> Picture:
    [picture] = index.pictures(index.search(parse(text)))
    return picture


# ------------------------------------------------------------------ what is found


def test_pictures_are_found_by_what_they_say(index: Index) -> None:
    save_picture("one", "A red Fox in the snow", seed=42, age=30)
    save_picture("two", "一只红色的狐狸", seed=7, age=20, negative_prompt="snow")
    save_picture("three", "🦊 sticker, flat", age=10, size=(32, 16))
    index.scan()
    assert names(index) == ["three", "two", "one"]
    assert names(index, "", Order.OLDEST) == ["one", "two", "three"]
    assert names(index, "fo") == ["one"]
    assert names(index, "snow red") == ["one"]
    assert names(index, '"red fox"') == ["one"]
    assert names(index, '"fox red"') == []
    assert names(index, '"red fo"') == []
    assert names(index, "狐狸") == names(index, "色的") == ["two"]
    assert names(index, "🦊") == ["three"]
    assert names(index, "seed:42") == ["one"]
    assert names(index, "negative:snow") == ["two"]
    assert names(index, "-snow") == ["three", "two"]
    assert names(index, "size:32x16") == names(index, "size:32") == ["three"]
    assert names(index, "model:stick") == ["three", "two", "one"]
    assert names(index, "-model:stick") == []
    assert names(index, "name:thr") == names(index, "three") == ["three"]
    assert names(index, "date:2026-11") == ["three", "two", "one"]
    assert names(index, "date:2025") == names(index, "seed:x") == []
    assert names(index, "task:text") == ["three", "two", "one"]


def test_the_best_match_comes_first_where_it_is_asked_for(index: Index) -> None:
    save_picture("long", "a fox and a hen and a cow and a pig and a duck on a farm", age=0)
    save_picture("short", "fox", age=9)
    index.scan()
    assert names(index, "fox", Order.BEST) == ["short", "long"]
    assert names(index, "fox", Order.NEWEST) == ["long", "short"]
    assert names(index, "", Order.BEST) == ["long", "short"]


def test_a_picture_made_from_another_is_found_by_the_words_of_that(index: Index) -> None:
    source = metadata.read_task(save_picture("drawing", "a whale", seed=5))
    path = folders.outputs() / "large.png"
    metadata.write_png(path, Image.new("RGB", (64, 64)), Upscale(image="x.png"), source=source)
    index.scan()
    assert sorted(names(index, "whale")) == sorted(names(index, "seed:5")) == ["drawing", "large"]
    assert names(index, "task:upscale") == ["large"]


def test_what_another_program_wrote_is_found_too(index: Index) -> None:
    folders.outputs().mkdir(parents=True)
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a heron\nNegative prompt: fog\nSteps: 20, Seed: 3, Size: 64x64")
    Image.new("RGB", (64, 64)).save(folders.outputs() / "theirs.png", pnginfo=info)
    index.scan()
    assert names(index, "heron seed:3 negative:fog") == ["theirs"]


def test_pictures_in_folders_below_are_found_and_hidden_ones_not(index: Index) -> None:
    below = folders.outputs() / "sheets" / "may"
    below.mkdir(parents=True)
    shutil.move(save_picture("deep", "deep sea"), below)
    (folders.outputs() / ".atelier-1-x.png").write_bytes(b"half")
    (folders.outputs() / "text-20261122.txt").write_text("a story")
    (folders.outputs() / "round").symlink_to(folders.outputs(), target_is_directory=True)
    os.mkfifo(folders.outputs() / "pipe.png")  # reading it would never end
    index.scan()
    assert names(index) == ["deep"]


def test_the_latest_samples_of_a_training_are_pictures_too(index: Index) -> None:
    run = RunFolder(folders.runs() / "train_gan-1")
    run.create({"task": "train_gan", "fields": {"dataset": "digits"}})
    for step in (100, 200):
        run.save_sample(step, Image.new("L", (8, 8)))
    index.scan()
    assert the_one(index, "digits task:train_gan").is_sample
    assert names(index, 'model:"train_gan-1"') == ["000200"]
    run.save_sample(300, Image.new("L", (8, 8)))
    index.scan()
    assert names(index) == ["000300"]
    RunFolder(folders.runs() / "train_language_model-1").save_sample(100, "a text is no picture")
    assert not index.scan()


# ------------------------------------------------------------------ files that come, go, change


def test_a_second_scan_reads_only_what_changed(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [save_picture(f"p{number}", f"cat {number}") for number in range(5)]
    assert index.scan().read == 5
    read: list[Path] = []
    real = scanning.describe
    monkeypatch.setattr(scanning, "describe", lambda path: (read.append(path), real(path))[1])
    assert not index.scan()
    assert read == []
    save_picture("p1", "dog", age=1)
    paths[2].unlink()
    changes = index.scan()
    assert (changes.read, changes.gone, read) == (1, 1, [paths[1]])
    assert names(index, "dog") == ["p1"]
    assert len(names(index, "cat")) == 3


def test_a_folder_that_cannot_be_read_just_now_loses_no_picture(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep = folders.outputs() / "drive"
    asleep.mkdir(parents=True)
    shutil.move(save_picture("far", "owl"), asleep)
    near = save_picture("near", "owl")
    save_picture("drive-like", "owl")
    index.scan()

    def failing(folder: bytes) -> Any:
        if folder == os.fsencode(asleep):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(folder)

    real = os.scandir
    near.unlink()
    (folders.outputs() / "dangling.png").symlink_to("nowhere")
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", failing)
        changes = index.scan()
    assert sorted(names(index)) == ["drive-like", "far"]
    assert (changes.read, changes.gone, changes.unread) == (0, 1, (asleep,))
    assert index.scan() == scanning.Changes()
    shutil.rmtree(asleep)
    assert index.scan().gone == 1
    assert names(index) == ["drive-like"]


def test_a_drive_that_is_gone_with_all_outputs_and_runs_loses_no_picture(index: Index) -> None:
    save_picture("far", "owl")
    RunFolder(folders.runs() / "a").save_sample(100, Image.new("L", (8, 8)))
    index.scan()
    for folder in (folders.outputs(), folders.runs()):
        folder.rename(folder.with_name("away"))
        folder.symlink_to(folder.with_name("elsewhere"))
        changes = index.scan()
        assert (changes.gone, folder in changes.unread) == (0, True)
        assert sorted(names(index)) == ["000100", "far"]
        folder.unlink()
        folder.with_name("away").rename(folder)
    assert index.scan() == scanning.Changes()


def test_one_file_is_added_without_looking_at_the_others(index: Index) -> None:
    index.scan()
    path = save_picture("new", "owl")
    save_picture("other", "owl")
    assert index.add([path]).read == 1
    assert names(index) == ["new"]
    path.unlink()
    assert index.add([path]).gone == 1
    assert names(index) == []
    assert not index.add([Path("/etc/passwd"), folders.home() / "outside.png"])


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(100), b"RIFF\xff\xff\xff\xffWEBP"],
)
def test_a_broken_file_is_listed_with_its_reason_and_harms_no_other(
    index: Index, content: bytes
) -> None:
    save_picture("good", "owl")
    (folders.outputs() / "bad.png").write_bytes(content)
    index.scan()
    assert sorted(names(index)) == ["bad", "good"]
    assert the_one(index, "bad").description.problem
    assert not the_one(index, "owl").description.problem


def test_hostile_metadata_is_a_picture_all_the_same(index: Index) -> None:
    path = save_picture("big", "x " * 100_000 + "end")
    broken = folders.outputs() / "broken.png"
    info = PngImagePlugin.PngInfo()
    info.add_text("atelier", "[" * 100_000)
    Image.new("RGB", (4, 4)).save(broken, pnginfo=info)
    name = folders.outputs() / os.fsdecode(b"caf\xe9 \xff.png")
    shutil.copy(path, name)
    index.scan()
    assert sorted(picture.path for picture in index.pictures(index.search(parse("")))) == sorted(
        [path, broken, name]
    )
    assert len(the_one(index, "name:big").description.prompt) < 50_000


def test_a_scan_can_be_stopped_and_keeps_what_it_has(index: Index) -> None:
    for number in range(scanning.BATCH + 1):
        save_picture(f"p{number}", "cat", age=number)

    def stop(done: int, total: int) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        index.scan(stop)
    assert len(names(index)) == scanning.BATCH
    assert names(index)[0] == "p0"  # the newest first
    assert index.scan().read == 1


class Folder(RuleBasedStateMachine):
    """Files come, change, move and go, marks are set, the index breaks: a scan puts it right."""

    FILES = st.sampled_from(["a", "b", "c", "d"])
    WORDS = st.sampled_from(["fox", "狐狸", "owl", "grün"])

    def __init__(self) -> None:
        super().__init__()
        shutil.rmtree(folders.home(), ignore_errors=True)
        folders.outputs().mkdir(parents=True)
        self.index = Index()
        self.prompts: dict[str, str] = {}
        self.stars: dict[str, tuple[str, ...]] = {}
        self.age = 0

    def teardown(self) -> None:
        self.index.close()

    def path(self, name: str) -> Path:
        return folders.outputs() / f"{name}.png"

    @rule(name=FILES, prompt=WORDS)
    def save(self, name: str, prompt: str) -> None:
        self.age += 1  # every file another content, as those of a studio have
        save_picture(name, prompt, age=self.age, seed=self.age)
        self.prompts[name] = prompt

    @rule(name=FILES)
    def remove(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)
        self.prompts.pop(name, None)

    @rule(name=FILES, tag=WORDS)
    def mark(self, name: str, tag: str) -> None:
        if name in self.prompts:
            self.index.scan()
            self.index.set_marks([(self.path(name), Mark(True, (tag,)))])
            self.stars[name] = (tag,)

    @rule(old=FILES, new=FILES)
    def rename(self, old: str, new: str) -> None:
        if old in self.prompts and new not in self.prompts and new not in self.stars:
            self.index.scan()
            self.path(old).rename(self.path(new))
            self.prompts[new] = self.prompts.pop(old)
            if old in self.stars:
                self.stars[new] = self.stars.pop(old)
            self.index.scan()

    @rule()
    def lose_the_index(self) -> None:
        self.index.close()
        for path in folders.home().glob(f"{NAME}*"):
            path.unlink()

    @precondition(lambda self: (folders.home() / NAME).exists())
    @rule(at=st.integers(0, 50_000), junk=st.binary(min_size=1, max_size=300))
    def damage_the_index(self, at: int, junk: bytes) -> None:
        self.index.close()
        for suffix in ("-wal", "-shm"):
            (folders.home() / f"{NAME}{suffix}").unlink(missing_ok=True)
        with open(folders.home() / NAME, "wb") as stream:
            stream.write(junk)

    @invariant()
    def agree(self) -> None:
        self.index.scan()
        found = self.index.pictures(self.index.search(parse("")))
        assert {p.path.stem: p.description.prompt for p in found} == self.prompts
        for word in ("fox", "狐", "owl", "grun"):
            expected = {n for n, prompt in self.prompts.items() if prompt[0] == word[0]}
            assert expected <= set(names(self.index, word)) | set(names(self.index, f"tag:{word}"))
            assert set(names(self.index, f"prompt:{word}")) == expected
        starred = {n: tags for n, tags in self.stars.items() if n in self.prompts}
        assert {p.path.stem: p.mark.tags for p in found if p.mark.star} == starred


TestFolder = Folder.TestCase
TestFolder.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


# ------------------------------------------------------------------ marks


def test_marks_are_found_and_outlive_the_index(index: Index) -> None:
    save_picture("one", "fox")
    save_picture("two", "owl")
    index.scan()
    numbers = index.search(parse("fox"))
    index.change_marks(numbers, lambda mark: replace(mark, star=True, tags=("Sehr süß", "x")))
    index.change_marks(numbers, lambda mark: replace(mark, notes="for Anna"))
    for _ in range(2):
        assert names(index, "star") == names(index, "tag:suss") == names(index, "anna") == ["one"]
        assert names(index, "-star") == ["two"]
        assert names(index, 'tag:"sehr süß"') == ["one"]
        assert index.tags() == ["Sehr süß", "x"]
        index.close()
        (folders.home() / NAME).unlink()
        index = Index()
        index.scan()


def test_the_longest_notes_outlive_the_index_too(index: Index) -> None:
    path = save_picture("one", "fox")
    index.scan()
    long = Mark(True, tuple(f"{'🦊' * 95}{number}" for number in range(100)), "🦊" * 20_000)
    index.set_marks([(path, long)])
    index.close()
    (folders.home() / NAME).unlink()
    index = Index()
    index.scan()
    assert the_one(index).mark == long


def test_a_change_of_marks_tells_what_they_were(index: Index) -> None:
    path = save_picture("one", "fox")
    index.scan()
    index.set_marks([(path, Mark(True, ("a",)))])
    former = index.change_marks(index.search(parse("")), lambda mark: Mark())
    assert former == [(path, Mark(True, ("a",)))]
    assert the_one(index).mark == Mark()
    index.set_marks(former)
    assert the_one(index).mark == Mark(True, ("a",))


def test_a_file_that_comes_back_has_its_marks(index: Index, tmp_path: Path) -> None:
    path = save_picture("one", "fox")
    index.scan()
    index.set_marks([(path, Mark(True))])
    shutil.move(path, tmp_path / "kept.png")
    index.scan()
    assert names(index) == []
    shutil.move(tmp_path / "kept.png", folders.outputs() / "under another name.png")
    assert index.scan().marks
    assert names(index, "star") == ["under another name"]


def test_a_copy_does_not_take_the_marks_away(index: Index) -> None:
    path = save_picture("one", "fox")
    index.scan()
    index.set_marks([(path, Mark(True))])
    shutil.copy2(path, folders.outputs() / "copy.png")
    index.scan()
    assert names(index, "star") == ["one"]


def test_a_torn_line_costs_itself_alone(index: Index) -> None:
    one, two = save_picture("one"), save_picture("two")
    index.scan()
    index.set_marks([(one, Mark(True))])
    file = folders.home() / marks.NAME
    with open(file, "ab") as stream:
        stream.write(b'{"path": "outputs/two.png", "st')  # killed in the middle
    index.scan()
    index.set_marks([(two, Mark(True))])
    found, _ = marks.read_marks(file)
    assert [marked.mark.star for marked in found.values()] == [True, True]


@given(st.binary(max_size=500))
def test_any_file_of_marks_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.jsonl"
    file.write_bytes(data)
    marks.read_marks(file)


def test_the_file_of_marks_stays_small(home: Path) -> None:
    file = home / marks.NAME
    change = marks.Marked(b"outputs/a.png", Mark(True), 1, "")
    marks.append_marks(file, [change] * (marks.FEW + 5))
    marks.compact_marks(file)
    assert marks.read_marks(file) == ({b"outputs/a.png": change}, 2)


# ------------------------------------------------------------------ a broken index, two windows


@pytest.mark.parametrize(
    "content", [b"", b"no database at all" * 500, b"SQLite format 3\0" + bytes(5000)]
)
def test_a_broken_index_is_set_aside_and_made_anew(home: Path, content: bytes) -> None:
    save_picture("one", "fox")
    (home / NAME).write_bytes(content)
    index = Index()
    index.scan()
    assert names(index) == ["one"]
    if content:
        assert [path.read_bytes() for path in home.glob("*.bad")] == [content]


def test_an_index_that_breaks_under_way_is_made_anew(home: Path) -> None:
    for number in range(300):
        save_picture(f"p{number}", f"fox number {number} " * 20)
    index = Index()
    index.scan()
    index.close()
    data = bytearray((home / NAME).read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    (home / NAME).write_bytes(data)
    with pytest.raises(IndexBroken):
        index.search(parse("fox"))
    index.scan()
    assert len(names(index, "fox")) == 300


def test_an_index_of_another_program_or_a_later_version_is_not_touched(home: Path) -> None:
    for script in ("CREATE TABLE theirs (x)", "PRAGMA user_version = 99"):
        with sqlite3.connect(home / NAME) as theirs:
            theirs.execute(script)
        theirs.close()
        index = Index()
        index.scan()
        index.close()
        assert (home / NAME).exists()
        (home / NAME).unlink()
    assert len(list(home.glob("*.bad"))) == 2


def test_two_windows_see_each_others_stars(home: Path) -> None:
    path = save_picture("one", "fox")
    first, second = Index(), Index()
    first.scan()
    second.scan()
    first.set_marks([(path, Mark(True))])
    assert names(second, "star") == ["one"]
    second.set_marks([(path, Mark(False, ("x",)))])
    first.scan()
    assert the_one(first).mark == Mark(False, ("x",))


def test_two_windows_with_a_broken_index_mend_it_once(home: Path) -> None:
    save_picture("one", "fox")
    (home / NAME).write_bytes(b"broken" * 1000)
    first, second = Index(), Index()
    with pytest.raises(IndexBroken):
        first.search(parse(""))
    with pytest.raises(IndexBroken) as found:
        second.search(parse(""))
    first.scan()
    second._database.start_anew(found.value)  # which it has only now the time for
    second.scan()
    assert names(first) == names(second) == ["one"]
    assert len(list(home.glob("*.bad"))) == 1


def test_a_new_index_that_another_window_opens_too_is_waited_for(home: Path) -> None:
    other = sqlite3.connect(home / NAME, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.close)
    release.start()
    assert Index().count() == 0
    release.join()


def test_another_window_that_writes_for_long_is_waited_for_and_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATIENCE > 1
    monkeypatch.setattr("engine.gallery.database.PATIENCE", 0.1)
    save_picture("one", "fox")
    index = Index()
    index.scan()
    other = sqlite3.connect(home / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    save_picture("two", "fox")
    with pytest.raises(FileError, match="locked"):
        index.scan()
    assert names(index) == ["one"]  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    index.scan()
    assert len(names(index)) == 2


@given(text=st.text(max_size=40))
@settings(max_examples=60)
def test_any_search_is_answered(text: str) -> None:
    index = Index()
    if not index.count():
        save_picture("one", "fox")
        index.scan()
    for order in Order:
        assert set(names(index, text, order)) <= {"one"}
    index.close()


@given(
    st.lists(
        st.sampled_from(
            [*'"*^:(){}+-~', "AND ", "OR ", "NOT ", "NEAR(", "fox ", "tag:", "prompt:", "a*"]
        )
    )
)
@settings(max_examples=60)
def test_no_sign_of_the_full_text_search_gets_through(parts: list[str]) -> None:
    index = Index()
    if not index.count():
        save_picture("one", "fox")
        index.scan()
    names(index, "".join(parts))
    index.close()
