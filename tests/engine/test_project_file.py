"""Project files: all comes back, hostile ones are refused, a failing disk costs nothing."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import assert_nothing_is_lost, temporary_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import FileError, OutOfMemory
from engine.metadata import TaskRecord
from engine.projects import project_file
from engine.projects.contents import Contents, LayerEntry, Picture
from engine.projects.pixels import digest, encode_layer, encode_mask, premultiplied
from engine.projects.project_file import (
    Project,
    layer_pixels,
    mask_pixels,
    read_project,
    write_project,
)

RECORD = TaskRecord("text_to_image", {"prompt": "a fox", "seed": 3}, "ab" * 32, {"torch": "2.13"})


def pixels(seed: int, width: int = 7, height: int = 5) -> np.ndarray:
    random = np.random.default_rng(seed)
    return premultiplied(random.integers(0, 256, (height, width, 4), np.uint8))


def picture(values: np.ndarray, x: int = 0, y: int = 0) -> Picture:
    return Picture(x, y, digest(values), lambda: encode_layer(values))


def project() -> Project:
    """Three layers, two of which are the same picture."""
    layers = (
        LayerEntry("a", "Paper"),
        LayerEntry("b", "狐狸 😀", "generated", 0.25, "color-dodge", False, True, RECORD),
        LayerEntry("c", "", "mask"),
        LayerEntry("d", "nothing"),
    )
    contents = Contents(
        60, 40, layers, "b", {"prompt": "é\ud800", "steps": 4}, {"zoom": 0.5}, (RECORD,)
    )
    mask = np.arange(35, dtype=np.uint8).reshape(5, 7)
    data = b"what a task has read"
    return Project(
        contents,
        {"a": [picture(pixels(1), -3, 2)], "b": [picture(pixels(2))], "c": [picture(pixels(1))]},
        Picture(4, 5, digest(mask), lambda: encode_mask(mask)),
        encode_layer(pixels(3)),
        {hashlib.sha256(data).hexdigest()[:16]: lambda: data},
    )


def saved(path: Path) -> Path:
    write_project(path, project())
    return path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The same file with other members."""
    inside = members(path)
    change(inside)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in inside.items():
            archive.writestr(name, data)
    return path


