"""Models of the Hub, fetched by the real huggingface_hub from a server on loopback."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from local_hub import LocalHub, files_in, the_only_hub
from original_layout import save_original
from published_models import pipeline
from tiny_language_models import save_folder, save_gguf
from tiny_loras import save_kohya_lora
from tiny_models import save_stable_diffusion

from engine import folders, library, model_facts, model_source
from engine.errors import Cancelled, EngineError, FileError, InvalidTask, ModelError
from engine.events import Event, HubFound, HubModel, ModelFacts, Notice, Progress, Saved
from engine.registry import task_class

POET = "somebody/poet"
CARD = b"---\nlicense: mit\n---\nA poet.\n"
UNWANTED = {
    "pytorch_model.bin": b"\x80\x04 a pickle",
    "modeling_poet.py": b"print('no')",
    "model.ckpt": b"PK",
    "onnx/model.onnx": b"onnx",
    "tf_model.h5": b"hdf",
    "consolidated.safetensors": b"the same once more",
    ".gitattributes": b"*.bin lfs",
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    with the_only_hub(tmp_path / "hugging face", monkeypatch) as hub:
        yield hub


@pytest.fixture(scope="session")
def poet(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_in(save_folder(tmp_path_factory.mktemp("poet"))) | {"README.md": CARD}


@pytest.fixture(scope="session")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return files_in(save_stable_diffusion(tmp_path_factory.mktemp("drawing")))


def run(task: str, report: Callable[[Event], None] | None = None, **fields: object) -> list[Event]:
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if report:
            report(event)

    task_class(task).from_dict(fields).run(hear, folders.outputs())
    return events


def fetch(
    repository: str = POET, report: Callable[[Event], None] | None = None, **fields: object
) -> list[Event]:
    return run("fetch_model", report, repository=repository, **fields)


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def parts() -> list[Path]:
    return list((folders.models() / ".fetching").rglob("*.part"))


def stop_midway(event: Event) -> None:
    """Stops when some of the weights are here."""
    fetching = isinstance(event, Progress) and event.stage.startswith("fetching model")
    if fetching and any(part.stat().st_size for part in parts()):
        raise Cancelled


# ------------------------------------------------------------------ what comes


def test_a_folder_comes_whole_once_and_with_its_licence(hub, poet, tmp_path) -> None:
    repository = hub.add(POET, poet | UNWANTED, licence="mit")
    events = fetch()
    (target,) = [event.path for event in events if isinstance(event, Saved)]
    assert target == folders.models() / "poet" and "poet" in library.text_models()
    assert files_in(target).items() >= poet.items()
    assert names_in(target) == {*poet, "source.json"}
    note = json.loads((target / "source.json").read_text())
    assert (note["repository"], note["commit"]) == (POET, repository.commit)
    assert note["licence"] == "mit" and set(note["files"]) == set(poet)
    (facts,) = [event for event in events if isinstance(event, ModelFacts)]
    assert (facts.name, facts.kind) == ("poet", "language model")
    assert facts.source == f"{POET} @ {repository.commit[:12]}" and facts.licence == "mit"
    weights = len(poet["model.safetensors"])
    everywhere = [*folders.home().rglob("*"), *(tmp_path / "hugging face").rglob("*")]
    assert [p.stat().st_size for p in everywhere if p.is_file()].count(weights) == 1
    assert parts() == []


@pytest.mark.slow
def test_progress_is_in_bytes_and_names_the_file(hub, poet) -> None:
    hub.add(POET, poet)
    told = [event for event in fetch() if isinstance(event, Progress) and event.unit == "bytes"]
    assert {event.total for event in told} == {sum(map(len, poet.values()))}
    steps = [event.step for event in told]
    assert steps == sorted(steps) and steps[-1] == told[-1].total
    assert {"fetching model.safetensors", "checking config.json"} <= {e.stage for e in told}


@pytest.mark.slow
def test_one_quantisation_is_taken_of_many(hub, tmp_path) -> None:
    data = save_gguf(tmp_path / "any.gguf").read_bytes()
    named = ["poet-Q8_0.gguf", "poet-Q4_K_M.gguf", "poet-F16.gguf", "mmproj-F16.gguf"]
    hub.add(POET, dict.fromkeys(named, data) | {"README.md": CARD})
    fetch()
    assert [path.name for path in folders.models().glob("[!.]*")] == ["poet-Q4_K_M.gguf"]
    fetch(file="poet-Q8_0.gguf")
    path = folders.models() / "poet-Q8_0.gguf"
    source = model_source.read(path)
    assert path.read_bytes() == data and source and source.licence == "apache-2.0"
    assert model_facts.facts_of("poet-Q8_0", lambda event: None).licence == "apache-2.0"
    for other in ("poet-Q2_K.gguf", "README.md", "mmproj-F16.gguf"):
        with pytest.raises(InvalidTask, match="no model in one file") as refused:
            fetch(file=other)
        assert "poet-Q8_0.gguf" in refused.value.hint


@pytest.mark.slow
def test_a_lora_goes_to_the_loras(hub, drawing, tmp_path) -> None:
    base = tmp_path / "base"
    for name, data in drawing.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(data)
    lora = save_kohya_lora(base, tmp_path / "weights.safetensors").read_bytes()
    hub.add("somebody/ink", {"pytorch_lora_weights.safetensors": lora, "README.md": CARD})
    fetch("somebody/ink")
    assert library.loras() == ("ink",)
    assert library.find_lora("ink").read_bytes() == lora


@pytest.mark.slow
def test_of_a_pipeline_its_parts_come_in_one_precision(hub, drawing) -> None:
    half = {
        name.replace(".safetensors", ".fp16.safetensors"): data
        for name, data in drawing.items()
        if name.endswith(".safetensors")
    }
    extra = {"unet/model.onnx": b"onnx", "vae_decoder/model.safetensors": b"of another format"}
    hub.add("somebody/drawing", drawing | half | extra | UNWANTED)
    fetch("somebody/drawing")
    got = names_in(folders.models() / "drawing") - {"source.json"}
    settings = {name for name in drawing if not name.endswith(".safetensors")}
    assert got == settings | set(half)
    assert model_facts.facts_of("drawing", lambda event: None).kind == "image model"
    shutil.rmtree(folders.models() / "drawing")
    fetch("somebody/drawing", precision="full")
    assert names_in(folders.models() / "drawing") - {"source.json"} == set(drawing)


# ------------------------------------------------------------------ a line that breaks


def test_a_cut_connection_is_taken_up_where_it_broke(hub, poet) -> None:
    hub.add(POET, poet)
    hub.cuts = [50_000, 30_000]
    fetch()
    assert [range for _, range in hub.pulled()] == ["", "bytes=50000-", "bytes=80000-"]
    assert hub.sent == len(poet["model.safetensors"])


@pytest.mark.slow
def test_ten_cuts_cost_no_byte(hub, poet) -> None:
    hub.add(POET, poet)
    hub.cuts = [10_000] * 10
    events = fetch()
    assert [range for _, range in hub.pulled()][1:] == [f"bytes={n}0000-" for n in range(1, 11)]
    assert hub.sent == len(poet["model.safetensors"])
    assert files_in(folders.models() / "poet").items() >= poet.items()
    assert any(isinstance(event, Saved) for event in events)


@pytest.mark.slow
def test_a_hub_that_knows_no_ranges_begins_again(hub, poet) -> None:
    hub.add(POET, poet, serves_ranges=False)
    hub.cuts = [50_000]
    fetch()
    assert files_in(folders.models() / "poet").items() >= poet.items()


def test_stopped_it_keeps_what_it_has_and_goes_on(hub, poet) -> None:
    hub.add(POET, poet)
    hub.stalls.set()
    before = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(report=stop_midway)
    assert time.monotonic() - before < 10 and not (folders.models() / "poet").exists()
    hub.stalls.clear()
    (part,) = parts()
    kept = part.stat().st_size
    assert 0 < kept < len(poet["model.safetensors"])
    assert "poet" not in library.text_models() and library.own_paths()[1:] == ()
    (told,) = [e for e in run("inspect_hub_model", repository=POET) if isinstance(e, HubModel)]
    assert kept <= told.kept < told.size and not told.here
    hub.asked.clear()
    fetch()
    assert hub.pulled()[0][1] == f"bytes={kept}-"
    assert not any(path.endswith("config.json") for _, path, _, _ in hub.asked)
    assert files_in(folders.models() / "poet").items() >= poet.items()


@pytest.mark.slow
def test_what_is_the_same_in_a_new_commit_is_not_fetched_again(hub, poet) -> None:
    hub.add(POET, poet)
    hub.stalls.set()
    with pytest.raises(Cancelled):
        fetch(report=stop_midway)
    hub.stalls.clear()
    kept = parts()[0].stat().st_size
    newer = poet | {"README.md": CARD + b"Better now."}
    repository = hub.add(POET, newer)
    hub.asked.clear()
    fetch()
    assert hub.pulled()[0][1] == f"bytes={kept}-"
    assert files_in(folders.models() / "poet").items() >= newer.items()
    source = model_source.read(folders.models() / "poet")
    assert source and source.commit == repository.commit


@pytest.mark.slow
def test_what_was_kept_can_be_thrown_away(hub, poet) -> None:
    hub.add(POET, poet)
    hub.stalls.set()
    with pytest.raises(Cancelled):
        fetch(report=stop_midway)
    hub.stalls.clear()
    events = run("inspect_hub_model", repository=POET, discard=True)
    assert [event.kept for event in events if isinstance(event, HubModel)] == [0]
    assert parts() == []


@pytest.mark.slow
def test_a_killed_program_leaves_no_process_and_goes_on(hub, poet, tmp_path) -> None:
    hub.add(POET, poet)
    hub.stalls.set()
    command = [sys.executable, "-m", "engine", "fetch_model", "--repository", POET]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while not any(part.stat().st_size for part in parts()):
            time.sleep(0.05)
        children = psutil.Process(process.pid).children()
        assert children
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    hub.stalls.clear()
    _, left = psutil.wait_procs(children, timeout=20)
    assert left == []
    fetch()
    assert files_in(folders.models() / "poet").items() >= poet.items()


@pytest.mark.slow
def test_a_busy_hub_is_asked_again(hub, poet) -> None:
    hub.add(POET, poet)
    hub.broken = 1
    with pytest.raises(EngineError, match="did not answer as it should"):
        fetch()

    def break_it(event: Event) -> None:
        if isinstance(event, HubModel):
            hub.broken = 1

    fetch(report=break_it)
    assert files_in(folders.models() / "poet").items() >= poet.items()


# ------------------------------------------------------------------ what must not come


SLOW = pytest.mark.slow


@pytest.mark.parametrize("name", ["model.safetensors", pytest.param("tokenizer.json", marks=SLOW)])
def test_a_wrong_hash_is_thrown_away_and_said(hub, poet, name) -> None:
    wrong = bytearray(poet[name])
    wrong[-3] ^= 1
    repository = hub.add(POET, poet, served={name: bytes(wrong)})
    with pytest.raises(ModelError, match=f"{name} of {POET} is not what the Hub says") as failed:
        fetch()
    assert "again" in failed.value.hint
    assert not (folders.models() / "poet").exists() and parts() == []
    kept = names_in(folders.models() / ".fetching" / "somebody--poet")
    assert kept and f"poet/{name}" not in kept
    repository.served.clear()
    fetch()
    assert files_in(folders.models() / "poet").items() >= poet.items()


@pytest.mark.parametrize("extra", [b"and more", pytest.param(b"much more" * 100_000, marks=SLOW)])
def test_a_file_that_does_not_end_is_thrown_away(hub, poet, extra) -> None:
    hub.add(POET, poet, served={"model.safetensors": poet["model.safetensors"] + extra})
    with pytest.raises(ModelError, match="longer than the Hub said"):
        fetch()
    assert parts() == [] and not (folders.models() / "poet").exists()


@pytest.mark.slow
def test_what_was_spoiled_while_it_lay_here_is_fetched_again(hub, poet) -> None:
    hub.add(POET, poet)
    hub.stalls.set()
    with pytest.raises(Cancelled):
        fetch(report=stop_midway)
    hub.stalls.clear()
    part = parts()[0]
    part.write_bytes(b"\0" * part.stat().st_size)
    with pytest.raises(ModelError, match="not what the Hub says"):
        fetch()
    fetch()
    assert files_in(folders.models() / "poet").items() >= poet.items()


def test_a_program_of_its_own_is_refused_before_the_weights_come(hub, poet) -> None:
    config = json.loads(poet["config.json"]) | {"auto_map": {"AutoModel": "modeling.Poet"}}
    hub.add(POET, poet | {"config.json": json.dumps(config).encode()})
    with pytest.raises(ModelError, match="run code from elsewhere"):
        fetch()
    assert hub.pulled() == [] and not (folders.models() / ".fetching" / "somebody--poet").exists()


def test_a_whole_model_in_one_file_does_not_become_a_lora(hub, tmp_path) -> None:
    pipe = pipeline("sd1", small=True, tokenizers=tmp_path / "tokenizers")
    data = save_original(pipe, tmp_path / "all.safetensors").read_bytes()
    hub.add("somebody/all", {"all.safetensors": data})
    with pytest.raises(ModelError, match="is no LoRA") as refused:
        fetch("somebody/all")
    assert "Add a model" in refused.value.hint
    assert library.loras() == ()
    assert parts() == []


def test_what_the_gate_refuses_is_not_kept(hub) -> None:
    hub.add(POET, {"poet.gguf": b"GGUF\x03\0\0\0"})
    with pytest.raises(ModelError, match="cut short"):
        fetch()
    assert names_in(folders.models()) <= {".fetching/somebody--poet--poet.gguf.lock"}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"config.json": b"{}", "pytorch_model.bin": b"\x80"}, "formats that can run programs"),
        ({"big-00001-of-00002.gguf": b"GGUF"}, "cut into several"),
        ({"notes.txt": b"nothing"}, "holds no model"),
        ({"model_index.json": b"[1]", "unet/config.json": b"{}"}, "describes no model"),
        ({"model_index.json": b'{"unet": ["diffusers", "U"]}', "a.ckpt": b""}, "can run programs"),
        ({"../../evil.gguf": b"GGUF", "/etc/evil.gguf": b"GGUF"}, "holds no model"),
        ({"a\\..\\evil.gguf": b"GGUF", ".hidden.gguf": b"GGUF"}, "holds no model"),
    ],
)
def test_a_repository_without_a_model_is_told_so(hub, files, problem) -> None:
    hub.add(POET, files)
    with pytest.raises(ModelError, match=problem):
        fetch()
    assert names_in(folders.home()) == set()


# ------------------------------------------------------------------ no room, no leave, no network


def test_too_little_space_is_said_in_numbers_before_anything_comes(hub, poet, monkeypatch) -> None:
    hub.add(POET, poet)
    usage = shutil.disk_usage(folders.home())._replace(free=500_100_000)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(FileError, match=r"poet needs 177 kB more .* 100 kB can be taken"):
        fetch()
    assert not any("/resolve/" in path for _, path, _, _ in hub.asked)


@contextmanager
def files_at_most(size: int) -> Iterator[None]:
    """No file can grow any further, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
