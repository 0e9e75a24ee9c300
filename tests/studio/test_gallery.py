"""The gallery with mouse and keyboard: finding, looking, starring, tagging, deleting, undoing."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from drawing_task import Paint
from gallery_pictures import save_picture
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine import folders
from engine.errors import FileError
from engine.gallery.index import NAME
from engine.gallery.pictures import Mark
from engine.runs import RunFolder
from engine.worker import Engine, Job
from studio import trash as system_trash
from studio.settings import Settings
from studio.workspaces.gallery import GalleryWorkspace

CONTROL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key


@pytest.fixture(autouse=True)
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's trash of this test."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    return folder / "Trash" / "files"


Opener = Callable[[], GalleryWorkspace]


@pytest.fixture
def opener(qtbot: QtBot, engine: Engine) -> Iterator[Opener]:
    opened: list[GalleryWorkspace] = []

    def open_gallery() -> GalleryWorkspace:
        gallery = GalleryWorkspace(engine, Settings())
        qtbot.addWidget(gallery)
        gallery.resize(1100, 700)
        with qtbot.waitActive(gallery):
            gallery.show()
            gallery.activateWindow()
        qtbot.waitUntil(lambda: not gallery.collection.scanning)
        opened.append(gallery)
        return gallery

    yield open_gallery
    for gallery in opened:
        gallery.close()


@pytest.fixture
def gallery(qtbot: QtBot, opener: Opener) -> GalleryWorkspace:
    """Three pictures, the newest first: fox, owl, cat."""
    save_picture("fox", "a red fox in the snow", seed=7, age=0, color="red")
    save_picture("owl", "一只猫头鹰", seed=8, age=1000, color="green")
    save_picture("cat", "a cat & a <b>hat</b>", seed=9, age=90_000, color="blue")
    gallery = opener()
    qtbot.waitUntil(lambda: shown(gallery) == ["fox", "owl", "cat"])
    return gallery


def shown(gallery: GalleryWorkspace) -> list[str]:
    numbers = gallery.page.grid.pictures.numbers
    return [picture.path.stem for picture in gallery.collection.pictures(numbers)]


def chosen(gallery: GalleryWorkspace) -> list[str]:
    numbers = gallery.page.grid.chosen_numbers()
    return [picture.path.stem for picture in gallery.collection.pictures(numbers)]


def mark(gallery: GalleryWorkspace, name: str) -> Mark:
    number = gallery.collection.index.number_of(folders.outputs() / f"{name}.png")
    [picture] = gallery.collection.pictures([number] if number else [])
    return picture.mark


def choose(gallery: GalleryWorkspace, row: int, *, also: bool = False) -> None:
    """Click a picture, with Ctrl where it is to be chosen as well."""
    grid = gallery.page.grid
    place = grid.visualRect(grid.pictures.index(row)).center()
    modifier = CONTROL if also else Qt.KeyboardModifier.NoModifier
    QTest.mouseClick(grid.viewport(), LEFT, modifier, place)


def press(gallery: GalleryWorkspace, key: Qt.Key, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    focus = QApplication.focusWidget() or gallery
    QTest.keyClick(focus, key, modifier)


def words(widget: QWidget) -> str:
    labels = [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]
    return "\n".join(labels)


def chips(gallery: GalleryWorkspace) -> list[str]:
    buttons = gallery.page.search.findChildren(QPushButton)
    return [b.text() for b in buttons if b.isVisible() and b.property("role")]


# ------------------------------------------------------------------ finding


def test_thumbnails_are_made_of_what_is_in_sight(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    model = gallery.page.grid.pictures
    qtbot.waitUntil(lambda: all((cell := model.cell(row)) and cell.image for row in range(3)))
    images = [cell.image for row in range(3) if (cell := model.cell(row))]
    colors = [image.pixelColor(image.rect().center()).name() for image in images if image]
    assert colors == ["#ff0000", "#008000", "#0000ff"]


def test_a_broken_file_shows_why(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    broken = folders.outputs() / "broken.png"
    whole = save_picture("whole", "noise", size=(64, 64)).read_bytes()
    broken.write_bytes(whole[: len(whole) - 60])  # its head is whole, its pixels are not
    gallery.refresh()
    qtbot.waitUntil(lambda: "broken" in shown(gallery))
    model = gallery.page.grid.pictures
    row = shown(gallery).index("broken")
    qtbot.waitUntil(lambda: bool((cell := model.cell(row)) and cell.problem))
    choose(gallery, row)
    press(gallery, Key.Key_Return)
    qtbot.waitUntil(lambda: "damaged" in gallery.page.view.words)
    assert len(shown(gallery)) == 5


def test_typing_finds_and_clearing_brings_all_back(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    press(gallery, Key.Key_F, CONTROL)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, "sno")
    qtbot.waitUntil(lambda: shown(gallery) == ["fox"])
    assert "1 of 3" in words(gallery)
    field.setText("猫头")
    qtbot.waitUntil(lambda: shown(gallery) == ["owl"])
    field.setText("nothing like it")
    qtbot.waitUntil(lambda: "Nothing found" in words(gallery))
    clear = next(b for b in gallery.findChildren(QPushButton) if b.text() == "Clear the search")
    QTest.mouseClick(clear, LEFT)
    qtbot.waitUntil(lambda: len(shown(gallery)) == 3)


def test_the_search_is_left_by_key(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    press(gallery, Key.Key_F, CONTROL)
    field = gallery.page.search.field
    QTest.keyClicks(field, "cat")
    qtbot.waitUntil(lambda: shown(gallery) == ["cat"])
    press(gallery, Key.Key_Down)
    assert (chosen(gallery), gallery.page.grid.hasFocus()) == (["cat"], True)
    press(gallery, Key.Key_F, CONTROL)
    press(gallery, Key.Key_Escape)
    assert (field.text(), field.hasFocus()) == ("", True)
    press(gallery, Key.Key_Escape)
    assert gallery.page.grid.hasFocus()
    qtbot.waitUntil(lambda: len(shown(gallery)) == 3)
    assert chosen(gallery) == ["cat"]


def test_filters_are_offered_while_they_are_typed(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    qtbot.waitUntil(lambda: "stickers" in menu_texts(gallery))
    press(gallery, Key.Key_F, CONTROL)
    field = gallery.page.search.field
    QTest.keyClicks(field, "cat mod")
    popup = field._completer.popup()
    assert not popup.isVisible()
    QTest.keyClicks(field, "el:st")
    qtbot.waitUntil(popup.isVisible)
    QTest.keyClick(popup, Key.Key_Down)
    QTest.keyClick(popup, Key.Key_Return)
    assert field.text() == "cat model:stickers "
    qtbot.waitUntil(lambda: shown(gallery) == ["cat"])


def test_filters_are_chips_that_can_be_taken_away(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    search = gallery.page.search
    search.set_text("a model:stickers seed:7 -owl seed:abc")
    expected = ["model: stickers", "seed: 7", "not owl", "seed: abc"]
    qtbot.waitUntil(lambda: chips(gallery) == expected)
    qtbot.waitUntil(lambda: shown(gallery) == [])
    for text in ("seed: abc", "seed: 7"):
        qtbot.waitUntil(lambda text=text: text in chips(gallery))
        buttons = [b for b in search.findChildren(QPushButton) if b.isVisible()]
        QTest.mouseClick(next(b for b in buttons if b.text() == text), LEFT)
    qtbot.waitUntil(lambda: shown(gallery) == ["fox", "cat"])
    assert search.field.text() == "a model:stickers -owl"


def test_the_menu_writes_filters_and_removes_them(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    search = gallery.page.search
    qtbot.waitUntil(lambda: "stickers" in menu_texts(gallery))
    for _ in range(2):
        menu_action(gallery, "stickers").trigger()
        menu_action(gallery, "Starred").trigger()
        if search.field.text():
            assert search.field.text() == "model:stickers star"
    assert search.field.text() == ""


def menu_actions(gallery: GalleryWorkspace) -> list:
    menu = gallery.page.search.filters.button.menu()
    assert menu is not None
    subs = [action.menu() for action in menu.actions() if action.menu()]
    return [*menu.actions(), *(action for sub in subs for action in sub.actions())]


def menu_texts(gallery: GalleryWorkspace) -> list[str]:
    return [action.text() for action in menu_actions(gallery)]


def menu_action(gallery: GalleryWorkspace, text: str):
    return next(action for action in menu_actions(gallery) if action.text() == text)


def test_the_order_can_be_chosen_and_is_remembered(
    qtbot: QtBot, gallery: GalleryWorkspace, opener: Opener
) -> None:
    gallery.page.search.set_order("oldest")
    gallery.page.grid.set_side(240)
    qtbot.waitUntil(lambda: shown(gallery) == ["cat", "owl", "fox"])
    gallery._settings.save()
    again = opener()
    qtbot.waitUntil(lambda: shown(again) == ["cat", "owl", "fox"])
    assert again.page.grid.side == 240


def test_an_empty_gallery_leads_to_create(qtbot: QtBot, opener: Opener) -> None:
    gallery = opener()
    qtbot.waitUntil(lambda: "No pictures yet" in words(gallery))
    button = next(b for b in gallery.findChildren(QPushButton) if b.text() == "Make a picture")
    with qtbot.waitSignal(gallery.create_requested):
        QTest.mouseClick(button, LEFT)


# ------------------------------------------------------------------ new pictures


def test_what_a_job_saves_is_shown_at_once(
    qtbot: QtBot, gallery: GalleryWorkspace, engine: Engine
) -> None:
    choose(gallery, 1)
    engine.submit(Job(Paint(prompt="a blue disc", seed=3), folders.outputs()))
    qtbot.waitUntil(lambda: len(shown(gallery)) == 4, timeout=10_000)
    assert chosen(gallery) == ["owl"]  # who was looking at one still does


def test_a_file_put_there_by_another_program_is_shown(
    qtbot: QtBot, gallery: GalleryWorkspace, tmp_path: Path
) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "outside.jpg")
    shutil.move(tmp_path / "outside.jpg", folders.outputs())
    qtbot.waitUntil(lambda: "outside" in shown(gallery), timeout=10_000)
    (folders.outputs() / "outside.jpg").unlink()
    qtbot.waitUntil(lambda: "outside" not in shown(gallery), timeout=10_000)


def test_two_windows_see_each_others_pictures_and_stars(
    qtbot: QtBot, gallery: GalleryWorkspace, opener: Opener
) -> None:
    other = opener()
    qtbot.waitUntil(lambda: len(shown(other)) == 3)
    choose(other, 0)
    other.star()
    qtbot.waitUntil(lambda: mark(other, "fox").star)
    gallery.page.search.set_text("star")
    qtbot.waitUntil(lambda: shown(gallery) == ["fox"])


def test_an_index_that_breaks_is_made_anew_behind_the_scenes(
    qtbot: QtBot, gallery: GalleryWorkspace, home: Path
) -> None:
    choose(gallery, 0)
    gallery.star()
    qtbot.waitUntil(lambda: mark(gallery, "fox").star)
    for suffix in ("-wal", "-shm"):
        (home / f"{NAME}{suffix}").unlink()
    (home / NAME).write_bytes(b"\0" * 100_000)
    gallery.collection.index._database._generation += 1  # as after a start
    gallery.page.search.set_text("star")
    qtbot.waitUntil(lambda: shown(gallery) == ["fox"], timeout=10_000)


# ------------------------------------------------------------------ looking


def test_the_keyboard_goes_through_the_pictures(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_Right)
    assert chosen(gallery) == ["owl"]
    press(gallery, Key.Key_End)
    assert chosen(gallery) == ["cat"]
    press(gallery, Key.Key_Home, SHIFT)
    assert chosen(gallery) == ["fox", "owl", "cat"]


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Space])
def test_a_picture_is_looked_at_large(qtbot: QtBot, gallery: GalleryWorkspace, key: Qt.Key) -> None:
    choose(gallery, 0)
    press(gallery, key)
    view = gallery.page.view
    qtbot.waitUntil(lambda: view.path is not None and view.path.stem == "fox")
    quick = key == Key.Key_Space
    assert (view.width() < gallery.page.pages.width()) == quick
    press(gallery, Key.Key_Right)
    qtbot.waitUntil(lambda: view.path is not None and view.path.stem == "owl")
    press(gallery, key)
    assert not view.isVisible()
    assert chosen(gallery) == ["owl"]
    assert QApplication.focusWidget() is gallery.page.grid


def test_details_tell_everything_as_plain_text(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    choose(gallery, 2)
    details = gallery.chosen.details
    qtbot.waitUntil(lambda: "Seed" in words(details))
    told = words(details)
    for expected in ("cat.png", "a cat & a <b>hat</b>", "9", "stickers", "16 × 16 · PNG"):
        assert expected in told
    labels = [label for label in details.findChildren(QLabel) if "<b>" in label.text()]
    assert labels
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)


# ------------------------------------------------------------------ stars, tags, notes


@pytest.mark.parametrize("key", [Key.Key_S, Key.Key_Asterisk])
def test_a_key_stars_and_takes_it_back(
    qtbot: QtBot, gallery: GalleryWorkspace, key: Qt.Key
) -> None:
    choose(gallery, 0)
    choose(gallery, 2, also=True)
    press(gallery, key)
    qtbot.waitUntil(lambda: mark(gallery, "fox").star and mark(gallery, "cat").star)
    assert not mark(gallery, "owl").star
    press(gallery, key)
    qtbot.waitUntil(lambda: not mark(gallery, "fox").star and not mark(gallery, "cat").star)
    press(gallery, Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: mark(gallery, "fox").star and mark(gallery, "cat").star)


def test_the_remark_offers_to_undo_the_last_deed_alone(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_Delete)
    qtbot.waitUntil(lambda: "is in the trash now" in words(gallery))
    qtbot.waitUntil(lambda: chosen(gallery) == ["owl"])
    press(gallery, Key.Key_S)
    qtbot.waitUntil(lambda: mark(gallery, "owl").star)
    assert "is in the trash now" not in words(gallery)


def test_a_word_just_typed_stays_when_a_filter_is_taken_away(gallery: GalleryWorkspace) -> None:
    search = gallery.page.search
    search.set_text("star fox")
    QTest.keyClicks(search.field, " red")
    search._remove(0)
    assert search.field.text().split() == ["fox", "red"]


def test_letters_in_the_search_do_no_deeds(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_F, CONTROL)
    field = gallery.page.search.field
    QTest.keyClicks(field, "s t")
    QTest.keyClick(field, Key.Key_Delete)
    assert field.text() == "s t"
    qtbot.wait(200)
    assert mark(gallery, "fox") == Mark()
    assert (folders.outputs() / "fox.png").exists()


def test_tags_are_added_to_all_that_are_chosen(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    choose(gallery, 0)
    choose(gallery, 1, also=True)
    qtbot.waitUntil(lambda: "2 pictures" in words(gallery.chosen.details))
    press(gallery, Key.Key_T)
    line = QApplication.focusWidget()
    assert line is gallery.chosen.details.tags.line
    QTest.keyClicks(line, "  Best  of ")
    press(gallery, Key.Key_Return)
    qtbot.waitUntil(lambda: gallery.chosen.details.tags.tags == ("Best of",))
    gallery.page.search.set_text('tag:"best of"')
    qtbot.waitUntil(lambda: shown(gallery) == ["fox", "owl"])
    gallery.chosen.details.tags.removed.emit("Best of")
    qtbot.waitUntil(lambda: mark(gallery, "fox") == mark(gallery, "owl") == Mark())
    gallery.deeds.undo_stack.undo()
    gallery.deeds.undo_stack.undo()
    gallery.deeds.undo_stack.redo()
    qtbot.waitUntil(lambda: mark(gallery, "owl").tags == ("Best of",))


def test_notes_are_kept_when_another_picture_is_chosen(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    choose(gallery, 0)
    notes = gallery.chosen.details.notes
    qtbot.waitUntil(notes.isVisible)
    qtbot.waitUntil(lambda: gallery.chosen.picture is not None)
    notes.setFocus()
    QTest.keyClicks(notes, "for Anna")
    gallery.page.grid.step(1)  # the notes keep the focus
    qtbot.waitUntil(lambda: mark(gallery, "fox").notes == "for Anna")
    qtbot.waitUntil(lambda: notes.toPlainText() == "")
    assert mark(gallery, "owl").notes == ""


# ------------------------------------------------------------------ trash


def test_delete_goes_to_the_trash_and_comes_back_with_its_marks(
    qtbot: QtBot, gallery: GalleryWorkspace, trash: Path
) -> None:
    fox = folders.outputs() / "fox.png"
    before = fox.read_bytes()
    choose(gallery, 0)
    gallery.deeds.add_tag(gallery.chosen.numbers(), "kept")
    press(gallery, Key.Key_Delete)
    qtbot.waitUntil(lambda: shown(gallery) == ["owl", "cat"])
    assert not fox.exists()
    assert [path.read_bytes() for path in trash.iterdir()] == [before]
    qtbot.waitUntil(lambda: "fox.png is in the trash now." in words(gallery))
    qtbot.waitUntil(lambda: chosen(gallery) == ["owl"])  # the next one takes its place
    undo = next(b for b in gallery.page.remark.findChildren(QPushButton) if b.isVisible())
    QTest.mouseClick(undo, LEFT)
    qtbot.waitUntil(lambda: shown(gallery) == ["fox", "owl", "cat"])
    assert fox.read_bytes() == before
    assert mark(gallery, "fox").tags == ("kept",)
    assert not list((trash.parent / "info").iterdir())
    gallery.deeds.undo_stack.redo()
    qtbot.waitUntil(lambda: shown(gallery) == ["owl", "cat"])


def test_undo_right_after_delete_undoes_just_that(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_S)
    press(gallery, Key.Key_A, CONTROL)
    press(gallery, Key.Key_Delete)
    press(gallery, Key.Key_Z, CONTROL)  # before the thread has done it
    qtbot.wait(100)
    qtbot.waitUntil(lambda: len(list(folders.outputs().glob("*.png"))) == 3)
    qtbot.waitUntil(lambda: shown(gallery) == ["fox", "owl", "cat"])
    assert mark(gallery, "fox").star


def test_undo_and_redo_in_a_row_delete_the_same_picture_again(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_Delete)
    qtbot.waitUntil(lambda: not (folders.outputs() / "fox.png").exists())
    other = save_picture("fox", "another one took the name")
    gallery.deeds.undo_stack.undo()
    gallery.deeds.undo_stack.redo()  # before the thread has brought the first one back
    done: list[bool] = []
    gallery.collection._writer.run(lambda: True, done.append)
    qtbot.waitUntil(lambda: bool(done))
    assert other.exists()
    assert not (folders.outputs() / "fox-2.png").exists()


def test_a_star_is_said_and_taken_away_where_all_have_one(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_A, CONTROL)
    press(gallery, Key.Key_S)
    action = next(a for a in gallery.actions() if a.objectName() == "gallery_star")
    qtbot.waitUntil(lambda: action.text() == "Take the star away")
    pictures = gallery.page.grid.pictures
    role = Qt.ItemDataRole.AccessibleTextRole
    qtbot.waitUntil(lambda: str(pictures.data(pictures.index(0), role)).startswith("Starred: "))
    press(gallery, Key.Key_S)
    qtbot.waitUntil(lambda: action.text() == "Star")


def test_where_there_is_no_trash_there_is_our_own(
    qtbot: QtBot, gallery: GalleryWorkspace, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/none")
    choose(gallery, 0)
    press(gallery, Key.Key_Delete)
    qtbot.waitUntil(lambda: (home / "trash" / "fox.png").exists())
    save_picture("fox", "another one took the name")
    press(gallery, Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: sorted(shown(gallery)) == ["cat", "fox", "fox-2", "owl"])


def test_what_the_trash_has_lost_is_told(
    qtbot: QtBot, gallery: GalleryWorkspace, trash: Path
) -> None:
    choose(gallery, 0)
    press(gallery, Key.Key_Delete)
    qtbot.waitUntil(lambda: shown(gallery) == ["owl", "cat"])
    shutil.rmtree(trash)
    press(gallery, Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: "cannot be brought back" in words(gallery.page.errors))
    assert shown(gallery) == ["owl", "cat"]


def test_a_move_to_another_disk_that_fails_leaves_one_whole_file(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/none")
    fox = save_picture("fox")
    before = fox.read_bytes()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)  # so it is copied
        patch.setattr(shutil, "copystat", refuse)
        with pytest.raises(FileError, match="could not be deleted"):
            system_trash.delete(fox)
    assert fox.read_bytes() == before
    assert list((home / "trash").iterdir()) == []
    trashed = system_trash.delete(fox)
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        patch.setattr(shutil, "copystat", refuse)
        with pytest.raises(FileError, match="could not be brought back"):
            system_trash.restore(trashed)
    assert not fox.exists()
    assert system_trash.restore(trashed).read_bytes() == before


def test_samples_stay_with_their_training(qtbot: QtBot, opener: Opener) -> None:
    run = RunFolder(folders.runs() / "r")
    run.create({"task": "train_gan", "fields": {"dataset": "digits"}})
    path = run.save_sample(1, Image.new("L", (8, 8)))
    gallery = opener()
    qtbot.waitUntil(lambda: shown(gallery) == ["000001"])
    choose(gallery, 0)
    press(gallery, Key.Key_Delete)
    assert "stay with it" in words(gallery)
    fox = save_picture("fox", "a fox")
    gallery.refresh()
    qtbot.waitUntil(lambda: len(shown(gallery)) == 2)
    press(gallery, Key.Key_A, CONTROL)
    press(gallery, Key.Key_Delete)
    qtbot.waitUntil(lambda: "fox.png is in the trash now." in words(gallery))
    assert "stay with it" in words(gallery)
    assert path.exists() and not fox.exists()


# ------------------------------------------------------------------ going on elsewhere


def test_pictures_go_to_other_programs_as_files(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    grid = gallery.page.grid
    choose(gallery, 0)
    choose(gallery, 2, also=True)
    names = [Path(url.toLocalFile()).name for url in grid.drag_data().urls()]
    assert names == ["fox.png", "cat.png"]
    qtbot.waitUntil(lambda: "2 pictures" in words(gallery.chosen.details))
    press(gallery, Key.Key_C, CONTROL)
    assert len(QGuiApplication.clipboard().mimeData().urls()) == 2


def test_a_picture_is_copied_with_its_pixels(qtbot: QtBot, gallery: GalleryWorkspace) -> None:
    choose(gallery, 0)
    qtbot.waitUntil(lambda: gallery.chosen.picture is not None)
    press(gallery, Key.Key_C, CONTROL)
    qtbot.waitUntil(lambda: not QGuiApplication.clipboard().image().isNull())
    press(gallery, Key.Key_P, CONTROL | SHIFT)
    assert QGuiApplication.clipboard().text() == "a red fox in the snow"


def test_create_is_asked_for_the_picture_and_for_its_settings(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    choose(gallery, 1)
    qtbot.waitUntil(lambda: gallery.chosen.picture is not None)
    path = folders.outputs() / "owl.png"
    with qtbot.waitSignal(gallery.open_requested) as opened:
        press(gallery, Key.Key_E, CONTROL)
    with qtbot.waitSignal(gallery.reuse_requested) as reused:
        press(gallery, Key.Key_R, CONTROL)
    assert (opened.args, reused.args) == ([path], [path])


# ------------------------------------------------------------------ thousands


def test_many_pictures_are_scrolled_through_without_loading_them_all(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    grid = gallery.page.grid
    [fox, owl, cat] = grid.pictures.numbers
    from array import array

    grid.show_numbers(array("q", [fox, *range(10_000, 40_000), cat]))
    bar = grid.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 100_000)
    bar.setValue(bar.maximum() // 2)
    grid.repaint()
    assert len(gallery._loader._waiting) < 700
    top = grid.indexAt(grid.viewport().rect().center()).row()
    number = grid.pictures.numbers[top]
    grid.selectionModel().setCurrentIndex(
        grid.pictures.index(top), QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    before = grid.visualRect(grid.currentIndex()).top()
    grid.show_numbers(array("q", [fox, owl, *range(10_000, 40_000), cat]))
    assert grid.chosen_numbers() == [number]
    assert abs(grid.visualRect(grid.currentIndex()).top() - before) <= grid.gridSize().height()


def test_a_drive_that_is_asleep_empties_nothing_and_is_named(
    qtbot: QtBot, gallery: GalleryWorkspace
) -> None:
    outputs = folders.outputs()
    outputs.rename(outputs.with_name("away"))
    outputs.symlink_to("elsewhere")
    gallery.refresh()
    qtbot.waitUntil(lambda: "cannot be read just now" in words(gallery.page.errors))
    assert str(outputs) in words(gallery.page.errors)
    assert shown(gallery) == ["fox", "owl", "cat"]
