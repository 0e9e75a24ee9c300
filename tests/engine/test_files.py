"""No failure and no kill ever leaves half a file, loses the old one, or leaves litter for good."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import assert_nothing_is_lost, contents, failing_disk, temporary_files
from PIL import Image

from engine import files
from engine.errors import FileError
from engine.liveness import process_exists, started

ROOT = Path(__file__).resolve().parents[2]


def run_program(program: str, *arguments: str, before: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        [*before, sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_a_folder(path: Path) -> None:
    files.write_folder(path, [("weights.bin", b"new weights"), ("manifest.json", b"{}")])


SAVERS: dict[str, Callable[[Path], None]] = {
    "bytes": lambda path: files.write_bytes(path, b"new" * 1000),
    "text": lambda path: files.write_text(path, "neu, näher, 新"),
    "json": lambda path: files.write_json(path, {"new": [1, 2, 3]}),
    "line": lambda path: files.append_line(path, "a new line"),
    "image": lambda path: files.write_with(
        path, lambda temporary: Image.new("RGB", (9, 9)).save(temporary, "PNG")
    ),
}


@pytest.mark.parametrize("for_good", [False, True], ids=["one moment", "for good"])
@pytest.mark.parametrize("saver", SAVERS)
def test_a_failure_at_any_operation_keeps_the_old_file(
    tmp_path: Path, saver: str, for_good: bool
) -> None:
    path = tmp_path / "数据 é" / "old.png"
    path.parent.mkdir()
    path.write_bytes(b"the old content\n")
    operations = assert_nothing_is_lost(
        tmp_path, lambda: SAVERS[saver](path), path, for_good=for_good
    )
    assert operations >= 2


@pytest.mark.parametrize("for_good", [False, True], ids=["one moment", "for good"])
def test_a_failure_at_any_operation_makes_no_half_file(tmp_path: Path, for_good: bool) -> None:
    path = tmp_path / "room" / "new.txt"
    assert assert_nothing_is_lost(
        tmp_path, lambda: files.write_text(path, "x"), path, for_good=for_good
    )


def test_a_failure_at_any_operation_keeps_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "step-1"
    files.write_folder(path, [("weights.bin", b"old"), ("notes.txt", b"old")])
    assert assert_nothing_is_lost(tmp_path, lambda: write_a_folder(path), path) >= 8
    assert set(contents(path)) == {"weights.bin", "manifest.json"}, "nothing of the old is left"


def test_a_line_that_found_no_room_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    files.append_line(path, '{"step": 1}')
    with failing_disk(2), pytest.raises(FileError):
        files.append_line(path, '{"step": 2}')
    files.append_line(path, '{"step": 3}')
    assert path.read_text() == '{"step": 1}\n{"step": 3}\n'


def test_a_write_that_stops_short_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(
        files, "open", lambda path, mode: Short(path, mode.replace("b", "")), raising=False
    )
    with pytest.raises(FileError, match="only a part"):
        files.write_bytes(path, b"x" * 100)
    assert contents(tmp_path) == {"short.bin": b"old"}


class Short(io.FileIO):
    """A file that takes less than it is given and does not complain, as Qt's did."""

    def write(self, data: bytes) -> int:
        super().write(data[:-1])
        return len(data)


FILL = """
import sys
from pathlib import Path
from engine import checkpoints, files
from engine.errors import FileError
room = Path(sys.argv[1])

def append(path):
    for _ in range(999):
        files.append_line(path, "y" * 1000)

for path, old, save in (
    (room / "a.txt", "old", lambda path: files.write_bytes(path, b"x" * 200_000)),
    (room / "log.jsonl", "old\\n", append),
    (room / "step-1" / "w", "old", lambda p: files.write_folder(p.parent, [("w", bytes(200_000))])),
):
    path.parent.mkdir(exist_ok=True)
    path.write_text(old)
    try:
        save(path)
    except FileError as error:
        assert str(path.parent) in error.message, error
    else:
        raise SystemExit("the disk was not full")
    text = path.read_text()
    assert text == old or (path.name == "log.jsonl" and text.endswith("y\\n")), path
    if path.name == "log.jsonl":
        assert {len(line) for line in text.splitlines()[1:]} <= {1000}
        path.write_text("")
    assert not list(room.rglob(".atelier-*"))
    files.write_text(room / "b.txt", "there is room for this")
print("survived")
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, FILL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.stdout == "survived\n", done.stderr


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    limit = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
    )
    assert run_program(limit + FILL, str(tmp_path)) == "survived\n"


KILL = """
import os, random, signal, sys, time
from pathlib import Path
from engine import files
room, rounds = Path(sys.argv[1]), int(sys.argv[2])
random.seed(1)
path, folder = room / "file.bin", room / "folder"
whole = {bytes([letter]) * 400_000 for letter in b"abc"}
files.write_bytes(path, b"a" * 400_000)
orphans = 0
for _ in range(rounds):
    if (child := os.fork()) == 0:
        while True:
            for data in whole:
                files.write_bytes(path, data)
                files.write_folder(folder, [("one", data), ("two", data)])
    time.sleep(random.uniform(0, 0.04))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert path.read_bytes() in whole
    if folder.exists():
        assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
        assert (folder / "one").read_bytes() in whole
    orphans += len(list(room.glob(".atelier-*")))
    files.sweep_temporary(room)
    assert {found.name for found in room.iterdir()} <= {"file.bin", "folder"}
