"""Precise, balanced, creative: a button for each named way of choosing words, over the form."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from engine.language import presets
from studio.theme import SPACING, set_role
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.parameter_form import ParameterForm


class PresetRow(QWidget):
    """The one that the form shows now is pressed in; a press is one step of undo in the form."""

    def __init__(self, form: ParameterForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)  # that of a dock
        self._form = form
        self._buttons = {name: QToolButton() for name in presets.PRESETS}
        buttons = FlowLayout()
        for name, (text, tip) in self._texts().items():
            button = self._buttons[name]
            button.setText(text)
            button.setToolTip(tip)
            button.setCheckable(True)
            set_role(button, "quiet")
            button.clicked.connect(lambda checked=False, name=name: self._choose(name))
            buttons.addWidget(button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        over = QWidget()
        over.setLayout(buttons)
        over.setContentsMargins(2 * SPACING, SPACING, 2 * SPACING, 0)
        rows.addWidget(over)
        rows.addWidget(form, 1)
        self.setFocusProxy(form)
        form.changed.connect(self._show)
        self._show()

    def _choose(self, name: str) -> None:
        self._form.set_values(presets.values(name))
        self._show()

    def _show(self) -> None:
        shown = presets.preset_of(self._form.values())
        for name, button in self._buttons.items():
            button.setChecked(name == shown)

    def _texts(self) -> dict[str, tuple[str, str]]:
        return {
            "precise": (
                self.tr("Precise"),
                self.tr("Stays with the expected: facts, summaries, instructions"),
            ),
            "balanced": (self.tr("Balanced"), self.tr("The defaults: lively and to the point")),
            "creative": (
                self.tr("Creative"),
                self.tr("Takes surprising words that still fit: stories, ideas, poems"),
            ),
        }
