"""Which of the texts is on the page: the list, a new one, the one of the last session."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import FileError
from studio import documents, trash
from studio.actions import Command
from studio.drafts import Draft
from studio.settings import Settings
from studio.widgets.page import Page
from studio.widgets.shelf_list import ShelfList

OPEN = "write/open"


class DocumentShelf(QObject):
    """`failed` carries a FileError and what tries again, or None where that helps nothing."""

    failed = Signal(object, object)

    def __init__(self, page: Page, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._page, self._settings = page, settings
        self._index = documents.index()
        self.list = ShelfList(
            title=self.tr("texts"),
            new=self.tr("New text (Ctrl+N)"),
            delete=self.tr("Move this text to the trash"),
            untitled=self.tr("Empty text"),
        )
        self._draft: Draft | None = None
        """None until the text of the last session is there: nothing is written over it before."""
        page.document().contentsChanged.connect(self._touch)
        self.list.chosen.connect(self.open_document)
        self.list.deleted.connect(self.delete_document)
        self.list.begun.connect(self.begin)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("write_new", tr("New text"), "Ctrl+N", "plus", self.begin),
            Command(
                "write_search",
                tr("Search the texts"),
                "Ctrl+F",
                "search",
                self.list.search.setFocus,
            ),
        ]

    @property
    def path(self) -> Path | None:
        """The file of the text on the page, which is there once something is written."""
        return self._draft.path if self._draft else None

    def begin(self) -> None:
        """An empty page; a file only once something is written."""
        if self._page.toPlainText().strip():
            self._put_forward(None)
        self._page.setFocus()

    def open_document(self, path: Path) -> None:
        if path != self.path:
            self._put_forward(path)
        self._page.setFocus()

    def delete_document(self, path: Path) -> None:
        """Move a text to the trash."""
        if path == self.path:
            self._put_forward(None)
        try:
            trash.delete(path)
        except FileError as error:
            self.failed.emit(error, lambda: self.delete_document(path))
        self._show_list()

    def restore(self) -> None:
        """Open the text of the last session."""
        name = Path(str(self._settings.value(OPEN, documents.FIRST))).name
        self._put_forward(documents.folder() / name)

    def close(self) -> None:
        """Write what is not written yet."""
        if self._draft:
            self._draft.close()

    def _put_forward(self, path: Path | None) -> None:
        """Show the text of `path`, or begin one."""
        self._page.keep()
        if self._draft:
            self._draft.close()  # its file is there now, and no new one gets the same name
            self._draft.deleteLater()
        self._draft = None
        draft = self._draft_of(path or documents.new_path())
        try:
            draft.restore()
        except FileError as error:
            self.failed.emit(error, None)
        self._draft = draft
        self._settings.set_value(OPEN, draft.path.name)
        self._show_list()

    def _draft_of(self, path: Path) -> Draft:
        draft = Draft(path, self._page.toPlainText, self._page.set_text, self)
        draft.saved.connect(self._show_list)
        draft.failed.connect(lambda error: self.failed.emit(error, draft.touch))
        return draft

    def _touch(self) -> None:
        if self._draft:
            self._draft.touch()

    def _show_list(self) -> None:
        self.list.show_entries(self._index.entries(), self.path)
