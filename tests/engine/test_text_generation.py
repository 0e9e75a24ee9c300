"""Writing with tiny real models on both runtimes: decoding, streaming, stopping, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import tiny_language_models as tiny

from engine import cache, folders
from engine.errors import Cancelled, FileError, InvalidTask, ModelError
from engine.events import Event, Mended, Notice, Progress, Saved, Token
from engine.gate.gguf import read_header
from engine.gate.transformers_folder import check_language_model
from engine.generators.text_generation import TextGeneration
from engine.language import conversion, llama_cpp, tidy
from engine.language.model import Written

SEA, FOX = tiny.SENTENCES
DECODING: dict[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "sampled": {"do_sample": True, "temperature": 0.3},
    "beams": {"do_sample": False, "num_beams": 3},
    "sampled beams": {"do_sample": True, "temperature": 0.3, "num_beams": 3},
    "no repeats": {"do_sample": False, "no_repeat_ngram_size": 4},
}
TWICE = "It rains. It rains. The cat"
WILD = {"temperature": 5.0, "top_k": 0, "top_p": 1.0}


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A base model as a folder and as a GGUF; the same as instruct models."""
    room = tmp_path_factory.mktemp("language 数据")
    return {
        "folder": tiny.save_folder(room / "base"),
        "gguf": tiny.save_gguf(room / "base.gguf"),
        "instruct folder": tiny.save_folder(room / "instruct", tiny.CHAT_TEMPLATE),
        "instruct gguf": tiny.save_gguf(room / "instruct.gguf", tiny.CHAT_TEMPLATE),
    }


@pytest.fixture(params=["folder", "gguf"])
def model(request: pytest.FixtureRequest, tiny_models: dict[str, Path]) -> str:
    return str(tiny_models[request.param])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., list[Event]]:
    """Runs the task and returns its events."""

    def run(model: str, prompt: str = "The sea is", **fields: Any) -> list[Event]:
        events: list[Event] = []
        values = {"max_new_tokens": 48, "repetition_penalty": 1.0, "seed": 7} | fields
        TextGeneration(prompt=prompt, model=model, **values).run(events.append, tmp_path / "out")
        return events

    return run


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def saved(events: list[Event]) -> list[Path]:
    return [event.path for event in events if isinstance(event, Saved)]


@pytest.mark.parametrize("decoding", DECODING)
def test_continues_what_it_learned_with_every_decoding(write, model, decoding) -> None:
    events = write(model, **DECODING[decoding])
    assert text(events) == SEA.removeprefix("The sea is")


def test_streams_whole_characters_as_they_come(write, model) -> None:
    tokens = [e.text for e in write(model, "A red fox", do_sample=False) if isinstance(e, Token)]
    assert "".join(tokens) == FOX.removeprefix("A red fox")
    assert len(tokens) > 10
    assert not any("\N{REPLACEMENT CHARACTER}" in token for token in tokens)


def test_says_what_it_is_doing(write, model) -> None:
    progress = [event for event in write(model) if isinstance(event, Progress)]
    stages = list(dict.fromkeys(event.stage for event in progress))
    assert stages[-2:] == ["reading the prompt", "writing"]
    assert progress[-1].total == 48
    assert 0 < progress[-1].step <= 48


def test_same_seed_same_text_cold_warm_and_after_another(write, model) -> None:
    cache.clear()
    cold = text(write(model, **WILD))
    assert text(write(model, **WILD)) == cold
    other = text(write(model, prompt="The sea is deep. A red", seed=8, **WILD))
    assert text(write(model, **WILD)) == cold
    assert other != cold


def test_a_high_min_p_leaves_the_likeliest_word_alone(write, model) -> None:
    wild = {text(write(model, **WILD, seed=seed)) for seed in (1, 2)}
    tamed = {text(write(model, **WILD, min_p=1.0, seed=seed)) for seed in (1, 2)}
    assert len(wild) == 2 and tamed == {text(write(model, do_sample=False))}


def test_typical_p_chooses_among_other_words(write, model) -> None:
    """The likeliest are too flat for it: where greedy writes the sentence, it does not."""
    flat = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
    assert text(write(model, **flat, typical_p=1.0)) == SEA.removeprefix("The sea is")
    assert text(write(model, **WILD, typical_p=0.2)) != text(write(model, **WILD))


