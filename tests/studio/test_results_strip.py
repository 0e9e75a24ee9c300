"""The strip of results: thumbnails, order, what a tooltip may show, what is dragged out."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest

from studio.widgets.prompt_edit import MOST_LINES, PromptEdit
from studio.widgets.results_strip import IMAGE_ROLE, ResultsStrip


@pytest.fixture
def strip(qtbot) -> ResultsStrip:
    strip = ResultsStrip()
    qtbot.addWidget(strip)
    strip.resize(400, 100)
    strip.show()
    return strip


def picture(folder: Path, name: str, color: str) -> Path:
    path = folder / f"{name}.png"
    Image.new("RGB", (40, 20), color).save(path)
    return path


def test_the_newest_comes_first_with_its_own_thumbnail(strip, qtbot, tmp_path) -> None:
    for name in ("red", "blue"):
        strip.add(picture(tmp_path, name, name), name)
    qtbot.waitUntil(lambda: all(strip.item(row).data(IMAGE_ROLE) for row in range(2)))
    colors = [strip.item(row).data(IMAGE_ROLE).pixelColor(5, 5).name() for row in range(2)]
    assert colors == ["#0000ff", "#ff0000"]
    assert strip.newest() == tmp_path / "blue.png"


def test_a_result_is_listed_once(strip, tmp_path) -> None:
    path = picture(tmp_path, "red", "red")
    strip.add(path)
    strip.add(path)
    assert strip.count() == 1


def test_a_file_that_is_no_image_gets_a_sign(strip, qtbot, tmp_path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"no image")
    strip.add(path)
    qtbot.waitUntil(lambda: strip.item(0).data(IMAGE_ROLE) is not None)


def test_a_prompt_cannot_bring_markup_into_its_tooltip(strip, tmp_path) -> None:
    strip.add(picture(tmp_path, "red", "red"), "<img src=x> & <b>bold</b>")
    assert strip.item(0).toolTip() == "<qt>&lt;img src=x> &amp; &lt;b>bold&lt;/b></qt>"


def test_a_result_is_dragged_out_as_a_file(strip, tmp_path) -> None:
    path = picture(tmp_path, "red", "red")
    strip.add(path)
    data = strip.mimeData([strip.item(0)])
    assert [url.toLocalFile() for url in data.urls()] == [str(path)]


def test_choosing_announces_and_selecting_does_not(strip, qtbot, tmp_path) -> None:
    paths = [picture(tmp_path, name, name) for name in ("red", "blue")]
    for path in paths:
        strip.add(path)
    chosen: list[Path] = []
    strip.chosen.connect(chosen.append)
    strip.select(paths[1])
    assert chosen == []
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_Right)
    assert chosen == [paths[0]]


def test_a_prompt_grows_with_its_text_up_to_a_few_lines(qtbot) -> None:
    prompt = PromptEdit()
    qtbot.addWidget(prompt)
    prompt.resize(300, prompt.height())
    prompt.show()
    one = prompt.height()
    prompt.setPlainText("a\nb\nc")
    three = prompt.height()
    prompt.setPlainText("word " * 500)
    most = prompt.height()
    line = prompt.fontMetrics().lineSpacing()
    assert three == one + 2 * line
    assert most == one + (MOST_LINES - 1) * line
    prompt.setPlainText("")
    font = QFont(prompt.font())
    font.setPointSizeF(font.pointSizeF() * 2)
    prompt.setFont(font)
    assert prompt.height() >= one + prompt.fontMetrics().lineSpacing() - line
    assert prompt.fontMetrics().lineSpacing() > 1.5 * line


def test_replacing_a_prompt_can_be_undone(qtbot) -> None:
    prompt = PromptEdit()
    qtbot.addWidget(prompt)
    prompt.show()
    QTest.keyClicks(prompt, "mine")
    prompt.replace("yours")
    QTest.keyClick(prompt, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert prompt.toPlainText() == "mine"
