"""What a picture says of how it was made, and what happens when it says nonsense."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine import metadata
from engine.errors import EngineError, FileError, InvalidTask
from engine.generators.text_to_image import TextToImage
from engine.metadata import TaskRecord, bare_name, parse_record, read_task, write_png

TASK = TextToImage(
    prompt='a "red" heart,\nin snow ❤️',
    negative_prompt="blue",
    model="/home/somebody/secret models/stickers",
    width=128,
    guidance_scale=6.5,
    seed=42,
)
RECORD = {"format": 1, "task": "text_to_image", "values": {"prompt": "a"}}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    write_png(
        path, Image.new("RGB", (8, 4), "red"), TASK, model_hash="ab" * 32, made_with={"torch": "2"}
    )
    return path


def with_text(path: Path, text: str, keyword: str = metadata.KEYWORD) -> Path:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(keyword, text)
    Image.new("RGB", (2, 2)).save(path, pnginfo=chunks)
    return path


def test_every_field_comes_back(picture: Path) -> None:
    record = read_task(picture)

    assert record is not None
    assert record.name == "text_to_image"
    assert record.values == {**TASK.to_dict(), "model": "stickers"}
    assert record.model_hash == "ab" * 32
    assert record.made_with["torch"] == "2"
    assert record.task().to_dict() == record.values
    assert Image.open(picture).getpixel((0, 0)) == (255, 0, 0)


def test_the_file_names_no_place_on_the_machine(picture: Path) -> None:
    data = picture.read_bytes()
    for secret in (b"somebody", b"secret models", b"/home", str(picture.parent).encode()):
        assert secret not in data


def test_other_studios_can_read_the_settings(picture: Path) -> None:
    *prompt, negative, settings = Image.open(picture).text["parameters"].split("\n")

    assert "\n".join(prompt) == TASK.prompt
    assert negative == "Negative prompt: blue"
    assert settings.startswith(
        "Steps: 20, Sampler: default, CFG scale: 6.5, Seed: 42, Size: 8x4, "
        "Model hash: ababababab, Model: stickers"
    )


def test_the_picture_is_marked_as_made_by_a_model(picture: Path) -> None:
    image = Image.open(picture)
    assert image.text["XML:com.adobe.xmp"].startswith("<?xpacket")
    assert "digitalsourcetype/trainedAlgorithmicMedia" in image.text["XML:com.adobe.xmp"]
    from xml.etree import ElementTree

    ElementTree.fromstring(image.text["XML:com.adobe.xmp"].split("?>", 1)[1].rsplit("<?", 1)[0])


@pytest.mark.parametrize("prompt", ["\ud800 lone", "nul \0 nul", "日本 😀 \u202e", "a" * 100_000])
def test_no_prompt_loses_the_picture(tmp_path: Path, prompt: str) -> None:
    path = tmp_path / "picture.png"
    write_png(path, Image.new("RGB", (2, 2)), TextToImage(prompt=prompt, seed=1))
    record = read_task(path)
    assert record is not None
    told = str(record.values["prompt"])
    assert told == prompt.replace("\ud800", "?").replace("\0", "")


@pytest.mark.parametrize("prompt", [TASK.prompt, "\ud800 <\"&'> \0 日本 😀", "]]> <!-- & &amp; \n"])
def test_a_webp_tells_the_same_as_a_png(tmp_path: Path, prompt: str) -> None:
    record = metadata.record_of(
        TextToImage(prompt=prompt, seed=1), model_hash="ab" * 32, made_with={"torch": "2"}
    )
    image = Image.new("RGBA", (8, 4), (255, 0, 0, 100))
    for suffix in ("png", "webp"):
        metadata.write_picture(tmp_path / f"a.{suffix}", image, record)
    assert read_task(tmp_path / "a.webp") == read_task(tmp_path / "a.png")
    with Image.open(tmp_path / "a.webp") as webp, Image.open(tmp_path / "a.png") as png:
        assert webp.convert("RGBA").getpixel((0, 0)) == (255, 0, 0, 100)
        comment = webp.getexif().get_ifd(0x8769)[0x9286]
        assert comment.startswith(b"UNICODE\0")
        assert comment[8:].decode("utf-16-be") == png.text["parameters"]
        xmp = webp.info["xmp"].decode()
    from xml.etree import ElementTree

    ElementTree.fromstring(xmp.split("?>", 1)[1].rsplit("<?", 1)[0])
    assert "trainedAlgorithmicMedia" in xmp


def test_a_picture_goes_back_to_the_one_that_was_drawn() -> None:
    record = metadata.record_of(TASK)
    for _ in range(30):
        record = metadata.record_of(TextToImage(prompt="later", seed=2), source=record)
    told = metadata.record_text(record)
    assert len(told) < 20_000, "the way back stays short"
    assert parse_record(told) == record
    assert record.origin().values["prompt"] == TASK.prompt


LONG = "🦊" * 40_000  # twelve characters each in the file


def test_what_a_picture_goes_back_to_is_shortened_before_it_is_too_long() -> None:
    first, middle, last = (
        TextToImage(prompt=prompt + LONG[:length], seed=1)
        for prompt, length in (("first", 30_000), ("middle", 30_000), ("last", 30_000))
    )
    record = metadata.record_of(last, source=metadata.record_of(middle))
    assert record.source is not None, "two of these fit"
    before = metadata.record_of(middle, source=metadata.record_of(first))
    record = metadata.record_of(last, source=before)
    assert record.source == before.source, "three do not, but the first is told"
    assert parse_record(metadata.record_text(record)) == record


def test_a_source_that_does_not_fit_is_left_out_and_that_is_told() -> None:
    written = {"prompt": LONG}
    source = metadata.record_of(TextToImage(prompt=LONG, seed=1))
    record = metadata.record_of(TextToImage(prompt=LONG, seed=2), source=source, written=written)
    assert record.source is None
    assert record.made_with["source"] == metadata.LEFT_OUT
    assert (record.values["prompt"], record.written) == (LONG, written)
    assert parse_record(metadata.record_text(record)) == record


def test_settings_too_long_to_be_read_again_are_never_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidTask, match="negative prompt is too long") as raised:
        metadata.record_of(TextToImage(prompt="a", negative_prompt=LONG * 3, seed=1))
    assert raised.value.field == "negative_prompt"
    path = tmp_path / "picture.png"
    with pytest.raises(FileError, match="too long"):
        metadata.write_picture(
            path, Image.new("RGB", (2, 2)), TaskRecord("text_to_image", {"prompt": LONG * 3})
        )
    assert not path.exists()


def test_what_can_be_read_can_be_written_again() -> None:
    text = json.dumps({**RECORD, "values": {"prompt": LONG * 3}}, ensure_ascii=False)
    assert len(text) < metadata.MAXIMUM_RECORD
    with pytest.raises(ValueError, match="too long"):
        parse_record(text)


@pytest.mark.parametrize("source", [7, "a", {}, {"task": "../x", "values": {}}])
def test_a_source_that_makes_no_sense_is_refused(source: Any) -> None:
    if source == {}:
        assert parse_record(json.dumps({**RECORD, "source": source})).source is None
        return
    with pytest.raises(ValueError, match=r"name no|not described"):
        parse_record(json.dumps({**RECORD, "source": source}))


def test_sources_without_an_end_are_refused() -> None:
    record: dict[str, Any] = dict(RECORD)
    for _ in range(20):
        record = {**RECORD, "source": record}
    with pytest.raises(ValueError, match="go back"):
        parse_record(json.dumps(record))


def test_a_picture_of_another_program_has_no_task(tmp_path: Path) -> None:
    for suffix in ("png", "jpg", "webp"):
        Image.new("RGB", (2, 2)).save(tmp_path / f"plain.{suffix}")
        assert read_task(tmp_path / f"plain.{suffix}") is None
    a1111 = with_text(tmp_path / "a1111.png", "a cat\nSteps: 20", keyword="parameters")
    assert read_task(a1111) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[" * 200_000,
        '{"a":' * 100_000,
        "9" * 5000,
        json.dumps({**RECORD, "values": {"seed": math.nan}}),
        json.dumps({**RECORD, "values": {"seed": 10**30}}),
        json.dumps({**RECORD, "values": {"prompt": ["a"]}}),
        json.dumps({**RECORD, "values": {"prompt": None}}),
        json.dumps({**RECORD, "values": {"../x": 1}}),
        json.dumps({**RECORD, "values": {f"f{i}": 1 for i in range(101)}}),
        json.dumps({**RECORD, "values": {"prompt": "a" * 10_000_000}}),
        json.dumps({**RECORD, "task": "../../x"}),
        json.dumps({**RECORD, "format": 2}),
        json.dumps({**RECORD, "format": True}),
        json.dumps({**RECORD, "model_hash": "<img src=x>"}),
        '{"format": 1, "task": "text_to_image", "values": {"seed": 1e999}}',
        '{"format": 1, "format": 1, "task": "text_to_image", "values": {}}',
    ],
    ids=lambda text: text[:40],
)
def test_settings_that_make_no_sense_are_a_clear_error(tmp_path: Path, text: str) -> None:
    path = with_text(tmp_path / "odd.png", text)
    with pytest.raises(FileError, match=r"odd\.png"):
        read_task(path)


@pytest.mark.parametrize(
    "model", ["../../x", "/etc/passwd", r"\\server\share", "C:", r"C:\models\x", "..", "\0", "a/.."]
)
def test_a_model_named_by_a_stranger_leads_nowhere(model: str) -> None:
    record = TaskRecord("text_to_image", {"prompt": "a", "model": model})
    try:
        named = str(record.task().to_dict()["model"])
    except InvalidTask:
        return
    assert named in ("x", "passwd")


@pytest.mark.parametrize(
    "record",
    [
        TaskRecord("no_such_task", {}),
        TaskRecord("os", {}),
        TaskRecord("text_to_image", {}),
        TaskRecord("text_to_image", {"prompt": "a", "colour": 1}),
        TaskRecord("text_to_image", {"prompt": 7}),
        TaskRecord("text_to_image", {"prompt": "a", "width": 10**9}),
    ],
)
def test_a_record_that_is_no_task_is_a_clear_error(record: TaskRecord) -> None:
    with pytest.raises(EngineError):
        record.task()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
keys = st.sampled_from(["format", "task", "values", "model_hash", "made_with"])


@given(st.text() | st.dictionaries(keys, json_values | st.just(1)).map(json.dumps))
def test_any_text_is_a_record_or_a_value_error(text: str) -> None:
    try:
        record = parse_record(text)
    except ValueError:
        return
    json.dumps(dict(record.values), allow_nan=False).encode()
    with contextlib.suppress(EngineError):
        record.task()


@given(
    st.builds(
        lambda name, values: {"format": 1, "task": name, "values": values},
        st.sampled_from(["text_to_image", "train_gan", "nothing"]),
        st.dictionaries(
            st.sampled_from([field.name for field in TextToImage.fields()]),
            st.text(max_size=20) | st.integers() | st.floats() | st.booleans(),
        ),
    )
)
def test_any_fields_are_a_task_or_an_engine_error(record: dict[str, Any]) -> None:
    with contextlib.suppress(ValueError, EngineError):
        parse_record(json.dumps(record)).task()


@given(st.text())
def test_a_bare_name_is_never_a_path(text: str) -> None:
    name = bare_name(text)
    assert name not in (".", "..")
    assert not set("/\\\0") & set(name)


def test_reading_settings_loads_neither_torch_nor_diffusers() -> None:
    program = (
        "import sys, engine.metadata, engine.gate.model_folder, engine.generators.text_to_image\n"
        "assert not {'torch', 'diffusers', 'transformers', 'PySide6'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
