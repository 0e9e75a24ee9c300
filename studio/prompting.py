"""What stands around the prompts of Create: the styles and the room that the model has."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QUndoCommand, QUndoStack

from engine import files
from engine.errors import EngineError
from engine.prompts import styles, wildcards
from engine.prompts.length import TokenCounter, load_counter
from engine.prompts.styles import Style
from studio.background import Background
from studio.dialogs.styles import StylesDialog
from studio.widgets.easel import Easel
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.style_chips import StyleChips

NOTHING_AROUND = ("", ""), ("", "")
COUNT_AFTER = 80  # milliseconds from a letter until the prompt is counted


class Prompting(QObject):
    """Follows the model that is chosen in `form`."""

    def __init__(
        self, form: ParameterForm, easel: Easel, undo_stack: QUndoStack, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._form, self._easel, self._undo_stack = form, easel, undo_stack
        self._chips = easel.styles
        self._model: str | None = None
        self._counter: TokenCounter | None = None
        self._counted: str | None = None  # the model whose counter was asked for
        self._around = NOTHING_AROUND
        self._background = Background(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COUNT_AFTER)
        self._timer.timeout.connect(self._count)
        self._chips.wanted.connect(self._choose)
        self._chips.changed.connect(self._measure_styles)
        self._chips.keep_wanted.connect(self._keep)
        self._chips.edit_wanted.connect(lambda: self._edit())
        self._chips.lists_wanted.connect(self._open_lists)
        for edit in (easel.prompt, easel.negative_prompt):
            edit.textChanged.connect(self._timer.start)
        form.changed.connect(self._follow_model)
        self._follow_model()

    def _follow_model(self) -> None:
        model = str(self._form.values().get("model", ""))
        if model == self._model:
            return
        self._model = model
        self._counter = self._counted = None
        self._offer_styles()

    # ------------------------------------------------------------------ styles

    def _offer_styles(self) -> None:
        model = self._model or ""
        try:
            own = styles.models_own(model)
            self._chips.set_styles(styles.styles(model), [style.name for style in own])
        except EngineError as error:
            self._easel.errors.show_error(error, can_retry=False)
        self._measure_styles()

    def _measure_styles(self) -> None:
        """The styles take a part of the room that the prompt has."""
        try:
            self._around = styles.around(self._chips.value(), self._model or "")
        except EngineError:  # its chip says that it is not there
            self._around = NOTHING_AROUND
        self._timer.start()

    def _choose(self, value: str) -> None:
        self._undo_stack.push(_Choosing(self._chips, value, self.tr("Style")))

    def _keep(self) -> None:
        texts = [edit.toPlainText() for edit in (self._easel.prompt, self._easel.negative_prompt)]
        self._edit(Style(self.tr("New style"), *texts))

    def _edit(self, new: Style | None = None) -> None:
        try:
            dialog = StylesDialog(self._easel.window())
        except EngineError as error:
            self._easel.errors.show_error(error, can_retry=False)
            return
        dialog.changed.connect(self._offer_styles)
        if new is not None:
            dialog.add(new)
        dialog.show()

    def _open_lists(self) -> None:
        """Where a person's own wildcards are: NAME.txt for __NAME__, one choice a line."""
        folder = wildcards.own_folder()
        try:
            files.make_folder(folder)
        except EngineError as error:
            self._easel.errors.show_error(error, can_retry=False)
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        known = ", ".join(f"__{name}__" for name in wildcards.names())
        self._easel.say(
            self.tr("A list NAME.txt there is __NAME__ here. There are: {}").format(known)
        )

    # ------------------------------------------------------------------ length

    def _count(self) -> None:
        edits = self._easel.prompt, self._easel.negative_prompt
        if any(edit.toPlainText() for edit in edits):
            self._load_counter()
        for edit, (before, after) in zip(edits, self._around, strict=True):
            text = edit.toPlainText()
            counted = self._counter.length(text, before, after) if self._counter and text else None
            edit.show_length(counted)

    def _load_counter(self) -> None:
        """Once for each model, and only when there is something to count."""
        model = self._model or ""
        if model != self._counted:
            self._counted = model
            self._background.run(lambda: (model, load_counter(model)), self._take_counter)

    def _take_counter(self, loaded: tuple[str, TokenCounter | None]) -> None:
        model, counter = loaded
        if model == self._model:  # else another has been chosen meanwhile
            self._counter = counter
            self._count()


class _Choosing(QUndoCommand):
    def __init__(self, chips: StyleChips, value: str, text: str) -> None:
        super().__init__(text)
        self._chips = chips
        self._before, self._after = chips.value(), value

    def redo(self) -> None:
        self._chips.set_value(self._after)

    def undo(self) -> None:
        self._chips.set_value(self._before)
