"""Enlarging with the real embedded networks: no seams, opacity kept, stops between tiles."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine import folders, library, metadata, upscaling
from engine.errors import Cancelled, EngineError, FileError, InvalidTask, ModelError
from engine.events import Event, Preview, Progress, Saved
from engine.generators.upscale import Upscale
from engine.picture_networks import ncnn_network
from engine.picture_networks.ncnn_network import NcnnNetwork
from engine.upscaling import Upscaler, load_upscaler

NAME = library.EMBEDDED_UPSCALERS["drawings"]


@pytest.fixture
def upscaler() -> Upscaler:
    return load_upscaler(library.find_upscaler("drawings"), lambda event: None)


def scene(width: int = 70, height: int = 50) -> Image.Image:
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((8, 5, width - 12, height - 6), fill=(220, 40, 60), outline="black")
    pen.line((0, height, width, 0), fill=(20, 80, 200), width=2)
    return image


def in_tiles(upscaler: Upscaler, tile: int, **changes: int) -> Upscaler:
    network = upscaler.network
    assert isinstance(network, NcnnNetwork)
    return Upscaler(replace(network, tile=tile, **changes))


def gradients(width: int, height: int) -> Image.Image:
    """Where a seam would be seen first."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    planes = [across, down, 255 - (across + down) / 2]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


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
def test_no_seam_can_be_seen(upscaler: Upscaler, tile: int) -> None:
    for picture in (scene(), gradients(70, 50)):
        whole = enlarge(upscaler, picture)
        assert np.abs(enlarge(in_tiles(upscaler, tile), picture) - whole).max() <= 1


def test_a_margin_too_small_would_show_seams_which_fading_softens(upscaler: Upscaler) -> None:
    whole = enlarge(upscaler, scene())
    seams = np.abs(enlarge(in_tiles(upscaler, 24, margin=3), scene()) - whole)
    faded = np.abs(enlarge(in_tiles(upscaler, 24, margin=3, fade=8), scene()) - whole)
    assert seams.max() > 8, "this picture shows seams"
    assert faded.max() < seams.max()
    assert np.abs(enlarge(in_tiles(upscaler, 24, fade=8), scene()) - whole).max() <= 1


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
    upscaler: Upscaler,
) -> None:
    upscaler = in_tiles(upscaler, 32)
    events: list[Event] = []
    upscaler.enlarge(scene(), events.append)
    previews = [e.image for e in events if isinstance(e, Preview)]
    assert [image.size for image in previews] == [(70, 50)] * 6
    assert np.abs(np.asarray(previews[-1]).astype(float) - np.asarray(scene())).mean() < 8
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
    assert record.made_with["upscaler"] == NAME
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
        Upscale(image="a.png", upscaler="")
    with pytest.raises(ModelError, match="no upscaler"):
        load_upscaler(library.find(library.EMBEDDED_IMAGE_MODEL), lambda event: None)
    with pytest.raises(ModelError, match="no model"):
        Upscale(image=str(tmp_path / "large.png"), upscaler="/nowhere/x.pth").run(
            lambda event: None, tmp_path / "out"
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_smaller_scales_are_the_large_picture_made_smaller(
    upscaler: Upscaler, tmp_path: Path
) -> None:
    large = upscaler.enlarge(scene(), lambda event: None)
    for scale in (1, 2):
        by = 4 // scale
        made = in_tiles(upscaler, 32).enlarge(scene(), lambda event: None, scale)
        assert made.size == (70 * scale, 50 * scale)
        expected = np.asarray(large.reduce(by)).astype(np.int16)
        assert np.abs(np.asarray(made) - expected).max() <= 2
    with pytest.raises(InvalidTask, match="cannot enlarge 3 times") as caught:
        upscaler.enlarge(scene(), lambda event: None, 3)
    assert "1, 2, 4" in caught.value.hint
    scene().save(tmp_path / "a.png")
    Upscale(image=str(tmp_path / "a.png"), scale="2").run(lambda event: None, tmp_path)
    with Image.open(tmp_path / "a-x2.png") as image:
        assert image.size == (140, 100)


def test_photographs_have_a_network_that_leaves_no_seam_and_stops_within_a_tile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upscaler = load_upscaler(library.find_upscaler("photographs"), lambda event: None)
    assert upscaler.scale == 4
    noise = np.random.default_rng(0).normal(0, 3, (6, 68, 3))
    picture = Image.fromarray((np.asarray(gradients(68, 6)) + noise).clip(0, 255).astype(np.uint8))
    events: list[Event] = []
    whole = np.asarray(upscaler.enlarge(picture, events.append)).astype(np.int16)
    steps = [event.step for event in events if isinstance(event, Progress)]
    assert len(steps) > 20
    assert steps == sorted(steps)
    monkeypatch.setattr(ncnn_network, "PIECE", 30)
    tiled = enlarge(in_tiles(upscaler, 64), picture)
    assert np.abs(tiled - whole).max() <= 2
    assert np.abs(tiled - whole).mean() < 0.1

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.step == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        upscaler.enlarge(picture, stop)


def test_a_damaged_upscaler_is_a_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "upscaler"
    shutil.copytree(folders.RESOURCES / "models" / NAME, folder)
    (folder / "network.json").write_text("{}")
    with pytest.raises(ModelError, match="damaged"):
        load_upscaler(folder, lambda event: None)
    (folder / "model.bin").unlink()
    with pytest.raises(ModelError, match="damaged"):
        load_upscaler(folder, lambda event: None)


def test_it_is_small_and_its_licence_is_there() -> None:
    folder = folders.RESOURCES / "models" / NAME
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2e6
    licence = (folders.RESOURCES / "licences" / "real-esrgan.txt").read_text(encoding="utf-8")
    assert "Xintao Wang" in licence
    assert "BSD 3-Clause" in licence
    assert library.upscalers() == ("drawings", "photographs")
    for name in library.EMBEDDED_UPSCALERS.values():
        assert library.find_upscaler(name).is_dir(), "as older pictures call it"
        assert name in licence
    assert NAME not in library.image_models() + library.text_models()
