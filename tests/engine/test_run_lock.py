"""Who may train a run and speak to it: two programs at once, newer versions, power cuts."""

from __future__ import annotations

import dataclasses
import json
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_training import Regression
from training_diary import Diary, at, cancel

from engine import run_lock
from engine.errors import Cancelled, FileError
from engine.runs import FORMAT, RunFolder

ROOT = Path(__file__).resolve().parents[2]
TASK = Regression(max_steps=6, batch_size=4, seed=5, checkpoint_every=2)
GO_ON = dataclasses.replace(TASK, resume=True, max_steps=12)

HOLD = """
import sys
from pathlib import Path
from engine import run_lock
with run_lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    input()
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    TASK.run(Diary(), made.path)
    return made


def test_of_two_that_begin_at_once_one_trains(tmp_path: Path) -> None:
    """The other is still loading its data: there is no run.json and no heartbeat yet."""
    out = tmp_path / "new"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout and child.stdout.readline() == "held\n"
    with pytest.raises(FileError, match="trained already, by another process"):
        TASK.run(Diary(), out)
    assert not RunFolder(out).exists
    child.send_signal(signal.SIGKILL)  # as a power cut: nobody tidies up
    child.communicate()
    TASK.run(Diary(), out)
    assert RunFolder(out).checkpoints()[-1][0] == 6


def test_it_is_let_go_however_a_training_ends(run: RunFolder) -> None:
    with pytest.raises(Cancelled):
        GO_ON.run(Diary(at(8, cancel)), run.path)
    with run_lock.held(run.path):
        pass
    GO_ON.run(Diary(), run.path)


def test_commands_of_several_windows_are_all_kept(run: RunFolder) -> None:
    def window(name: str) -> list[int]:
        return [RunFolder(run.path).send("set", name=name, value=v) for v in range(25)]

    with ThreadPoolExecutor(4) as windows:
        numbers = [n for found in windows.map(window, "abcd") for n in found]
    assert sorted(numbers) == list(range(1, 101)), "each has a number of its own"
    commands = [command for _, command in run.commands_after(0)]
    assert {(c.name, c.value) for c in commands} == {(n, v) for n in "abcd" for v in range(25)}
    for name in "abcd":
        assert [c.value for c in commands if c.name == name] == list(range(25)), "in their order"


def test_a_run_of_a_newer_version_is_not_touched(run: RunFolder) -> None:
    described = {**run.description(), "format": FORMAT + 1, "new": True}
    (run.path / "run.json").write_text(json.dumps(described))
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    with pytest.raises(FileError, match="newer version") as caught:
        GO_ON.run(Diary(), run.path)
    assert "use that version" in caught.value.hint
    branched = dataclasses.replace(TASK, branch_from=str(run.path))
    with pytest.raises(FileError, match="newer version"):
        branched.run(Diary(), run.path.with_name("branch"))
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before
    assert not RunFolder(run.path.with_name("branch")).exists


def test_a_run_without_a_format_is_an_old_one(run: RunFolder) -> None:
    described = run.description()
    del described["format"], described["parts"], described["live"]
    described["fields"] = {
        name: value
        for name, value in described["fields"].items()
        if name not in ("resume_step", "branch_from")
    }
    run.create(described)
    GO_ON.run(Diary(), run.path)
    assert run.checkpoints()[-1][0] == 12


def test_after_a_power_cut_a_stale_heartbeat_holds_nobody_up(run: RunFolder) -> None:
    """The machine began anew: its process 1 is another than the one that trained."""
    said = {"state": "running", "step": 4, "time": time.time() - 10**9, "pid": 1}
    for host in (socket.gethostname(), "elsewhere"):
        (run.path / "heartbeat.json").write_text(json.dumps({**said, "host": host}))
        beat = run.heartbeat()
        assert beat is not None and not beat.alive
    run.send("stop")  # which nobody heard
    GO_ON.run(Diary(), run.path)
    assert run.checkpoints()[-1][0] == 12
