"""Stickers from a drawing, and sheets of them from prompts, with a tiny real pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
from PIL import Image, ImageDraw

from engine import library, metadata, registry
from engine.errors import Cancelled, EngineError, FileError, InvalidTask
from engine.events import Event, Preview, Progress, Saved
from engine.gate.images import open_image
from engine.generators.export_image import ExportImage
from engine.generators.make_sticker import MakeSticker
from engine.generators.remove_background import RemoveBackground
from engine.generators.sticker_sheet import StickerSheet
from engine.generators.text_to_image import TextToImage
from engine.sheet import Sheet

CLEAR = (0, 0, 0, 0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_stable_diffusion_3(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A red disc on white, as text_to_image would have left it."""
    image = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(image).ellipse((12, 12, 52, 52), fill=(220, 30, 50))
    path = tmp_path / "drawing.png"
    metadata.write_png(path, image, TextToImage(prompt="red disc", seed=7), model_hash="ab" * 32)
    return path


def run(task: Any, out: Path) -> list[Event]:
    events: list[Event] = []
    task.run(events.append, out)
    return events


def saved(events: list[Event]) -> list[Path]:
    return [event.path for event in events if isinstance(event, Saved)]


def sheet_of(model: Path, **values: Any) -> StickerSheet:
    defaults = {"prompts": "a cat\n\n  a dog  ", "num_inference_steps": 2, "seed": 5}
    return StickerSheet(model=str(model), **(defaults | values))


def test_a_sticker_is_large_and_transparent_and_knows_its_drawing(
    drawing: Path, tmp_path: Path
) -> None:
    before = drawing.read_bytes()
    [path] = saved(run(MakeSticker(image=str(drawing)), tmp_path / "out"))
    sticker = open_image(path)
    assert sticker.size == (256, 256)
    alpha = np.asarray(sticker)[..., 3]
    assert alpha[4, 4] == 0
    assert alpha[128, 128] == 255
    assert drawing.read_bytes() == before
    record = metadata.read_task(path)
    assert record is not None
    assert record.name == "make_sticker"
    assert record.origin().values["prompt"] == "red disc"
    assert record.origin().model_hash == "ab" * 32
    with Image.open(path) as image:
        text = image.text["parameters"]
    assert text.startswith("red disc\n")
    assert "Size: 256x256" in text


def test_the_paper_alone_can_be_taken_away(drawing: Path, tmp_path: Path) -> None:
    [path] = saved(run(RemoveBackground(image=str(drawing)), tmp_path / "out"))
    cut = open_image(path)
    assert cut.size == (64, 64)
    assert np.asarray(cut)[0, 0, 3] == 0
    assert np.asarray(cut)[32, 32].tolist() == [220, 30, 50, 255]


@pytest.mark.parametrize("file_format", ["PNG", "WebP"])
def test_an_export_keeps_pixels_transparency_and_settings(
    drawing: Path, tmp_path: Path, file_format: str
) -> None:
    [sticker] = saved(run(MakeSticker(image=str(drawing)), tmp_path / "out"))
    task = ExportImage(image=str(sticker), file_format=file_format)
    [path] = saved(run(task, tmp_path / "export"))
    assert path.suffix == f".{file_format.lower()}"
    with Image.open(path) as image:
        assert image.format == file_format.upper()
    first, second = np.asarray(open_image(sticker)), np.asarray(open_image(path))
    assert (first[..., 3] == second[..., 3]).all()
    assert (first[first[..., 3] > 0] == second[first[..., 3] > 0]).all()
    assert metadata.read_task(path) == metadata.read_task(sticker)
    [again] = saved(run(task, tmp_path / "export"))
    assert again != path, "nothing is written over"


def test_a_lossy_export_is_smaller_and_settings_may_be_left_out(
    drawing: Path, tmp_path: Path
) -> None:
    sizes = []
    for quality in (10, 95):
        task = ExportImage(
            image=str(drawing),
            file_format="WebP",
            lossless=False,
            quality=quality,
            keep_settings=False,
        )
        [path] = saved(run(task, tmp_path))
        sizes.append(path.stat().st_size)
        assert metadata.read_task(path) is None
        assert b"red disc" not in path.read_bytes()
        assert b"trainedAlgorithmicMedia" in path.read_bytes(), "the mark stays"
    assert sizes[0] < sizes[1]


def test_an_export_that_cannot_be_written_leaves_the_old_file(
    drawing: Path, tmp_path: Path
) -> None:
    with pytest.raises(FileError, match="/proc/nowhere"):
        ExportImage(image=str(drawing)).write(Path("/proc/nowhere/a.png"))
    target = tmp_path / "old.png"
    target.write_bytes(b"old")
    with pytest.raises(FileError, match="no picture"):
        ExportImage(image=str(tmp_path / "gone.png")).write(target)
    assert target.read_bytes() == b"old"


# ------------------------------------------------------------------ sheets


