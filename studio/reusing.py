"""Takes over the settings of a picture, as one step of undo, and names what cannot be restored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine.errors import FileError
from engine.metadata import TaskRecord, bare_loras, bare_name
from engine.picture_settings import OWN_PROGRAM, as_written, settings_in
from engine.picture_settings import Settings as PictureSettings
from studio.generating import Tasks
from studio.requests import Meaning
from studio.widgets.easel import Easel
from studio.widgets.parameter_form import ParameterForm

PROMPTS = ("prompt", "negative_prompt", "style")
"""Fields that stand by the canvas and not in the form."""
STRENGTH = "strength"
READ = {"image", "mask"}
"""What a picture was made from: named in its record, but no setting."""

Request = dict[str, Any]


class Reusing(QObject):
    """What is asked for, as a whole: the form, the prompts and the strength."""

    refused = Signal(object)  # FileError

    def __init__(
        self,
        easel: Easel,
        form: ParameterForm,
        tasks: Tasks,
        undo_stack: QUndoStack,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._easel = easel
        self._form = form
        self._names = {task.name(): task for task in tasks.values()}
        self._first = tasks[Meaning.CREATE].name()
        self._undo_stack = undo_stack
        self._told = False
        undo_stack.indexChanged.connect(self._forget)

    # ------------------------------------------------------------------ the request

    def request(self) -> Request:
        """Everything that Generate would draw from, as it stands."""
        easel = self._easel
        return self._form.values() | {
            "prompt": easel.prompt.toPlainText(),
            "negative_prompt": easel.negative_prompt.toPlainText(),
            "style": easel.styles.value(),
            STRENGTH: easel.strength.value(),
        }

    def show(self, request: Mapping[str, Any]) -> list[str]:
        """The opposite; no step of undo. Returns the names of what cannot be used."""
        usable, refused = self._form.check(request)
        self._form.show_values(usable)
        for name, replace in self._prompts().items():
            if isinstance(request.get(name), str):
                replace(request[name])
        strength = request.get(STRENGTH)
        if isinstance(strength, (int, float)) and 0 < strength <= 1:
            self._easel.strength.show_value(strength)
        return sorted(refused)

    def _prompts(self) -> dict[str, Callable[[str], None]]:
        return {
            "prompt": self._easel.prompt.replace,
            "negative_prompt": self._easel.set_negative_prompt,
            "style": self._easel.styles.set_value,
        }

    def set_up(self, told: Mapping[str, Any]) -> None:
        """Show something of this machine that is to be drawn with, as one step of undo."""
        before = self.request()
        self._undo_stack.push(
            _Restoring(self, before, {**before, **told}, self.tr("another model"))
        )
        self._easel.prompt.setFocus()

    # ------------------------------------------------------------------ from a picture

    def restore(self, path: Path, *, if_any: bool = False) -> None:
        """Take over the settings the picture at `path` was made with.

        With `if_any` nothing is said of a picture that tells none.
        """
        try:
            settings = settings_in(path)
        except FileError as error:
            self.refused.emit(error)
            return
        values = self._values(settings) if settings else None
        if settings is not None and values is not None:
            self._show_settings(settings, values)
        elif not if_any:
            self._easel.say(self.tr("This image holds no settings of Create."))

    def _values(self, settings: PictureSettings) -> Mapping[str, Any] | None:
        """The values that Create has made it from; a sticker goes back to its drawing."""
        record = settings.record
        while record is not None and record.name not in self._names:
            record = record.source
        if record is not None:
            return as_written(record)
        known = settings.task in self._names or settings.task == Meaning.CREATE.value
        return settings.values if known and settings.record is None else None

    def show_record(self, record: TaskRecord) -> None:
        """Take over what a record tells."""
        settings = PictureSettings(record.name, record.values, record=record)
        self._show_settings(settings, record.values)

    def _show_settings(self, settings: PictureSettings, told: Mapping[str, Any]) -> None:
        before = self.request()
        values = {**dict.fromkeys(PROMPTS, ""), STRENGTH: 1.0, **told}
        model = values.get("model")
        if isinstance(model, str):
            values["model"] = bare_name(model)  # a picture from outside must not choose a path
        if isinstance(values.get("loras"), str):
            values["loras"] = bare_loras(str(values["loras"]))
        usable, refused = self._form.check(values)
        after = before | usable | {name: values[name] for name in (*PROMPTS, STRENGTH)}
        self._undo_stack.push(_Restoring(self, before, after, self.tr("restored settings")))
        read = [self._label(name) for name in sorted(READ & set(told))]
        labels = [self._form.editor(name).field.param.label for name in sorted(refused)]
        self._tell([*labels, *read, *settings.left_out], settings.program)

    def _label(self, name: str) -> str:
        for task in self._names.values():
            for field in task.fields():
                if field.name == name:
                    return field.param.label
        return name

    def _tell(self, left_out: list[str], program: str) -> None:
        left = ", ".join(left_out)
        if left and program != OWN_PROGRAM:
            message = self.tr("Settings of {} restored, except: {}").format(program, left)
        elif left:
            message = self.tr("Settings restored, except: {}").format(left)
        elif program != OWN_PROGRAM:
            message = self.tr("Settings of {} restored.").format(program)
        else:
            message = self.tr("Settings restored. Generate makes this image again.")
        self._told = True
        self._easel.say(message, undo=True)

    def _forget(self) -> None:
        """The button beside the remark undoes the restoring and nothing that came after it."""
        if self._told:
            self._told = False
            self._easel.say("")


class _Restoring(QUndoCommand):
    """From one request to another; the first time round too."""

    def __init__(self, reusing: Reusing, before: Request, after: Request, text: str) -> None:
        super().__init__(text)
        self._reusing = reusing
        self._before, self._after = before, after

    def undo(self) -> None:
        self._reusing.show(self._before)

    def redo(self) -> None:
        self._reusing.show(self._after)