def test_a_disk_that_is_full_midway_keeps_what_came(hub, poet) -> None:
    hub.add(POET, poet)
    with files_at_most(100_000), pytest.raises(FileError, match=r"model\.safetensors could not be"):
        fetch()
    (part,) = parts()
    assert 0 < part.stat().st_size <= 100_000
    hub.asked.clear()
    fetch()
    assert hub.pulled()[0][1].startswith("bytes=")
    assert files_in(folders.models() / "poet").items() >= poet.items()


def test_a_licence_must_be_accepted_and_the_token_stays_with_the_hub(
    hub, poet, tmp_path, monkeypatch, caplog
) -> None:
    hub.add(POET, poet, gated=True)
    with pytest.raises(EngineError, match="only to those who accept its licence") as failed:
        fetch()
    assert f"{hub.address}/{POET}" in failed.value.hint and "HF_TOKEN" in failed.value.hint
    assert str(tmp_path / "hugging face" / "token") in failed.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_secretWithoutLeave")
    with pytest.raises(EngineError, match="has not been let in") as failed:
        fetch()
    assert "hf_secret" not in str(failed.value)
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "hugging face").mkdir(exist_ok=True)
    (tmp_path / "hugging face" / "token").write_text("hf_secretAccepted\n")
    hub.tokens.add("hf_secretAccepted")
    hub.asked.clear()
    events = fetch()
    assert "hf_secret" not in repr(events) + caplog.text
    sent = {path: token for _, path, _, token in hub.asked}
    assert sent[f"/storage/{POET}/model.safetensors"] == ""
    assert sent[f"/api/models/{POET}/revision/main"] == "Bearer hf_secretAccepted"
    stored = b"".join(p.read_bytes() for p in folders.home().rglob("*") if p.is_file())
    assert b"hf_secret" not in stored