def described(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The same file with another description."""

    def edit(inside: dict[str, bytes]) -> None:
        values = json.loads(inside["project.json"])
        change(values)
        inside["project.json"] = json.dumps(values).encode()

    return rewritten(path, edit)


def refused(path: Path) -> FileError:
    before = path.read_bytes()
    with pytest.raises(FileError) as caught:
        found = read_project(path)
        for pictures in found.pictures.values():
            for one in pictures:
                layer_pixels(path, one)
        for read in found.inputs.values():
            read()
        if found.selection:
            mask_pixels(path, found.selection)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert path.read_bytes() == before
    return caught.value


# ------------------------------------------------------------------ there and back


def test_everything_comes_back(tmp_path: Path) -> None:
    path = saved(tmp_path / "数据 é.atelier")
    before, after = project(), read_project(path)
    assert replace(after.contents, settings={}) == replace(before.contents, settings={})
    assert after.contents.settings == before.contents.settings
    found = after.pictures["a"][0]
    assert (found.x, found.y) == (-3, 2)
    assert np.array_equal(layer_pixels(path, found), pixels(1))
    assert np.array_equal(layer_pixels(path, after.pictures["b"][0]), pixels(2))
    assert after.pictures["d"] == []
    assert after.selection is not None
    assert (after.selection.x, after.selection.y) == (4, 5)
    assert mask_pixels(path, after.selection)[4, 6] == 34
    assert after.preview == before.preview
    assert [read() for read in after.inputs.values()] == [b"what a task has read"]


def test_equal_layers_are_stored_once(tmp_path: Path) -> None:
    inside = members(saved(tmp_path / "a.atelier"))
    assert sum(name.startswith("layers/") for name in inside) == 2
    assert inside["preview.png"].startswith(b"\x89PNG")


def test_the_same_project_is_the_same_file(tmp_path: Path) -> None:
    assert saved(tmp_path / "a").read_bytes() == saved(tmp_path / "b").read_bytes()


def test_a_file_is_written_over_itself_from_its_own_pictures(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    before = path.read_bytes()
    write_project(path, read_project(path))
    assert path.read_bytes() == before


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
entries = st.builds(
    LayerEntry,
    id=st.uuids().map(str),
    name=words,
    kind=st.sampled_from(["raster", "mask", "generated"]),
    opacity=st.floats(0, 1),
    blend_mode=st.sampled_from(["normal", "plus-lighter"]),
    visible=st.booleans(),
    locked=st.booleans(),
    record=st.sampled_from([None, RECORD, replace(RECORD, source=RECORD)]),
)
values = st.dictionaries(
    words,
    st.one_of(
        words,
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
    ),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_contents_come_back(data: st.DataObject, tmp_path: Path) -> None:
    layers = tuple(data.draw(st.lists(entries, max_size=4, unique_by=lambda entry: entry.id)))
    contents = Contents(
        data.draw(st.integers(1, 8000)),
        data.draw(st.integers(1, 8000)),
        layers,
        data.draw(st.sampled_from(["", *(entry.id for entry in layers)])),
        data.draw(values),
        data.draw(values),
        tuple(data.draw(st.lists(st.just(RECORD), max_size=3))),
    )
    path = tmp_path / "a.atelier"
    write_project(path, Project(contents))
    assert read_project(path).contents == contents


# ------------------------------------------------------------------ hostile files


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    whole = path.read_bytes()
    for length in range(0, len(whole), 61):
        path.write_bytes(whole[:length])
        assert "too early" in refused(path).message or length == 0


def test_flipped_bits_are_seen_or_do_no_harm(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    whole = path.read_bytes()
    random = np.random.default_rng(5)
    for place in random.integers(0, len(whole), 150):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            found = read_project(path)
            same = [
                layer_pixels(path, one) for several in found.pictures.values() for one in several
            ]
        except FileError as error:
            assert str(path) in error.message
        else:
            assert np.array_equal(same[0], pixels(1))


@pytest.mark.parametrize(
    "name",
    [
        "../evil.png",
        "/etc/evil",
        "layers/../../evil.png",
        "C:\\evil.png",
        "layers/evil.png",
        "LAYERS/" + "a" * 64 + ".png",
        "nul",
    ],
)
def test_one_strange_name_refuses_the_whole(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / "a.atelier")
    rewritten(path, lambda inside: inside.update({name: b"x"}))
    refused(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.atelier"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    inside = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in inside.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (0o120777 if name == "preview.png" else 0o100644) << 16
            archive.writestr(member, data)
    assert "link" in refused(path).message


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(path, "a") as archive,
    ):
        archive.writestr("preview.png", b"another")
    assert "same name" in refused(path).message


def test_many_members_are_refused_before_they_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.atelier"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(project_file.MAXIMUM_MEMBERS + 1):
            archive.writestr(f"{number}", b"")
    monkeypatch.setattr(zipfile, "ZipFile", None)  # it would read them all
    assert "more files" in refused(path).message


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.atelier")
    monkeypatch.setattr(project_file, "MAXIMUM_BYTES", 10_000)
    rewritten(path, lambda inside: inside.update({"project.json": b" " * 10_000_000}))
    assert "too large" in refused(path).message


def test_layers_that_do_not_fit_into_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.atelier")
    monkeypatch.setattr("engine.memory.free_memory", lambda: 400)
    with pytest.raises(OutOfMemory, match="needs"):
        read_project(path)


def test_a_newer_format_is_named_and_left_alone(tmp_path: Path) -> None:
    path = described(saved(tmp_path / "a.atelier"), lambda values: values.update(format=2))
    rewritten(path, lambda inside: inside.update({"sounds/1.ogg": b"of the future"}))
    assert "newer version" in refused(path).message


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(format="1"),
        lambda values: values.update(width=0),
        lambda values: values.update(width=10**12),
        lambda values: values.update(width=50_000, height=50_000),
        lambda values: values.update(height=True),
        lambda values: values.update(layers={}),
        lambda values: values.update(layers=[1]),
        lambda values: values.update(layers=values["layers"] * 2),
        lambda values: values.update(active="nobody"),
        lambda values: values.update(settings=[]),
        lambda values: values.update(view=None),
        lambda values: values.pop("history"),
        lambda values: values["layers"][0].update(opacity=1.5),
        lambda values: values["layers"][0].update(opacity="1"),
        lambda values: values["layers"][0].update(opacity=None),
        lambda values: values["layers"][0].update(blend_mode=["normal"]),
        lambda values: values["layers"][0].update(kind="<b>"),
        lambda values: values["layers"][0].update(visible=1),
        lambda values: values["layers"][0].update(name=7),
        lambda values: values["layers"][0].update(id=""),
        lambda values: values["layers"][0].update(pictures=[{"x": 0, "y": 0, "digest": "../../a"}]),
        lambda values: values["layers"][0].update(pictures=[{"x": 0, "y": 0, "digest": "a" * 64}]),
        lambda values: values["layers"][0].update(pictures="all"),
        lambda values: values["layers"][0]["pictures"][0].update(x=10**9),
        lambda values: values["layers"][0]["pictures"][0].update(
            digest=values["layers"][1]["pictures"][0]["digest"][::-1]
        ),
        lambda values: values.update(selection={"x": 0, "y": 0, "digest": "b" * 64}),
        lambda values: values.update(selection=5),
    ],
)
def test_values_that_no_project_has_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    refused(described(saved(tmp_path / "a.atelier"), change))


@pytest.mark.parametrize(
    "mad", [[], {"task": "../x"}, {"format": 99}, {"format": 1, "task": "a", "values": {"a": []}}]
)
def test_a_record_that_cannot_be_read_costs_nothing_else(tmp_path: Path, mad: Any) -> None:
    def spoil(values: dict[str, Any]) -> None:
        values["history"].append(mad)
        values["layers"][1].update(record=mad)

    found = read_project(described(saved(tmp_path / "a.atelier"), spoil))
    assert found.contents.lost_records == 2
    assert found.contents.history == (RECORD,)
    assert [layer.record for layer in found.contents.layers] == [None] * 4
    assert {layer: len(pictures) for layer, pictures in found.pictures.items()} == {
        "a": 1,
        "b": 1,
        "c": 1,
        "d": 0,
    }
    assert read_project(saved(tmp_path / "b.atelier")).contents.lost_records == 0


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b"\xff", b'{"format": 1, "format": 1}', b'{"format": NaN}', b"[" * 200_000],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, text: bytes) -> None:
    path = saved(tmp_path / "a.atelier")
    refused(rewritten(path, lambda inside: inside.update({"project.json": text})))


def test_a_picture_changed_by_another_program_is_refused(tmp_path: Path) -> None:
    def exchange(inside: dict[str, bytes]) -> None:
        name = next(name for name in inside if name.startswith("layers/"))
        inside[name] = encode_layer(pixels(9))

    path = rewritten(saved(tmp_path / "a.atelier"), exchange)
    assert "not the one that was saved" in refused(path).message


def test_a_picture_with_an_impossible_size_is_refused(tmp_path: Path) -> None:
    def exchange(inside: dict[str, bytes]) -> None:
        name = next(name for name in inside if name.startswith("layers/"))
        inside[name] = inside[name][:16] + b"\0\1\0\0" * 2 + inside[name][24:]

    assert "claims" in refused(rewritten(saved(tmp_path / "a.atelier"), exchange)).message


def test_an_input_under_a_wrong_name_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    refused(rewritten(path, lambda inside: inside.update({f"inputs/{'0' * 16}.png": b"x"})))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.atelier"
    path.write_bytes(encode_layer(pixels(1)))
    refused(path)
    with pytest.raises(FileError, match=r"missing\.atelier could not be read"):
        read_project(tmp_path / "missing.atelier")
    with pytest.raises(FileError):
        read_project(tmp_path)


# ------------------------------------------------------------------ writing


@pytest.mark.parametrize("for_good", [False, True])
def test_a_failing_disk_costs_nothing(tmp_path: Path, for_good: bool) -> None:
    path = tmp_path / "a.atelier"
    write_project(path, Project(Contents(3, 3)))
    steps = assert_nothing_is_lost(
        tmp_path, lambda: write_project(path, project()), path, for_good=for_good
    )
    assert steps > 4
    assert read_project(path).contents.width == 60


def test_a_picture_that_is_gone_leaves_the_old_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    before = path.read_bytes()

    def lost() -> bytes:
        raise FileError("The tile is lost.", "Paint it again.")

    broken = replace(project(), pictures={"a": [Picture(0, 0, "a" * 64, lost)]})
    with pytest.raises(FileError, match="lost"):
        write_project(path, broken)
    assert path.read_bytes() == before
    assert temporary_files(tmp_path) == []


def test_what_could_not_be_opened_again_is_not_written(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.atelier")
    before = path.read_bytes()
    many = tuple(LayerEntry(str(number), "") for number in range(1001))
    with pytest.raises(FileError, match="could not be opened again"):
        write_project(path, Project(Contents(5, 5, many)))
    assert path.read_bytes() == before


def test_another_program_reads_the_layers(tmp_path: Path) -> None:
    from PIL import Image

    inside = members(saved(tmp_path / "a.atelier"))
    name = next(name for name in inside if name.startswith("layers/"))
    with Image.open(io.BytesIO(inside[name])) as image:
        assert image.size == (7, 5)
