"""Working on the canvas of Create: masks, fills, acceptance, undo, effects, what is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from drawing_task import Paint
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, QRect, QSize, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage, QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from repainting_task import Repaint

from engine import folders, metadata
from engine.worker import Engine
from studio.actions import fill_menu
from studio.canvas import layer_deeds
from studio.canvas.document import Document
from studio.canvas.layer import LayerKind
from studio.canvas.selection import Selection
from studio.requests import Meaning
from studio.settings import Settings
from studio.widgets.canvas_stage import CanvasStage
from studio.widgets.easel import LAYER, REUSE
from studio.workspaces.create import CreateWorkspace

LEFT = Qt.MouseButton.LeftButton
TASKS = {Meaning.CREATE: Paint} | dict.fromkeys(
    (Meaning.REFINE, Meaning.FILL, Meaning.EXTEND), Repaint
)
PATIENCE = 60_000  # milliseconds


@pytest.fixture
def workspace(qtbot: QtBot, engine: Engine) -> Iterator[CreateWorkspace]:
    workspace = CreateWorkspace(engine, Settings(), TASKS)
    qtbot.addWidget(workspace)
    workspace.resize(1200, 800)
    with qtbot.waitActive(workspace):
        workspace.show()
        workspace.activateWindow()
    yield workspace
    workspace.close()


@pytest.fixture
def drawn(qtbot: QtBot, workspace: CreateWorkspace) -> CreateWorkspace:
    """With a result of 256 × 16 pixels over an empty canvas."""
    workspace.form.set_values({"width": 256})
    workspace.easel.prompt.replace("a fox")
    generate(qtbot, workspace)
    return workspace


def generate(qtbot: QtBot, workspace: CreateWorkspace) -> None:
    """Press the button, and wait until its result is staged."""
    before = workspace.staging.path
    qtbot.mouseClick(workspace.easel.generate_button, LEFT)
    qtbot.waitUntil(lambda: workspace.staging.path not in (None, before), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not workspace.drawing.running, timeout=PATIENCE)


def take(workspace: CreateWorkspace, tool: str) -> None:
    workspace.workbench.box.choose(tool)


def drag(workspace: CreateWorkspace, *places: tuple[int, int]) -> None:
    """With the left button, by places in pixels of what is shown."""
    view = workspace.easel.canvas
    points = [view.from_document(QPointF(*place)).toPoint() for place in places]
    QTest.mousePress(view, LEFT, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(view, point)
    QTest.mouseRelease(view, LEFT, pos=points[-1])


def select(workspace: CreateWorkspace, rect: QRect) -> None:
    workspace.document.set_selection(Selection.from_rect(rect))
    workspace.generating.look()


def color(workspace: CreateWorkspace, x: int, y: int) -> QColor:
    return workspace.document.composite().pixelColor(x, y)


def button(workspace: CreateWorkspace) -> str:
    return workspace.easel.generate_button.text()


# ------------------------------------------------------------------ staging


def test_a_result_waits_over_an_empty_canvas_and_enter_accepts_it(qtbot, drawn) -> None:
    assert drawn.document.is_empty
    assert drawn.easel.stage.staging_bar.isVisible()
    drawn.easel.canvas.setFocus()
    qtbot.keyClick(drawn.easel.canvas, Qt.Key.Key_Return)
    [layer] = drawn.document.layers
    assert layer.kind is LayerKind.GENERATED
    assert layer.record.values["prompt"] == "a fox"
    assert drawn.document.size.toTuple() == (256, 16)
    assert not drawn.easel.stage.staging_bar.isVisible()


def test_delete_discards_it_and_the_file_stays(qtbot, drawn) -> None:
    path = drawn.staging.path
    drawn.easel.canvas.setFocus()
    qtbot.keyClick(drawn.easel.canvas, Qt.Key.Key_Delete)
    assert drawn.staging.count == 0
    assert drawn.document.is_empty
    assert drawn.easel.stage.empty.isVisible()
    assert path.exists()
    assert drawn.easel.strip.count() == 1


def test_several_results_are_gone_through(qtbot, drawn) -> None:
    first = drawn.staging.path
    generate(qtbot, drawn)
    second = drawn.staging.path
    bar = drawn.easel.stage.staging_bar
    bar.stepped.emit(-1)
    assert drawn.staging.path == first
    assert drawn.easel.strip.chosen_paths() == [first], "the strip follows"
    bar.stepped.emit(1)
    assert drawn.staging.path == second


def test_accepting_is_one_step_and_undoing_it_asks_again(qtbot, drawn) -> None:
    steps = drawn.undo_stack.index()
    drawn.staging.accept()
    assert drawn.undo_stack.index() == steps + 1
    drawn.undo_stack.undo()
    assert drawn.document.is_empty
    assert drawn.document.size.toTuple() == (512, 512)
    assert drawn.staging.count == 1, "it can be decided on again"
    drawn.undo_stack.redo()
    assert drawn.document.size.toTuple() == (256, 16)
    assert drawn.staging.count == 0


def test_a_picture_of_another_size_hides_what_was_there_and_loses_nothing(qtbot, drawn) -> None:
    drawn.staging.accept()
    drawn.form.set_values({"width": 128})
    generate(qtbot, drawn)
    assert drawn.easel.canvas.staged.alone
    drawn.staging.accept()
    assert drawn.document.size.toTuple() == (128, 16)
    assert [layer.visible for layer in drawn.document.layers] == [False, True]
    drawn.undo_stack.undo()
    assert drawn.document.size.toTuple() == (256, 16)
    assert [layer.visible for layer in drawn.document.layers] == [True]


def test_what_is_painted_on_is_accepted_first(qtbot, drawn) -> None:
    take(drawn, "brush")
    drag(drawn, (20, 8), (60, 8))
    [layer] = drawn.document.layers
    assert layer.kind is LayerKind.GENERATED
    assert color(drawn, 40, 8).name() == "#000000"
    drawn.undo_stack.undo()
    assert color(drawn, 40, 8).name() != "#000000"
    assert len(drawn.document.layers) == 1


def test_the_hand_changes_nothing(qtbot, drawn) -> None:
    take(drawn, "hand")
    drawn.easel.canvas.zoom_by(8)
    drag(drawn, (120, 8), (125, 8))
    assert drawn.document.is_empty
    assert drawn.staging.count == 1


# ------------------------------------------------------------------ what Generate means


def test_the_button_follows_the_canvas(qtbot, drawn) -> None:
    assert button(drawn) == "Generate"
    drawn.easel.strength.set_value(0.5)
    qtbot.waitUntil(lambda: button(drawn) == "Refine")
    take(drawn, "rectangle")
    drag(drawn, (60, 4), (100, 12))
    qtbot.waitUntil(lambda: button(drawn) == "Fill")
    select(drawn, QRect(200, -3, 60, 25))
    assert button(drawn) == "Fill", "a hand that slips over the edge means the picture"
    select(drawn, QRect(200, 0, 100, 16))
    assert button(drawn) == "Extend"
    drawn.workbench.select_none()
    drawn.easel.strength.set_value(1.0)
    qtbot.waitUntil(lambda: button(drawn) == "Generate")


def test_a_mask_painted_with_the_mouse_is_filled_and_nothing_else(qtbot, engine, drawn) -> None:
    take(drawn, "mask_brush")
    drawn.workbench.box.current.size = 8
    drag(drawn, (60, 8), (100, 8))
    before = drawn.document.composite()
    qtbot.waitUntil(lambda: button(drawn) == "Fill")
    generate(qtbot, drawn)
    assert drawn.document.composite() == before, "it waits for a decision"
    task = engine.jobs[-1].task
    assert Path(task.image).parent == folders.inputs()
    assert metadata.read_task(Path(task.image)).values["prompt"] == "a fox"
    drawn.staging.accept()
    assert color(drawn, 80, 8) != before.pixelColor(80, 8)
    assert color(drawn, 10, 8) == before.pixelColor(10, 8)
    top = drawn.document.layers[-1]
    assert top.pixels.bounds().width() < 60, "the layer has what is new and no more"
    assert top.record.source.values["prompt"] == "a fox"


def test_a_mask_layer_marks_as_well(qtbot, drawn) -> None:
    drawn.staging.accept()
    take(drawn, "mask_brush")
    layer_deeds.new_layer(drawn.document, LayerKind.MASK)
    drag(drawn, (60, 8), (100, 8))
    qtbot.waitUntil(lambda: button(drawn) == "Fill")


def test_a_drag_of_the_strength_is_one_step_of_undo(drawn) -> None:
    strength = drawn.easel.strength
    strength.set_value(0.8)
    steps = drawn.undo_stack.count()
    for value in (0.6, 0.5, 0.3):
        strength.set_value(value)
    assert drawn.undo_stack.count() == steps, "goes on with the change before"
    assert drawn.generating.strength == pytest.approx(0.3)
    drawn.undo_stack.undo()
    assert strength.value() == pytest.approx(1.0)
    assert drawn.generating.strength == pytest.approx(1.0)
    drawn.undo_stack.redo()
    assert strength.value() == pytest.approx(0.3)


def test_less_strength_refines_what_is_seen(qtbot, engine, drawn) -> None:
    drawn.easel.strength.set_value(0.4)
    generate(qtbot, drawn)
    task = engine.jobs[-1].task
    assert task.strength == pytest.approx(0.4)
    assert len(drawn.document.layers) == 1, "what was refined is on the canvas"
    assert drawn.easel.canvas.staged.rect == QRect(0, 0, 256, 16)


def test_beyond_the_side_it_goes_on(qtbot, engine, drawn) -> None:
    drawn.staging.accept()
    before = color(drawn, 100, 8)
    select(drawn, QRect(250, 0, 40, 16))
    generate(qtbot, drawn)
    assert (engine.jobs[-1].task.left, engine.jobs[-1].task.right) == (0, 34)
    drawn.staging.accept()
    assert drawn.document.size.toTuple() == (290, 16)
    assert color(drawn, 100, 8) == before
    drawn.undo_stack.undo()
    assert drawn.document.size.toTuple() == (256, 16)


def test_fields_of_what_it_means_are_in_the_form(qtbot, drawn) -> None:
    assert not drawn.form.editor("feather").isVisible()
    drawn.staging.accept()
    select(drawn, QRect(10, 0, 40, 16))
    assert drawn.form.editor("feather").isVisible()
    assert not drawn.form.editor("width").isVisible()


# ------------------------------------------------------------------ one undo for all


def test_settings_and_strokes_are_undone_in_their_order(qtbot, drawn) -> None:
    drawn.staging.accept()
    take(drawn, "brush")
    drag(drawn, (20, 8), (60, 8))
    drawn.form.set_values({"width": 64})
    undo = drawn._actions["create_undo"]
    assert undo.text() == "Undo change of settings"
    undo.trigger()
    assert drawn.form.values()["width"] == 256
    assert undo.text() == "Undo brush"
    undo.trigger()
    assert color(drawn, 40, 8).name() != "#000000"


def test_restored_settings_are_one_step(qtbot, drawn, tmp_path) -> None:
    path = tmp_path / "old.png"
    task = Paint(prompt="old", negative_prompt="no", width=64, seed=5)
    metadata.write_png(path, Image.new("RGB", (8, 8)), task)
    before = drawn.reusing.request()
    drawn.reusing.restore(path)
    assert drawn.easel.prompt.toPlainText() == "old"
    drawn.undo_stack.undo()
    assert drawn.reusing.request() == before
    assert drawn.easel.remark.text == "", "its Undo button would undo something else now"


# ------------------------------------------------------------------ pictures that come and go


def test_what_is_said_of_restored_settings_goes_with_the_next_step(workspace, tmp_path) -> None:
    workspace.undo_stack.setUndoLimit(1)
    path = tmp_path / "made.png"
    metadata.write_png(path, Image.new("RGB", (8, 8)), Paint(prompt="a fox"))
    workspace.reusing.restore(path)
    assert "restored" in workspace.easel.remark.text
    workspace.form.set_values({"width": 128})
    assert workspace.easel.remark.text == "", "an undo there would undo something else"


def test_copying_takes_what_is_selected(qtbot, drawn) -> None:
    drawn.staging.accept()
    select(drawn, QRect(10, 2, 30, 8))
    canvas = drawn.easel.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().image().size().toTuple() == (30, 8)


def drop(workspace: CreateWorkspace, zone: str, path: Path) -> None:
    zones = workspace.easel.zones
    zones.offer()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place = QPointF(zones.areas()[zone].center())
    none = Qt.KeyboardModifier.NoModifier
    copy = Qt.DropAction.CopyAction
    QApplication.sendEvent(zones, QDragEnterEvent(place.toPoint(), copy, data, LEFT, none))
    QApplication.sendEvent(zones, QDropEvent(place, copy, data, LEFT, none))
    assert not zones.isVisible()


def test_a_picture_is_dropped_as_a_layer(qtbot, drawn, tmp_path) -> None:
    drawn.staging.accept()
    path = tmp_path / "patch.png"
    Image.new("RGB", (10, 10), "blue").save(path)
    drop(drawn, LAYER, path)
    qtbot.waitUntil(lambda: len(drawn.document.layers) == 2)
    assert drawn.document.layers[1].pixels.bounds().size().toTuple() == (10, 10)
    assert color(drawn, 128, 8).name() == "#0000ff"
    assert drawn.document.size.toTuple() == (256, 16)


def test_a_picture_is_dropped_for_its_settings(qtbot, drawn, tmp_path) -> None:
    path = tmp_path / "old.png"
    metadata.write_png(path, Image.new("RGB", (8, 8)), Paint(prompt="old"))
    drop(drawn, REUSE, path)
    assert drawn.easel.prompt.toPlainText() == "old"
    assert drawn.document.is_empty


def test_what_stands_below_the_prompt_stands_in_one_line(qtbot, drawn) -> None:
    drawn.easel.strength.setMinimumHeight(48)  # as with another font
    drawn.easel.styles.set_value("3d")
    chip = drawn.easel.styles.findChildren(QPushButton)[-1]
    row = (drawn.easel._fold, drawn.easel.styles.button, chip, drawn.easel.strength)
    qtbot.waitUntil(lambda: all(widget.isVisible() for widget in row))

    def middles() -> list[int]:
        return [widget.mapTo(drawn, widget.rect().center()).y() for widget in row]

    qtbot.waitUntil(lambda: max(middles()) - min(middles()) <= 1)


def test_in_a_low_window_the_canvas_gives_way_and_nothing_is_cut_off(qtbot, drawn) -> None:
    easel = drawn.easel
    easel.set_negative_prompt("a boat")
    drawn._actions["create_export"].trigger()
    easel.say("Something to say")
    drawn.resize(drawn.width(), drawn.minimumSizeHint().height() + 8)
    shown = (easel.strip, easel.export_bar, easel.remark, easel.prompt, easel.negative_prompt)
    assert all(widget.isVisible() for widget in shown)

    def cut_off() -> list[QWidget]:
        return [widget for widget in shown if widget.height() < widget.minimumSizeHint().height()]

    qtbot.waitUntil(lambda: not cut_off())
    tops = [widget.mapTo(easel, widget.rect().topLeft()).y() for widget in shown]
    ends = [top + widget.height() for top, widget in zip(tops, shown, strict=True)]
    assert all(end <= top for end, top in zip(ends, tops[1:], strict=False)), "they overlap"


def test_an_empty_canvas_can_be_painted_on(qtbot, workspace) -> None:
    workspace.easel.stage.empty_wanted.emit()
    assert workspace.easel.canvas.isVisible()
    take(workspace, "brush")
    drag(workspace, (100, 100), (200, 100))
    assert color(workspace, 150, 100).name() == "#000000"
    workspace.easel.strength.set_value(0.5)
    qtbot.waitUntil(lambda: button(workspace) == "Refine")


def test_an_effect_works_on_what_is_on_the_canvas(qtbot, engine, drawn) -> None:
    drawn.staging.accept()
    drawn._effects.ask()
    desk = drawn._effects.desk()
    assert {"upscale", "make_sticker", "remove_background"} <= set(desk.forms)
    assert not {"inpaint", "export_image", "text_to_image"} & set(desk.forms)
    desk.choose("remove_background")
    qtbot.mouseClick(desk.button, LEFT)
    assert engine.jobs[-1].task.name() == "remove_background"
    qtbot.waitUntil(lambda: not engine.busy, timeout=PATIENCE)


def test_what_was_painted_is_exported_under_the_name_of_the_project(
    qtbot, drawn, tmp_path, monkeypatch
) -> None:
    take(drawn, "brush")
    drag(drawn, (20, 8), (60, 8))
    asked: list[str] = []

    def choose(parent, title, start, filters):  # type: ignore[no-untyped-def]
        asked.append(Path(start).stem)
        return str(tmp_path / "out"), filters

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    drawn.finished.export()
    drawn.finished.choose_where()
    target = tmp_path / "out.png"
    qtbot.waitUntil(target.exists)
    assert asked == ["Untitled"]
    written = QImage(str(target))
    assert written.pixelColor(40, 8).name() == "#000000"
    assert written.size().toTuple() == (256, 16)


def test_previews_make_way_for_a_brush(qtbot, drawn) -> None:
    drawn.staging.accept()
    drawn.form.set_values({"pause": 2.0})
    select(drawn, QRect(0, 0, 256, 16))
    qtbot.mouseClick(drawn.easel.generate_button, LEFT)
    qtbot.waitUntil(lambda: drawn.staging.is_preview, timeout=PATIENCE)
    take(drawn, "brush")
    drag(drawn, (20, 8), (60, 8))
    assert not drawn.staging.is_preview
    assert color(drawn, 40, 8).name() == "#000000"
    qtbot.waitUntil(lambda: drawn.staging.count == 1, timeout=PATIENCE)
    assert drawn.easel.canvas.staged.rect == drawn.document.rect


def test_a_fill_of_another_picture_has_no_place_on_this_one(qtbot, drawn, tmp_path) -> None:
    drawn.staging.accept()
    drawn.form.set_values({"pause": 1.0})
    select(drawn, QRect(0, 0, 100, 16))
    qtbot.mouseClick(drawn.easel.generate_button, LEFT)
    qtbot.waitUntil(lambda: drawn.drawing.running, timeout=PATIENCE)
    path = tmp_path / "other.png"
    Image.new("RGB", (40, 40), "blue").save(path)
    drawn.open_file(path)
    qtbot.waitUntil(lambda: drawn.document.size.toTuple() == (40, 40), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not drawn.drawing.running, timeout=PATIENCE)
    qtbot.waitUntil(lambda: drawn.easel.strip.count() == 3, timeout=PATIENCE)
    assert drawn.staging.count == 0


def test_a_fill_finds_its_place_on_a_canvas_that_was_cropped_meanwhile(qtbot, drawn) -> None:
    drawn.staging.accept()
    drawn.form.set_values({"pause": 1.0})
    select(drawn, QRect(100, 0, 50, 16))
    qtbot.mouseClick(drawn.easel.generate_button, LEFT)
    qtbot.waitUntil(lambda: drawn.drawing.running, timeout=PATIENCE)
    drawn.document.resize(QRect(90, 4, 80, 8))
    before = color(drawn, 5, 4)
    qtbot.waitUntil(lambda: drawn.staging.count == 1, timeout=PATIENCE)
    assert drawn.easel.canvas.staged.rect == QRect(-90, -4, 256, 16)
    drawn.staging.accept()
    assert drawn.document.size.toTuple() == (80, 8), "nothing asked for more"
    assert drawn.document.layers[-1].pixels.bounds() == QRect(10, -4, 50, 16)
    assert color(drawn, 5, 4) == before


def test_select_all_is_for_the_canvas_or_for_the_results(qtbot, drawn) -> None:
    generate(qtbot, drawn)
    strip, control = drawn.easel.strip, Qt.KeyboardModifier.ControlModifier
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_A, control)
    assert len(strip.chosen_paths()) == 2
    assert drawn.document.selection.is_empty
    drawn.staging.accept()
    drawn.easel.canvas.setFocus()
    qtbot.keyClick(drawn.easel.canvas, Qt.Key.Key_A, control)
    assert drawn.document.selection.bounds == drawn.document.rect


def test_the_bar_to_decide_with_leaves_the_picture_free(qtbot) -> None:
    stage = CanvasStage(Document(QSize(512, 512), QUndoStack()))
    qtbot.addWidget(stage)
    stage.resize(900, 355)
    stage.show_picture(QSize(512, 512))
    stage.show_staging(0, 2, comparable=True)
    stage.show()
    picture = stage.view.viewport.picture_rect()
    assert picture.top() > 0
    assert picture.bottom() < stage.staging_bar.geometry().top()


# ------------------------------------------------------------------ keys, menu and palette


@pytest.mark.parametrize("tool", ["transform", "crop"])
def test_an_undo_elsewhere_takes_back_what_a_tool_holds_and_nothing_more(
    qtbot, drawn, tool: str
) -> None:
    drawn.staging.accept()
    steps, before = drawn.undo_stack.index(), drawn.document.composite()
    take(drawn, tool)
    drag(drawn, (100, 2), (60, 14))
    assert drawn.workbench.box.current.is_busy
    drawn.easel.generate_button.setFocus()
    qtbot.keyClick(drawn.easel.generate_button, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not drawn.workbench.box.current.is_busy
    assert drawn.undo_stack.index() == steps, "the result is still accepted"
    assert drawn.document.composite() == before


@pytest.mark.parametrize("tool", ["transform", "crop"])
def test_what_a_tool_holds_is_not_for_another_picture(qtbot, drawn, tmp_path, tool: str) -> None:
    drawn.staging.accept()
    take(drawn, tool)
    drag(drawn, (100, 2), (60, 14))
    path = tmp_path / "other.png"
    Image.new("RGB", (40, 40), "blue").save(path)
    drawn.open_file(path)
    qtbot.waitUntil(lambda: drawn.document.size.toTuple() == (40, 40), timeout=PATIENCE)
    assert not drawn.workbench.box.current.is_busy


def test_what_a_tool_holds_is_not_for_another_project(qtbot, drawn) -> None:
    drawn.staging.accept()
    take(drawn, "crop")
    drag(drawn, (100, 2), (60, 14))
    with qtbot.waitSignal(drawn.sessions.projects.opened, timeout=PATIENCE):
        drawn.sessions.projects.new()
    assert not drawn.workbench.box.current.is_busy


def test_what_a_tool_holds_is_put_down_at_the_end(drawn) -> None:
    drawn.staging.accept()
    take(drawn, "transform")
    drag(drawn, (100, 2), (60, 14))
    steps = drawn.undo_stack.index()
    drawn.close()
    assert drawn.undo_stack.index() == steps + 1


def test_letters_are_tools_on_the_canvas_alone(qtbot, drawn) -> None:
    box = drawn.workbench.box
    drawn.easel.strip.setFocus()
    qtbot.keyClick(drawn.easel.strip, Qt.Key.Key_B)
    assert box.current.id == "hand"
    drawn.easel.canvas.setFocus()
    qtbot.keyClick(drawn.easel.canvas, Qt.Key.Key_B)
    assert box.current.id == "brush"


def test_all_commands_are_in_the_menu_once_and_few_at_its_top(workspace) -> None:
    names = [action.objectName() for action in workspace.actions()]
    assert len(names) == len(set(names))
    assert {"tool_brush", "colors_swap", "layer_merge", "select_inverted"} <= set(names)
    menu = QMenu()
    fill_menu(menu, workspace.actions())
    assert len(menu.actions()) <= 20, "with the panels it is no higher than a small screen"


def test_steps_of_undo_are_many_but_not_endless(workspace) -> None:
    assert 100 <= workspace.undo_stack.undoLimit() <= 1000
