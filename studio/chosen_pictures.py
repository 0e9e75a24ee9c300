"""What is chosen in the gallery: its details, the large view, and what is copied from it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage

from engine.errors import FileError
from engine.gallery.pictures import Picture
from studio.background import Background
from studio.collection import Collection
from studio.gallery_deeds import GalleryDeeds
from studio.image_reader import ImageReader
from studio.picture_facts import Facts, read_facts
from studio.widgets.gallery_details import GalleryDetails
from studio.widgets.gallery_page import GalleryPage
from studio.widgets.picture_view import mime_of

MOST_LOOKED_AT = 500  # of the chosen pictures, for the tags they share
SETTLED = 60  # milliseconds until the details follow the arrow keys


class ChosenPictures(QObject):
    """Follows the grid's selection; the details come as soon as the arrow keys rest."""

    changed = Signal()

    def __init__(
        self, page: GalleryPage, collection: Collection, deeds: GalleryDeeds, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.details = GalleryDetails()
        self._page = page
        self._collection = collection
        self._deeds = deeds
        self._reader = ImageReader(self)
        self._reader.failed.connect(self._fail)
        self._copies = ImageReader(self)
        self._copies.failed.connect(lambda error: page.errors.show_error(error, can_retry=False))
        self._background = Background(self)
        self._shown: Picture | None = None  # whose details are shown
        self._settled = QTimer(self, singleShot=True, interval=SETTLED)
        self._settled.timeout.connect(self._show)
        page.grid.selection_changed.connect(self.follow)
        page.grid.opened.connect(self.open_large)
        page.grid.looked.connect(self.quick_look)
        page.view.stepped.connect(page.grid.step)
        self.details.tag_added.connect(lambda tag: deeds.add_tag(self.numbers(), tag))
        self.details.tag_removed.connect(lambda tag: deeds.remove_tag(self.numbers(), tag))
        self.details.notes_changed.connect(self._keep_notes)

    def numbers(self) -> list[int]:
        """The pictures that a deed is for."""
        grid = self._page.grid
        current = grid.current_number()
        if self._page.viewing and current is not None:
            return [current]
        return grid.chosen_numbers()

    def pictures(self) -> list[Picture]:
        """What is known of them, as far as many are looked at."""
        return self._collection.pictures(self.numbers()[:MOST_LOOKED_AT])

    @property
    def picture(self) -> Picture | None:
        """The one that is chosen, alone."""
        numbers = self.numbers()
        found = self._collection.pictures(numbers) if len(numbers) == 1 else []
        return found[0] if found else None

    # ------------------------------------------------------------------ following

    def follow(self) -> None:
        self._settled.start()
        self.changed.emit()

    def _show(self) -> None:
        numbers, pictures = self.numbers(), self.pictures()
        if len(numbers) == 1 and pictures:
            self._show_one(pictures[0])
        else:
            self.details.notes.keep()
            self._shown = None
            if pictures:
                self.details.show_many(len(numbers), pictures)
            else:
                self.details.show_nothing()
        self.changed.emit()

    def _show_one(self, picture: Picture) -> None:
        shown = self._shown
        if shown and (shown.path, shown.modified) == (picture.path, picture.modified):
            self._shown = picture
            self.details.show_marks([picture])
        else:
            self.details.notes.keep()  # they are of the one before
            self._shown = picture
            self.details.show_picture(picture)
            path = picture.path
            self._background.run(lambda: read_facts(path), lambda facts: self._tell(path, facts))
        if self._page.viewing:
            self._page.view.show_star(picture.mark.star)
            if self._page.view.path != picture.path:
                self._show_large(picture)

    def _tell(self, path: Path, facts: Facts) -> None:
        if self._shown is not None and self._shown.path == path:
            self.details.show_facts(facts)

    def _keep_notes(self, notes: str) -> None:
        if self._shown is not None:
            self._deeds.set_notes([self._shown.id], notes)

    # ------------------------------------------------------------------ the large view

    def open_large(self) -> None:
        self._open(quick=False)

    def quick_look(self) -> None:
        self._open(quick=True)

    def _open(self, *, quick: bool) -> None:
        if self._page.viewing:
            self._page.close_view()
        elif self._page.grid.current_number() is not None:
            self._page.view.show_words("")
            self._page.open_view(quick=quick)
            self._show()

    def _show_large(self, picture: Picture) -> None:
        path = picture.path
        if picture.description.problem:
            self._page.view.show_words(picture.description.problem)
        else:
            self._reader.read(path, lambda image: self._take_large(path, image))

    def _take_large(self, path: Path, image: QImage) -> None:
        self._page.view.show_image(image, path)

    def _fail(self, error: FileError) -> None:
        self._page.view.show_words(error.message)

    # ------------------------------------------------------------------ copying

    def copy(self) -> None:
        """As pixels and as a file where one is chosen, else as files."""
        clipboard = QGuiApplication.clipboard()
        picture = self.picture
        if picture is None:
            clipboard.setMimeData(self._page.grid.drag_data())
        else:
            path = picture.path
            self._copies.read(path, lambda image: clipboard.setMimeData(mime_of(image, path)))
        self._page.remark.say(self.tr("Copied."))

    def copy_prompt(self) -> None:
        picture = self.picture
        if picture is not None:
            QGuiApplication.clipboard().setText(picture.description.prompt)
            self._page.remark.say(self.tr("The prompt is copied."))

    def show_in_folder(self) -> None:
        picture = self.picture
        if picture is not None:
            folder = picture.path.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