def test_without_a_network_it_says_so(hub, poet, monkeypatch) -> None:
    hub.add(POET, poet)
    hub.stalls.set()
    with pytest.raises(Cancelled):
        fetch(report=stop_midway)
    hub.stalls.clear()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for task, fields in (("fetch_model", {"repository": POET}), ("search_hub", {"words": "poet"})):
        with pytest.raises(EngineError, match=r"127\.0\.0\.1:9 cannot be reached") as failed:
            run(task, **fields)
        assert "connection" in failed.value.hint
    assert parts()


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        ({"repository": "somebody/else"}, "repository", "no model 'somebody/else'"),
        ({"repository": "not a name"}, "repository", "no name of a repository"),
        ({"repository": "https://hub/a/b/c"}, "repository", "no name of a repository"),
        ({"repository": "../../etc"}, "repository", "no name of a repository"),
        ({"repository": POET, "revision": "v9"}, "revision", "no revision 'v9'"),
    ],
)
def test_what_is_not_there_is_named(hub, poet, fields, field, problem) -> None:
    hub.add(POET, poet)
    with pytest.raises(InvalidTask, match=problem) as refused:
        run("fetch_model", **fields)
    assert refused.value.field == field


@pytest.mark.slow
def test_a_revision_is_fetched_as_asked(hub, poet) -> None:
    repository = hub.add(POET, poet, revisions=("main", "v1"))
    fetch(revision="v1")
    resolved = [path for _, path, _, _ in hub.asked if "/resolve/" in path]
    assert all(f"/resolve/{repository.commit}/" in path for path in resolved)


