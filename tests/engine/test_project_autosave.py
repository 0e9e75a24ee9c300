"""The autosave: only what changed is written, and whenever a kill comes a whole state is there."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults import assert_nothing_is_lost, failing_disk, temporary_files
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from engine.errors import FileError
from engine.projects import autosave, packs
from engine.projects.autosave import TILE_BYTES, Autosave, Mask, Session, load
from engine.projects.contents import Contents, LayerEntry, Tile

ROOT = Path(__file__).resolve().parents[2]


def tile(content: int) -> Tile:
    data = bytes([content % 256, content // 256 % 256, 7, 255]) * (TILE_BYTES // 4)
    return Tile(content, lambda: data)


def noisy(content: int) -> Tile:
    data = random.Random(content).randbytes(TILE_BYTES)
    return Tile(content, lambda: data)


def session(tiles: dict[tuple[int, int], Tile], **values: Any) -> Session:
    return Session(Contents(900, 900, (LayerEntry("a", "Paper"),)), {"a": tiles}, **values)


def seen(folder: Path) -> dict[tuple[int, int], bytes]:
    found = load(folder)
    assert found is not None
    return {at: one.read() for at, one in found.tiles["a"].items()}


def test_everything_comes_back(tmp_path: Path) -> None:
    mask = Mask(-3, 4, "mask", lambda: b"a mask")
    kept = session({(0, 0): tile(1), (-2, 3): tile(2)}, selection=mask, path="/a", unsaved=True)
    Autosave(tmp_path / "current").save(kept)
    found = load(tmp_path / "current")
    assert found is not None
    assert found.contents == kept.contents
    assert (found.path, found.unsaved) == ("/a", True)
    assert seen(tmp_path / "current") == {(0, 0): tile(1).read(), (-2, 3): tile(2).read()}
    assert found.selection is not None
    assert (found.selection.x, found.selection.y) == (-3, 4)
    assert found.selection.read() == b"a mask"


def test_a_layer_with_an_endless_name_can_be_opened_again(tmp_path: Path) -> None:
    endless = LayerEntry("a", "Paper " * 5000)
    Autosave(tmp_path).save(Session(Contents(9, 9, (endless,))))
    found = load(tmp_path)
    assert found is not None
    assert found.contents.layers[0].name == endless.name[:10_000]


def test_there_is_nothing_before_the_first_save(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert load(tmp_path / "missing") is None


def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    keeper = Autosave(tmp_path)
    tiles = {(n, 0): noisy(n) for n in range(20)}
    keeper.save(session(tiles))
    before = packs.sizes(tmp_path)
    keeper.save(session(tiles | {(3, 0): noisy(99)}))
    after = packs.sizes(tmp_path)
    assert sum(before.values()) > 19 * TILE_BYTES
    assert after.items() >= before.items()
    assert sum(after.values()) - sum(before.values()) < 1.1 * TILE_BYTES
    assert seen(tmp_path)[3, 0] == noisy(99).read()


def test_what_has_not_changed_is_not_even_looked_at(tmp_path: Path) -> None:
    keeper = Autosave(tmp_path)
    keeper.save(session({(0, 0): tile(1)}))
    written = (tmp_path / autosave.STATE).stat()

    def looked_at() -> bytes:
        raise AssertionError("it is on the disk already")

    keeper.save(session({(0, 0): Tile(1, looked_at)}))
    assert (tmp_path / autosave.STATE).stat() == written


def test_equal_tiles_are_written_once(tmp_path: Path) -> None:
    Autosave(tmp_path).save(session({(n, 0): noisy(1) for n in range(50)}))
    assert sum(packs.sizes(tmp_path).values()) < 1.1 * TILE_BYTES


def test_a_loaded_session_that_is_adopted_need_not_be_written_again(tmp_path: Path) -> None:
    Autosave(tmp_path).save(session({(0, 0): noisy(1), (1, 0): noisy(2)}))
    found = load(tmp_path)
    assert found is not None
    before = packs.sizes(tmp_path)
    keeper = Autosave(tmp_path)
    new = {at: Tile(("new", at), one.read) for at, one in found.tiles["a"].items()}
    keeper.adopt({one.key: found.tiles["a"][at].key for at, one in new.items()})
    keeper.save(session(new))
    assert packs.sizes(tmp_path) == before
    assert seen(tmp_path)[1, 0] == noisy(2).read()


def test_packs_stay_few_and_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autosave, "MOST_PACKS", 6)
    keeper, tiles = Autosave(tmp_path), {}
    for step in range(40):
        tiles[step % 15, 0] = noisy(step)
        keeper.save(session(tiles))
        sizes = packs.sizes(tmp_path)
        assert len(sizes) <= 7
        assert sum(sizes.values()) < 2.2 * len(tiles) * TILE_BYTES
    assert seen(tmp_path) == {at: one.read() for at, one in tiles.items()}


def test_a_folder_that_somebody_has_emptied_is_filled_again(tmp_path: Path) -> None:
    keeper = Autosave(tmp_path / "current")
    keeper.save(session({(0, 0): tile(1)}))
    for path in (tmp_path / "current").iterdir():
        path.unlink()
    keeper.save(session({(0, 0): tile(1)}))
    assert seen(tmp_path / "current") == {(0, 0): tile(1).read()}


def test_a_damaged_tile_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    Autosave(tmp_path).save(session({(0, 0): noisy(1), (1, 0): noisy(2)}))
    pack = next(tmp_path.glob("*.pack"))
    data = bytearray(pack.read_bytes())
    data[100] ^= 1
    pack.write_bytes(data)
    found = load(tmp_path)
    assert found is not None
    with pytest.raises(FileError, match="lost"):
        found.tiles["a"][0, 0].read()
    assert found.tiles["a"][1, 0].read() == noisy(2).read()
    pack.write_bytes(data[:1000])
    with pytest.raises(FileError, match="lost"):
        found.tiles["a"][1, 0].read()
    pack.unlink()
    with pytest.raises(FileError, match="lost"):
        found.tiles["a"][1, 0].read()


def test_a_damaged_pack_that_is_to_be_merged_is_written_from_memory(tmp_path: Path) -> None:
    keeper = Autosave(tmp_path)
    keeper.save(session({(0, 0): noisy(1), (1, 0): noisy(2), (2, 0): noisy(3)}))
    pack = next(tmp_path.glob("*.pack"))
    pack.write_bytes(bytes(pack.stat().st_size))
    keeper.save(session({(0, 0): noisy(1)}))
    assert seen(tmp_path) == {(0, 0): noisy(1).read()}


def test_a_piece_of_another_length_is_refused(tmp_path: Path) -> None:
    short = Tile(1, lambda: b"short")
    Autosave(tmp_path).save(session({(0, 0): short}))
    found = load(tmp_path)
    assert found is not None
    with pytest.raises(FileError, match="too short"):
        found.tiles["a"][0, 0].read()
    bomb = Tile(2, lambda: bytes(100 * TILE_BYTES))
    Autosave(tmp_path).save(session({(0, 0): bomb}))
    found = load(tmp_path)
    assert found is not None
    tracemalloc.start()
    with pytest.raises(FileError, match="wrong length"):
        found.tiles["a"][0, 0].read()
    assert tracemalloc.get_traced_memory()[1] < 10 * TILE_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.update(format=99),
        lambda state: state.pop("path"),
        lambda state: state["layers"][0].update(tiles=None),
        lambda state: state["layers"][0].update(tiles=[[0, 0, 1, 0, 5]]),
        lambda state: state["layers"][0].update(tiles=[[0, 0, 1, 0, -5, "a" * 32]]),
        lambda state: state["layers"][0].update(tiles=[[10**9, 0, 1, 0, 5, "a" * 32]]),
        lambda state: state["layers"][0].update(tiles=[[0, 0, "../1", 0, 5, "a" * 32]]),
        lambda state: state["layers"][0].update(tiles=[[0, 0, 1, 0, 5, "../../x"]]),
        lambda state: state.update(selection=[1, 2]),
    ],
)
def test_a_state_that_cannot_be_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    Autosave(tmp_path).save(session({(0, 0): tile(1)}))
    path = tmp_path / autosave.STATE
    state = json.loads(path.read_text())
    change(state)
    path.write_text(json.dumps(state))
    with pytest.raises(FileError, match="kept as it is") as caught:
        load(tmp_path)
    assert str(tmp_path) in caught.value.message


# ------------------------------------------------------------------ faults


@pytest.mark.parametrize("for_good", [False, True])
def test_a_failing_disk_leaves_the_last_state(tmp_path: Path, for_good: bool) -> None:
    """The new pack may be there already; the state still names the old one."""
    old, new = {(0, 0): tile(1)}, {(0, 0): tile(2), (1, 1): tile(3)}
    failures = 0
    for fail_at in range(1, 100):
        folder = tmp_path / str(fail_at)
        keeper = Autosave(folder)
        keeper.save(session(old))
        with failing_disk(fail_at, for_good) as disk:
            try:
                keeper.save(session(new))
            except FileError as error:
                assert str(folder) in error.message
                failures += 1
                expected = old
            else:
                expected = new
        assert seen(folder) == {at: one.read() for at, one in expected.items()}
        assert temporary_files(folder) == []
        keeper.save(session(new))  # there is room again
        assert seen(folder) == {at: one.read() for at, one in new.items()}
        assert len(packs.sizes(folder)) == 1
        if not disk.failed:
            break
    assert failures >= 6


def test_the_first_save_costs_nothing_either(tmp_path: Path) -> None:
    folder = tmp_path / "current"
    (tmp_path / "other").write_text("x")

    def save() -> None:
        Autosave(folder).save(session({}))

    assert_nothing_is_lost(tmp_path, save, folder)


KILLED = """
import random, sys
from pathlib import Path
sys.path[:0] = [sys.argv[2], sys.argv[2] + "/tests", sys.argv[2] + "/tests/engine"]
from test_project_autosave import session, tile
from engine.projects.autosave import Autosave
keeper, step = Autosave(Path(sys.argv[1])), 0
while True:
    step += 1
    keeper.save(session({(n, 0): tile(step + (n == 0) * 1000) for n in range(6)}))
    print(step, flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_state(tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), str(ROOT)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(chance.uniform(0, 0.05))
        os.kill(child.pid, signal.SIGKILL)
        told = [int(line) for line in child.communicate()[0].split()]
        tiles = seen(tmp_path)
        step = int.from_bytes(tiles[1, 0][:2], "little")
        assert tiles == {(n, 0): tile(step + (n == 0) * 1000).read() for n in range(6)}
        assert step >= max(told, default=1)


# ------------------------------------------------------------------ any order of deeds


class AnySession(RuleBasedStateMachine):
    """Tiles come, go and change; saves succeed and fail; whoever loads sees the last good one."""

    @initialize(folder=st.uuids())
    def begin(self, folder: Any) -> None:
        import tempfile

        self.room = tempfile.TemporaryDirectory()
        self.keeper = Autosave(Path(self.room.name))
        self.tiles: dict[tuple[int, int], Tile] = {}
        self.saved: dict[tuple[int, int], bytes] | None = None

    @rule(at=st.tuples(st.integers(-2, 2), st.integers(0, 1)), content=st.integers(0, 300))
    def paint(self, at: tuple[int, int], content: int) -> None:
        self.tiles[at] = tile(content)

    @rule(at=st.tuples(st.integers(-2, 2), st.integers(0, 1)))
    def erase(self, at: tuple[int, int]) -> None:
        self.tiles.pop(at, None)

    @rule()
    def save(self) -> None:
        self.keeper.save(session(dict(self.tiles)))
        self.saved = {at: one.read() for at, one in self.tiles.items()}

    @rule(fail_at=st.integers(1, 12))
    def fail_to_save(self, fail_at: int) -> None:
        with failing_disk(fail_at, for_good=True):
            try:
                self.keeper.save(session(dict(self.tiles)))
            except FileError:
                return
        self.saved = {at: one.read() for at, one in self.tiles.items()}

    @rule()
    def start_again(self) -> None:
        self.keeper = Autosave(Path(self.room.name))

    @invariant()
    def the_last_good_one_is_there(self) -> None:
        if hasattr(self, "room"):
            found = load(Path(self.room.name))
            assert (found is None) == (self.saved is None)
            if found:
                assert {at: one.read() for at, one in found.tiles["a"].items()} == self.saved

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.room.cleanup()


TestAnySession = AnySession.TestCase
TestAnySession.settings = settings(
    max_examples=20, stateful_step_count=15, suppress_health_check=[HealthCheck.too_slow]
)