def test_ends_before_a_stop_string(write, model) -> None:
    whole = text(write(model, do_sample=False))
    events = write(model, do_sample=False, stop="nothing like this\nwind walks")
    assert text(events) == whole[: whole.index("wind walks")]
    assert json.loads(saved(events)[1].read_text("utf-8"))["end"] == "stop string"


def test_beams_end_before_a_stop_string_too(write, model) -> None:
    events = write(model, do_sample=False, num_beams=3, stop=" walks")
    assert text(events) == " wide and deep, and the wind"


def test_a_backslash_n_stands_for_a_line_break(write, tiny_models) -> None:
    request = TextGeneration(prompt="x", stop="END\\n\n###")
    model = type("Base", (), {"chat": None})()
    assert request.request(model, lambda event: None).stop == ("END\n", "###")


def test_writes_no_more_than_was_asked(write, model) -> None:
    events = write(model, max_new_tokens=5, do_sample=False)
    assert json.loads(saved(events)[1].read_text("utf-8"))["new_tokens"] == 5
    assert SEA.removeprefix("The sea is").startswith(text(events))


def test_record_holds_the_whole_task_and_the_mark(write, model) -> None:
    events = write(model, do_sample=False)
    words, record = saved(events)
    assert words.read_text("utf-8") == SEA  # a base model continues the prompt
    values = json.loads(record.read_text("utf-8"))
    assert words.stem == record.stem
    assert values["task"] == "text_generation"
    assert values["digital_source_type"] == "trainedAlgorithmicMedia"
    assert values["fields"]["model"] == Path(model).name  # named, never located
    restored = TextGeneration.from_dict(values["fields"] | {"model": model})
    assert restored.to_dict() | {"model": Path(model).name} == values["fields"]
    assert all(len(digest) == 64 for digest in values["sha256"].values())
    assert values["new_tokens"] > 10 < values["prompt_tokens"] + 10
    assert str(Path(model).parent) not in record.read_text("utf-8")


@pytest.mark.parametrize("kind", ["instruct folder", "instruct gguf"])
def test_an_instruct_model_goes_on_writing_when_it_is_not_asked(write, tiny_models, kind) -> None:
    events = write(
        str(tiny_models[kind]), prompt="Hello", apply_chat_template=False, max_new_tokens=2
    )
    record = json.loads(saved(events)[1].read_text("utf-8"))
    assert record["prompt_tokens"] <= 6  # no template around it
    assert record["continues_prompt"]
    assert saved(events)[0].read_text("utf-8") == "Hello" + text(events)


@pytest.mark.parametrize("kind", ["instruct folder", "instruct gguf"])
def test_instruct_models_get_their_chat_template(write, tiny_models, kind) -> None:
    path = str(tiny_models[kind])
    with_system = write(path, prompt="Hello", system_prompt="Answer in rhymes.", max_new_tokens=1)
    without = write(path, prompt="Hello", max_new_tokens=1)
    record, bare = (json.loads(saved(e)[1].read_text("utf-8")) for e in (with_system, without))
    assert record["prompt_tokens"] > bare["prompt_tokens"] > 10  # "Hello" alone is five at most
    assert not record["continues_prompt"]
    assert saved(without)[0].read_text("utf-8") == text(without)


def test_both_runtimes_read_an_instruct_prompt_alike(write, tiny_models) -> None:
    records = [
        json.loads(saved(write(str(tiny_models[kind]), "A fox", max_new_tokens=2))[1].read_text())
        for kind in ("instruct folder", "instruct gguf")
    ]
    assert records[0]["prompt_tokens"] == records[1]["prompt_tokens"]


@pytest.mark.parametrize("after", [1, 4])
def test_stop_keeps_what_is_there_and_leaves_no_file(model, tmp_path, after) -> None:
    events: list[Event] = []

    def report(event: Event) -> None:
        events.append(event)
        if sum(isinstance(e, Token) for e in events) >= after:
            raise Cancelled

    task = TextGeneration(prompt="The sea is", model=model, seed=1, temperature=0.3)
    with pytest.raises(Cancelled):
        task.run(report, tmp_path)
    assert sum(isinstance(e, Token) for e in events) == after
    assert list(tmp_path.iterdir()) == []
    later: list[Event] = []
    task.run(later.append, tmp_path)  # the model is not left in the middle of something
    assert text(later).startswith(text(events))


