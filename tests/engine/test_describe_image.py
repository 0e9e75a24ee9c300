"""Pictures put into words by tiny real models: one captions, one chats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_describers as tiny
from tiny_language_models import save_folder

from engine import folders, library
from engine.errors import Cancelled, FileError, InvalidTask, ModelError
from engine.events import Event, ModelFacts, Notice, Progress, Saved, Token
from engine.registry import task_class


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("they see 画")
    return {
        "captioner": tiny.save_captioner(room / "captioner"),
        "chatter": tiny.save_chatter(room / "chatter"),
    }


def describe(model: Path | str, image: Path, out: Path, **fields: object) -> list[Event]:
    events: list[Event] = []
    values = {"model": str(model), "image": str(image), "max_new_tokens": 12} | fields
    task_class("describe_image").from_dict(values).run(events.append, out)
    return events


def picture(tmp_path: Path, color: str) -> Path:
    path = tmp_path / f"{color}.png"
    tiny.picture(color).save(path)
    return path


def words(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


@pytest.mark.parametrize("color", ["red", "blue"])
@pytest.mark.parametrize(("name", "known"), [("captioner", "CAPTIONS"), ("chatter", "ANSWERS")])
def test_says_what_is_on_the_picture(models, name, known, color, tmp_path) -> None:
    events = describe(models[name], picture(tmp_path, color), tmp_path / "out")
    assert words(events) == getattr(tiny, known)[color]
    text, record = [event.path for event in events if isinstance(event, Saved)]
    assert text.read_text(encoding="utf-8") == words(events) + "\n"
    fields = json.loads(record.read_text(encoding="utf-8"))["fields"]
    assert fields["model"] == name and fields["image"] == f"{color}.png"


def test_one_that_captions_goes_on_from_given_words_and_says_so(models, tmp_path) -> None:
    events = describe(models["captioner"], picture(tmp_path, "red"), tmp_path, prompt="a red")
    assert words(events) == "a red square"
    assert any(isinstance(e, Notice) and "goes on from your words" in e.message for e in events)


def test_without_a_name_the_first_that_sees_is_taken(models, tmp_path) -> None:
    image = picture(tmp_path, "red")
    with pytest.raises(InvalidTask, match="no model here that can see"):
        describe("", image, tmp_path)
    save_folder(folders.models() / "a writer")
    tiny.save_captioner(folders.models() / "captioner")
    assert library.describers() == ("captioner",)
    assert "captioner" not in library.text_models() and "a writer" in library.text_models()
    assert words(describe("", image, tmp_path)) == "a red square"


def test_a_model_that_sees_nothing_or_hears_is_refused(models, tmp_path) -> None:
    image = picture(tmp_path, "red")
    with pytest.raises(ModelError, match="does not describe pictures"):
        describe(save_folder(tmp_path / "writer"), image, tmp_path)
    hears = tiny.save_captioner(tmp_path / "hears")
    config = {"feature_extractor_type": "WhisperFeatureExtractor"}
    (hears / "processor_config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="does not describe pictures"):
        describe(hears, image, tmp_path)


def test_a_broken_picture_and_an_incomplete_model_are_named(models, tmp_path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with pytest.raises(FileError, match=r"broken\.png"):
        describe(models["captioner"], tmp_path / "broken.png", tmp_path)
    folder = tiny.save_captioner(tmp_path / "incomplete")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"incomplete.*tokenizer"):
        describe(folder, picture(tmp_path, "red"), tmp_path)


def test_stops_at_the_next_token(models, tmp_path) -> None:
    told: list[Event] = []

    def stop(event: Event) -> None:
        told.append(event)
        if isinstance(event, Progress) and event.stage == "writing":
            raise Cancelled

    task = task_class("describe_image").from_dict(
        {"model": str(models["chatter"]), "image": str(picture(tmp_path, "red"))}
    )
    with pytest.raises(Cancelled):
        task.run(stop, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir()) and isinstance(told[-1], Progress)


def test_what_it_needs_is_told_before(models, tmp_path) -> None:
    events: list[Event] = []
    task = task_class("inspect_model").from_dict({"model": str(models["chatter"])})
    task.run(events.append, tmp_path)
    facts = next(event for event in events if isinstance(event, ModelFacts))
    assert facts.kind == "model that describes pictures" and facts.family == "idefics3"
