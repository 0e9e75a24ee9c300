"""The middle of the gallery: search, grid, what it says when it is empty, and the large view."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from studio import theme
from studio.collection import Found
from studio.thumbnail_loader import ThumbnailLoader
from studio.widgets.empty_state import EmptyState
from studio.widgets.error_box import ErrorBox
from studio.widgets.gallery_grid import GalleryGrid
from studio.widgets.gallery_search import GallerySearch
from studio.widgets.gallery_view import GalleryView
from studio.widgets.remark import Remark

QUICK_MARGIN = 6 * theme.SPACING  # of the grid that stays in sight around a quick look


class GalleryPage(QWidget):
    """Lays things out and shows what it is told to."""

    create_wanted = Signal()

    def __init__(self, loader: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.search = GallerySearch()
        self.grid = GalleryGrid(loader)
        self.errors = ErrorBox()
        self.remark = Remark()
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName(self.tr("Looking through the pictures"))
        theme.set_role(self._bar, "edge")
        self._nothing_yet = self._make_nothing_yet()
        self._not_found = self._make_not_found()
        self.pages = QStackedWidget()
        self._still_reading = QWidget()
        for page in (self._still_reading, self.grid, self._nothing_yet, self._not_found):
            self.pages.addWidget(page)
        self.view = GalleryView(self.pages)
        self.view.hide()
        self.view.closed.connect(self.close_view)
        self.pages.installEventFilter(self)
        self.search.side_chosen.connect(self.grid.set_side)
        self.search.field.left.connect(self._go_to_grid)
        self.grid.side_changed.connect(self.search.show_side)
        self._lay_out()
        self.show_scan(0, 0)
        self.setFocusProxy(self.grid)

    # ------------------------------------------------------------------ what is found

    def show_found(self, found: Found) -> None:
        self.search.show_count(len(found.numbers), found.total)
        self.grid.show_numbers(found.numbers)
        if found.numbers:
            page: QWidget = self.grid
        elif found.total:
            page = self._not_found
        elif self._bar.isVisible():
            page = self._still_reading  # the first pictures are being read
        else:
            page = self._nothing_yet
        self.pages.setCurrentWidget(page)
        if not found.numbers:
            self.close_view()
        self.view.raise_()

    def show_scan(self, done: int, total: int) -> None:
        """How many of the new pictures have been read."""
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        self._bar.setVisible(done < total)
        if done < total:
            self._bar.setToolTip(self.tr("{:,} of {:,} pictures read").format(done, total))

    # ------------------------------------------------------------------ the large view

    @property
    def viewing(self) -> bool:
        return self.view.isVisible()

    def open_view(self, *, quick: bool) -> None:
        """Show the current picture large; quick, with the grid still around it."""
        self.view.is_quick = quick
        self._place_view()
        self.view.show()
        self.view.raise_()
        self.view.setFocus()

    def close_view(self) -> None:
        if self.view.isVisible():
            self.view.hide()
            self.grid.setFocus()

    def _place_view(self) -> None:
        area = self.pages.rect()
        margin = QUICK_MARGIN if self.view.is_quick else 0
        self.view.setGeometry(area.adjusted(margin, margin, -margin, -margin))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.pages and event.type() == QEvent.Type.Resize:
            self._place_view()
        return False

    def _go_to_grid(self) -> None:
        self.grid.setFocus()
        if self.grid.pictures.numbers and not self.grid.chosen_numbers():
            self.grid.select_number(self.grid.pictures.numbers[0])

    # ------------------------------------------------------------------ parts

    def set_menu(self, actions: list[QAction]) -> None:
        """What can be done with the pictures that are chosen."""
        for widget in (self.grid, self.view):
            widget.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
            widget.addActions(actions)

    def _make_nothing_yet(self) -> EmptyState:
        state = EmptyState(
            "images",
            self.tr("No pictures yet"),
            self.tr(
                "Everything you make appears here by itself, to be found again by its words, "
                "model, seed, date, star or tag."
            ),
            self.tr("Make a picture"),
        )
        state.triggered.connect(self.create_wanted)
        return state

    def _make_not_found(self) -> EmptyState:
        state = EmptyState(
            "search",
            self.tr("Nothing found"),
            self.tr("No picture fits all of this. Fewer words find more."),
            self.tr("Clear the search"),
        )
        state.triggered.connect(self.search.clear)
        return state

    def _lay_out(self) -> None:
        below = QVBoxLayout()
        margin = 2 * theme.SPACING
        below.setContentsMargins(margin, 0, margin, 0)
        below.addWidget(self.errors)
        below.addWidget(self.remark)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.search)
        column.addWidget(self._bar)
        column.addWidget(self.pages, 1)
        column.addLayout(below)
