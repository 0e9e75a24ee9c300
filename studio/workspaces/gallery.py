"""Gallery: every picture ever made, found by its words, model, seed, date, star or tag."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget, QMainWindow

from engine.errors import EngineError
from engine.events import Event, Saved
from engine.gallery.query import Query
from engine.gallery.search import Order
from engine.worker import Engine, Job
from studio import theme
from studio.actions import Command, add_actions
from studio.chosen_pictures import ChosenPictures
from studio.collection import Collection, Facets, Found
from studio.gallery_deeds import GalleryDeeds
from studio.picture_facts import task_title
from studio.settings import Settings
from studio.thumbnail_loader import ThumbnailLoader
from studio.widgets.gallery_page import GalleryPage

SIDE, ORDER = "gallery/side", "gallery/order"
IN_GRID = (
    "gallery_open",
    "gallery_look",
    "gallery_star",
    "gallery_delete",
    "gallery_copy",
    "gallery_tag",
)


class GalleryWorkspace(QMainWindow):
    """A person finds a picture again, keeps what they like, and goes on from it."""

    open_requested = Signal(object)  # Path, to be edited on the canvas
    reuse_requested = Signal(object)  # Path, whose settings are wanted in Create
    write_requested = Signal(object)  # list[Path], pictures that are wanted in the text
    describe_requested = Signal(object, object)  # Path, what keeps the words as its notes
    create_requested = Signal()

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__()
        self._engine = engine
        self._settings = settings
        self._followed: set[int] = set()
        self.collection = Collection(self)
        self.deeds = GalleryDeeds(self.collection, self)
        self._loader = ThumbnailLoader(self.collection.index, self)
        self.page = GalleryPage(self._loader)
        self.chosen = ChosenPictures(self.page, self.collection, self.deeds, self)
        self.setCentralWidget(self.page)
        self.setFocusProxy(self.page)
        self._add_details()
        self._add_commands()
        self._connect()
        self.page.grid.set_side(settings.value(SIDE, 160))
        self.page.search.show_side(self.page.grid.side)
        self.page.search.set_order(settings.value(ORDER, Order.NEWEST.value))
        self.collection.search(Query(), self.page.search.order)
        self.collection.ask_facets()
        self.collection.refresh()
        self._update()

    def actions_table(self) -> list[Command]:
        tr, stack = self.tr, self.deeds.undo_stack
        return [
            Command("gallery_find", tr("Find pictures"), "Ctrl+F", "search", self.focus_search),
            Command("gallery_open", tr("Open large"), "Return", "maximize", self.chosen.open_large),
            Command("gallery_look", tr("Quick look"), "Space", "eye", self.chosen.quick_look),
            Command("gallery_star", tr("Star"), "S", "star", self.star),
            Command("gallery_tag", tr("Add a tag…"), "T", "flag", self.edit_tags),
            Command("gallery_edit", tr("Edit on the canvas"), "Ctrl+E", "brush", self.edit),
            Command("gallery_reuse", tr("Use its settings"), "Ctrl+R", "history", self.reuse),
            Command("gallery_write", tr("Put into the text"), "", "pen-line", self.put_into_text),
            Command("gallery_describe", tr("Describe…"), "Ctrl+Alt+D", "eye", self.describe),
            Command("gallery_copy", tr("Copy the picture"), "Ctrl+C", "copy", self.chosen.copy),
            Command(
                "gallery_prompt",
                tr("Copy the prompt"),
                "Ctrl+Shift+P",
                "file-text",
                self.chosen.copy_prompt,
            ),
            Command(
                "gallery_folder",
                tr("Show in folder"),
                "Ctrl+Shift+O",
                "folder-open",
                self.chosen.show_in_folder,
            ),
            Command("gallery_delete", tr("Move to the trash"), "Del", "trash-2", self.delete),
            Command("gallery_undo", tr("Undo"), "Ctrl+Z", "undo-2", stack.undo),
            Command("gallery_redo", tr("Redo"), "Ctrl+Shift+Z", "redo-2", stack.redo),
            Command(
                "gallery_refresh", tr("Look for new pictures"), "F5", "refresh-cw", self.refresh
            ),
        ]

    # ------------------------------------------------------------------ finding

    def focus_search(self) -> None:
        self.page.close_view()
        self.page.search.field.setFocus()
        self.page.search.field.selectAll()

    def refresh(self) -> None:
        """Look at the files again, also at those the grid could not show."""
        self._loader.renew()
        self.collection.refresh()

    def _search(self, query: Query, order: Order) -> None:
        self._settings.set_value(ORDER, order.value)
        self._loader.forget_waiting()
        self.collection.search(query, order)

    def _show_found(self, found: Found) -> None:
        self.page.show_found(found)
        self.chosen.follow()

    def _show_facets(self, facets: Facets) -> None:
        tasks = [(name, task_title(name)) for name in facets.tasks]
        self.page.search.set_names(facets.models, facets.tags, tasks)
        self.chosen.details.tags.suggest(facets.tags)

    def _files_changed(self) -> None:
        self._loader.renew()
        self.chosen.follow()

    # ------------------------------------------------------------------ deeds

    def star(self) -> None:
        """All get a star, or lose it when all have one."""
        numbers = self.chosen.numbers()
        pictures = self.collection.pictures(numbers)
        self.deeds.star(numbers, star=not all(picture.mark.star for picture in pictures))

    def edit_tags(self) -> None:
        self._dock.show()
        self._dock.raise_()
        self.chosen.details.tags.line.setFocus()

    def edit(self) -> None:
        picture = self.chosen.picture
        if picture is not None:
            self.open_requested.emit(picture.path)

    def reuse(self) -> None:
        picture = self.chosen.picture
        if picture is not None:
            self.reuse_requested.emit(picture.path)

    def put_into_text(self) -> None:
        pictures = self.collection.pictures(self.chosen.numbers())
        if pictures:
            self.write_requested.emit([picture.path for picture in pictures])

    def describe(self) -> None:
        """Put the picture into words."""
        picture, numbers = self.chosen.picture, self.chosen.numbers()
        if picture is not None:
            note = partial(self.deeds.set_notes, numbers)
            self.describe_requested.emit(picture.path, note)

    def delete(self) -> None:
        pictures = self.collection.pictures(self.chosen.numbers())
        mine = [picture.path for picture in pictures if not picture.is_sample]
        besides = ""
        if len(mine) < len(pictures):
            besides = self.tr("Samples belong to their training and stay with it.")
            self.page.remark.say(besides)
        self.deeds.delete(mine, besides)

    def _say_with_undo(self, text: str) -> None:
        self.page.remark.say(text, undo=True)

    def _deed_done(self) -> None:
        self.page.remark.say("")  # its Undo was for the deed before
        self._update()

    def _fail(self, error: EngineError) -> None:
        self.page.errors.show_error(error, can_retry=True)

    def _retry(self) -> None:
        self.page.errors.hide()
        self.refresh()

    # ------------------------------------------------------------------ new pictures

    def _follow_jobs(self) -> None:
        """What a job saves is shown at once."""
        for job in self._engine.jobs:
            if job.id not in self._followed:
                self._followed.add(job.id)
                self._follow(job)

    def _follow(self, job: Job) -> None:
        job.reported.connect(self._take_event)

    def _take_event(self, event: Event) -> None:
        if isinstance(event, Saved):
            self.collection.add(event.path)

    # ------------------------------------------------------------------ putting it together

    def _connect(self) -> None:
        page, collection = self.page, self.collection
        page.search.wanted.connect(self._search)
        page.grid.starred.connect(self.star)
        page.grid.side_changed.connect(lambda side: self._settings.set_value(SIDE, side))
        page.view.starred.connect(self.star)
        page.create_wanted.connect(self.create_requested)
        page.errors.retry.connect(self._retry)
        page.remark.undo.connect(self.deeds.undo_stack.undo)
        collection.found.connect(self._show_found)
        collection.scanned.connect(page.show_scan)
        collection.facets_changed.connect(self._show_facets)
        collection.changed.connect(self._files_changed)
        collection.failed.connect(self._fail)
        self.deeds.said.connect(self._say_with_undo)
        self.deeds.undo_stack.indexChanged.connect(self._deed_done)
        self.chosen.changed.connect(self._update)
        self._engine.jobs_changed.connect(self._follow_jobs)
        self._follow_jobs()

    def _add_details(self) -> None:
        self._dock = QDockWidget(self.tr("Details"), self)
        self._dock.setObjectName("gallery_details")
        self._dock.setWidget(self.chosen.details)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)

    def _add_commands(self) -> None:
        self._actions = {a.objectName(): a for a in add_actions(self, self.actions_table())}
        for name in IN_GRID:  # plain keys must not be taken from who types
            self._actions[name].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        names = ("gallery_open", "gallery_star", "gallery_tag", "gallery_edit", "gallery_reuse")
        more = (
            "gallery_copy",
            "gallery_prompt",
            "gallery_describe",
            "gallery_folder",
            "gallery_delete",
        )
        self.page.set_menu([self._actions[name] for name in (*names, *more)])
        main = [self._actions[name] for name in ("gallery_edit", "gallery_reuse")]
        others = [self._actions[name] for name in ("gallery_star", *more)]
        self.chosen.details.add_deeds(main, others)

    def _update(self) -> None:
        """Show what can be done now."""
        picture, chosen = self.chosen.picture, self.chosen.pictures()
        some = bool(chosen)
        for name in ("open", "look", "star", "tag", "copy", "delete"):
            self._actions[f"gallery_{name}"].setEnabled(some)
        for name in ("edit", "reuse", "folder", "describe"):
            self._actions[f"gallery_{name}"].setEnabled(picture is not None)
        has_prompt = picture is not None and bool(picture.description.prompt)
        self._actions["gallery_prompt"].setEnabled(has_prompt)
        starred = some and all(each.mark.star for each in chosen)
        self._actions["gallery_star"].setText(
            self.tr("Take the star away") if starred else self.tr("Star")
        )
        self._actions["gallery_star"].setIcon(theme.icon("star-filled" if starred else "star"))
        stack = self.deeds.undo_stack
        self._actions["gallery_undo"].setEnabled(stack.canUndo())
        self._actions["gallery_redo"].setEnabled(stack.canRedo())

    def sizeHint(self) -> QSize:
        return QSize(120 * theme.SPACING, 80 * theme.SPACING)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.collection.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        coming = event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if coming and self.isVisible():
            self.collection.refresh()  # files may have come meanwhile, or another window's stars

    def closeEvent(self, event: QCloseEvent) -> None:
        self.chosen.details.notes.keep()
        self.collection.close()
        super().closeEvent(event)
