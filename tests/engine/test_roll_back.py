"""Back to a checkpoint, and a new run from one: nothing is lost, and what goes on is exact."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults import failing_disk, temporary_files
from several_processes import trainer
from small_training import Regression
from training_diary import Diary, at, bits, cancel, losses, marks, samples

from engine import abandoning, checkpoints
from engine.branching import branch
from engine.errors import Cancelled, FileError
from engine.events import Progress
from engine.runs import MetricsTail, RunFolder

ROOT = Path(__file__).resolve().parents[2]
TASK = Regression(
    max_steps=30, batch_size=4, seed=5, log_every=1, sample_every=10, checkpoint_every=10
)
GO_ON = dataclasses.replace(TASK, resume=True)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that was never disturbed; nobody may change it."""
    run = RunFolder(tmp_path_factory.mktemp("runs") / "straight")
    TASK.run(Diary(), run.path)
    return run


@pytest.fixture
def run(straight: RunFolder, tmp_path: Path) -> RunFolder:
    """A finished run of one's own."""
    made = RunFolder(tmp_path / "run")
    TASK.run(Diary(), made.path)
    return made


def steps(run: RunFolder) -> list[int]:
    return [step for step, _ in run.checkpoints()]


class TestRollBack:
    def test_while_it_runs(self, straight: RunFolder, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        diary = Diary(at(25, lambda: run.send("roll_back", step=10)))
        TASK.run(diary, run.path)
        learning = [e.step for e in diary.of(Progress) if e.stage == "learning"]
        assert learning == [*range(26), *range(11, 30)], "it went on at step 11"
        assert (10, "rolled back from step 25 #1") in marks(run.path)
        assert bits(run.path) == bits(straight.path), "the second time is as the first"
        assert losses(run.path) == losses(straight.path)
        aside = RunFolder(run.path / "abandoned" / "after-step-10")
        assert steps(aside) == [20, 25], "also the step that it stood at"
        assert list(samples(aside.path)) == [20]
        assert [step for step, _ in losses(aside.path)] == list(range(11, 26))
        assert checkpoints.load(aside.checkpoint_path(25))[0] == 25
        assert temporary_files(run.path) == []

    def test_a_rate_that_was_changed_is_what_it_was_then(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        change = at(15, lambda: run.send("set", name="learning_rate", value=3.0))
        back = at(25, lambda: run.send("roll_back", step=10))

        def act(event: Any) -> None:
            change(event)
            back(event)

        TASK.run(Diary(act), run.path)
        _, state = checkpoints.load(run.checkpoint_path(30))
        assert state["live"] == {"learning_rate": 0.05}
        assert state["optimizer"]["param_groups"][0]["lr"] == 0.05
        told = [line.details for line in MetricsTail(run).read()[0] if line.details]
        assert told[-1]["set"] == {"learning_rate": 0.05}, "a program that watches learns of it"

    def test_while_paused_it_stays_paused(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        seen: list[int] = []

        def act(event: Any) -> None:
            pause(event)
            if isinstance(event, Progress) and event.stage == "paused":
                seen.append(event.step)
                run.send("stop" if event.step == 10 else "roll_back", step=10)

        pause = at(23, lambda: run.send("pause"))
        TASK.run(Diary(act), run.path)
        assert seen == [23, 10]
        assert steps(run) == [10]

    def test_the_checkpoint_is_not_pruned_on_the_way(self, tmp_path: Path) -> None:
        few = dataclasses.replace(TASK, keep_checkpoints=1)
        run = RunFolder(tmp_path / "run")
        TASK.run(Diary(), run.path)
        abandoning.set_aside_after(run, 20)
        described = run.description()
        described["fields"]["keep_checkpoints"] = 1
        run.create(described)
        dataclasses.replace(few, resume=True).run(
            Diary(at(25, lambda: run.send("roll_back", step=20))), run.path
        )
        assert [line.event for line in MetricsTail(run).read()[0] if "rolled" in line.event]

    def test_a_stopped_run_from_a_terminal(self, straight: RunFolder, run: RunFolder) -> None:
        dataclasses.replace(GO_ON, resume_step=20).run(Diary(), run.path)
        assert bits(run.path) == bits(straight.path)
        assert losses(run.path) == losses(straight.path)
        aside = run.path / "abandoned" / "after-step-20"
        assert steps(RunFolder(aside)) == [30]
        dataclasses.replace(GO_ON, resume_step=20).run(Diary(), run.path)
        assert (aside.parent / "after-step-20-2").is_dir(), "each time in a place of its own"

    def test_retrying_it_does_not_go_back_once_more(self, run: RunFolder) -> None:
        again = dataclasses.replace(GO_ON, resume_step=20).again(run.path)
        assert (again.resume, again.resume_step) == (True, 0)  # type: ignore[attr-defined]

    def test_where_there_is_no_whole_checkpoint_nothing_moves(self, run: RunFolder) -> None:
        (run.checkpoint_path(20) / "network.safetensors").write_bytes(b"")
        before = sorted(run.path.rglob("*"))
        for step in (15, 20):
            with pytest.raises(FileError, match=f"step.{step}"):
                abandoning.set_aside_after(run, step)
        assert sorted(run.path.rglob("*")) == before

    def test_a_disk_that_fails_in_between_loses_nothing(
        self, straight: RunFolder, tmp_path: Path
    ) -> None:
        failed = True
        fail_at = 0
        while failed:
            fail_at += 1
            run = RunFolder(tmp_path / f"run{fail_at}")
            TASK.run(Diary(), run.path)
            with failing_disk(fail_at) as disk:
                try:
                    abandoning.set_aside_after(run, 10)
                except FileError:
                    assert disk.failed
            failed = disk.failed
            everywhere = {path.name for path in run.path.rglob("step-*")}
            assert everywhere == {"step-10", "step-20", "step-30"}
            GO_ON.run(Diary(), run.path)
            assert bits(run.path) == bits(straight.path)
        assert fail_at > 3

    def test_all_processes_go_back(self, tmp_path: Path) -> None:
        act: list[Any] = [(0, 25, {"command": "roll_back", "step": 10})]
        with trainer() as together:
            assert together.train(TASK, tmp_path / "back", act=act) == [0, 0]
            assert together.train(TASK, tmp_path / "plain") == [0, 0]
        assert (10, "rolled back from step 25 #1") in marks(tmp_path / "back")
        assert bits(tmp_path / "back") == bits(tmp_path / "plain")


class TestBranch:
    def test_it_stands_where_the_other_stood(self, straight: RunFolder, tmp_path: Path) -> None:
        before = {path: path.stat().st_mtime_ns for path in straight.path.rglob("*")}
        made = branch(straight, 20, tmp_path / "new")
        described = made.description()
        assert described["branched_from"] == {"run": "straight", "step": 20}
        assert described["fields"] == straight.description()["fields"]
        assert steps(made) == [20]
        assert list(samples(made.path)) == [0, 10, 20]
        assert losses(made.path) == losses(straight.path)[:20]
        assert marks(made.path) == [(20, "branched from straight")]
        beat = made.heartbeat()
        assert beat is not None and (beat.state, beat.step, beat.alive) == ("stopped", 20, False)
        assert {path: path.stat().st_mtime_ns for path in straight.path.rglob("*")} == before
        GO_ON.run(Diary(), made.path)
        assert bits(made.path) == bits(straight.path)
        assert losses(made.path) == losses(straight.path)
        assert temporary_files(tmp_path) == []

    def test_another_future(self, straight: RunFolder, tmp_path: Path) -> None:
        made = branch(straight, 20, tmp_path / "new")
        made.send("set", name="learning_rate", value=0.5)
        GO_ON.run(Diary(), made.path)
        assert losses(made.path)[:21] == losses(straight.path)[:21]
        assert losses(made.path)[21:] != losses(straight.path)[21:]

    def test_what_was_changed_before_goes_along(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        TASK.run(Diary(at(10, lambda: run.send("set", name="learning_rate", value=0.25))), run.path)
        made = branch(run, 20, tmp_path / "new")
        GO_ON.run(Diary(), made.path)
        assert bits(made.path) == bits(run.path)
        told = [line.details for line in MetricsTail(made).read()[0] if "branched" in line.event]
        assert told == [{"set": {"learning_rate": 0.25}}]

    def test_from_a_terminal(self, straight: RunFolder, tmp_path: Path) -> None:
        new = tmp_path / "new"
        new.mkdir()  # as the terminal makes it
        task = dataclasses.replace(TASK, branch_from=str(straight.path), resume_step=10)
        with pytest.raises(Cancelled):
            task.run(Diary(at(15, cancel)), new)
        task.again(new).run(Diary(), new)
        assert bits(new) == bits(straight.path)
        assert RunFolder(new).description()["branched_from"] == {"run": "straight", "step": 10}
        newest = dataclasses.replace(TASK, branch_from=str(straight.path), max_steps=40)
        newest.run(Diary(), tmp_path / "newest")
        assert RunFolder(tmp_path / "newest").description()["branched_from"]["step"] == 30

    def test_a_checkpoint_that_is_not_whole_makes_no_run(
        self, run: RunFolder, tmp_path: Path
    ) -> None:
        (run.checkpoint_path(20) / "rng.safetensors").unlink()
        for step in (20, 25):
            with pytest.raises(FileError):
                branch(run, step, tmp_path / "new")
        assert not (tmp_path / "new").exists()

    def test_it_never_takes_the_place_of_another_run(
        self, straight: RunFolder, run: RunFolder
    ) -> None:
        before = bits(run.path)
        with pytest.raises(FileError, match="already holds"):
            branch(straight, 10, run.path)
        full = run.path / "samples"
        with pytest.raises(FileError, match="could not be made"):
            branch(straight, 10, full)
        assert bits(run.path) == before

    def test_a_disk_that_fails_leaves_no_half_run(
        self, straight: RunFolder, tmp_path: Path
    ) -> None:
        for fail_at in range(1, 100, 7):
            new = tmp_path / f"new{fail_at}"
            with failing_disk(fail_at, for_good=True) as disk:
                try:
                    branch(straight, 20, new)
                except FileError:
                    assert not new.exists()
                    continue
            assert not disk.failed
            break
        assert fail_at > 14


KILLED = """
import os, sys
sys.path.insert(0, "tests")
from pathlib import Path
from engine import abandoning, copies, files
from engine.branching import branch
from engine.runs import RunFolder
run, what, at = RunFolder(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
done = 0
def kill_at(function):
    def asked(*arguments):
        global done
        done += 1
        if done == at:
            os.kill(os.getpid(), 9)
        return function(*arguments)
    return asked
if what == "branch":
    copies.copy = kill_at(copies.copy)
    branch(run, 20, run.path.with_name("new"))
else:
    files.move = kill_at(files.move)
    abandoning.set_aside_after(run, 10)
"""


@pytest.mark.parametrize("at_file", [1, 2, 4])
def test_a_kill_in_between_costs_nothing(run: RunFolder, tmp_path: Path, at_file: int) -> None:
    for what in ("branch", "roll_back"):
        arguments = [sys.executable, "-c", KILLED, str(run.path), what, str(at_file)]
        assert subprocess.run(arguments, cwd=ROOT, timeout=60).returncode == -9
    assert not (tmp_path / "new").exists()
    everywhere = {path.name for path in run.path.rglob("step-*")}
    assert everywhere == {"step-10", "step-20", "step-30"}
    branch(run, 10, tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == [], "it was swept"
    abandoning.set_aside_after(run, 10)
    assert steps(run) == [10]
    assert list((run.path / "abandoned").iterdir())
