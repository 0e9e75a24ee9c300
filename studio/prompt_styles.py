"""Keeps the choice of styles, the chosen model and the prompt in step."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine import library
from engine.errors import ModelError
from studio.widgets.easel import Easel
from studio.widgets.parameter_form import ParameterForm
from studio.widgets.style_button import with_style


class PromptStyles(QObject):
    """The styles of the model in `form`, offered beside the prompt of `easel`."""

    def __init__(self, form: ParameterForm, easel: Easel, parent: QObject) -> None:
        super().__init__(parent)
        self._form, self._prompt, self._button = form, easel.prompt, easel.style_button
        self._model: str | None = None
        form.changed.connect(self._follow_model)
        easel.prompt.textChanged.connect(self._follow_prompt)
        self._button.chosen.connect(self._choose)
        self._follow_model()

    def _follow_model(self) -> None:
        model = str(self._form.values().get("model", ""))
        if model == self._model:
            return
        self._model = model
        try:
            styles = library.styles(model)
        except ModelError:  # the form says what is wrong with the model when it is to be used
            styles = ()
        self._button.set_styles(styles)
        self._follow_prompt()

    def _follow_prompt(self) -> None:
        self._button.show_prompt(self._prompt.toPlainText())

    def _choose(self, style: str) -> None:
        text = self._prompt.toPlainText()
        self._prompt.replace(with_style(text, self._button.styles, style))
        self._prompt.setFocus()
