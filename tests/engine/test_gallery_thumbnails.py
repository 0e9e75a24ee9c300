"""Thumbnails: made once, made again when the file changes, harmless when anything is broken."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from gallery_pictures import save_picture
from PIL import Image

from engine import folders
from engine.errors import FileError
from engine.gallery import thumbnails
from engine.gallery.index import Index
from engine.gallery.pictures import Picture
from engine.gallery.query import parse
from engine.gallery.thumbnails import Thumbnails


def picture(path: Path) -> Picture:
    index = Index()
    index.scan()
    [found] = index.pictures([index.number_of(path) or 0])
    index.close()
    return found


def test_a_thumbnail_is_made_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = picture(save_picture("large", size=(900, 600), color="red"))
    opened: list[Path] = []
    real = thumbnails.open_image
    monkeypatch.setattr(thumbnails, "open_image", lambda path: (opened.append(path), real(path))[1])
    for _ in range(2):  # as after a start, too
        cache = Thumbnails()
        for _ in range(2):
            small = cache.get(large, 200)
            assert small.size == (256, 171)
            red, green, blue = small.getpixel((5, 5))
            assert red > 250 > 5 > green + blue - 5
        cache.close()
    assert opened == [large.path]


def test_a_larger_one_is_made_for_a_finer_screen(home: Path) -> None:
    large = picture(save_picture("large", size=(900, 600)))
    cache = Thumbnails()
    assert [max(cache.get(large, side).size) for side in (100, 256, 257, 4000)] == [
        256,
        256,
        512,
        512,
    ]


def test_a_small_picture_is_its_own_thumbnail(home: Path) -> None:
    small = picture(save_picture("small", size=(100, 60)))
    cache = Thumbnails()
    assert cache.get(small, 256).size == (100, 60)
    assert not cache.path.exists()


def test_what_is_transparent_stays_so(home: Path) -> None:
    path = folders.outputs() / "clear.png"
    path.parent.mkdir(parents=True)
    Image.new("RGBA", (600, 600), (255, 0, 0, 0)).save(path)
    found = picture(path)
    cache = Thumbnails()
    for _ in range(2):
        assert cache.get(found, 256).getpixel((9, 9))[3] == 0


def test_a_file_that_changes_gets_another_one(home: Path) -> None:
    path = save_picture("one", size=(600, 600), color="red")
    cache = Thumbnails()
    cache.get(picture(path), 256)
    save_picture("one", size=(600, 600), color="blue", age=-5)
    assert cache.get(picture(path), 256).getpixel((9, 9))[2] > 250


def test_a_picture_that_is_cut_short_says_so(home: Path) -> None:
    path = save_picture("cut", size=(600, 600))
    path.write_bytes(path.read_bytes()[:-40])
    found = picture(path)
    assert found.description.width == 600
    with pytest.raises(FileError, match="damaged"):
        Thumbnails().get(found, 256)


def test_a_broken_cache_is_thrown_away(home: Path) -> None:
    large = picture(save_picture("large", size=(600, 600)))
    cache = Thumbnails()
    cache.path.parent.mkdir(parents=True, exist_ok=True)
    cache.path.write_bytes(b"rubbish" * 1000)
    for _ in range(2):
        assert cache.get(large, 256).size == (256, 256)
    cache.close()
    assert cache.path.read_bytes().startswith(b"SQLite")


def test_a_cache_that_another_window_is_at_work_on_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "PATIENCE", 0.1)
    first, second = (picture(save_picture(name, size=(600, 600))) for name in ("one", "two"))
    cache = Thumbnails()
    cache.get(first, 256)
    cache.close()
    before = cache.path.stat()
    other = sqlite3.connect(cache.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    assert cache.get(second, 256).size == (256, 256)
    assert os.path.samestat(cache.path.stat(), before)
    other.execute("ROLLBACK")
    other.close()


def test_a_cache_that_cannot_be_written_is_only_slow(home: Path) -> None:
    large = picture(save_picture("large", size=(600, 600)))
    folders.cache().write_text("a file where the folder would be")
    for _ in range(2):
        assert Thumbnails().get(large, 256).size == (256, 256)


def test_the_cache_is_bounded(home: Path) -> None:
    paths = [save_picture(f"p{number}", size=(600, 600)) for number in range(8)]
    for path in paths:  # noise, which cannot be packed
        Image.effect_noise((600, 600), 90).convert("RGB").save(path)
    index = Index()
    index.scan()
    found = index.pictures(index.search(parse("")))
    cache = Thumbnails()
    for each in found:
        cache.get(each, 256)
    cache.close()
    full = cache.path.stat().st_size
    smaller = Thumbnails(most_bytes=full // 2)
    smaller.get(found[-1], 256)
    smaller.close()
    assert smaller.path.stat().st_size < full * 0.8
    assert list(smaller.path.parent.iterdir()) == [smaller.path]
