"""The terminal: real runs of `python -m engine`, their exit codes, and what goes where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine import registry
from engine.data import idx
from engine.data.digits import load_digits
from engine.runs import MetricsTail, RunFolder

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "engine"]
TINY = ["--model", "mlp_small", "--batch_size", "4", "--latent_dim", "4", "--seed", "1"]


def engine(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("数据 é") / "few-images-idx3-ubyte"
    idx.write(path, load_digits()[0][:10, :, :, 0])
    return path


def test_every_task_is_listed_and_explains_itself() -> None:
    listed = engine("list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(registry.task_names())
    for name in registry.task_names():
        task = registry.task_class(name)
        assert task.summary in listed.stdout
    told = engine("train_gan", "--help")
    assert told.returncode == 0
    for field in registry.task_class("train_gan").fields():
        assert f"--{field.name} " in told.stdout
    assert "true|false" in told.stdout
    assert "{dcgan,conv,mlp_small,mlp_large}" in told.stdout


@pytest.mark.parametrize("name", registry.task_names())
def test_every_help_can_be_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    from engine.cli import main

    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "--out DIR" in capsys.readouterr().out


BAD_INPUT = [
    (["paint"], "There is no task named 'paint'. Known: "),
    (["gan_learner"], "There is no task named 'gan_learner'."),
    (["train_gan", "--colour", "red"], "unrecognized arguments: --colour red."),
    (["train_gan", "--max_step", "3"], "unrecognized arguments: --max_step 3."),
    (["train_gan", "surplus"], "unrecognized arguments: surplus."),
    (["train_gan", "--max_steps"], "argument --max_steps: expected one argument."),
    (["train_gan", "--max_steps", "1e3"], "Steps must be a whole number, not '1e3'."),
    (["train_gan", "--max_steps", "0"], "Steps is 0, but must be between 1 and 100000000."),
    (["train_gan", "--max_steps", "9" * 5000], "Steps must be a whole number"),
    (["train_gan", "--resume", "yes"], "Resume must be true or false, not 'yes'."),
    (["train_gan", "--loss", "big\nbang"], "Loss cannot be 'big\\nbang'. Choose one of: hinge, "),
    (["train_gan", "--dataset", ""], "Dataset is empty."),
    (["train_gan", "--seed", "-2"], "Seed is -2, but must be between -1 and 4294967295."),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT)
def test_bad_input_is_one_clear_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from engine.cli import main

    assert (
        main([*arguments, *(["--out", str(tmp_path / "out")] if len(arguments) > 1 else [])]) == 2
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"error: {message}")
    assert len(said.err) < 1000
    assert not (tmp_path / "out").exists()


def test_bad_input_in_a_real_terminal() -> None:
    done = engine("train_gan", "--max_steps", "many")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: Steps must be a whole number, not 'many'.\n"
    nothing = engine()
    assert nothing.returncode == 2
    assert "python -m engine list" in nothing.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train_gan", "--dataset", "/nowhere", "--out", "{tmp}/run"], "/nowhere"),
        (["train_gan", "--resume", "true", "--out", "{tmp}/run"], "holds no training run"),
        (["train_gan", "--out", "{tmp}/file/run"], "{tmp}/file/run could not be written"),
        (["train_gan", "--out", "/proc/run"], "/proc/run could not be written"),
        (["sample_gan", "--run_folder", "{tmp}/two\nlines", "--out", "{tmp}"], "{tmp}/two lines"),
    ],
)
def test_a_failure_is_one_clear_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.cli import main

    (tmp_path / "file").write_text("in the way")
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        code = main([argument.format(tmp=tmp_path) for argument in arguments])
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
            signal.signal(number, handler)
    said = capsys.readouterr()
    assert (code, said.out) == (1, "")
    last = said.err.rpartition("\r")[2].strip()
    assert last.startswith("error: ")
    assert message.format(tmp=tmp_path) in last
    assert "\n" not in last
    assert "Traceback" not in said.err


def test_paths_alone_go_to_stdout_and_the_work_is_done(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "run 😀"
    trained = engine("train_gan", *TINY, "--dataset", digits, "--max_steps", "3", "--out", out)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == f"{out}\n"
    assert "learning" in trained.stderr
    assert RunFolder(out).checkpoints()[-1][0] == 3
    drawn = engine(
        *("sample_gan", "--run_folder", out, "--num_images", "2", "--out", tmp_path / "drawn"),
        *("--save_images", "true", "--json"),
    )
    assert drawn.returncode == 0, drawn.stderr
    events = [json.loads(line) for line in drawn.stdout.splitlines()]
    assert {"progress", "saved"} <= {event["event"] for event in events}
    saved = [Path(event["path"]) for event in events if event["event"] == "saved"]
    assert len(saved) >= 3
    assert all(path.is_file() and path.parent == tmp_path / "drawn" for path in saved)


def test_ctrl_c_saves_and_the_run_goes_on(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    given = ["train_gan", *TINY, "--dataset", str(digits), "--log_every", "1", "--out", str(out)]
    process = subprocess.Popen(
        [*COMMAND, *given, "--max_steps", "100000", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "metric" and event["step"] >= 3:
            process.send_signal(signal.SIGINT)
            break
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "stopped\n"
    assert json.loads(rest.splitlines()[-1]) == {"event": "saved", "path": str(out)}
    step = RunFolder(out).checkpoints()[-1][0]
    assert step >= 3
    assert RunFolder(out).heartbeat().state == "stopped"  # type: ignore[union-attr]
    lines, _ = MetricsTail(RunFolder(out)).read()
    assert [line.step for line in lines if line.values] == list(range(1, step + 1))


@pytest.mark.slow
def test_a_reader_who_leaves_ends_the_work_quietly(digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    given = ["train_gan", *TINY, "--dataset", str(digits), "--log_every", "1", "--out", str(out)]
    process = subprocess.Popen(
        [*COMMAND, *given, "--max_steps", "100000", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == "stopped\n"
    assert process.wait(timeout=60) == 130


def test_a_bug_shows_its_traceback_and_one_line(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\n"
        "from engine import cli\n"
        "from small_tasks import Misbehave\n"
        "raise SystemExit(cli._run(Misbehave(how=sys.argv[1]), Path(sys.argv[2]), False))"
    )
    for how, lines in (("bug", "KeyError"), ("error", "It broke. Mend it.")):
        done = subprocess.run(
            [sys.executable, "-c", program, how, str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith("error: ")
        assert lines in last
        assert ("Traceback" in done.stderr) == (how == "bug")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX paths")
def test_a_path_that_is_no_text_can_be_printed(digits: Path, tmp_path: Path) -> None:
    out = os.fsencode(tmp_path) + b"/run\xff"
    done = subprocess.run(
        [
            *map(os.fsencode, [*COMMAND, "train_gan", *TINY, "--dataset", str(digits)]),
            *(b"--max_steps", b"1", b"--out", out),
        ],
        cwd=ROOT,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == out + b"\n"