def test_stop_while_reading_the_prompt(model, tmp_path) -> None:
    def report(event: Event) -> None:
        assert not isinstance(event, Token)
        if isinstance(event, Progress) and event.stage == "reading the prompt":
            raise Cancelled

    with pytest.raises(Cancelled):
        TextGeneration(prompt=SEA * 3, model=model, seed=1).run(report, tmp_path)


def test_a_prompt_longer_than_the_context_is_refused_not_cut(write, model) -> None:
    with pytest.raises(InvalidTask) as refused:
        write(model, prompt=SEA * 40)
    assert refused.value.field == "prompt"
    assert str(tiny.CONTEXT) in refused.value.message
    assert text(write(model, do_sample=False)) == SEA.removeprefix("The sea is")


def test_says_when_the_context_is_full(write, model) -> None:
    events = write(model, prompt=SEA * 7, max_new_tokens=2000, **WILD)
    assert any(isinstance(e, Notice) and "no more at once" in e.message for e in events)


def test_an_odd_prompt_is_no_obstacle(write, model) -> None:
    events = write(model, prompt="\ud800 \0 \u202e 🦊\r\n", max_new_tokens=3)
    assert saved(events)[0].read_text("utf-8").startswith("?")


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(InvalidTask) as refused:
        TextGeneration(prompt="  \n")
    assert refused.value.field == "prompt"


def test_a_missing_starter_pack_is_named_with_the_way_to_it(tmp_path) -> None:
    with pytest.raises(ModelError) as missing:
        TextGeneration(prompt="Hello").run(lambda event: None, tmp_path)
    assert "SmolLM2-135M-Instruct" in missing.value.message
    assert "fetch_pack" in missing.value.hint


def test_a_missing_model_is_named(write, tmp_path) -> None:
    with pytest.raises(ModelError, match="no-such-model"):
        write(str(tmp_path / "no-such-model.gguf"))


def test_a_truncated_gguf_is_named_and_the_next_text_works(write, tiny_models, tmp_path) -> None:
    whole = tiny_models["gguf"].read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"cut\.gguf is cut short: the file is .* of .* kB"):
        write(str(cut))
    assert text(write(str(tiny_models["gguf"]))) != ""


def test_a_truncated_folder_is_named(write, tmp_path) -> None:
    folder = tiny.save_folder(tmp_path / "folder")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cut short"):
        write(str(folder))


def test_a_gguf_that_llama_cpp_cannot_run_is_named(write, tmp_path) -> None:
    path = tiny.save_gguf(tmp_path / "odd.gguf", architecture="unheardof")
    with pytest.raises(ModelError, match=r"odd\.gguf"):
        write(str(path))


def test_beams_on_an_architecture_without_conversion(write, tmp_path) -> None:
    path = tiny.save_gguf(tmp_path / "odd.gguf", architecture="unheardof")
    with pytest.raises(InvalidTask) as refused:
        write(str(path), num_beams=2)
    assert refused.value.field == "num_beams"
    assert "Beams to 1" in refused.value.hint


def test_a_folder_that_cannot_be_written_fails_before_the_work(tiny_models, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    events: list[Event] = []
    task = TextGeneration(prompt="Hello", model=str(tiny_models["gguf"]))
    with pytest.raises(FileError, match="file"):
        task.run(events.append, tmp_path / "file" / "out")
    assert events == []


def test_a_full_disk_is_named_and_leaves_no_half_file(tiny_models, tmp_path) -> None:
    resource = pytest.importorskip("resource")
    task = TextGeneration(prompt="The sea is", model=str(tiny_models["gguf"]), seed=1)
    task.run(lambda event: None, tmp_path / "before")  # loaded and hashed
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    events: list[Event] = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))
    try:
        with pytest.raises(FileError, match=r"text-.*\.txt could not be written"):
            task.run(events.append, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert text(events)  # the window has it
    assert list((tmp_path / "out").iterdir()) == []


def test_makes_room_for_a_long_text_and_writes_the_same(write, tiny_models, monkeypatch) -> None:
    model = str(tiny_models["gguf"])
    expected = text(write(model, **WILD))
    cache.clear()
    monkeypatch.setattr(llama_cpp, "CONTEXT", 16)
    events = write(model, **WILD)
    assert any(isinstance(e, Progress) and "making room" in e.stage for e in events)
    assert text(events) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="a key guards the listener there")
