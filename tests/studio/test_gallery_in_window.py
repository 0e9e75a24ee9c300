"""The gallery as a place of the window, and how a picture goes from there to Create."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from gallery_pictures import save_picture
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot
from tiny_describers import save_captioner

from engine import folders
from studio.app import Studio
from studio.dialogs.describing import DescribingDialog
from studio.panels.log_records import LogHandler
from studio.workspaces.gallery import GalleryWorkspace
from studio.workspaces.write import WriteWorkspace


@pytest.fixture
def studio(qtbot: QtBot, qapp: QApplication) -> Iterator[Studio]:
    save_picture("fox", "a red fox in the snow", seed=7, size=(64, 64))
    studio = Studio(qapp, LogHandler())
    with qtbot.waitExposed(studio.window):
        studio.window.show()
    qtbot.waitUntil(lambda: studio.window.findChild(QDockWidget, "jobs") is not None)
    yield studio
    studio.window.close()
    studio.close()


@pytest.fixture
def gallery(qtbot: QtBot, studio: Studio) -> GalleryWorkspace:
    """Opened by its key, with the one picture chosen."""
    studio.window.activateWindow()
    QTest.keyClick(studio.window, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    assert studio.window.windowTitle() == "Gallery — Atelier"
    gallery = cast(GalleryWorkspace, studio.window.workspace_named("gallery"))
    grid = gallery.page.grid
    qtbot.waitUntil(lambda: len(grid.pictures.numbers) == 1)
    grid.select_number(grid.pictures.numbers[0])
    return gallery


def prompt(studio: Studio) -> str:
    create = studio.window.workspace_named("create")
    assert create is not None
    edit = create.findChild(QPlainTextEdit, "prompt")
    assert isinstance(edit, QPlainTextEdit)
    return edit.toPlainText()


def test_a_picture_is_edited_on_the_canvas(
    qtbot: QtBot, studio: Studio, gallery: GalleryWorkspace
) -> None:
    gallery.edit()
    assert "Create" in studio.window.windowTitle()
    qtbot.waitUntil(lambda: prompt(studio) == "a red fox in the snow")


def test_its_settings_are_used_in_create(
    qtbot: QtBot, studio: Studio, gallery: GalleryWorkspace
) -> None:
    gallery.reuse()
    assert "Create" in studio.window.windowTitle()
    qtbot.waitUntil(lambda: prompt(studio) == "a red fox in the snow")


def test_an_empty_gallery_opens_create(studio: Studio, gallery: GalleryWorkspace) -> None:
    gallery.page.create_wanted.emit()
    assert "Create" in studio.window.windowTitle()


def test_its_commands_are_in_the_menu(studio: Studio, gallery: GalleryWorkspace) -> None:
    texts = [action.text() for action in studio.window.workspace_actions(gallery)]
    assert {"Find pictures", "Quick look", "Move to the trash", "Edit on the canvas"} <= set(texts)


def test_its_words_for_a_picture_go_into_the_text_and_into_its_notes(
    qtbot: QtBot, studio: Studio, gallery: GalleryWorkspace
) -> None:
    save_captioner(folders.models() / "captioner")
    QTest.keyClick(
        gallery.page.grid,
        Qt.Key.Key_D,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier,
    )
    dialog = studio.window.findChild(DescribingDialog)
    assert dialog is not None
    dialog.start()
    qtbot.waitUntil(lambda: not dialog.running and bool(dialog.text()), timeout=120_000)
    words = dialog.text()
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    buttons["Note"].click()
    number = gallery.page.grid.pictures.numbers[0]
    qtbot.waitUntil(lambda: gallery.collection.pictures([number])[0].mark.notes == words)
    gallery.deeds.undo_stack.undo()
    qtbot.waitUntil(lambda: gallery.collection.pictures([number])[0].mark.notes == "")
    buttons["Write"].click()
    assert studio.window.windowTitle().endswith("Write — Atelier")
    write = studio.window.workspace_named("write")
    assert isinstance(write, WriteWorkspace)
    assert write.reading._desk.page.toPlainText().strip() == words
    dialog.close()