def test_a_name_that_is_taken_is_left_alone_and_the_same_is_not_fetched_twice(hub, poet) -> None:
    hub.add(POET, poet)
    fetch()
    hub.asked.clear()
    events = fetch()
    assert any(isinstance(e, Notice) and "here already" in e.message for e in events)
    assert not any("/resolve/" in path for _, path, _, _ in hub.asked)
    hub.add("another/poet", poet)
    with pytest.raises(InvalidTask, match="a model called poet already"):
        fetch("another/poet")


@pytest.mark.slow
def test_two_at_once_do_not_spoil_each_other(hub, poet) -> None:
    hub.add(POET, poet)
    tried: list[str] = []

    def second(event: Event) -> None:
        if isinstance(event, Progress) and event.stage.startswith("fetching model") and not tried:
            with pytest.raises(FileError, match="being fetched already") as refused:
                fetch()
            tried.append(refused.value.message)

    fetch(report=second)
    assert tried and files_in(folders.models() / "poet").items() >= poet.items()


# ------------------------------------------------------------------ searching


def test_the_hub_is_searched_by_name(hub, poet) -> None:
    hub.add(POET, poet, downloads=5)
    hub.add("famous/poet-large", poet, downloads=900, gated=True, licence="openrail")
    hub.add("somebody/painter", poet)
    found = [event for event in run("search_hub", words="poet") if isinstance(event, HubFound)]
    assert [each.repository for each in found] == ["famous/poet-large", POET]
    assert (found[0].licence, found[0].gated) == ("openrail", True)
    assert found[1].formats == ("transformers", "safetensors")
    events = run("search_hub", words="nobody")
    assert any(isinstance(e, Notice) and "No model" in e.message for e in events)


@pytest.mark.slow
def test_only_that_process_is_let_out(hub, poet) -> None:
    hub.add(POET, poet)
    fetch()
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    asked = len(hub.asked)
    run("list_models")
    assert len(hub.asked) == asked