def test_llama_cpp_cannot_be_reached_from_outside(write, tiny_models) -> None:
    process = psutil.Process()
    before = {c.laddr for c in process.net_connections("tcp")}
    write(str(tiny_models["gguf"]))
    assert {c.laddr for c in process.net_connections("tcp")} == before
    listening = [c.laddr for c in process.net_connections("unix") if c.laddr.endswith("s.sock")]
    assert not any(Path(address).exists() for address in listening)


def test_another_window_may_convert_the_same_model_at_the_same_time(tiny_models, tmp_path) -> None:
    header = read_header(tiny_models["gguf"])
    others: list[Path] = []

    def report(event: Event) -> None:
        if isinstance(event, Progress) and event.stage.startswith("converting") and not others:
            others.append(Path())  # the other one is quicker
            others[0] = conversion.converted(header, lambda event: None)

    folder = conversion.converted(header, report)
    assert others == [folder] and check_language_model(folder).parameters > 0
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_an_interrupted_conversion_leaves_nothing_that_counts(tiny_models, tmp_path) -> None:
    task = TextGeneration(prompt="The sea is", model=str(tiny_models["gguf"]), num_beams=2, seed=1)

    def stop_in_the_middle(event: Event) -> None:
        if isinstance(event, Progress) and event.stage.startswith("converting") and event.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        task.run(stop_in_the_middle, tmp_path)
    converted = folders.cache() / "converted"
    assert list(converted.iterdir()) == []
    task.run(lambda event: None, tmp_path)
    (folder,) = converted.iterdir()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])  # a damaged one is made again
    task.run(lambda event: None, tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json"] * 2 + [".txt"] * 2


@pytest.mark.parametrize(
    ("asked", "end", "told"),
    [
        ({}, "length", "It rains. It rains. The cat"),
        ({"whole_sentences": True}, "length", "It rains. It rains."),
        ({"whole_sentences": True}, "context", "It rains. It rains."),
        ({"whole_sentences": True}, "finished", "It rains. It rains. The cat"),
        ({"drop_repeats": True}, "length", "It rains here. The cat"),
    ],
)
def test_a_text_is_mended_where_that_is_asked_for(asked, end, told) -> None:
    said = "It rains here. It rains here. The cat" if asked.get("drop_repeats") else TWICE
    events: list[Event] = []
    task = TextGeneration(prompt="x", **asked)
    assert task.mended(Written(said, 1, 9, end), events.append) == told
    assert events == ([] if told == said else [Mended(told)])


def test_what_is_saved_is_the_mended_text(write, tiny_models, monkeypatch) -> None:
    monkeypatch.setattr(tidy, "without_repeats", lambda text: text.upper())
    events = write(str(tiny_models["gguf"]), drop_repeats=True)
    assert saved(events)[0].read_text("utf-8") == "The sea is" + text(events).upper()


@pytest.mark.parametrize("end", ["The sea is", "ها هو البحر 🌊 The sea is"])
def test_of_a_text_longer_than_the_model_can_read_it_reads_the_end(write, model, end) -> None:
    """Its context is 256 tokens; right-to-left text and emoji take several each."""
    prompt = f"{'A red fox sleeps. ' * 500}{end}"
    with pytest.raises(InvalidTask, match="can read and write 256 together"):
        write(model, prompt, do_sample=False)
    events = write(model, prompt, do_sample=False, reads_end=True)
    assert text(events).startswith(" wide and")
    (told,) = [e.message for e in events if isinstance(e, Notice) and "reads only" in e.message]
    assert "characters of this text" in told
    whole = saved(events)[0].read_text(encoding="utf-8")
    assert whole == prompt + text(events)  # nothing of what was given is lost


def test_what_is_no_utf_8_is_written_all_the_same(write, model) -> None:
    events = write(model, "The \udcff\ud800 sea is", max_new_tokens=4)
    assert saved(events)[0].is_file()
