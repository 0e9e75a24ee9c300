"""A checkpoint comes back bit for bit, or is refused; it is never half there and never a pickle."""

from __future__ import annotations

import copy
import json
import math
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from faults import assert_nothing_is_lost, contents, temporary_files
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import checkpoints
from engine.errors import FileError
from engine.runs import RunFolder

ROOT = Path(__file__).resolve().parents[2]

STATE: dict[str, Any] = {
    "generator": {
        "weight": torch.arange(6.0).reshape(2, 3),
        "half": torch.tensor([1.0, -0.0, math.inf, math.nan], dtype=torch.bfloat16),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "scalar": torch.tensor(3, dtype=torch.int64),
        "empty": torch.empty(0, 4),
        "flags": torch.tensor([True, False]),
    },
    "optimizer": {
        "state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.ones(2)}, 7: {"step": 1}},
        "param_groups": [{"lr": 0.1 + 0.2, "betas": (0.5, 0.999), "params": [0, 7], "eps": 1e-8}],
    },
    "schedule": {"best": math.inf, "worst": -math.inf, "name": "é 🦊", "none": None, "on": True},
    "rng": {"torch": torch.get_rng_state(), "gpus": []},
    "config.json": '{"$": 1, "é": "🦊"}',
}


def same(first: Any, second: Any) -> bool:
    """Equal in type, shape and every bit."""
    if isinstance(first, torch.Tensor):
        return (
            isinstance(second, torch.Tensor)
            and (first.dtype, first.shape) == (second.dtype, second.shape)
            and bits(first) == bits(second)
        )
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, float):
        return struct.pack("d", first) == struct.pack("d", second)
    return bool(first == second)


