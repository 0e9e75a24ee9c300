"""A dataset looked at: what is in it is counted, broken and doubled images are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.data import idx
from engine.data.inspection import fingerprint
from engine.errors import DatasetError
from engine.events import Event, Saved
from engine.generators.inspect_dataset import InspectDataset


def picture(seed: int, size: int = 40) -> Image.Image:
    """Something soft, as photographs are, of which no two are alike."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(noise).resize((size, size), Image.Resampling.BICUBIC)


def look(dataset: Path | str, out: Path) -> tuple[dict[str, Any], list[Path]]:
    events: list[Event] = []
    InspectDataset(dataset=str(dataset)).run(events.append, out)
    saved = [event.path for event in events if isinstance(event, Saved)]
    return json.loads(saved[0].read_text()), saved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten images: one broken, one double, one nearly a double, gray and transparent ones."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for number in range(5):
        picture(number).save(folder / f"{number}.png")
    picture(0).save(folder / "more" / "copy of 0.png")
    picture(1, 80).save(folder / "more" / "1 larger.jpg", quality=80)
    picture(6).convert("L").save(folder / "gray.png")
    picture(7).convert("RGBA").save(folder / "alpha.webp", lossless=True)
    (folder / "broken.png").write_bytes((folder / "2.png").read_bytes()[:100])
    (folder / "3.txt").write_text("a soft picture")
    return folder


def test_everything_is_counted_and_named(folder: Path, tmp_path: Path) -> None:
    told, (_, grid) = look(folder, tmp_path / "out")
    assert told["images"] == 9 and told["broken_count"] == 1
    assert told["sizes"] == {"40×40": 8, "80×80": 1}
    assert told["modes"]["L"] == 1 and told["modes"]["RGB"] >= 7
    (broken,) = told["broken"]
    assert broken["file"] == "broken.png" and broken["why"].startswith("is not a readable picture")
    assert told["duplicates"] == [["0.png", "more/copy of 0.png"]] and told["duplicate_count"] == 1
    (near,) = told["near_duplicates"]
    assert set(near) == {"1.png", "more/1 larger.jpg"}
    assert told["captioned"] == 1
    assert told["captions"] == [{"file": "3.png", "caption": "a soft picture"}]
    with Image.open(grid) as image:
        assert image.size == (3 * 66 + 2, 3 * 66 + 2), "a grid of nine"


def test_the_embedded_digits_and_idx_files_can_be_looked_at(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (20, 28, 28), np.uint8)
    images[19] = images[4]
    idx.write(tmp_path / "train-images-idx3-ubyte", images)
    told, _ = look(tmp_path / "train-images-idx3-ubyte", tmp_path / "out")
    assert told["images"] == 20 and told["modes"] == {"L": 20}
    assert told["duplicates"] == [["image 4", "image 19"]]


def test_flat_drawings_are_not_all_called_alike(tmp_path: Path) -> None:
    folder = tmp_path / "flat"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (32, 32), (60 * number, 0, 0)).save(folder / f"{number}.png")
    told, _ = look(folder, tmp_path / "out")
    assert told["near_duplicate_count"] == 0 and told["duplicate_count"] == 0


def test_a_fingerprint_stays_when_a_picture_is_resized_and_brightened() -> None:
    one = fingerprint(picture(3, 200))
    brighter = picture(3, 200).point(lambda value: min(255, value + 10))
    for other in (picture(3, 90), brighter):
        assert bin(one ^ fingerprint(other)).count("1") <= 3
    assert bin(one ^ fingerprint(picture(4, 200))).count("1") > 10


def test_looking_again_replaces_the_report(folder: Path, tmp_path: Path) -> None:
    first = look(folder, tmp_path / "out")[1]
    (folder / "broken.png").unlink()
    told, second = look(folder, tmp_path / "out")
    assert first == second and told["broken_count"] == 0


def test_all_broken_is_a_report_and_nothing_there_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    with pytest.raises(DatasetError, match="no images"):
        look(folder, tmp_path / "out")
    (folder / "a.png").write_bytes(b"nothing")
    told, saved = look(folder, tmp_path / "out")
    assert told["images"] == 0 and told["broken_count"] == 1 and len(saved) == 1
    with pytest.raises(DatasetError, match="nowhere"):
        look(tmp_path / "nowhere", tmp_path / "out")
