"""The form: it shows what a task declares, and nonsense does not come out of it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QLocale, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from engine.errors import InvalidTask
from engine.task import MAX_SEED, RANDOM_SEED, Task, param, seed_param
from studio.widgets.number_box import NumberBox
from studio.widgets.parameter_form import ParameterForm

MODELS = ["stickers"]


@dataclass(frozen=True)
class Sketch(Task):
    """A task with a field of every type and kind."""

    title = "Sketch"
    summary = "Draws nothing."

    prompt: str = param(label="Prompt", help="What to draw.", kind="prompt", required=True)
    model: str = param(
        "stickers",
        label="Model",
        help="Who draws.",
        kind="model",
        choices=lambda: MODELS,
        editable=True,
    )
    scheduler: str = param("ddim", label="Scheduler", help="How.", choices=("ddim", "euler"))
    width: int = param(
        512, label="Width", help="Wide.", minimum=64, maximum=1024, multiple_of=64, unit="px"
    )
    guidance_scale: float = param(6.0, label="Guidance", help="Close.", minimum=0, maximum=20)
    learning_rate: float = param(1e-4, label="Rate", help="Fast.", minimum=1e-7, maximum=1.0)
    mirror: bool = param(False, label="Mirror", help="Left becomes right.")
    name: str = param("", label="Name", help="A name.", advanced=True)
    notes: str = param("", label="Notes", help="Several lines.", kind="text", advanced=True)
    folder: str = param("", label="Folder", help="Where.", kind="folder", advanced=True)
    seed: int = seed_param()


@pytest.fixture
def form(qtbot) -> ParameterForm:
    form = ParameterForm(Sketch, exclude=("prompt",))
    qtbot.addWidget(form)
    form.resize(320, 700)
    form.show()
    qtbot.waitExposed(form)
    return form


def control(form: ParameterForm, kind: type[QWidget], name: str) -> QWidget:
    """The control a screen reader would call `name`."""
    return next(w for w in form.findChildren(kind) if w.accessibleName() == name)


def type_into(box: NumberBox, text: str) -> None:
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def scroll(widget: QWidget) -> None:
    """One notch of the wheel towards the person, over the middle of the widget."""
    window = widget.window()
    place = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(place), QPoint(0, -120))


def test_an_untouched_form_is_the_default_task(form: ParameterForm) -> None:
    task = form.task(prompt="a fox")
    assert task.to_dict() | {"seed": 0} == Sketch(prompt="a fox").to_dict() | {"seed": 0}


@pytest.mark.parametrize(
    ("typed", "width"),
    [("512", 512), ("510", 512), ("5", 64), ("99999", 1024), ("abc", 512), ("-7", 64), ("", 512)],
)
def test_a_width_is_always_one_that_the_task_accepts(form, typed: str, width: int) -> None:
    box = control(form, NumberBox, "Width")
    type_into(box, typed)
    if typed == "":
        QTest.keyClick(box, Qt.Key.Key_Backspace)
    assert form.task(prompt="x").width == width
    assert box.text() == f"{width} px"


@pytest.mark.parametrize("country", ["de_DE", "en_US", "hi_IN"])
@pytest.mark.parametrize("typed", ["7.5", "7,5"])
def test_decimals_are_read_alike_in_every_country(qtbot, typed: str, country: str) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale(country))
    try:
        form = ParameterForm(Sketch, exclude=("prompt",))
        qtbot.addWidget(form)
        type_into(control(form, NumberBox, "Guidance"), typed)
        assert form.task(prompt="x").guidance_scale == 7.5
        assert control(form, NumberBox, "Rate").text() == "0.0001"
    finally:
        QLocale.setDefault(before)


def test_small_numbers_keep_their_value(form: ParameterForm) -> None:
    box = control(form, NumberBox, "Rate")
    assert box.text() == "0.0001"
    type_into(box, "2.5e-6")
    assert form.task(prompt="x").learning_rate == 2.5e-6


def test_a_decimal_can_be_typed_key_by_key(form: ParameterForm) -> None:
    box = control(form, NumberBox, "Guidance")
    box.setFocus()
    box.selectAll()
    for key, shown in [("1", "1"), (".", "1."), ("0", "1.0"), ("5", "1.05")]:
        QTest.keyClicks(box, key)
        assert box.text() == shown
    assert form.values()["guidance_scale"] == 1.05


def test_slider_and_box_move_together(form: ParameterForm) -> None:
    slider, box = control(form, QSlider, "Width"), control(form, NumberBox, "Width")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert (box.value(), form.values()["width"]) == (64, 64)
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert form.values()["width"] == 128
    type_into(box, "1024")
    assert slider.value() == slider.maximum()


def test_the_wheel_changes_only_what_has_the_focus(form: ParameterForm) -> None:
    before = form.values()
    form.findChildren(QPushButton)[0].setFocus()
    for kind in (QComboBox, NumberBox, QSlider):
        for widget in form.findChildren(kind):
            scroll(widget)
    assert form.values() == before
    box = control(form, NumberBox, "Guidance")
    box.setFocus()
    scroll(box)
    assert form.values()["guidance_scale"] < 6


def test_the_wheel_over_an_unfocused_box_scrolls_the_form(form: ParameterForm) -> None:
    form.resize(320, 200)
    QApplication.processEvents()
    form.findChildren(QPushButton)[0].setFocus()
    form.verticalScrollBar().setValue(0)
    scroll(control(form, NumberBox, "Width"))
    assert form.verticalScrollBar().value() > 0


def test_choices_are_asked_for_again_when_the_list_opens(form, monkeypatch) -> None:
    monkeypatch.setattr(f"{__name__}.MODELS", ["stickers", "foxes"])
    combo = control(form, QComboBox, "Model")
    combo.showPopup()
    combo.hidePopup()
    assert [combo.itemText(i) for i in range(combo.count())] == ["stickers", "foxes"]
    assert form.values()["model"] == "stickers"


def test_a_path_that_is_not_there_is_refused_under_its_field(form, tmp_path: Path) -> None:
    combo = control(form, QComboBox, "Model")
    combo.setEditText(str(tmp_path / "nothing"))
    with pytest.raises(InvalidTask, match="nothing"):
        form.task(prompt="x")
    row = form.editor("model")
    assert any("nothing" in label for label in visible_texts(row))
    assert combo.hasFocus()
    combo.setEditText(str(tmp_path))
    assert not any("there is nothing" in label for label in visible_texts(row))
    assert form.task(prompt="x").model == str(tmp_path)


def visible_texts(widget: QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def test_an_error_in_an_advanced_field_opens_the_fold(form: ParameterForm) -> None:
    line = control(form, QLineEdit, "Folder")
    assert not line.isVisible()
    assert form.set_values({"folder": "/no/such/folder"})["folder"].field == "folder"
    line.setText("/no/such/folder")
    with pytest.raises(InvalidTask):
        form.task(prompt="x")
    assert line.isVisible()


def test_the_fold_opens_by_keyboard(form: ParameterForm) -> None:
    fold = next(b for b in form.findChildren(QToolButton) if b.text() == "Advanced")
    fold.setFocus()
    QTest.keyClick(fold, Qt.Key.Key_Space)
    assert control(form, QPlainTextEdit, "Notes").isVisible()


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(form: ParameterForm) -> None:
    refused = form.set_values(
        {"width": 100, "scheduler": "magic", "guidance_scale": 3, "unknown": 1, "mirror": "maybe"}
    )
    assert set(refused) == {"width", "scheduler", "mirror"}
    assert form.values()["guidance_scale"] == 3
    assert form.values()["width"] == 512


def test_changes_can_be_undone_and_redone(form: ParameterForm) -> None:
    start = form.values()
    type_into(control(form, NumberBox, "Width"), "128")
    QTest.mouseClick(
        control(form, QCheckBox, "Mirror"), Qt.MouseButton.LeftButton, pos=QPoint(8, 8)
    )
    edited = form.values()
    form.reset()
    assert form.values() == start
    form.undo_stack.undo()
    assert form.values() == edited
    form.undo_stack.undo()
    form.undo_stack.undo()
    assert form.values() == start
    assert not form.undo_stack.canUndo()
    form.undo_stack.redo()
    assert form.values()["width"] == 128


def test_reset_button_brings_the_defaults_back(form: ParameterForm) -> None:
    form.set_values({"width": 128, "seed": 7, "notes": "x"})
    button = form.findChildren(QPushButton)[0]
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert form.values()["width"] == 512
    assert form.values()["seed"] == RANDOM_SEED
    assert form.values()["notes"] == ""


class TestSeed:
    def test_an_open_lock_gives_a_new_seed_each_time_and_shows_it(self, form) -> None:
        first, second = form.task(prompt="x"), form.task(prompt="x")
        assert first.seed != second.seed
        form.show_seed_used(second.seed)
        assert control(form, NumberBox, "Seed").text() == str(second.seed)
        assert form.task(prompt="x").seed != second.seed

    def test_the_lock_holds_the_seed_that_is_shown(self, form) -> None:
        form.show_seed_used(4242)
        QTest.mouseClick(control(form, QToolButton, "Keep this seed"), Qt.MouseButton.LeftButton)
        assert form.task(prompt="x").seed == 4242
        form.show_seed_used(1)
        assert form.task(prompt="x").seed == 4242

    def test_a_typed_seed_is_held(self, form) -> None:
        type_into(control(form, NumberBox, "Seed"), str(MAX_SEED))
        assert form.task(prompt="x").seed == MAX_SEED

    def test_the_dice_choose_another_seed_and_hold_it(self, form) -> None:
        form.set_values({"seed": 7})
        QTest.mouseClick(control(form, QToolButton, "Another seed"), Qt.MouseButton.LeftButton)
        seed = form.values()["seed"]
        assert seed not in (7, RANDOM_SEED)
        assert form.task(prompt="x").seed == seed


def test_every_control_has_a_name_and_a_tooltip(form: ParameterForm) -> None:
    for kind in (QComboBox, NumberBox, QSlider, QCheckBox, QPlainTextEdit):
        for widget in form.findChildren(kind):
            assert widget.accessibleName(), widget
    for button in form.findChildren(QToolButton):
        assert button.toolTip(), button


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="0123456789.,eE+- px", max_size=12),
    name=st.sampled_from(["Width", "Guidance", "Rate", "Seed"]),
)
def test_whatever_is_typed_the_task_is_one_that_can_run(form, text: str, name: str) -> None:
    type_into(control(form, NumberBox, name), text)
    task = form.task(prompt="x")
    assert Sketch.from_dict(task.to_dict()) == task


def test_a_dock_makes_room_for_what_grows_in_the_form(qtbot) -> None:
    form, dock, window = ParameterForm(Sketch), QDockWidget(), QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QWidget())
    dock.setWidget(form)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(900, 600)
    window.show()
    window.resizeDocks([dock], [1], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: form.width() < 500)
    form.editor("width").setMinimumWidth(500)  # as larger text does
    qtbot.waitUntil(lambda: form.viewport().width() >= 500)
