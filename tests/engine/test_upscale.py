"""Enlarging with the real embedded network: no seams, opacity kept, stops between tiles."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine import folders, library, metadata, upscaling
from engine.errors import Cancelled, EngineError, FileError, InvalidTask, ModelError
from engine.generators.upscale import Upscale
from engine.task import Event, Progress, Saved
from engine.upscaling import Upscaler, load_upscaler


@pytest.fixture
def upscaler() -> Upscaler:
    return load_upscaler(library.find(library.EMBEDDED_UPSCALER), lambda event: None)


def scene(width: int = 70, height: int = 50) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((8, 5, width - 12, height - 6), fill=(220, 40, 60), outline="black")
    pen.line((0, height, width, 0), fill=(20, 80, 200), width=2)
    return image


def enlarge(upscaler: Upscaler, image: Image.Image) -> NDArray[np.int16]:
    return np.asarray(upscaler.enlarge(image, lambda event: None)).astype(np.int16)


def test_it_is_the_same_picture_four_times_as_large(upscaler: Upscaler) -> None:
    image = scene()
    enlarged = upscaler.enlarge(image, lambda event: None)
    assert enlarged.size == (280, 200)
    back = np.asarray(enlarged.resize(image.size, Image.Resampling.BOX)).astype(float)
    assert np.abs(back - np.asarray(image)).mean() < 8
    smooth = np.asarray(image.resize(enlarged.size, Image.Resampling.BICUBIC)).astype(float)

    def sharpness(pixels: NDArray[Any]) -> float:
        return float((np.abs(np.diff(pixels.astype(float), axis=1)) ** 2).mean())

    assert sharpness(np.asarray(enlarged)) > 1.3 * sharpness(smooth), "sharper than bicubic"


@pytest.mark.parametrize("tile", [16, 31, 48])
def test_no_seam_can_be_seen(
    upscaler: Upscaler, monkeypatch: pytest.MonkeyPatch, tile: int
) -> None:
    whole = enlarge(upscaler, scene())
    monkeypatch.setattr(upscaling, "TILE", tile)
    assert np.abs(enlarge(upscaler, scene()) - whole).max() <= 1


def test_white_paper_stays_white_to_its_edges(upscaler: Upscaler) -> None:
    assert enlarge(upscaler, Image.new("RGB", (40, 30), "white")).min() >= 250


def test_opacity_is_enlarged_too_and_hidden_colours_do_not_show(upscaler: Upscaler) -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))  # hidden black around light yellow
    ImageDraw.Draw(image).ellipse((10, 10, 30, 30), fill=(250, 230, 90, 255))
    pixels = enlarge(upscaler, image)
    assert pixels.shape == (160, 160, 4)
    assert pixels[80, 80, 3] == 255
    assert pixels[4, 4].tolist() == [0, 0, 0, 0]
    edge = (pixels[..., 3] > 40) & (pixels[..., 3] < 220)
    assert edge.any()
    assert pixels[edge][:, 0].min() > 200, "no dark fringe"


def test_half_transparent_pictures_stay_half_transparent(upscaler: Upscaler) -> None:
    pixels = enlarge(upscaler, Image.new("RGBA", (24, 24), (10, 200, 90, 128)))
    assert (pixels[..., 3] == 128).all()
    hidden = Image.new("RGBA", (24, 24), (10, 200, 90, 0))
    assert enlarge(upscaler, hidden).max() == 0


def test_each_tile_is_reported_and_a_stop_comes_between_two(
    upscaler: Upscaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upscaling, "TILE", 32)
    events: list[Event] = []
    upscaler.enlarge(scene(), events.append)
    assert [e.step for e in events if isinstance(e, Progress)] == list(range(7))
    assert {e.total for e in events if isinstance(e, Progress)} == {6}

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        upscaler.enlarge(scene(), stop)


def test_the_task_writes_a_new_file_that_tells_where_it_comes_from(tmp_path: Path) -> None:
    first = tmp_path / "drawing.png"
    scene().save(first)
    before = first.read_bytes()
    events: list[Event] = []
    Upscale(image=str(first)).run(events.append, tmp_path / "out")
    [saved] = [event for event in events if isinstance(event, Saved)]
    assert saved.path.name == "drawing-x4.png"
    assert first.read_bytes() == before
    record = metadata.read_task(saved.path)
    assert record is not None
    assert record.name == "upscale"
    assert record.values["image"] == "drawing.png"
    assert len(record.model_hash) == 64
    assert record.made_with["upscaler"] == library.EMBEDDED_UPSCALER
    assert record.source is None
    Upscale(image=str(saved.path)).run(events.append, tmp_path / "out")
    again = metadata.read_task(events[-1].path)  # type: ignore[union-attr]
    assert again is not None
    assert again.source is not None
    assert again.source.values == record.values


def test_what_cannot_be_enlarged_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(path: Path) -> None:
        Upscale(image=str(path)).run(lambda event: None, tmp_path / "out")

    with pytest.raises(FileError, match="no picture"):
        run(tmp_path / "nothing.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no")
    with pytest.raises(FileError, match="not a readable picture"):
        run(tmp_path / "broken.png")
    scene().save(tmp_path / "large.png")
    monkeypatch.setattr(upscaling, "MAXIMUM_PIXELS", 1000)
    with pytest.raises(EngineError, match="280 × 200"):
        run(tmp_path / "large.png")
    with pytest.raises(InvalidTask):
        Upscale(image="a.png", upscaler="../other")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_upscaler_is_a_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "upscaler"
    shutil.copytree(folders.RESOURCES / "models" / library.EMBEDDED_UPSCALER, folder)
    (folder / "upscaler.json").write_text("{}")
    with pytest.raises(ModelError, match="damaged"):
        load_upscaler(folder, lambda event: None)
    (folder / "model.bin").unlink()
    with pytest.raises(ModelError, match="damaged"):
        load_upscaler(folder, lambda event: None)


def test_it_is_small_and_its_licence_is_there() -> None:
    folder = folders.RESOURCES / "models" / library.EMBEDDED_UPSCALER
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2e6
    licence = (folders.RESOURCES / "licences" / "real-esrgan.txt").read_text(encoding="utf-8")
    assert "Xintao Wang" in licence
    assert "BSD 3-Clause" in licence
    assert library.upscalers() == (library.EMBEDDED_UPSCALER,)
    assert library.EMBEDDED_UPSCALER not in library.image_models() + library.text_models()
