"""Painting with the embedded networks: styles differ, size and opacity stay, any painting does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine import folders, metadata
from engine.errors import Cancelled, FileError, InvalidTask, ModelError
from engine.events import Event, Progress, Saved
from engine.generators.style_transfer import StyleTransfer
from engine.picture_networks import painter
from engine.picture_networks.painter import STYLES, load_any, load_named


def ignore(event: Event) -> None:
    pass


def picture(width: int = 90, height: int = 61) -> Image.Image:
    """Of odd sizes, so that padding counts."""
    image = Image.new("RGB", (width, height), (120, 170, 220))
    pen = ImageDraw.Draw(image)
    pen.ellipse((20, 10, 70, 50), fill=(230, 200, 60), outline="black")
    pen.rectangle((0, height * 3 // 4, width, height), fill=(60, 140, 60))
    return image


def painting(color: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", (80, 60), color)
    pen = ImageDraw.Draw(image)
    for x in range(0, 160, 8):
        pen.line((x, 0, x - 60, 60), fill=tuple(value // 3 for value in color), width=3)
    return image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    picture().save(path)
    return path


def run(image: Path, **values: object) -> tuple[Path, NDArray[np.uint8]]:
    events: list[Event] = []
    task = StyleTransfer.from_dict({"image": str(image), "detail": 128, **values})
    task.run(events.append, image.parent / "out")
    [saved] = [event.path for event in events if isinstance(event, Saved)]
    with Image.open(saved) as made:
        return saved, np.asarray(made)


def apart(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def test_every_named_style_is_another_one() -> None:
    assert len(set(STYLES)) == 26
    named = load_named(ignore)
    made = [np.asarray(named.paint(picture(), style)) for style in STYLES]
    assert {pixels.shape for pixels in made} == {(61, 90, 3)}
    for number, pixels in enumerate(made):
        assert apart(pixels, np.asarray(picture())) > 8
        assert all(apart(pixels, other) > 5 for other in made[:number])


def test_a_painting_gives_its_colours(tmp_path: Path, photo: Path) -> None:
    made = {}
    for name, color in (("red", (230, 60, 50)), ("blue", (40, 70, 230))):
        painting(color).save(tmp_path / f"{name}.png")
        saved, made[name] = run(photo, style_image=str(tmp_path / f"{name}.png"))
        assert saved.name.startswith("photo-painted")
        record = metadata.read_task(saved)
        assert record is not None
        assert record.values["style_image"] == f"{name}.png"
        assert made[name].shape == (61, 90, 3)
    warmth = {
        name: float(pixels[..., 0].mean()) - pixels[..., 2].mean() for name, pixels in made.items()
    }
    assert warmth["red"] > warmth["blue"] + 40


def test_it_paints_at_any_size_without_borders_between() -> None:
    """The network was published for 384 × 384 only."""
    any_painter = load_any(ignore)
    style = any_painter.style_of(painting((200, 120, 40)))
    for size in ((384, 384), (101, 42), (42, 402)):
        made = any_painter.paint(picture(*size), style)
        assert made.size == size
        assert np.asarray(made).std() > 10


def test_strength_mixes_and_zero_changes_nothing(photo: Path) -> None:
    (_, whole), (_, half), (_, none) = (run(photo, strength=value) for value in (100, 50, 0))
    assert np.array_equal(none, np.asarray(picture()))
    assert np.abs(half - (whole.astype(float) + none) / 2).max() <= 1


def test_colours_can_be_kept(photo: Path) -> None:
    _, painted = run(photo, style="crimson")
    _, kept = run(photo, style="crimson", keep_colors=True)
    sky = (slice(5, 12), slice(5, 15))
    assert painted[sky][..., 2].mean() < painted[sky][..., 0].mean(), "crimson"
    assert kept[sky][..., 2].mean() > kept[sky][..., 0].mean(), "as blue as before"


def test_detail_changes_strokes_but_not_the_size(photo: Path) -> None:
    _, broad = run(photo, detail=128)
    _, fine = run(photo, detail=300)
    assert broad.shape == fine.shape == (61, 90, 3)
    assert apart(broad, fine) > 5
    _, own = run(photo, detail=0)
    assert np.array_equal(own, run(photo, detail=384)[1]), "no smaller than is good"


def test_opacity_and_hidden_colours_stay(tmp_path: Path) -> None:
    pixels = np.dstack([np.asarray(picture()), np.full((61, 90), 255, np.uint8)])
    pixels[:, :30, 3] = 0
    pixels[:, 60:, 3] = 100
    Image.fromarray(pixels).save(tmp_path / "cut.png")
    _, made = run(tmp_path / "cut.png")
    assert np.array_equal(made[..., 3], pixels[..., 3])
    assert np.array_equal(made[:, :30], pixels[:, :30])
    assert apart(made[:, 30:, :3], pixels[:, 30:, :3]) > 8


def test_it_tells_how_it_was_made(photo: Path) -> None:
    saved, _ = run(photo, style="woodcut")
    assert saved.name == "photo-woodcut.png"
    record = metadata.read_task(saved)
    assert record is not None
    assert record.task().to_dict() == {
        "image": "photo.png",
        "style": "woodcut",
        "style_image": "",
        "strength": 100.0,
        "keep_colors": False,
        "detail": 128,
    }
    assert len(record.model_hash) == 64
    assert "onnxruntime" in record.made_with
    again, pixels = run(saved, style="mist")
    source = metadata.read_task(again)
    assert source is not None
    assert source.origin() == record
    assert np.array_equal(pixels, run(saved, style="mist")[1]), "the same again"


def test_what_cannot_be_painted_is_said(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no picture"):
        run(tmp_path / "nothing.png")
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(FileError, match="not a readable picture"):
        run(photo, style_image=str(tmp_path / "text.png"))
    with pytest.raises(InvalidTask):
        run(photo, style="by Vincent")

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.total:
            raise Cancelled

    with pytest.raises(Cancelled):
        StyleTransfer(image=str(photo)).run(stop, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_network_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(painter, "_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="damaged"):
        painter._load("multistyle26")
    (tmp_path / "multistyle26.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match="damaged"):
        painter._load("multistyle26")


def test_it_is_small_and_its_licence_is_there() -> None:
    folder = folders.RESOURCES / "models" / "styles"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 4e6
    licence = (folders.RESOURCES / "licences" / "style-transfer.txt").read_text(encoding="utf-8")
    for words in ("Apache License, Version 2.0", "MIT License", "Ekaghni", "Changed here"):
        assert words in licence
