"""The menu of templates beside the prompt of Write: choose one, keep one's own, remove it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from engine.errors import FileError, InvalidTask
from engine.prompts import templates
from engine.prompts.templates import Template
from studio.actions import Command
from studio.widgets.ask_box import AskBox


class PromptTemplates(QObject):
    """`menu` is made anew whenever it opens: the file of templates may have changed. `failed`
    carries an EngineError."""

    failed = Signal(object)

    def __init__(self, ask_box: AskBox, parent: QWidget) -> None:
        super().__init__(parent)
        self._button, self._prompt = ask_box.templates_button, ask_box.prompt
        self._window = parent
        self.menu = QMenu(parent)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill)
        self._button.setMenu(self.menu)

    def actions_table(self) -> list[Command]:
        return [
            Command("write_template", self.tr("Templates…"), "Ctrl+T", "file-text", self.open),
            Command("write_keep_template", self.tr("Keep as a template…"), "", "save", self.keep),
        ]

    def open(self) -> None:
        """The menu, at its button."""
        self.menu.popup(self._button.mapToGlobal(self._button.rect().topLeft()))

    def check(self) -> None:
        """Raises InvalidTask while a place of the template is not filled in, and selects it."""
        if place := self._prompt.unfilled():
            self._prompt.go_to_unfilled()
            raise InvalidTask(
                "prompt",
                self.tr("{place} has not been filled in.").format(place=place),
                self.tr("Type what belongs there; Tab goes to the next place."),
            )

    def _fill(self) -> None:
        self.menu.clear()
        try:
            own = templates.own()
        except FileError as error:
            own = ()
            self.failed.emit(error)
        shipped = templates.shipped()
        for title, language in ((self.tr("English"), "en"), ("中文", "zh")):
            self._add(self.menu.addMenu(title), [t for t in shipped if t.language == language])
        if own:
            self.menu.addSeparator()
            self._add(self.menu, own)
        self.menu.addSeparator()
        keep = self.menu.addAction(self.tr("Keep the prompt as a template…"))
        keep.setEnabled(bool(self._prompt.toPlainText().strip()))
        keep.triggered.connect(self.keep)
        if own:
            removing = self.menu.addMenu(self.tr("Remove a template"))
            for template in own:
                action = removing.addAction(_shown(template.name))
                action.triggered.connect(lambda checked=False, one=template: self._remove(one))

    def _add(self, menu: QMenu, offered: Sequence[Template]) -> None:
        for template in offered:
            action = menu.addAction(_shown(template.name))
            shots = self.tr("Few-shot: shows examples, which a base model follows too.")
            asks = self.tr("Zero-shot: says what is wanted; for an instruct model.")
            kind = shots if template.few_shot else asks
            action.setToolTip(f"{template.prompt}\n\n{kind}")
            action.triggered.connect(lambda checked=False, one=template: self.choose(one))

    def choose(self, template: Template) -> None:
        """In the place of the prompt, which undo brings back; the first place is selected."""
        self._prompt.fill(template.prompt)
        self._prompt.setFocus()

    def keep(self) -> None:
        """Ask for a name, and keep the prompt under it."""
        if not self._prompt.toPlainText().strip():
            why = self.tr("There is no prompt to keep."), self.tr("Write one first.")
            self.failed.emit(InvalidTask("prompt", *why))
            return
        name, accepted = QInputDialog.getText(
            self._window,
            self.tr("Keep as a template"),
            self.tr("Its name. What stands in {braces} is filled in each time."),
        )
        if accepted and (name := templates.proper_name(name)):
            self._save(lambda: templates.keep(Template(name, self._prompt.toPlainText())))

    def _remove(self, template: Template) -> None:
        others = [one for one in templates.own() if one != template]
        self._save(lambda: templates.save_own(others))

    def _save(self, write: Callable[[], None]) -> None:
        try:
            write()
        except FileError as error:
            self.failed.emit(error)


def _shown(name: str) -> str:
    return name.replace("&", "&&")
