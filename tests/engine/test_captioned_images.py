"""Captioned images: both ways of writing captions, and what is wrong with a folder, by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data.captioned_images import load_captioned_folder
from engine.errors import DatasetError
from engine.events import Event, Notice


def ignore(event: Event) -> None:
    pass


def save(path: Path, color: str, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (20, 10), color).save(path)


def test_captions_stand_in_text_files_one_to_a_line(tmp_path: Path) -> None:
    save(tmp_path / "a.png", "red")
    (tmp_path / "a.txt").write_text("red\n\n a red square \n")
    data = load_captioned_folder(tmp_path, 16, ignore)
    assert data.captions == (("red", "a red square"),)
    assert data.images.shape == (1, 16, 16, 3)
    assert (data.images == (255, 0, 0)).all()


def test_captions_stand_in_an_index_where_a_picture_may_come_twice(tmp_path: Path) -> None:
    save(tmp_path / "in/a.png", "red")
    save(tmp_path / "b.png", "blue")
    lines = [
        {"file": "in/a.png", "captions": ["红心", "red"]},
        {"file": "b.png", "captions": ["blue"]},
        {"file": "in/a.png", "captions": ["red"]},
    ]
    index = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (tmp_path / "captions.jsonl").write_text(index, encoding="utf-8")
    data = load_captioned_folder(tmp_path, 16, ignore)
    assert data.captions == (("红心", "red"), ("blue",), ("red",))
    assert np.array_equal(data.images[0], data.images[2])


def test_transparency_is_white(tmp_path: Path) -> None:
    save(tmp_path / "a.png", "#00000000", "RGBA")
    (tmp_path / "a.txt").write_text("nothing")
    assert (load_captioned_folder(tmp_path, 16, ignore).images == 255).all()


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    save(tmp_path / "a.png", "red")
    (tmp_path / "a.txt").write_text("red")
    save(tmp_path / "silent.png", "red")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    (tmp_path / "broken.txt").write_text("broken")
    told: list[Event] = []
    assert len(load_captioned_folder(tmp_path, 16, told.append)) == 1
    [notice] = [event for event in told if isinstance(event, Notice)]
    assert notice.message.startswith("2 images were left out")
    assert "broken.png" in notice.message


def test_without_captions_there_is_nothing_to_learn_unless_none_are_needed(tmp_path: Path) -> None:
    save(tmp_path / "a.png", "red")
    with pytest.raises(DatasetError, match="no captioned images"):
        load_captioned_folder(tmp_path, 16, ignore)
    assert len(load_captioned_folder(tmp_path, 16, ignore, need_captions=False)) == 1


@pytest.mark.parametrize(
    "line",
    ["not json", '{"file": "a.png"}', '{"file": 1, "captions": ["a"]}', '["a"]'],
)
def test_a_line_that_cannot_be_understood_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "captions.jsonl").write_text('{"file": "b.png", "captions": ["b"]}\n' + line)
    with pytest.raises(DatasetError, match="Line 2"):
        load_captioned_folder(tmp_path, 16, ignore)


def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    save(tmp_path / "secret.png", "red")
    (tmp_path / "data").mkdir()
    line = '{"file": "../secret.png", "captions": ["a"]}'
    (tmp_path / "data/captions.jsonl").write_text(line)
    with pytest.raises(DatasetError, match="leads out"):
        load_captioned_folder(tmp_path / "data", 16, ignore)


def test_the_hash_knows_pictures_and_captions(tmp_path: Path) -> None:
    save(tmp_path / "a.png", "red")
    (tmp_path / "a.txt").write_text("red")
    first = load_captioned_folder(tmp_path, 16, ignore).sha256()
    (tmp_path / "a.txt").write_text("scarlet")
    assert load_captioned_folder(tmp_path, 16, ignore).sha256() != first
