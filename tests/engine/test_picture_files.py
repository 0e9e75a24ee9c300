"""A picture's record goes round through every format and every task; JPEGs; a failing disk."""

from __future__ import annotations

import dataclasses
import string
from pathlib import Path
from typing import Any

import pytest
from faults import assert_nothing_is_lost
from hypothesis import given, reject
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from engine import metadata, registry
from engine.errors import FileError, InvalidTask
from engine.generators.export_image import ExportImage
from engine.generators.text_to_image import TextToImage
from engine.metadata import TaskRecord, parse_record, read_task, record_of, write_picture
from engine.picture_settings import settings_in
from engine.prompts.evaluation import evaluated
from engine.task import Field, Task

TASKS = [registry.task_class(name) for name in registry.task_names()]
NAMED = ("model", "file", "folder", "loras")


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """Any value that the field takes."""
    param = field.param
    if param.choices is not None and not param.editable:
        return st.sampled_from(param.options())
    if field.type is bool:
        return st.booleans()
    if field.type is str:
        alphabet = string.printable + "é数😀\u202e"
        if param.kind in NAMED:  # a path is told by its last part, which these are already
            alphabet = string.ascii_letters + string.digits + "é数 _-"
        text = st.text(alphabet, min_size=int(param.required), max_size=20)
        return text.filter(lambda t: bool(t.strip()) or not param.required)
    low = param.minimum if param.minimum is not None else -1000
    high = param.maximum if param.maximum is not None else 1000
    if field.type is float:
        return st.floats(low, high, allow_nan=False)
    step = param.multiple_of or 1
    return st.integers(-(-int(low) // step), int(high) // step).map(lambda n: n * step)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    task_class = draw(st.sampled_from(TASKS))
    fields = {f.name: draw(values_of(f)) for f in task_class.fields()}
    try:
        return task_class.from_dict(fields)
    except InvalidTask:  # each field is right, but they do not go together
        reject()


@given(tasks(), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_every_field_of_every_task_goes_round(task: Task, model_hash: str) -> None:
    written = {"prompt": "a {red|blue} __animal__", "style": "flat"}
    source = record_of(TextToImage(prompt="before", seed=1))
    record = record_of(
        task, model_hash=model_hash, made_with={"torch": "2"}, source=source, written=written
    )
    told = metadata.record_text(record)
    assert parse_record(told) == record
    again = parse_record(told).task().to_dict()
    assert again == task.to_dict()


def test_loras_are_told_to_the_letter_without_their_folders() -> None:
    assert metadata.bare_loras(" ") == " "
    assert metadata.bare_loras("one: 2\r\n/home/ann/two: 1\n") == "one: 2\r\ntwo: 1\n"
    assert metadata.bare_loras("C:\\Ann\\three: 0.5") == "three: 0.5"


@pytest.mark.parametrize("ending", ["png", "webp", "jpg", "jpeg", "JPG"])
def test_every_format_tells_the_same(tmp_path: Path, ending: str) -> None:
    task = TextToImage(prompt='a "red" heart,\n数 ❤️ {a|b} <&>', negative_prompt="blue", seed=42)
    record = record_of(task, model_hash="ab" * 32, written={"prompt": "a {a|b}"})
    path = tmp_path / f"picture.{ending}"
    write_picture(path, Image.new("RGB", (8, 4), "red"), record)
    assert read_task(path) == record
    settings = settings_in(path)
    assert settings is not None and settings.record == record


def test_what_was_written_is_shown_only_where_it_draws_the_same(tmp_path: Path) -> None:
    values = TextToImage(prompt="a red cat", seed=3).to_dict()
    drawn = {**values, "prompt": "a red cat"}
    for written, shown in (("a {red|red} cat", "a {red|red} cat"), ("a {b|c} cat", "a red cat")):
        record = TaskRecord("text_to_image", drawn, written={"prompt": written})
        write_picture(tmp_path / "a.png", Image.new("RGB", (2, 2)), record)
        settings = settings_in(tmp_path / "a.png")
        assert settings is not None and settings.values["prompt"] == shown
    task, written = evaluated(TextToImage(prompt="cat", style="flat", seed=3))
    as_now, as_once = task.to_dict(), {**drawn, "prompt": "flat cat"}
    for styled, shown, style in ((as_now, "cat", "flat"), (as_once, "flat cat", "")):
        record = TaskRecord("text_to_image", styled, written=written)
        write_picture(tmp_path / "a.png", Image.new("RGB", (2, 2)), record)
        settings = settings_in(tmp_path / "a.png")
        assert settings is not None
        assert (settings.values["prompt"], settings.values["style"]) == (shown, style)


# ------------------------------------------------------------------ JPEG


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A red disc on nothing, with its record."""
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((16, 8, 48, 40), fill="red")
    path = tmp_path / "disc.png"
    metadata.write_png(path, image, TextToImage(prompt="a disc", seed=1), model_hash="cd" * 32)
    return path


def export(drawing: Path, target: Path, **values: Any) -> Path:
    return ExportImage(image=str(drawing), file_format="JPEG", **values).write(target)


def test_a_jpeg_has_white_where_nothing_was_and_keeps_the_settings(drawing: Path) -> None:
    path = export(drawing, drawing.with_name("a.jpg"))
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 48))
        assert min(image.getpixel((2, 2))) > 250  # type: ignore[arg-type, type-var]
        red, green, blue = image.getpixel((32, 24))  # type: ignore[misc]
        assert red > 240 and green < 15 and blue < 15
        assert b"trainedAlgorithmicMedia" in image.info["xmp"]
    assert read_task(path) == read_task(drawing)


def test_a_jpeg_without_settings_keeps_the_mark_alone(drawing: Path) -> None:
    path = export(drawing, drawing.with_name("a.jpg"), keep_settings=False)
    assert read_task(path) is None and settings_in(path) is None
    data = path.read_bytes()
    assert b"trainedAlgorithmicMedia" in data and b"a disc" not in data


@pytest.mark.parametrize("ending", [".png", ".webp", ".jpg"])
def test_a_photograph_is_not_marked_as_made_by_a_model(tmp_path: Path, ending: str) -> None:
    photo = tmp_path / f"photo{ending}"
    Image.new("RGB", (20, 20), "green").save(photo)
    first = export(photo, tmp_path / "a.jpg")
    second = export(first, tmp_path / "b.jpg")
    assert b"trainedAlgorithmicMedia" not in first.read_bytes() + second.read_bytes()


def test_the_mark_of_a_picture_outlives_exports_without_settings(drawing: Path) -> None:
    first = export(drawing, drawing.with_name("a.jpg"), keep_settings=False)
    second = export(first, drawing.with_name("b.jpg"))
    assert b"trainedAlgorithmicMedia" in second.read_bytes()


def test_what_another_program_drew_is_marked(tmp_path: Path) -> None:
    told = PngInfo()
    told.add_text("parameters", "a fox\nSteps: 20, Sampler: Euler, Seed: 1, Size: 20x20")
    Image.new("RGB", (20, 20), "green").save(tmp_path / "fox.png", pnginfo=told)
    path = export(tmp_path / "fox.png", tmp_path / "a.jpg")
    assert b"trainedAlgorithmicMedia" in path.read_bytes()


def test_a_picture_with_settings_that_make_no_sense_is_exported_all_the_same(
    tmp_path: Path,
) -> None:
    told = PngInfo()
    told.add_text(metadata.KEYWORD, "{")
    Image.new("RGB", (20, 20), "green").save(tmp_path / "fox.png", pnginfo=told)
    path = export(tmp_path / "fox.png", tmp_path / "a.jpg")
    assert b"trainedAlgorithmicMedia" in path.read_bytes()


def test_a_jpeg_of_less_quality_is_smaller(drawing: Path) -> None:
    sizes = [
        export(drawing, drawing.with_name(f"{q}.jpg"), quality=q).stat().st_size
        for q in (10, 50, 95)
    ]
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


@pytest.mark.parametrize(
    ("asked", "written"), [("a.jpeg", "a.jpeg"), ("a.JPG", "a.JPG"), ("a.png", "a.png.jpg")]
)
def test_an_exported_jpeg_is_named_as_one(drawing: Path, asked: str, written: str) -> None:
    assert export(drawing, drawing.with_name(asked)).name == written


def test_settings_too_long_for_a_jpeg_are_said_and_not_lost(drawing: Path) -> None:
    task = TextToImage(prompt="long " * 20_000, seed=1)
    metadata.write_png(drawing, Image.new("RGB", (4, 4)), task)
    target = drawing.with_name("a.jpg")
    target.write_bytes(b"old")
    with pytest.raises(FileError, match="too long for a JPEG"):
        export(drawing, target)
    assert target.read_bytes() == b"old"
    export(drawing, target, keep_settings=False)


@pytest.mark.parametrize("ending", ["png", "webp", "jpg"])
@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_fails_leaves_the_old_picture(
    tmp_path: Path, ending: str, for_good: bool
) -> None:
    path = tmp_path / "out" / f"a.{ending}"
    path.parent.mkdir()
    record = record_of(TextToImage(prompt="a", seed=1))
    write_picture(path, Image.new("RGB", (4, 4)), record)
    other = dataclasses.replace(record, values={**record.values, "prompt": "b"})

    def save() -> None:
        write_picture(path, Image.new("RGB", (4, 4), "red"), other)

    assert assert_nothing_is_lost(path.parent, save, path, for_good=for_good) >= 4
