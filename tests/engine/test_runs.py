"""A run folder is read while it grows, is damaged, or is rewritten; and never trusted blindly."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.errors import FileError
from engine.runs import (
    COMMANDS,
    STALE_AFTER,
    Heartbeat,
    MetricsTail,
    RunFolder,
    list_runs,
    parse_metric,
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.create({"task": "train_gan", "fields": {}})
    return run


def steps(tail: MetricsTail) -> list[int]:
    return [line.step for line in tail.read()[0]]


class TestMetrics:
    def test_each_read_gives_what_is_new(self, run: RunFolder) -> None:
        tail = MetricsTail(run)
        assert tail.read() == ([], False)
        run.log(1, {"loss": 0.5})
        run.log_event(1, "pause #1")
        first, rewritten = tail.read()
        assert not rewritten
        assert [(line.step, dict(line.values), line.event) for line in first] == [
            (1, {"loss": 0.5}, ""),
            (1, {}, "pause #1"),
        ]
        assert abs(first[0].time - time.time()) < 60
        assert tail.read() == ([], False)
        run.log(2, {"loss": 0.25})
        assert steps(tail) == [2]

    def test_a_line_is_read_when_it_is_whole(self, run: RunFolder) -> None:
        tail = MetricsTail(run)
        line = json.dumps({"step": 7, "time": 1.0, "values": {"loss": 2.0}}).encode() + b"\n"
        for byte in range(len(line)):
            with open(run.metrics_path, "ab") as stream:
                stream.write(line[byte : byte + 1])
            assert steps(tail) == ([7] if byte == len(line) - 1 else [])

    def test_damaged_lines_are_passed_over(self, run: RunFolder) -> None:
        run.log(1, {"loss": 1.0})
        nonsense = [
            b"",
            b"\xff\xfe",
            b"[1, 2]",
            b'{"step": 1',
            b'{"step": Infinity, "time": 0}',
            b'{"step": 1, "time": 0, "values": {"loss": "much"}}',
            b'{"step": 1, "time": 0, "values": [1]}',
            b'{"time": 0, "values": {}}',
            b"[" * 100_000,
            b'{"step": ' + b"9" * 5000 + b', "time": 0}',
        ]
        with open(run.metrics_path, "ab") as stream:
            stream.write(b"\n".join(nonsense) + b"\n")
        run.log(2, {"loss": 1.0})
        assert steps(MetricsTail(run)) == [1, 2]

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["step", "time", "values", "event"]), inner)
            ),
            max_leaves=6,
        )
    )
    def test_any_json_is_a_line_or_none(self, value: Any) -> None:
        line = parse_metric(json.dumps(value))
        assert line is None or (isinstance(line.step, int) and isinstance(line.values, dict))

    def test_an_event_may_hold_any_character(self, run: RunFolder) -> None:
        run.log_event(1, "one\u2028line\x85 \ud800")
        with open(run.metrics_path, "ab") as stream:  # as another program may write it
            record = json.dumps({"step": 2, "time": 0, "event": "a\u2028b"}, ensure_ascii=False)
            stream.write(record.encode() + b"\n")
        assert steps(MetricsTail(run)) == [1, 2]

    def test_a_file_written_anew_is_known_though_it_has_the_number_of_the_old_and_is_longer(
        self, run: RunFolder, tmp_path: Path
    ) -> None:
        tail = MetricsTail(run)
        for step in (1, 2, 3):
            run.log(step, {"loss": 1.0})
        assert steps(tail) == [1, 2, 3]
        number = run.metrics_path.stat().st_ino
        other = RunFolder(tmp_path / "other")
        other.create({})
        for step in (1, 4, 5, 6, 7):
            other.log(step, {"loss": 2.0})
        with open(run.metrics_path, "r+b") as stream:
            stream.write(other.metrics_path.read_bytes())
        assert run.metrics_path.stat().st_ino == number
        lines, rewritten = tail.read()
        assert rewritten
        assert [line.step for line in lines] == [1, 4, 5, 6, 7]

    def test_a_rewritten_file_is_read_anew(self, run: RunFolder) -> None:
        tail = MetricsTail(run)
        for step in range(1, 11):
            run.log(step, {"loss": 1.0})
        assert steps(tail) == list(range(1, 11))
        run.drop_metrics_after(4)
        run.log(5, {"loss": 2.0})
        lines, rewritten = tail.read()
        assert rewritten
        assert [line.step for line in lines] == [1, 2, 3, 4, 5]
        assert tail.read() == ([], False)

    def test_dropping_mends_what_a_kill_left_half_written(self, run: RunFolder) -> None:
        run.log(1, {"loss": 1.0})
        run.log(3, {"loss": 1.0})
        with open(run.metrics_path, "ab") as stream:
            stream.write(b'{"step": 2, "ti')
        run.drop_metrics_after(2)
        run.log(2, {"loss": 5.0})
        assert [json.loads(line)["step"] for line in run.metrics_path.read_text().splitlines()] == [
            1,
            2,
        ]

    def test_dropping_keeps_a_whole_line_that_lacks_its_end(self, run: RunFolder) -> None:
        run.metrics_path.write_text('{"step": 1, "time": 0, "values": {"loss": 1}}')
        run.drop_metrics_after(1)
        run.log(2, {"loss": 5.0})
        assert steps(MetricsTail(run)) == [1, 2]

    def test_no_metrics_yet(self, run: RunFolder) -> None:
        run.drop_metrics_after(3)
        assert not run.metrics_path.exists()

    def test_metrics_that_cannot_be_read_are_named(self, run: RunFolder) -> None:
        run.metrics_path.mkdir()
        for act in (MetricsTail(run).read, lambda: run.drop_metrics_after(1)):
            with pytest.raises(FileError, match=r"metrics\.jsonl"):
                act()


def beat(**other: Any) -> Heartbeat:
    said = {"state": "running", "step": 1, "time": time.time(), "pid": os.getpid()}
    return Heartbeat(**{**said, "host": socket.gethostname(), **other})


class TestHeartbeat:
    def test_a_trainer_that_runs_is_alive(self, run: RunFolder) -> None:
        assert run.heartbeat() is None
        run.beat("running", 12)
        said = run.heartbeat()
        assert said is not None
        assert (said.state, said.step, said.pid) == ("running", 12, os.getpid())
        assert said.alive

    @pytest.mark.parametrize("state", ["stopped", "finished", "failed"])
    def test_one_that_has_ended_is_not(self, state: str) -> None:
        assert not beat(state=state).alive

    def test_one_that_was_killed_is_not(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        assert beat(pid=child.pid, time=time.time() + 1).alive
        child.kill()
        child.communicate()
        assert not beat(pid=child.pid).alive

    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not say")
    def test_another_process_with_the_same_number_is_not_the_trainer(self) -> None:
        assert not beat(time=time.time() - 10**8).alive

    @pytest.mark.parametrize("pid", [0, -1, 2**40])
    def test_nonsense_is_not(self, pid: int) -> None:
        assert not beat(pid=pid).alive

    def test_on_another_machine_silence_counts(self) -> None:
        assert beat(host="elsewhere", pid=1).alive
        assert not beat(host="elsewhere", time=time.time() - STALE_AFTER - 1).alive

    def test_beats_are_rare_even_when_the_clock_is_put_back(
        self, run: RunFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run.beat("running", 1, every=3600)
        run.beat("running", 2, every=3600)
        assert run.heartbeat().step == 1  # type: ignore[union-attr]
        run.beat("paused", 2, every=3600)
        assert run.heartbeat().state == "paused"  # type: ignore[union-attr]
        monkeypatch.setattr(time, "time", lambda: 0.0)
        run.beat("running", 3)
        assert run.heartbeat().step == 3  # type: ignore[union-attr]
        monkeypatch.setattr(time, "time", lambda: -(10.0**6))
        time.sleep(0.02)
        run.beat("running", 4, every=0.01)
        assert run.heartbeat().step == 4  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"pid": Infinity}', '{"state": "running", "step": "many"}']
    )
    def test_a_damaged_one_is_named(self, run: RunFolder, text: str) -> None:
        (run.path / "heartbeat.json").write_text(text)
        with pytest.raises(FileError, match=r"heartbeat\.json"):
            run.heartbeat()


def words(run: RunFolder, number: int) -> list[tuple[int, str]]:
    return [(n, command.word) for n, command in run.commands_after(number)]


class TestControl:
    def test_commands_are_numbered_and_read_once(self, run: RunFolder) -> None:
        assert (run.last_command(), run.commands_after(0)) == (0, [])
        assert [run.send(command) for command in COMMANDS] == [*range(1, len(COMMANDS) + 1)]
        assert words(run, 0) == list(enumerate(COMMANDS, 1))
        assert words(run, 4) == list(enumerate(COMMANDS, 1))[4:]
        assert run.last_command() == len(COMMANDS)

    def test_more_than_a_million(self, run: RunFolder) -> None:
        (run.path / "control" / "999999.json").write_text('{"command": "pause"}')
        assert run.send("resume") == 1_000_000
        assert words(run, 0) == [(999_999, "pause"), (1_000_000, "resume")]

    def test_an_unknown_command_is_not_sent(self, run: RunFolder) -> None:
        with pytest.raises(ValueError, match="explode"):
            run.send("explode")
        assert run.last_command() == 0

    def test_nonsense_in_the_folder_ends_no_training(self, run: RunFolder) -> None:
        control = run.path / "control"
        (control / "000001.json").write_text("{")
        (control / "000002.json").write_bytes(b"\xff")
        (control / "²²²²²².json").write_text("{}")
        (control / "notes.txt").write_text("hello")
        (control / "000003.json").mkdir()
        run.send("stop")
        assert words(run, 0) == [(1, ""), (2, ""), (3, ""), (4, "stop")]


class TestFolder:
    def test_samples_in_the_order_of_training(self, run: RunFolder) -> None:
        for step in (1_000_000, 0, 500):
            run.save_sample(step, Image.new("L", (2, 2)))
        (run.path / "samples" / "²³.png").write_bytes(b"")
        (run.path / "samples" / "12.md").write_bytes(b"")
        assert [step for step, _ in run.samples()] == [0, 500, 1_000_000]

    def test_a_sample_may_be_a_text(self, run: RunFolder) -> None:
        path = run.save_sample(500, "日本\n")
        assert path == run.path / "samples" / "000500.txt"
        assert path.read_bytes() == "日本\n".encode()
        assert run.samples() == [(500, path)]
        assert run.has_sample(500) and not run.has_sample(0)

    def test_only_complete_checkpoints_count(self, run: RunFolder) -> None:
        for step in (20, 100, 3):
            run.checkpoint_path(step).mkdir()
            (run.checkpoint_path(step) / "manifest.json").write_text("{}")
        run.checkpoint_path(200).mkdir()
        (run.path / "checkpoints" / "step-old").mkdir()
        assert [step for step, _ in run.checkpoints()] == [3, 20, 100]

    def test_runs_newest_first(self, tmp_path: Path) -> None:
        for number, name in enumerate(("a", "b", "c")):
            RunFolder(tmp_path / name).create({})
            os.utime(tmp_path / name / "run.json", (number, number))
        (tmp_path / "no run").mkdir()
        (tmp_path / "file").write_text("")
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        assert [run.path.name for run in list_runs(tmp_path)] == ["c", "b", "a"]
        assert list_runs(tmp_path / "nowhere") == []

    @pytest.mark.parametrize("text", ["", "[]", '{"a":', "\udcff", "[" * 100_000])
    def test_a_damaged_description_is_named(self, run: RunFolder, text: str) -> None:
        (run.path / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(FileError, match=r"run\.json"):
            run.description()
