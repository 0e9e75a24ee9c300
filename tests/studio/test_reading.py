"""Write as it reads: Markdown, pictures in the text, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QTextDocument
from pytestqt.qtbot import QtBot
from writing_task import Echo

from engine import text_files
from engine.worker import Engine
from studio.reading import markdown
from studio.settings import Settings
from studio.workspaces.write import WriteWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[WriteWorkspace]:
    workspace = WriteWorkspace(engine, Settings(), Echo)
    qtbot.addWidget(workspace)
    workspace.resize(1000, 640)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a red (big) 方.png"
    Image.new("RGB", (2000, 1000), "red").save(path)
    return path


def pictures(document: QTextDocument) -> list[QImage]:
    """Those that the document has loaded."""
    found = []
    block = document.begin()
    while block.isValid():
        for each in block:
            look = each.fragment().charFormat()
            if look.isImageFormat():
                kind = QTextDocument.ResourceType.ImageResource.value
                found.append(document.resource(kind, look.toImageFormat().name()))
        block = block.next()
    return found


def test_a_key_shows_the_text_as_it_reads_and_back(qtbot, workspace) -> None:
    desk = workspace.centralWidget()
    qtbot.keyClicks(desk.page, "# Title")
    qtbot.keyClick(desk.page, Qt.Key.Key_M, CONTROL)
    assert desk.reading.isVisible() and not desk.page.isVisible()
    assert desk.reading.toPlainText() == "Title"
    assert desk.reading.hasFocus() and desk.reading.isReadOnly()
    qtbot.keyClick(desk.reading, Qt.Key.Key_M, CONTROL)
    assert desk.page.isVisible() and desk.page.hasFocus()
    assert desk.page.toPlainText() == "# Title"


def test_it_follows_what_the_model_writes(qtbot, engine, workspace) -> None:
    desk = workspace.centralWidget()
    workspace.reading.turn()
    qtbot.keyClicks(workspace._ask_box.prompt, "one **two**")
    qtbot.keyClick(workspace._ask_box.prompt, Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: desk.reading.toPlainText() == "one two")


def test_a_picture_stands_in_the_text_and_is_one_step_of_undo(qtbot, workspace, picture) -> None:
    page, reading = workspace._page, workspace.centralWidget().reading
    qtbot.keyClicks(page, "See:")
    workspace.reading.put([picture, picture])
    assert page.toPlainText().count("![") == 2 and page.toPlainText().startswith("See:\n\n![")
    workspace.reading.turn()
    shown = pictures(reading.document())
    assert len(shown) == 2 and all(not image.isNull() for image in shown)
    assert 0 < shown[0].width() <= reading.lineWrapColumnOrWidth()
    workspace.reading.turn()
    qtbot.keyClick(page, Qt.Key.Key_Z, CONTROL)
    assert "![" not in page.toPlainText()


def test_nothing_is_loaded_from_a_network_or_by_a_bare_path(workspace, picture) -> None:
    kind = QTextDocument.ResourceType.ImageResource.value
    reading = workspace.centralWidget().reading
    assert reading.loadResource(kind, "http://127.0.0.1:1/a.png") is None
    assert reading.loadResource(kind, str(picture)) is None
    assert reading.loadResource(kind, picture.as_uri()) is not None
    assert reading.loadResource(kind, Path("/nowhere.png").as_uri()) is None
    style = QTextDocument.ResourceType.StyleSheetResource.value
    assert reading.loadResource(style, picture.as_uri()) is None


def test_pictures_go_along_into_word(tmp_path, picture) -> None:
    text = f"Before\n\n{markdown(picture)}\n\n![gone](file:///nowhere.png)\n"
    text_files.write(tmp_path / "text.docx", text)
    document = docx.Document(str(tmp_path / "text.docx"))
    assert len(document.inline_shapes) == 1
    section = document.sections[0]
    room = section.page_width - section.left_margin - section.right_margin
    assert document.inline_shapes[0].width == room
    assert "![gone](file:///nowhere.png)" in [p.text for p in document.paragraphs]


def test_a_broken_picture_stays_a_line_of_text(tmp_path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    text_files.write(tmp_path / "text.docx", markdown(broken))
    document = docx.Document(str(tmp_path / "text.docx"))
    assert [p.text for p in document.paragraphs] == [markdown(broken)]