@pytest.mark.parametrize("file_format", ["PNG", "WebP"])
def test_every_prompt_becomes_stickers_and_all_a_sheet(
    model: Path, tmp_path: Path, file_format: str
) -> None:
    task = sheet_of(model, num_images_per_prompt=2, cell_size=64, margin=8, file_format=file_format)
    *stickers, sheet = saved(run(task, tmp_path))
    assert len(stickers) == 4
    assert len(list(tmp_path.iterdir())) == 5
    records = [metadata.read_task(path) for path in stickers]
    told = [(r.origin().values["prompt"], r.origin().values["seed"]) for r in records if r]
    assert told == [("a cat", 5), ("a cat", 6), ("a dog", 5), ("a dog", 6)]
    assert {open_image(path).size for path in stickers} == {(64, 64)}  # 16 pixels, four times
    laid = open_image(sheet)
    assert laid.size == (2 * 72 + 8, 2 * 72 + 8)
    first = open_image(stickers[0]).convert("RGBA")
    corner = np.asarray(laid.convert("RGBA"))[8:72, 8:72].astype(int)
    seen = corner[..., 3] > 0
    assert (corner[..., 3] == np.asarray(first)[..., 3]).all()
    assert (corner[seen] == np.asarray(first)[seen]).all()
    assert np.asarray(laid.convert("RGBA"))[:8, :, 3].max() == 0
    record = metadata.read_task(sheet)
    assert record is not None
    assert record.task().to_dict() == {**task.to_dict(), "model": "tiny"}


def test_a_sticker_of_a_sheet_is_the_drawing_made_by_hand(model: Path, tmp_path: Path) -> None:
    *stickers, _ = saved(run(sheet_of(model), tmp_path / "sheet"))
    record = metadata.read_task(stickers[1])
    assert record is not None
    values = {**record.origin().values, "model": str(model)}
    [drawn] = saved(run(TextToImage.from_dict(values), tmp_path / "drawn"))
    making = MakeSticker.from_dict({**record.values, "image": str(drawn)})
    [made] = saved(run(making, tmp_path / "made"))
    assert open_image(made).tobytes() == open_image(stickers[1]).tobytes()


def test_the_sheet_may_be_white(model: Path, tmp_path: Path) -> None:
    *_, sheet = saved(run(sheet_of(model, background="white", cell_size=32), tmp_path))
    pixels = np.asarray(open_image(sheet).convert("RGBA"))
    assert (pixels[0, 0] == 255).all()
    assert pixels[..., 3].min() == 255


def test_the_sheet_is_shown_as_it_fills_and_progress_only_grows(
    model: Path, tmp_path: Path
) -> None:
    events = run(sheet_of(model, columns=2, cell_size=64, margin=0), tmp_path)
    previews = [event.image for event in events if isinstance(event, Preview)]
    assert {image.size for image in previews} == {(128, 64)}
    late = np.asarray(previews[-1].convert("RGBA"))
    assert late[:, 64:, 3].max() == 255, "the one being drawn, in its place"
    steps = [
        event.step
        for event in events
        if isinstance(event, Progress) and event.total == 200  # hundredths of two stickers
    ]
    assert steps == sorted(steps)
    assert steps[-1] == 200
    stages = [event.stage for event in events if isinstance(event, Progress)]
    assert {"drawing 1 of 2", "enlarging 1 of 2", "drawing 2 of 2"} <= set(stages)


def test_what_is_finished_is_kept_when_it_is_stopped(model: Path, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "drawing 2 of 2":
            raise Cancelled

    with pytest.raises(Cancelled):
        sheet_of(model).run(stop, tmp_path)
    [path] = tmp_path.iterdir()
    assert path.stem.endswith("sticker")
    assert open_image(path).size == (64, 64)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"prompts": " \n \n"}, "prompts"),
        ({"prompts": "a\n" * 10, "num_images_per_prompt": 15}, "num_images_per_prompt"),
        ({"prompts": "a\n" * 100, "cell_size": 2048}, "cell_size"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_before_anything_is_loaded(
    model: Path, tmp_path: Path, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidTask) as caught:
        run(sheet_of(model, **values), tmp_path)
    assert caught.value.field == field
    assert not list(tmp_path.iterdir())


def test_pictures_that_are_not_square_keep_their_shape_on_the_sheet() -> None:
    sheet = Sheet(3, 0, 40, 4, CLEAR)
    sheet.put(1, Image.new("RGBA", (80, 20), "red"))
    pixels = np.asarray(sheet.image)
    assert pixels.shape == (92, 92, 4)
    shown = np.argwhere(pixels[..., 3] > 0)
    assert shown.min(axis=0).tolist() == [4 + 15, 48]
    assert shown.max(axis=0).tolist() == [4 + 24, 87]


def test_all_of_it_can_be_asked_for_by_name() -> None:
    names = set(registry.task_names())
    assert {"upscale", "remove_background", "make_sticker", "sticker_sheet", "export_image"} <= (
        names
    )
    for name in ("make_sticker", "sticker_sheet"):
        assert all(field.param.help for field in registry.task_class(name).fields())
    with pytest.raises(EngineError):
        library.find("no such upscaler")
