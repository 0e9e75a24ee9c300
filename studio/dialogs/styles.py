"""The person's own styles: made, changed and taken away; everything takes effect at once."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError
from engine.prompts import styles
from engine.prompts.styles import PLACE, Style
from studio.theme import SPACING, icon, set_role
from studio.widgets.empty_state import EmptyState
from studio.widgets.error_box import ErrorBox
from studio.widgets.prompt_edit import PromptEdit
from studio.widgets.remark import Remark

STYLE_ROLE = Qt.ItemDataRole.UserRole


class StylesDialog(QDialog):
    """Raises FileError where the styles cannot be read."""

    changed = Signal()  # what is on the disk

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Styles"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._removed: tuple[int, Style] | None = None
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Own styles"))
        self._name = QLineEdit(maxLength=60)
        self._prompt, self._negative = PromptEdit(), PromptEdit()
        self._errors, self._remark = ErrorBox(), Remark()
        self._stack = QStackedWidget()
        for style in styles.own():
            self._list.addItem(_item(style))
        self._lay_out()
        self._list.currentItemChanged.connect(self._show)
        self._name.textEdited.connect(self._take)
        for edit in (self._prompt, self._negative):
            edit.textChanged.connect(self._take)
        self._remark.undo.connect(self._bring_back)
        self._list.setCurrentRow(0)
        self._show()

    def add(self, style: Style) -> None:
        """Add a style, under a name of its own, and let the name be typed."""
        taken = {self._style(row).name for row in range(self._list.count())}
        name, number = styles.proper_name(style.name), 2
        while name in taken:
            name, number = f"{styles.proper_name(style.name)} {number}", number + 1
        self._list.addItem(_item(Style(name, style.prompt, style.negative_prompt)))
        self._list.setCurrentRow(self._list.count() - 1)
        self._save()
        self._name.setFocus()
        self._name.selectAll()

    def _add_new(self) -> None:
        self.add(Style(self.tr("New style"), f"{PLACE}, "))

    def remove(self) -> None:
        row = self._list.currentRow()
        if row < 0:
            return
        self._removed = row, self._style(row)
        self._list.takeItem(row)
        self._show()  # Qt tells of the new row while the old one is still there
        self._remark.say(self.tr("Removed {}.").format(self._removed[1].name), undo=True)
        self._save()

    def _bring_back(self) -> None:
        if self._removed:
            row, style = self._removed
            self._list.insertItem(row, _item(style))
            self._list.setCurrentRow(row)
            self._removed = None
            self._remark.say("")
            self._save()

    def _style(self, row: int) -> Style:
        kept = self._list.item(row).data(STYLE_ROLE)
        return Style(*kept)

    def _show(self) -> None:
        """The style that is chosen in the list."""
        row = self._list.currentRow()
        style = self._style(row) if row >= 0 else Style("")
        for edit, text in ((self._prompt, style.prompt), (self._negative, style.negative_prompt)):
            edit.blockSignals(True)
            edit.setPlainText(text)
            edit.blockSignals(False)
        self._name.setText(style.name)
        any_style = self._list.count() > 0
        self._stack.setCurrentIndex(1 if any_style else 0)
        set_role(self._close, "primary" if any_style else "")  # else there would be two
        for button in (self._add, self._remove):
            button.setVisible(any_style)
        for widget in (self._name, self._prompt, self._negative, self._remove):
            widget.setEnabled(row >= 0)

    def _take(self) -> None:
        """What was typed into the style that is chosen."""
        row = self._list.currentRow()
        if row < 0:
            return
        others = {self._style(r).name for r in range(self._list.count()) if r != row}
        name = styles.proper_name(self._name.text())
        if not name or name in others:
            name = self._style(row).name  # until it has one of its own
        style = Style(name, self._prompt.toPlainText(), self._negative.toPlainText())
        _fill(self._list.item(row), style)
        self._save()

    def _make_empty_state(self) -> EmptyState:
        empty = EmptyState(
            "palette",
            self.tr("No styles of your own yet"),
            self.tr(
                "A style is words that are put around your prompt, as in “{}, watercolour, "
                "soft light”. You choose it under Style, beside the prompt."
            ).format(PLACE),
            self.tr("New style"),
        )
        empty.triggered.connect(self._add_new)
        return empty

    def _save(self) -> None:
        try:
            styles.save_own([self._style(row) for row in range(self._list.count())])
        except EngineError as error:
            self._errors.show_error(error, can_retry=False)
        else:
            self._errors.hide()
            self.changed.emit()

    def _lay_out(self) -> None:
        self._prompt.setPlaceholderText(self.tr("{} stands for what you write").format(PLACE))
        self._prompt.setToolTip(
            self.tr("What is put around the prompt; without {} it follows it.").format(PLACE)
        )
        self._negative.setPlaceholderText(self.tr("What should not be in it"))
        self._negative.setToolTip(self.tr("What is added to the negative prompt"))
        self._name.setToolTip(self.tr("The name in the menu of styles, without commas"))
        form = QFormLayout()
        form.setVerticalSpacing(SPACING)
        for text, widget in (
            (self.tr("Name"), self._name),
            (self.tr("Prompt"), self._prompt),
            (self.tr("Negative prompt"), self._negative),
        ):
            widget.setAccessibleName(text)
            form.addRow(text, widget)
        self._add = QPushButton(icon("plus"), self.tr("New style"))
        self._add.setToolTip(self.tr("Make a style of your own"))
        self._add.clicked.connect(self._add_new)
        self._remove = QPushButton(icon("trash-2"), self.tr("Remove"))
        self._remove.setToolTip(self.tr("Take this style away"))
        self._remove.clicked.connect(self.remove)
        self._close = QPushButton(self.tr("Close"))
        self._close.clicked.connect(self.close)
        buttons = QHBoxLayout()
        for button in (self._add, self._remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        right = QVBoxLayout()
        right.addLayout(form)
        right.addStretch(1)
        listing = QWidget()
        row = QHBoxLayout(listing)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * SPACING)
        row.addWidget(self._list)
        row.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.setSpacing(SPACING)
        self._stack.addWidget(self._make_empty_state())
        self._stack.addWidget(listing)
        column.addWidget(self._stack, 1)
        column.addWidget(self._errors)
        column.addWidget(self._remark)
        column.addLayout(buttons)
        self.resize(80 * SPACING, 48 * SPACING)


def _item(style: Style) -> QListWidgetItem:
    item = QListWidgetItem()
    _fill(item, style)
    return item


def _fill(item: QListWidgetItem, style: Style) -> None:
    item.setText(style.name)
    item.setData(STYLE_ROLE, [style.name, style.prompt, style.negative_prompt])