print(orphans)
"""


def test_fifty_kills_leave_whole_files_and_orphans_are_swept(tmp_path: Path) -> None:
    orphans = int(run_program(KILL, str(tmp_path), "50"))
    assert orphans > 0, "no kill hit a write: the test proves nothing"


def test_what_somebody_is_writing_is_not_swept(tmp_path: Path) -> None:
    def sweep_meanwhile(temporary: Path) -> None:
        files.sweep_temporary(tmp_path)
        temporary.write_bytes(b"still here")

    files.write_with(tmp_path / "a.bin", sweep_meanwhile)
    assert contents(tmp_path) == {"a.bin": b"still here"}


def test_sweeping_takes_what_is_dead_and_nothing_else(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".atelier-{dead.pid}-abc.png").write_bytes(b"half")
    (tmp_path / f".atelier-{dead.pid}-def").mkdir()
    (tmp_path / f".atelier-{dead.pid}-def" / "inner").write_bytes(b"half")
    (tmp_path / f".atelier-{os.getpid()}-abc").write_bytes(b"alive")
    (tmp_path / "picture.png").write_bytes(b"whole")
    (tmp_path / ".hidden").write_bytes(b"whole")
    (tmp_path / ".atelier-notours").write_bytes(b"whole")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").write_bytes(b"whole")
    (tmp_path / f".atelier-{dead.pid}-link").symlink_to(tmp_path / "outside")
    files.sweep_temporary(tmp_path)
    assert set(contents(tmp_path)) == {
        f".atelier-{os.getpid()}-abc",
        "picture.png",
        ".hidden",
        ".atelier-notours",
        "outside/kept",
    }
    files.sweep_temporary(tmp_path / "nowhere")


def test_where_work_begins_what_a_kill_left_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".atelier-{dead.pid}-abc.png").write_bytes(b"half")
    files.make_folder(tmp_path)
    assert contents(tmp_path) == {}


def test_json_is_strict_and_text_forgiving(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "nan.json", {"loss": float("nan")})
    assert contents(tmp_path) == {}
    files.write_json(tmp_path / "a.json", {"prompt": "a \ud800 fox 🦊"})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"prompt": "a ? fox 🦊"}
    files.append_line(tmp_path / "log", "\ud800")
    assert (tmp_path / "log").read_bytes() == b"?\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_new_file_can_be_read_by_whom_the_person_lets_read(tmp_path: Path) -> None:
    program = (
        "import os, sys; os.umask(0o027)\n"
        "from pathlib import Path\n"
        "from engine import files\n"
        "files.write_text(Path(sys.argv[1]) / 'a', 'x')\n"
        "files.write_folder(Path(sys.argv[1]) / 'b', [('c', b'x')])\n"
        "assert os.umask(0) == 0o027\n"
    )
    run_program(program, str(tmp_path))
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for act in (files.make_folder, lambda path: files.write_text(path / "a", "x"), write_a_folder):
        with pytest.raises(FileError, match=str(tmp_path / "file")) as caught:
            act(tmp_path / "file" / "folder")
        assert caught.value.hint
    with pytest.raises(FileError, match="nowhere"):
        files.remove_folder(tmp_path / "nowhere")
    assert temporary_files(tmp_path) == []


def test_a_new_path_never_hits_an_old_file(tmp_path: Path) -> None:
    taken = set()
    for _ in range(5):
        path = files.new_path(tmp_path, "fox", ".png")
        assert path not in taken
        path.write_bytes(b"")
        taken.add(path)
    assert {path.name for path in taken} == {"fox.png"} | {f"fox-{n}.png" for n in range(2, 6)}


def test_liveness() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_exists(child.pid)
    began, own = started(child.pid), started(os.getpid())
    assert began is None or own is None or began >= own
    child.communicate(b"\n")
    assert not process_exists(child.pid)
    assert process_exists(os.getpid())
    for nonsense in (0, -1, 2**40):
        assert not process_exists(nonsense)