def bits(tensor: torch.Tensor) -> bytes:
    flat = tensor.contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def test_everything_comes_back_bit_for_bit(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "step-12", 12, STATE)
    step, state = checkpoints.load(tmp_path / "step-12")
    assert step == 12
    assert same(state, STATE)
    assert same(checkpoints.load_tensors(tmp_path / "step-12", "generator"), STATE["generator"])


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad"])
def test_an_optimizer_goes_on_as_if_never_stopped(tmp_path: Path, kind: str) -> None:
    def begin() -> tuple[torch.nn.Module, Any]:
        torch.manual_seed(3)
        network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(), torch.nn.ReLU())
        return network, getattr(torch.optim, kind)(network.parameters(), lr=0.01)

    def learn(network: torch.nn.Module, optimizer: Any) -> None:
        optimizer.zero_grad()
        network(torch.ones(5, 3)).square().sum().backward()
        optimizer.step()

    network, optimizer = begin()
    for _ in range(3):
        learn(network, optimizer)
    state = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "rng": {"torch": torch.get_rng_state()},
    }
    checkpoints.save(tmp_path / "c", 3, state)
    for _ in range(3):
        learn(network, optimizer)
    other, other_optimizer = begin()
    _, state = checkpoints.load(tmp_path / "c")
    torch.set_rng_state(state["rng"]["torch"])
    other.load_state_dict(state["network"])
    other_optimizer.load_state_dict(state["optimizer"])
    for _ in range(3):
        learn(other, other_optimizer)
    assert same(dict(other.state_dict()), dict(network.state_dict()))


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
    | st.sampled_from([torch.zeros(2), torch.tensor(1), torch.tensor([1.5], dtype=torch.float16)])
)
KEYS = st.text("ab/.'", max_size=3)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.dictionaries(st.integers(0, 9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(TREES)
@example(-math.nan)
@example(struct.unpack(">d", bytes.fromhex("7ff8000000000001"))[0])
def test_any_tree_comes_back(tmp_path_factory: pytest.TempPathFactory, tree: Any) -> None:
    path = tmp_path_factory.mktemp("checkpoints") / "c"
    checkpoints.save(path, 1, {"part": tree})
    assert same(checkpoints.load(path)[1], {"part": tree})


def test_shared_tensors_and_names_that_collide(tmp_path: Path) -> None:
    tied = torch.arange(3.0)
    state = {"part": {"a": {"b": tied}, "a/b": torch.ones(2), "c": tied, "d": tied[1:]}}
    checkpoints.save(tmp_path / "c", 1, state)
    assert same(checkpoints.load(tmp_path / "c")[1], state)


@pytest.mark.parametrize("tree", [{1: 1, "a": 2}, {(1,): 1}, {True: 1}, {"$tensor": "a"}, object()])
def test_what_could_not_come_back_is_not_saved(tmp_path: Path, tree: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        checkpoints.save(tmp_path / "c", 1, {"part": tree})
    assert list(tmp_path.iterdir()) == []


def test_the_tensors_can_be_read_by_anything(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    checkpoints.save(tmp_path / "c", 1, STATE)
    assert same(load_file(tmp_path / "c" / "generator.safetensors"), STATE["generator"])


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_flipped_bit_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    checkpoints.save(path, 3, {"net": {"w": torch.ones(4)}, "optimizer": {"lr": 0.25, "n": 1}})
    tried = 0
    for file in sorted(path.iterdir()):
        data = file.read_bytes()
        for place in range(0, len(data), 1 if file.suffix == ".json" else 7):
            file.write_bytes(flipped(data, place))
            try:
                _, state = checkpoints.load(path)
            except FileError as error:
                assert str(path) in error.message
                assert error.hint
            else:  # a space that became another, say: nothing has changed
                assert same(state["net"], {"w": torch.ones(4)})
                assert state["optimizer"] == {"lr": 0.25, "n": 1}
            tried += 1
        file.write_bytes(data)
    assert tried > 100
    assert checkpoints.load(path)[0] == 3


def test_a_flipped_number_in_the_manifest_is_refused(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "c", 3, {"optimizer": {"lr": 0.25}})
    manifest = tmp_path / "c" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("0.25", "0.75"))
    with pytest.raises(FileError):
        checkpoints.load(tmp_path / "c")


def test_cut_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    checkpoints.save(path, 3, STATE)
    for file in sorted(path.iterdir()):
        data = file.read_bytes()
        for length in (0, 1, len(data) // 2, len(data) - 2):
            file.write_bytes(data[:length])
            with pytest.raises(FileError, match=str(path)):
                checkpoints.load(path)
        file.unlink()
        with pytest.raises(FileError, match=str(path)):
            checkpoints.load(path)
        file.write_bytes(data)
    for nonsense in ("[]", "{}", "null", '{"sha256": 1, "state": 2}', "[" * 100_000):
        (path / "manifest.json").write_text(nonsense)
        with pytest.raises(FileError, match=str(path)):
            checkpoints.load(path)


def test_a_name_in_the_manifest_leads_nowhere_else(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "other", 1, {"secret": {"w": torch.ones(1)}})
    checkpoints.save(tmp_path / "c", 1, {"net": {"w": torch.ones(1)}})
    with pytest.raises(FileError):
        checkpoints.load_tensors(tmp_path / "c", "../other/secret")


def test_a_failure_at_any_operation_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "step-3"
    checkpoints.save(path, 3, {"net": {"w": torch.zeros(3)}})
    new = {"net": {"w": torch.ones(3)}, "more": {"w": torch.ones(2)}}
    operations = assert_nothing_is_lost(tmp_path, lambda: checkpoints.save(path, 3, new), path)
    assert operations > 8
    assert same(checkpoints.load(path)[1], new)


KILL = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from engine import checkpoints
from engine.runs import RunFolder
torch.set_num_threads(1)
run, rounds = RunFolder(Path(sys.argv[1])), int(sys.argv[2])
random.seed(2)
state = lambda step: {"a": {"w": torch.full((50_000,), float(step))}, "b": {"step": step}}
checkpoints.save(run.checkpoint_path(0), 0, state(0))
newest, orphans = 0, 0
for _ in range(rounds):
    if (child := os.fork()) == 0:
        step = newest
        while True:
            step += 1
            checkpoints.save(run.checkpoint_path(step), step, state(step))
    time.sleep(random.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    step, path = run.checkpoints()[-1]
    assert step >= newest, "an older one has gone"
    newest = step
    loaded, found = checkpoints.load(path)
    assert loaded == step == found["b"]["step"] and bool((found["a"]["w"] == step).all())
    orphans += len(list((run.path / "checkpoints").glob(".atelier-*")))
    run.sweep()
    assert not list((run.path / "checkpoints").glob(".atelier-*"))
print(orphans)
"""


@pytest.mark.parametrize("kills", ["10", pytest.param("50", marks=pytest.mark.slow)])
def test_kills_leave_the_newest_whole_one(tmp_path: Path, kills: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILL, str(tmp_path), kills],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0, "no kill hit a save: the test proves nothing"


def test_no_pickle_is_ever_read_or_written(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
import torch
from engine import checkpoints
seen = []
sys.addaudithook(lambda name, given: seen.append(name) if name.startswith("pickle.") else None)
checkpoints.save(Path(sys.argv[1]), 1, {"net": {"w": torch.ones(2)}, "o": {"betas": (1, 2)}})
checkpoints.load(Path(sys.argv[1]))
print(seen)
import pickle; pickle.loads(pickle.dumps(print))
print(bool(seen))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "c")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split("\n")[:2] == ["[]", "True"], done.stderr
    assert {path.suffix for path in (tmp_path / "c").iterdir()} == {".safetensors", ".json"}


def test_a_checkpoint_made_of_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    checkpoints.save(path, 1, {"net": {"w": torch.ones(2)}})
    torch.save({"w": torch.ones(2)}, path / "net.safetensors")
    with pytest.raises(FileError, match="hash"):
        checkpoints.load(path)


def test_saving_touches_no_tensor(tmp_path: Path) -> None:
    before = copy.deepcopy(STATE)
    checkpoints.save(tmp_path / "a", 1, STATE)
    checkpoints.save(tmp_path / "b", 1, STATE)
    assert same(STATE, before)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert json.loads((tmp_path / "a" / "manifest.json").read_text("utf-8"))["step"] == 1
    assert temporary_files(tmp_path) == []
    assert RunFolder(tmp_path).checkpoints() == []


def test_a_text_is_a_file_of_its_own_name_and_guarded_like_the_others(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "c", 1, STATE)
    file = tmp_path / "c" / "config.json"
    assert file.read_text(encoding="utf-8") == STATE["config.json"]
    assert checkpoints.load_entry(tmp_path / "c", "config.json") == STATE["config.json"]
    assert checkpoints.has_entry(tmp_path / "c", "generator")
    assert not checkpoints.has_entry(tmp_path / "c", "critic")
    with pytest.raises(FileError, match="holds no critic"):
        checkpoints.load_entry(tmp_path / "c", "critic")
    file.write_text("{}")
    for look in (checkpoints.load, lambda path: checkpoints.load_entry(path, "config.json")):
        with pytest.raises(FileError, match=r"config\.json does not match"):
            look(tmp_path / "c")
