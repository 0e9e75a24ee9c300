"""Projects in Create: new, open, save, revert, recent ones, and what was set aside unsaved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtWidgets import QWidget

from engine.errors import EngineError, FileError
from engine.metadata import TaskRecord
from engine.projects.autosave import Session
from engine.projects.project_file import SUFFIX
from studio.actions import Command
from studio.autosaving import Autosaving, Kept
from studio.canvas.document import Document
from studio.canvas.project import Opened, Snapshot, empty, session_of, show, take_snapshot
from studio.dialogs import projects as dialogs
from studio.project_files import ProjectFiles
from studio.recent_projects import RecentProjects
from studio.settings import Settings
from studio.surroundings import Surroundings

MOST_HISTORY = 200


class Projects(QObject):
    """Whatever takes long is done off the GUI thread; nothing unsaved is lost by what is here."""

    opened = Signal()  # the document has become another one
    picture_chosen = Signal(object)  # the Path of what is to be opened and is no project
    title_changed = Signal()
    said = Signal(str)
    failed = Signal(object)  # EngineError

    def __init__(
        self, document: Document, surroundings: Surroundings, settings: Settings, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._surroundings = surroundings
        self.recent = RecentProjects(settings)
        self._window = parent
        self._first_size = document.size
        self.path: Path | None = None
        """The file of the project that is open; None while it has no name."""
        self.history: list[TaskRecord] = []
        """What tasks have made in it, the oldest first."""
        self._files = ProjectFiles(self)
        self._files.noticed.connect(self.failed)
        self._restoring = False
        self._saving = 0  # files that are being written
        self._asked_for: Path | None = None
        self._autosaving = Autosaving(self._take_session, self)
        self._autosaving.failed.connect(self.failed)
        self._wires: list[tuple[Any, Any]] = [
            (document.changed, self.touch),
            (document.layers_changed, self.touch),
            (document.selection_changed, self.touch),
            (document.undo_stack.indexChanged, self.touch),
            (document.undo_stack.cleanChanged, self.title_changed),
        ]
        for wire, slot in self._wires:
            wire.connect(slot)

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("project_new", tr("New canvas"), "Ctrl+N", "file", self.new),
            Command("project_open", tr("Open…"), "Ctrl+O", "folder-open", self.choose),
            Command("project_recent", tr("Open recent…"), "Alt+O", "history", self.choose_recent),
            Command("project_save", tr("Save project"), "Ctrl+S", "save", self.save),
            Command("project_save_as", tr("Save as…"), "Ctrl+Shift+S", "save", self.save_as),
            Command("project_revert", tr("Revert to saved"), "", "rotate-ccw", self.revert),
        ]

    # ------------------------------------------------------------------ what there is

    @property
    def unsaved(self) -> bool:
        """Whether there is something that no project file has."""
        return not self._document.undo_stack.isClean()

    @property
    def name(self) -> str:
        return self.path.stem if self.path else self.tr("Untitled")

    @property
    def title(self) -> str:
        """The name, after a dot while there is something unsaved."""
        return f"• {self.name}" if self.unsaved else self.name

    @property
    def kept(self) -> list[Kept]:
        """What was replaced before it was saved, the newest first."""
        return self._autosaving.kept()

    # ------------------------------------------------------------------ while a person works

    def restore(self) -> None:
        """Show what the last session left, also one that was killed."""
        self._restoring = True
        self._autosaving.restore(self._take_last)

    def touch(self) -> None:
        """Something that belongs to the project has changed: it is autosaved soon."""
        self._autosaving.touch()

    def remember(self, record: TaskRecord) -> None:
        """A task has made something in this project."""
        self.history = [*self.history, record][-MOST_HISTORY:]
        self.touch()

    def close(self) -> None:
        """Write what is not written yet, and wait for it."""
        for wire, slot in self._wires:
            wire.disconnect(slot)
        self._wires = []
        self._files.close()
        self._autosaving.close()

    # ------------------------------------------------------------------ another document

    def new(self, size: QSize | None = None) -> None:
        """An empty canvas without a name."""
        nothing = empty(size or self._first_size)
        self._replace(lambda: self._show(nothing))

    def choose(self) -> None:
        """Ask for a project or a picture to open."""
        path = dialogs.ask_what_to_open(self._window, self.recent.folder())
        if path:
            self.open(path)

    def open(self, path: Path) -> None:
        """Open a project; a picture is passed on to whoever opens those."""
        if path.suffix.lower() == SUFFIX:
            self._files.read(path, partial(self._show_when, self._replace))
        else:
            self.picture_chosen.emit(path)

    def revert(self) -> None:
        """Show the project as it was saved last; what was changed since is set aside."""
        if self.path and self.unsaved:
            self._files.read(self.path, partial(self._show_when, self._keep))

    def choose_recent(self) -> None:
        """Offer the projects that were open last, and what was set aside unsaved."""
        paths, kept = self.recent.paths(), self.kept
        if paths or kept:
            dialogs.offer(self._window, paths, self.open, kept, self.open_kept)
        else:
            self.said.emit(self.tr("There is no other project yet."))

    def open_kept(self, kept: Kept) -> None:
        """Bring back what was replaced before it was saved."""
        self._autosaving.open_kept(kept, partial(self._show_when, self._replace))

    def leave(self) -> None:
        """What comes onto the canvas next is no part of this project; Save asks for a name."""
        if self.path is None:
            return
        if self.unsaved:
            self._autosaving.keep(self.name, self._tell)
        self.path = None
        self.touch()
        self.title_changed.emit()

    # ------------------------------------------------------------------ saving

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Save under the name it has, or ask for one; call `then` when it is on the disk."""
        if self.path:
            self.save_to(self.path, then)
        else:
            self.save_as(then)

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        path = dialogs.ask_where_to_save(self._window, self.recent.folder() / self.name)
        if path:
            self.save_to(path, then)

    def save_to(self, path: Path, then: Callable[[], object] | None = None) -> None:
        """Write the project; what is painted meanwhile is for the next time."""
        self._document.undo_stack.setClean()
        self._saving += 1

        def take(error: EngineError | None) -> None:
            self._saving -= 1
            if self._tell(error):
                self._document.undo_stack.resetClean()
                self.touch()
                return
            self._name(path)
            self.touch()
            self.said.emit(self.tr("Saved as {}").format(path))
            if then:
                then()

        self._files.save(path, self._snapshot(), take)

    def export_to(self, path: Path, **how: Any) -> None:
        """Write what is seen as the path's name says; `how` as `export_picture` has it."""

        def take(error: EngineError | None) -> None:
            if not self._tell(error):
                self.said.emit(self.tr("Exported as {}").format(path))

        self._files.export(path, self._snapshot(), take, **how)

    # ------------------------------------------------------------------ inside

    def _show_when(
        self,
        safe: Callable[[Callable[[], object]], None],
        opened: Opened | EngineError | None,
    ) -> None:
        """Show what was read once `safe` says that what is on the canvas may go."""
        if isinstance(opened, EngineError):
            self.failed.emit(opened)
        elif opened:
            safe(lambda: self._show(opened))

    def _replace(self, go: Callable[[], object]) -> None:
        """Go on once what is on the canvas is safe; a named project asks whether to save it."""
        if not self.unsaved or (self._document.is_empty and not self.path):
            go()
            return
        answer = dialogs.ask_to_save(self._window, self.name) if self.path else dialogs.Answer.GO
        if answer is dialogs.Answer.SAVE:
            self.save(lambda: self._keep(go) if self.unsaved else go())
        elif answer is dialogs.Answer.GO:
            self._keep(go)

    def _keep(self, go: Callable[[], object]) -> None:
        """Go on once this is set aside; what was done meanwhile too."""
        stack = self._document.undo_stack
        index = stack.index()

        def take(error: EngineError | None) -> None:
            if not self._tell(error):
                go() if stack.index() == index else self._keep(go)

        self._autosaving.keep(self.name, take)

    def _take_last(self, opened: Opened | EngineError | None) -> None:
        self._restoring = False
        if isinstance(opened, EngineError):
            self.failed.emit(opened)
        elif opened and not self._document.is_empty:  # somebody was quicker
            self._autosaving.keep_last()
            self.touch()
        elif opened:
            self._show(opened)
        if self._asked_for:
            self.open(self._asked_for)
            self._asked_for = None

    def _show(self, opened: Opened) -> None:
        stack = self._document.undo_stack
        show(self._document, opened)
        self.path, self.history = opened.path, list(opened.contents.history)
        if opened.contents.settings:
            self._surroundings.show_settings(opened.contents.settings)
        stack.clear()
        stack.resetClean() if opened.unsaved else stack.setClean()
        self.said.emit("")  # whatever was said, it was about another one
        self.opened.emit()
        self._surroundings.show_view(opened.contents.view)
        if opened.path:
            self._name(opened.path)
        self.title_changed.emit()
        self.touch()
        if opened.lost:
            told = self.tr("{} parts of this canvas could not be read.").format(opened.lost)
            self.failed.emit(FileError(told, self.tr("Everything else is here.")))

    def _name(self, path: Path) -> None:
        self.path = path
        self.recent.add(path)
        self.title_changed.emit()

    def _snapshot(self) -> Snapshot:
        around = self._surroundings
        return take_snapshot(self._document, around.settings(), around.view(), self.history)

    def _take_session(self) -> Callable[[], Session]:
        unsaved = self.unsaved or self._saving > 0  # a kill may come before the file is there
        return partial(session_of, self._snapshot(), self.path, unsaved)

    def _tell(self, error: EngineError | None) -> bool:
        """Whether there was one."""
        if error:
            self.failed.emit(error)
        return error is not None
