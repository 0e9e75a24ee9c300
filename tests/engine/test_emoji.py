"""The sticker set: which concepts, which captions, which packages."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data import emoji, npm, stickers
from engine.errors import DatasetError

HEART = emoji.Concept(
    "2764", "red heart", ("heart",), ("love", "emotion"), "红心", ("爱",)
)  # fmt: skip


def test_the_bare_name_is_the_caption_that_comes_most_often() -> None:
    captions = emoji.captions(HEART, emoji.STYLES["flat"], frozenset({"love"}))
    assert max(set(captions), key=captions.count) == "red heart"
    assert {"heart", "红心", "love", "flat red heart", "red heart, flat", "扁平红心"} <= {*captions}
    assert "emotion" not in captions, "a keyword of many concepts says too little"


def names(tmp_path: Path) -> Path:
    """A package with one wanted concept, one of a subgroup that is left out, and one too new."""
    common = {"group": 0, "subgroup": 0, "version": 1, "tags": ["love"]}
    entries = [
        {**common, "hexcode": "2764", "label": "red heart", "order": 2},
        {**common, "hexcode": "1F600", "label": "grinning face", "order": 1},
        {**common, "hexcode": "23", "label": "keycap: #", "order": 3, "subgroup": 1},
        {**common, "hexcode": "99", "label": "tomorrow", "order": 4, "version": 99},
    ]
    meta = {
        "groups": {"0": "smileys-emotion"},
        "subgroups": {"0": "heart", "1": "keycap"},
    }
    for name, value in {
        "meta/groups.json": meta,
        "en/data.json": entries,
        "zh/data.json": [{**entry, "label": "字", "tags": []} for entry in entries],
        "en/shortcodes/emojibase.json": {"2764": ["heart", "red_heart"], "1F600": "grinning"},
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(value))
    return tmp_path


def test_concepts_are_chosen_and_come_in_order(tmp_path: Path) -> None:
    face, heart = emoji.read_concepts(names(tmp_path))
    assert (face.label, heart.label) == ("grinning face", "red heart")
    assert face.aliases == ("grinning",)
    assert heart.aliases == ("heart",), "the label itself is no alias"


def test_pictures_are_drawn_on_white_with_all_their_captions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    art = tmp_path / "art"
    art.mkdir()
    body = '<rect x="8" y="8" width="16" height="16" fill="red"/>'
    icons = {"width": 32, "height": 32, "icons": {"red-heart": {"body": body}}}
    (art / "icons.json").write_text(json.dumps(icons))
    (art / "chars.json").write_text(json.dumps({}))
    folders = {emoji.NAMES_PACKAGE: names(tmp_path / "names")}
    monkeypatch.setattr(emoji, "_fetched", lambda package, cache: folders.get(package, art))
    assert emoji.build(tmp_path / "out", ["flat"], 16, tmp_path) == 3, "well known: three times"
    from engine.data.captioned_images import load_captioned_folder

    data = load_captioned_folder(tmp_path / "out", 16, lambda event: None)
    assert data.images[0, 8, 8].tolist() == [255, 0, 0]
    assert data.images[0, 0, 0].tolist() == [255, 255, 255]
    assert "red heart" in data.captions[0]
    assert "MIT" in (tmp_path / "out/CREDITS.txt").read_text()


def test_what_is_well_known_is_there_in_other_colours_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    art = tmp_path / "art"
    art.mkdir()
    body = '<circle cx="16" cy="16" r="12" fill="#e03030"/>'
    icons = {name: {"body": body} for name in ("red-heart", "grinning-face")}
    (art / "icons.json").write_text(json.dumps({"width": 32, "height": 32, "icons": icons}))
    (art / "chars.json").write_text(json.dumps({}))
    folders = {emoji.NAMES_PACKAGE: names(tmp_path / "names")}
    monkeypatch.setattr(emoji, "_fetched", lambda package, cache: folders.get(package, art))
    emoji.build(tmp_path / "out", ["flat"], 16, tmp_path)
    lines = (tmp_path / "out/captions.jsonl").read_text(encoding="utf-8").splitlines()
    entries = {entry["file"]: entry["captions"] for entry in map(json.loads, lines)}
    colored = {name: texts for name, texts in entries.items() if "-" in name}
    assert len(colored) == emoji.COLORS_EACH
    assert all("1f600-" in name for name in colored), "a red heart in blue is a blue heart"
    for name, texts in colored.items():
        color = name.rpartition("-")[2].removesuffix(".png")
        assert {f"{color} grinning face", f"flat {color} grinning face"} <= {*texts}
        with Image.open(tmp_path / "out" / name) as image:
            assert image.convert("RGB").getpixel((8, 8)) != (224, 48, 48)


def fake_npm(monkeypatch: pytest.MonkeyPatch, archive: bytes) -> None:
    def pack(package: str, cache: Path) -> Path:
        (cache / "x.tgz").parent.mkdir(parents=True, exist_ok=True)
        (cache / "x.tgz").write_bytes(archive)
        return cache / "x.tgz"

    monkeypatch.setattr(npm, "_pack", pack)


def tgz(contents: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_only_what_is_wanted_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tgz(
        {
            "package/package.json": b"{}",
            "package/icons.json": b"[]",
            "package/index.js": b"evil()",
            "package/../../icons.json": b"outside",
        }
    )
    fake_npm(monkeypatch, archive)
    digest = hashlib.sha256(archive).hexdigest()
    folder = npm.fetch("@a/b@1", digest, ("icons.json",), tmp_path / "cache")
    assert sorted(path.name for path in folder.rglob("*")) == ["icons.json", "package.json"]
    assert not (tmp_path / "icons.json").exists()


def test_another_package_than_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_npm(monkeypatch, tgz({"package/package.json": b"{}"}))
    with pytest.raises(DatasetError, match="not the package"):
        npm.fetch("@a/b@1", "0" * 64, (), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_embedded_stickers_are_many_and_colorful() -> None:
    images = stickers.load_stickers()
    assert images.shape == (1500, 64, 64, 3)
    assert images.dtype == np.uint8
    assert len({image.tobytes() for image in images}) > 1480, "each is there once"
    corners = images[:, [0, 0, -1, -1], [0, -1, 0, -1]].reshape(-1, 3)
    assert (corners > 240).all(axis=1).mean() > 0.95, "on white"
    assert images.std() > 40
    assert stickers.SHEET.stat().st_size < 4e6


def test_the_sheet_holds_what_was_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    for name, color in {"a.png": "red", "b.png": "blue"}.items():
        Image.new("RGB", (64, 64), color).save(tmp_path / name)
    lines = [json.dumps({"file": name, "captions": []}) for name in ("a.png", "b.png", "a.png")]
    (tmp_path / "captions.jsonl").write_text("\n".join(lines))
    sheet = tmp_path / "sheet.webp"
    assert stickers.pack(tmp_path, sheet) == 2
    monkeypatch.setattr(stickers, "SHEET", sheet)
    red, blue = stickers.load_stickers()
    assert (red == (255, 0, 0)).all()
    assert (blue == (0, 0, 255)).all()
