"""A form made from the fields of a task: what a person sees is what the task declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from engine.errors import InvalidTask
from engine.task import Field, Task
from studio.theme import SPACING, icon, set_role
from studio.widgets.choice_editor import ChoiceEditor
from studio.widgets.field_editors import (
    PATH_KINDS,
    FieldEditor,
    LongTextEditor,
    NumberEditor,
    SeedEditor,
    SwitchEditor,
    TextEditor,
)
from studio.widgets.lora_editor import LoraEditor
from studio.widgets.path_editors import PathChoiceEditor, PathEditor


class ParameterForm(QScrollArea):
    """Rows for the basic fields, the rest behind "Advanced"; it scrolls where there is no room.

    With `also` it holds the fields of further tasks too; `show_fields_of` says whose are in sight.

    Every change, by hand or by `set_values`, can be taken back through `undo_stack`: one of its
    own, or one that it shares with what else is being worked on.
    """

    changed = Signal()

    def __init__(
        self,
        task_class: type[Task],
        exclude: Iterable[str] = (),
        undo_stack: QUndoStack | None = None,
        also: Iterable[type[Task]] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._task_class = task_class
        left_out = set(exclude)
        self._editors: dict[str, FieldEditor] = {}
        for shown in (task_class, *also):
            for field in shown.fields():
                if field.name not in {*left_out, *self._editors}:
                    self._editors[field.name] = _editor_for(field)
        self._build()
        self.show_fields_of(task_class)
        for name, editor in self._editors.items():
            if editor.field.has_default:
                editor.show_value(editor.field.default)
            editor.changed.connect(lambda name=name: self._edited(name))
        self.undo_stack = undo_stack if undo_stack is not None else QUndoStack(self)
        self._shown = self.values()
        self._restoring = False

    def values(self) -> dict[str, Any]:
        """What the form shows now, finished or not. An unlocked seed is RANDOM_SEED."""
        return {name: editor.value() for name, editor in self._editors.items()}

    def set_values(self, values: Mapping[str, Any]) -> dict[str, InvalidTask]:
        """Show these values as one step of undo; returns those that cannot be used, and why.

        Names that the form does not have are ignored.
        """
        usable, refused = self.check(values)
        self._replace(self._shown | usable)
        return refused

    def check(self, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, InvalidTask]]:
        """Those of its fields that can be used as they are, and why the others cannot."""
        usable: dict[str, Any] = {}
        refused: dict[str, InvalidTask] = {}
        for name, editor in self._editors.items():
            if name in values:
                try:
                    usable[name] = editor.check(values[name])
                except InvalidTask as error:
                    refused[name] = error
        return usable, refused

    def reset(self) -> None:
        """Back to the defaults, as one step of undo."""
        fields = [editor.field for editor in self._editors.values()]
        self._replace(self._shown | {f.name: f.default for f in fields if f.has_default})

    def task(self, **extra: Any) -> Task:
        """The task that the form and `extra` (the fields it leaves out) describe.

        Raises InvalidTask; where the field is one of the form's own, it says so under it.
        """
        self.clear_errors()
        for editor in self._editors.values():
            editor.commit()
        try:
            for editor in self._editors.values():
                editor.check(editor.value())
            names = {field.name for field in self._task_class.fields()}
            own = {name: value for name, value in self.values().items() if name in names}
            return self._task_class.from_dict(own | extra)
        except InvalidTask as error:
            self.show_error(error.field, str(error))
            raise

    def show_error(self, field: str, message: str) -> None:
        """Say what is wrong under the field, open the fold it is in, and go there."""
        editor = self._editors.get(field)
        if editor is None:
            return
        if editor.field.param.advanced:
            self._fold.setChecked(True)
        editor.show_error(message)
        editor.setFocus()
        self.ensureWidgetVisible(editor)

    def clear_errors(self) -> None:
        for editor in self._editors.values():
            editor.show_error("")

    def show_seed_used(self, seed: int) -> None:
        """Show the seed of the job just made, where the seed is not held anyway."""
        for editor in self._editors.values():
            if isinstance(editor, SeedEditor):
                editor.seed.show_used(seed)

    def show_fields_of(self, task: type[Task]) -> None:
        """Keep those in sight that this task has."""
        names = {field.name for field in task.fields()}
        for name, editor in self._editors.items():
            editor.setVisible(name in names)

    def editor(self, field: str) -> FieldEditor:
        """The row of a field."""
        return self._editors[field]

    def sizeHint(self) -> QSize:
        """Room for all of it, so that a dock is opened wide enough."""
        return self._page.sizeHint() + QSize(2 * SPACING, 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._page.minimumSizeHint().width() + 2 * SPACING, 8 * SPACING)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A scroll area does not tell when what is in it needs more room."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            self.updateGeometry()
        return super().eventFilter(watched, event)

    # ------------------------------------------------------------------- building

    def _build(self) -> None:
        self._page = QWidget()
        column = QVBoxLayout(self._page)
        column.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, 2 * SPACING)
        column.setSpacing(2 * SPACING)
        advanced = QVBoxLayout()
        advanced.setContentsMargins(0, 0, 0, 0)
        advanced.setSpacing(2 * SPACING)
        for editor in self._editors.values():
            (advanced if editor.field.param.advanced else column).addWidget(editor)
        self._advanced = QWidget()
        self._advanced.setLayout(advanced)
        self._advanced.hide()
        self._fold = self._new_fold()
        self._fold.setVisible(advanced.count() > 0)
        column.addWidget(self._fold)
        column.addWidget(self._advanced)
        column.addWidget(self._new_reset_button(), 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.setWidget(self._page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _new_fold(self) -> QToolButton:
        fold = QToolButton()
        fold.setText(self.tr("Advanced"))
        fold.setToolTip(self.tr("Parameters that are seldom needed"))
        fold.setIcon(icon("chevron-right", "muted"))
        fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        fold.setCheckable(True)
        set_role(fold, "fold")
        fold.toggled.connect(self._show_advanced)
        return fold

    def _new_reset_button(self) -> QPushButton:
        button = QPushButton(icon("rotate-ccw", "muted"), self.tr("Reset to defaults"))
        button.setToolTip(self.tr("Give every parameter its default value again"))
        set_role(button, "quiet")
        button.clicked.connect(self.reset)
        return button

    def _show_advanced(self, shown: bool) -> None:
        self._fold.setIcon(icon("chevron-down" if shown else "chevron-right", "muted"))
        self._advanced.setVisible(shown)

    # ------------------------------------------------------------------- changes

    def _edited(self, name: str) -> None:
        if not self._restoring:
            changed = self.tr("change of {}").format(self._editors[name].field.param.label)
            self.undo_stack.push(_Change(self, name, changed, self._shown, self.values()))

    def _replace(self, values: Mapping[str, Any]) -> None:
        if dict(values) != self._shown:
            self.undo_stack.push(
                _Change(self, "", self.tr("change of settings"), self._shown, values)
            )

    def show_values(self, values: Mapping[str, Any]) -> None:
        """For the undo stack: show values that are known to fit, and make no step of it."""
        self._restoring = True
        for name, value in values.items():
            if self._editors[name].value() != value:
                self._editors[name].show_value(value)
        self._restoring = False
        self._shown = self._shown | dict(values)
        self.changed.emit()


class _Change(QUndoCommand):
    """From one set of values to another; edits of the same field in a row become one."""

    def __init__(
        self,
        form: ParameterForm,
        name: str,
        text: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        super().__init__(text)
        self._form = form
        self._name = name
        self._before = dict(before)
        self._after = dict(after)

    def undo(self) -> None:
        self._form.show_values(self._before)

    def redo(self) -> None:
        self._form.show_values(self._after)

    def id(self) -> int:
        return 1 if self._name else -1

    def mergeWith(self, newer: QUndoCommand) -> bool:
        if not isinstance(newer, _Change):
            return False
        if newer._form is not self._form or newer._name != self._name:
            return False
        self._after = newer._after
        return True


def _editor_for(field: Field) -> FieldEditor:
    """The row that suits a field's type and kind."""
    param = field.param
    if param.kind == "seed":
        return SeedEditor(field)
    if param.kind == "loras":
        return LoraEditor(field)
    if param.choices is not None:
        takes_path = param.editable and param.kind in PATH_KINDS
        return PathChoiceEditor(field) if takes_path else ChoiceEditor(field)
    if param.kind in PATH_KINDS:
        return PathEditor(field)
    if param.kind in ("prompt", "text"):
        return LongTextEditor(field)
    by_type: dict[type, type[FieldEditor]] = {
        bool: SwitchEditor,
        int: NumberEditor,
        float: NumberEditor,
        str: TextEditor,
    }
    return by_type[field.type](field)
