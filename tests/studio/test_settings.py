"""Preferences survive damage, wrong types and a full disk, and are on the disk soon."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults import failing_disk, temporary_files
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray
from pytestqt.qtbot import QtBot

from studio.settings import THEME, THREADS, Settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def path(home: Path) -> Path:
    return home / "settings.json"


def test_what_is_set_is_there_the_next_time(qtbot: QtBot, path: Path) -> None:
    settings = Settings()
    assert settings.path == path
    with qtbot.waitSignal(settings.changed) as changed:
        settings.set_value(THEME, "dark")
    assert changed.args == [THEME]
    settings.set_bytes("geometry", QByteArray(b"\x00\xff\x10"))
    settings.set_value("recent", ["数据 é 😀", "b"])
    settings.save()
    again = Settings()
    assert again.value(THEME, "system") == "dark"
    assert again.bytes("geometry") == QByteArray(b"\x00\xff\x10")
    assert again.value("recent", [""]) == ["数据 é 😀", "b"]


def test_a_change_is_on_the_disk_within_a_second(qtbot: QtBot, path: Path) -> None:
    settings = Settings()
    settings.set_value(THEME, "dark")
    qtbot.waitUntil(path.exists, timeout=1000)
    assert json.loads(path.read_text("utf-8")) == {THEME: "dark"}


def test_changes_that_never_cease_do_not_put_it_off(qtbot: QtBot, path: Path) -> None:
    settings = Settings()
    for number in range(20):  # a slider being dragged
        settings.set_value("volume", number)
        qtbot.wait(50)
    assert path.exists()


def test_the_same_value_again_is_no_change(qtbot: QtBot, path: Path) -> None:
    settings = Settings()
    settings.set_value("size", (1, 2))
    with qtbot.assertNotEmitted(settings.changed):
        settings.set_value("size", (1, 2))
        settings.set_value("size", [1, 2])
    with qtbot.waitSignal(settings.changed):
        settings.set_value("nothing", None)


def test_a_list_that_was_given_out_does_not_change_the_settings(qtbot: QtBot, path: Path) -> None:
    settings = Settings()
    given: list[str] = ["a"]
    settings.set_value("recent", given)
    given.append("b")
    taken = settings.value("recent", [""])
    assert taken == ["a"]
    taken.append("c")
    with qtbot.waitSignal(settings.changed):
        settings.set_value("recent", taken)
    assert settings.value("recent", [""]) == ["a", "c"]


@pytest.mark.parametrize("value", [float("nan"), Path("a"), {1, 2}, object()])
def test_what_cannot_be_kept_is_refused_at_once(qtbot: QtBot, path: Path, value: Any) -> None:
    settings = Settings()
    with pytest.raises((TypeError, ValueError)):
        settings.set_value("odd", value)
    settings.set_value(THEME, "dark")
    settings.save()
    assert json.loads(path.read_text("utf-8")) == {THEME: "dark"}


def test_what_a_killed_studio_left_is_swept(qtbot: QtBot, path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (path.parent / f".atelier-{dead.pid}-abc.json").write_text("half")
    Settings()
    assert temporary_files(path.parent) == []


DAMAGED = ["", "{", "[1, 2]", "null", '"text"', '{"a": 1', "\x00\x00", "[" * 100_000]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_set_aside(
    qtbot: QtBot, path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(text)
    settings = Settings()
    assert settings.value(THEME, "system") == "system"
    assert str(path) in caplog.text
    settings.set_value(THEME, "dark")
    settings.save()
    assert path.with_suffix(".bad").read_text() == text
    assert Settings().value(THEME, "system") == "dark"


def test_bytes_that_are_no_text_are_set_aside_too(qtbot: QtBot, path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    Settings()
    assert path.with_suffix(".bad").read_bytes() == b"\xff\xfe\x00"


def test_damage_twice_keeps_both(qtbot: QtBot, path: Path) -> None:
    for text in ("first {", "second {"):
        path.write_text(text)
        Settings()
    kept = {file.read_text() for file in path.parent.glob("*.bad")}
    assert kept == {"first {", "second {"}


def test_a_file_that_cannot_even_be_moved_keeps_nobody_out(
    qtbot: QtBot, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*given: object) -> None:
        raise PermissionError(13, "Permission denied")

    path.write_text("{")
    monkeypatch.setattr(Path, "replace", refuse)
    assert Settings().value(THREADS, 0) == 0
    assert "Permission denied" in caplog.text


@pytest.mark.parametrize(
    ("stored", "default", "given"),
    [
        (1, True, True),
        (True, 3, 3),
        ("3", 3, 3),
        (None, "system", "system"),
        ([], "system", "system"),
        (1.5, 1, 1),
        (2, 1.0, 2.0),
        ({"a": 1}, [], []),
        (True, 1.0, 1.0),
    ],
)
def test_a_value_of_another_type_gives_the_default(
    qtbot: QtBot, path: Path, stored: Any, default: Any, given: Any
) -> None:
    path.write_text(json.dumps({"key": stored}))
    value = Settings().value("key", default)
    assert value == given
    assert type(value) is type(given)


@pytest.mark.parametrize("stored", ["é", "not base64!", "a", 7, None, [1]])
def test_a_layout_that_is_none_is_empty(qtbot: QtBot, path: Path, stored: Any) -> None:
    path.write_text(json.dumps({"geometry": stored}))
    assert Settings().bytes("geometry") == QByteArray()


@given(JSON)
def test_any_json_file_opens(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_text(json.dumps(value))
    settings = Settings(path)
    assert isinstance(settings.value(THEME, "system"), str)
    assert isinstance(settings.value(THREADS, 0), int)
    assert isinstance(settings.bytes(THEME), QByteArray)


def test_a_full_disk_costs_no_session_and_not_the_old_file(
    qtbot: QtBot, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings()
    settings.set_value(THEME, "dark")
    settings.save()
    settings.set_value(THEME, "light")
    with failing_disk(1, for_good=True), caplog.at_level(logging.WARNING):
        settings.save()
    assert str(path) in caplog.text
    assert settings.value(THEME, "system") == "light"
    assert Settings().value(THEME, "system") == "dark"
    assert temporary_files(path.parent) == []
    settings.save()
    assert Settings().value(THEME, "system") == "light"
