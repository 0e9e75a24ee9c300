"""The training loop: exact resume after any end, control from outside, and nothing ever lost."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from faults import failing_disk
from small_training import Regression
from training_diary import Diary, assert_same_run, at, bits, cancel, losses, marks, samples

from engine import checkpoints, files, liveness
from engine.errors import Cancelled, EngineError, FileError, InvalidTask
from engine.events import Event, Metric, Notice, Progress, SampleGrid, Saved
from engine.runs import COMMANDS, RunFolder

ROOT = Path(__file__).resolve().parents[2]

TASK = Regression(
    max_steps=30, batch_size=4, seed=5, log_every=1, sample_every=10, checkpoint_every=10
)
GO_ON = dataclasses.replace(TASK, resume=True)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never disturbed."""
    run = tmp_path_factory.mktemp("runs") / "straight"
    TASK.run(Diary(), run)
    return run


def test_a_run_says_everything(straight: Path, tmp_path: Path) -> None:
    diary = Diary()
    TASK.run(diary, tmp_path / "run")
    assert_same_run(straight, tmp_path / "run")
    assert [step for step, _ in losses(straight)] == list(range(1, 31))
    assert list(samples(straight)) == [0, 10, 20, 30]
    assert [step for step, _ in RunFolder(straight).checkpoints()] == [10, 20, 30]
    assert [event.step for event in diary.of(Metric)] == list(range(1, 31))
    holds = diary.of(Metric)[-1].values["memory_gb"]
    assert holds == pytest.approx(liveness.memory(os.getpid()) / 1e9, rel=0.5)
    assert [event.step for event in diary.of(SampleGrid)] == [0, 10, 20, 30]
    assert diary.of(Saved) == [Saved(tmp_path / "run")]
    assert diary.of(Progress)[-1] == Progress(30, 30, "finished")
    beat = RunFolder(straight).heartbeat()
    assert beat is not None
    assert (beat.state, beat.step, beat.alive) == ("finished", 30, False)
    described = RunFolder(straight).description()
    assert described["fields"] == TASK.to_dict()
    assert described["threads"] == 1


def test_learning_happens(straight: Path) -> None:
    first, last = losses(straight)[:5], losses(straight)[-5:]
    assert sum(loss for _, loss in last) < sum(loss for _, loss in first)


@pytest.mark.parametrize("step", [0, 1, 10, 13, 29])
def test_stop_keeps_the_work_and_resume_goes_on_bit_for_bit(
    straight: Path, tmp_path: Path, step: int
) -> None:
    run = tmp_path / "run"
    diary = Diary(at(step, cancel))
    with pytest.raises(Cancelled):
        TASK.run(diary, run)
    assert RunFolder(run).checkpoints()[-1][0] == step
    assert RunFolder(run).heartbeat().state == "stopped"  # type: ignore[union-attr]
    assert diary.events[-1] == Saved(run)
    GO_ON.run(Diary(), run)
    assert_same_run(straight, run)


@pytest.mark.parametrize("kind", [Metric, SampleGrid])
def test_a_stop_inside_a_step_loses_no_sample(straight: Path, tmp_path: Path, kind: type) -> None:
    def act(event: Event) -> None:
        if isinstance(event, kind) and event.step == 10:  # type: ignore[attr-defined]
            raise Cancelled

    with pytest.raises(Cancelled):
        TASK.run(Diary(act), tmp_path / "run")
    GO_ON.run(Diary(), tmp_path / "run")
    assert_same_run(straight, tmp_path / "run")


def test_a_finished_run_can_be_made_longer(straight: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    dataclasses.replace(TASK, max_steps=17).run(Diary(), run)
    GO_ON.run(Diary(), run)
    assert bits(straight) == bits(run)
    assert RunFolder(run).description()["fields"]["max_steps"] == 30
    with pytest.raises(InvalidTask, match="at step 30 already") as caught:
        dataclasses.replace(GO_ON, max_steps=20).run(Diary(), run)
    assert caught.value.field == "max_steps"


KILLED = """
import os, sys
sys.path.insert(0, "tests")
from pathlib import Path
from engine.device import prepare_environment
prepare_environment()
from small_training import Regression
from engine.events import Progress
import torch
for step in (5, 17):
    def report(event):
        if isinstance(event, Progress) and event.stage == "learning" and event.step == step:
            os.kill(os.getpid(), 9)
    if (child := os.fork()) == 0:
        Regression.from_dict(eval(sys.argv[2])).run(report, Path(sys.argv[1]) / str(step))
    assert os.waitpid(child, 0)[1] == 9
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the runs `5` and `17`, which were killed after that many steps."""
    folder = tmp_path_factory.mktemp("killed")
    arguments = [sys.executable, "-c", KILLED, str(folder), repr(TASK.to_dict())]
    subprocess.run(arguments, cwd=ROOT, timeout=60, check=True)
    return folder


def test_a_kill_costs_what_was_not_saved_and_no_more(straight: Path, killed: Path) -> None:
    run = killed / "17"
    assert [step for step, _ in losses(run)] == list(range(1, 18))
    assert RunFolder(run).checkpoints()[-1][0] == 10
    beat = RunFolder(run).heartbeat()
    assert beat is not None
    assert (beat.state, beat.alive) == ("running", False)
    with open(RunFolder(run).metrics_path, "ab") as stream:
        stream.write(b'{"step": 18, "ti')  # as a power cut may leave it
    orphan = run / "checkpoints" / f"{files.TEMPORARY_PREFIX}{beat.pid}-abc"
    orphan.mkdir()
    GO_ON.run(Diary(), run)
    assert_same_run(straight, run)
    assert (10, "resumed") in marks(run)


def test_a_kill_before_the_first_checkpoint_begins_anew(straight: Path, killed: Path) -> None:
    assert RunFolder(killed / "5").checkpoints() == []
    GO_ON.run(Diary(), killed / "5")
    assert_same_run(straight, killed / "5")


MANY_KILLS = """
import os, random, signal, sys, time
sys.path.insert(0, "tests")
from pathlib import Path
from engine.device import prepare_environment
prepare_environment()
import torch
from small_training import Regression
from engine.runs import RunFolder
torch.set_num_threads(1)
random.seed(3)
run, kills = RunFolder(Path(sys.argv[1])), int(sys.argv[2])
fields = eval(sys.argv[3])
at_step, orphans = [], 0
for number in range(kills + 1):
    fields["resume"] = run.exists
    if (child := os.fork()) == 0:
        Regression.from_dict(fields).run(lambda event: None, run.path)
        os._exit(0)
    if number == kills:
        assert os.waitpid(child, 0)[1] == 0, "the last one could not go on"
        break
    if number % 2:
        time.sleep(random.uniform(0, 0.25))
    else:  # in the middle of a write
        until = time.monotonic() + 5
        while time.monotonic() < until and not any(run.path.rglob(".atelier-*")):
            pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    orphans += len(list(run.path.rglob(".atelier-*")))
    at_step.append(run.checkpoints()[-1][0] if run.checkpoints() else 0)
assert at_step == sorted(at_step), at_step
print(orphans, at_step[-1])
"""


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_random_kills_always_leave_a_run_that_goes_on(tmp_path: Path, kills: int) -> None:
    task = dataclasses.replace(
        TASK, max_steps=kills * 20, log_every=3, sample_every=9, checkpoint_every=4
    )
    task.run(Diary(), tmp_path / "straight")
    done = subprocess.run(
        [sys.executable, "-c", MANY_KILLS, str(tmp_path / "run"), str(kills), repr(task.to_dict())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    assert_same_run(tmp_path / "straight", tmp_path / "run")
    if kills >= 50:
        assert int(done.stdout.split()[0]) > 0, "no kill hit a write: the test proves nothing"


class TestControl:
    def test_every_command_is_obeyed_and_acknowledged(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        seen: dict[str, Any] = {}

        def act(event: Event) -> None:
            if not isinstance(event, Progress):
                return
            if event.stage == "learning" and event.step == 3 and "pause" not in seen:
                seen["pause"] = run.send("pause")
            if event.stage != "paused":
                return
            if "step" not in seen:
                assert event.step == 3, "a pause waits at the step boundary"
                assert run.heartbeat().alive  # type: ignore[union-attr]
                seen["step"] = [run.send("step"), run.send("step")]
            elif "save" not in seen and event.step == 5:
                seen["save"] = [run.send("sample"), run.send("save")]
            elif "resume" not in seen and event.step == 5 and len(run.checkpoints()) == 1:
                seen["beat"] = run.heartbeat()
                seen["resume"] = run.send("resume")

        diary = Diary(act)
        diary_task = dataclasses.replace(TASK, max_steps=9, sample_every=100, checkpoint_every=100)
        diary_task.run(diary, run.path)
        assert [event.step for event in diary.of(Metric)] == list(range(1, 10))
        assert seen["beat"].state == "paused"
        assert marks(run.path) == [
            (3, "pause #1"),
            (3, "step #2"),
            (3, "step #3"),
            (5, "sample #4"),
            (5, "save #5"),
            (5, "resume #6"),
            (9, "finished"),
        ]
        assert [step for step, _ in run.samples()] == [0, 5, 9]
        assert [step for step, _ in run.checkpoints()] == [5, 9]

    def test_stop_ends_well_and_can_go_on(self, straight: Path, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        diary = Diary(at(12, lambda: run.send("stop")))
        TASK.run(diary, run.path)
        assert marks(run.path)[-2:] == [(12, "stop #1"), (12, "stopped")]
        assert diary.of(Saved) == [Saved(run.path)]
        GO_ON.run(Diary(), run.path)
        assert_same_run(straight, run.path)

    def test_stop_and_cancel_work_while_paused(self, tmp_path: Path) -> None:
        for name, end in (("stop", "stop"), ("cancel", None)):
            run = RunFolder(tmp_path / name)

            def act(event: Event, run: RunFolder = run, end: str | None = end) -> None:
                if isinstance(event, Progress) and event.stage == "paused":
                    run.send(end) if end else cancel()
                elif isinstance(event, Metric) and event.step == 4:
                    run.send("pause")

            try:
                TASK.run(Diary(act), run.path)
            except Cancelled:
                assert end is None
            assert run.checkpoints()[-1][0] == 4
            assert run.heartbeat().state == "stopped"  # type: ignore[union-attr]

    def test_a_step_is_not_lost_among_other_commands(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")

        def act() -> None:
            for command in ("pause", "step", "save", "sample"):
                run.send(command)

        def stop_when_paused(event: Event) -> None:
            look(event)
            if isinstance(event, Progress) and event.stage == "paused":
                assert event.step == 3
                run.send("stop")

        look = at(2, act)
        TASK.run(Diary(stop_when_paused), run.path)
        assert run.checkpoints()[-1][0] == 3

    def test_what_was_asked_while_loading_is_done_and_old_commands_are_not(
        self, tmp_path: Path
    ) -> None:
        run = RunFolder(tmp_path / "run")
        TASK.run(Diary(at(5, lambda: run.send("stop"))), run.path)

        def act(event: Event) -> None:
            if isinstance(event, Progress) and event.stage == "loading the data":
                run.send("stop")

        GO_ON.run(Diary(act), run.path)
        assert run.checkpoints()[-1][0] == 5
        GO_ON.run(Diary(), run.path)
        assert run.checkpoints()[-1][0] == 30

    def test_nonsense_ends_no_training(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")

        def act() -> None:
            (run.path / "control" / "000001.json").write_text("{")
            (run.path / "control" / "000002.json").write_text('{"command": "format c:"}')

        TASK.run(Diary(at(3, act)), run.path)
        assert (3, "not understood #1") in marks(run.path)
        assert (3, "not understood #2") in marks(run.path)
        assert marks(run.path)[-1] == (30, "finished")
        assert "format" not in COMMANDS


class TestTrouble:
    def test_nan_is_said_and_the_checkpoint_is_safe(self, tmp_path: Path) -> None:
        run = tmp_path / "run"
        with pytest.raises(EngineError, match="step 14: loss became nan") as caught:
            dataclasses.replace(TASK, nan_at=14).run(Diary(), run)
        assert "step 10 is safe" in caught.value.hint
        assert checkpoints.load(RunFolder(run).checkpoints()[-1][1])[0] == 10
        assert [step for step, _ in losses(run)] == list(range(1, 14))
        assert RunFolder(run).heartbeat().state == "failed"  # type: ignore[union-attr]

    def test_nan_before_anything_was_saved_promises_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(EngineError) as caught:
            dataclasses.replace(TASK, nan_at=2).run(Diary(), tmp_path / "run")
        assert "Nothing was saved yet" in caught.value.hint

    def test_a_bug_does_not_leave_a_run_that_seems_alive(self, tmp_path: Path) -> None:
        def act(event: Event) -> None:
            if isinstance(event, Metric) and event.step == 3:
                raise KeyError("a bug")

        with pytest.raises(KeyError):
            TASK.run(Diary(act), tmp_path / "run")
        assert RunFolder(tmp_path / "run").heartbeat().state == "failed"  # type: ignore[union-attr]

    @pytest.mark.parametrize("name", ["network.safetensors", "manifest.json"])
    def test_a_damaged_checkpoint_is_passed_over_and_named(
        self, straight: Path, tmp_path: Path, name: str
    ) -> None:
        run = RunFolder(tmp_path / "run")
        dataclasses.replace(TASK, max_steps=25).run(Diary(), run.path)
        newest = run.checkpoint_path(25)
        (newest / name).write_bytes((newest / name).read_bytes()[:-9])
        diary = Diary()
        GO_ON.run(diary, run.path)
        assert any(str(newest) in notice.message for notice in diary.of(Notice))
        assert (20, "resumed") in marks(run.path)
        assert bits(straight) == bits(run.path)

    def test_a_damaged_checkpoint_does_not_push_out_a_good_one(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        few = dataclasses.replace(TASK, keep_checkpoints=1, checkpoint_every=5)
        dataclasses.replace(few, keep_checkpoints=2).run(Diary(), run.path)
        (run.checkpoint_path(30) / "rng.safetensors").write_bytes(b"")
        described = run.description()
        described["fields"]["keep_checkpoints"] = 1
        run.create(described)
        again = dataclasses.replace(few, resume=True)
        with pytest.raises(Cancelled):
            again.run(Diary(at(27, cancel)), run.path)
        assert checkpoints.load(run.checkpoint_path(27))[0] == 27

    def test_all_checkpoints_damaged_begins_anew(self, straight: Path, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        dataclasses.replace(TASK, max_steps=20).run(Diary(), run.path)
        for _, path in run.checkpoints():
            (path / "rng.safetensors").unlink()
        diary = Diary()
        GO_ON.run(diary, run.path)
        assert len(diary.of(Notice)) == 2
        assert_same_run(straight, run.path)

    def test_older_checkpoints_make_room(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        dataclasses.replace(TASK, checkpoint_every=4, keep_checkpoints=2).run(Diary(), run.path)
        assert [step for step, _ in run.checkpoints()] == [28, 30]

    def test_a_disk_that_fills_up_ends_it_clearly_and_it_can_go_on(
        self, straight: Path, tmp_path: Path
    ) -> None:
        places = set()
        for fail_at in range(1, 400, 19):
            run = RunFolder(tmp_path / f"run{fail_at}")
            diary = Diary()
            with failing_disk(10**9, for_good=True) as disk:

                def fill(disk: Any = disk, fail_at: int = fail_at) -> None:
                    disk.fail_at = disk.operations + fail_at

                diary._act = at(11, fill)
                try:
                    TASK.run(diary, run.path)
                except FileError as caught:
                    error = caught
                else:
                    assert not disk.failed
                    break
            assert str(run.path) in error.message
            assert error.hint
            steps = [step for step, path in run.checkpoints() if checkpoints.load(path)[0] == step]
            assert steps[0] == 10
            places.add(steps[-1])
            GO_ON.run(Diary(), run.path)
            assert_same_run(straight, run.path)
        assert places >= {10, 20}

    def test_a_folder_is_never_trained_twice_at_once(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        TASK.run(Diary(at(5, lambda: run.send("stop"))), run.path)
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        said = {"state": "running", "step": 5, "time": time.time() + 1, "pid": child.pid}
        (run.path / "heartbeat.json").write_text(json.dumps({**said, "host": socket.gethostname()}))
        with pytest.raises(FileError, match=f"trained already, by process {child.pid}"):
            GO_ON.run(Diary(), run.path)
        child.kill()
        child.communicate()
        GO_ON.run(Diary(), run.path)
        assert run.checkpoints()[-1][0] == 30

    def test_a_folder_with_a_run_is_not_overwritten(self, straight: Path) -> None:
        before = bits(straight)
        with pytest.raises(FileError, match="already holds a training run"):
            TASK.run(Diary(), straight)
        assert bits(straight) == before

    def test_resuming_nothing_or_something_else_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(FileError, match="holds no training run"):
            GO_ON.run(Diary(), tmp_path / "nowhere")
        run = RunFolder(tmp_path / "other")
        run.create({"task": "train_gan", "fields": {}})
        with pytest.raises(FileError, match="a run of train_gan"):
            GO_ON.run(Diary(), run.path)
        run.create({"task": TASK.name(), "fields": "many"})
        with pytest.raises(FileError, match=r"run\.json"):
            GO_ON.run(Diary(), run.path)

    def test_other_data_than_before_is_said(self, tmp_path: Path) -> None:
        run = RunFolder(tmp_path / "run")
        dataclasses.replace(TASK, max_steps=10).run(Diary(), run.path)
        described = run.description()
        described["dataset"]["sha256"] = "something else"
        run.create(described)
        diary = Diary()
        GO_ON.run(diary, run.path)
        assert "The data is not the same" in diary.of(Notice)[0].message

    def test_trying_again_goes_on(self, straight: Path, tmp_path: Path) -> None:
        assert TASK.again(straight) == GO_ON
        assert TASK.again(tmp_path) == TASK


@pytest.mark.slow
def test_a_disk_that_is_really_full(straight: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.path.insert(0, "tests")
from pathlib import Path
from engine.device import prepare_environment
prepare_environment()
from small_training import Regression
from engine.errors import FileError
from engine.runs import RunFolder
room = Path(sys.argv[1])
fields = eval(sys.argv[2])
ballast = room / "ballast"
def report(event):
    if getattr(event, "step", None) == 12 and not ballast.exists():
        with open(ballast, "wb", buffering=0) as stream:
            try:
                while stream.write(bytes(4096)):
                    pass
            except OSError:
                pass
run = RunFolder(room / "run")
try:
    Regression.from_dict(fields).run(report, run.path)
except FileError as error:
    print(error.message)
assert run.checkpoints()[-1][0] == 10
ballast.unlink()
ballast = Path(__file__ if "__file__" in globals() else "/")
Regression.from_dict({**fields, "resume": True}).run(report, run.path)
assert run.checkpoints()[-1][0] == 30
"""
    mount = 'mount -t tmpfs -o size=256k none "$1" && exec "$2" -c "$3" "$1" "$4"'
    arguments = [str(tmp_path), sys.executable, program, repr(TASK.to_dict())]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout
