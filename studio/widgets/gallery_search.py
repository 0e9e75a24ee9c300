"""Where a person says what to find: the field, its filters as chips, the order and the size."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from engine.gallery.query import Query, Term, parse
from engine.gallery.search import Order
from studio import theme
from studio.widgets.chip_row import Chip, ChipRow
from studio.widgets.gallery_filters import FilterMenu, Named
from studio.widgets.gallery_grid import LARGEST, SMALLEST, STEP
from studio.widgets.search_field import SearchField

WAIT = 80  # milliseconds after the last key, for a word to be typed


class GallerySearch(QWidget):
    """`wanted` fires with every change of what is looked for, and in which order."""

    wanted = Signal(object, object)  # Query, Order
    side_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.query = Query()
        self.field = self._make_field()
        self.filters = FilterMenu(self)
        self.filters.chosen.connect(self.add_filter)
        self.orders = self._make_orders()
        self.sizes = self._make_sizes()
        self.count = QLabel(textFormat=Qt.TextFormat.PlainText)
        theme.set_role(self.count, "caption")
        self._chips = ChipRow()
        self._chips.removed.connect(self._remove)
        self._filters: list[Term] = []
        self._timer = QTimer(self, singleShot=True, interval=WAIT)
        self._timer.timeout.connect(self._look)
        self._lay_out()
        self._show_chips()

    # ------------------------------------------------------------------ what is looked for

    @property
    def order(self) -> Order:
        return Order(self.orders.currentData())

    def set_order(self, order: str) -> None:
        self.orders.setCurrentIndex(max(0, self.orders.findData(order)))

    def set_text(self, text: str) -> None:
        """Look for something else at once."""
        self.field.setText(text)
        self._look()

    def clear(self) -> None:
        self.set_text("")
        self.field.setFocus()

    def add_filter(self, words: str) -> None:
        """Narrow the search down by one more filter; the same again takes it away."""
        same = self._written(words)
        text = self.query.without(same) if same else f"{self.field.text().strip()} {words}"
        self.set_text(text.strip())

    def _written(self, words: str) -> Term | None:
        """That filter in what stands in the field now, which nobody may have looked for yet."""
        self.query = parse(self.field.text())
        for term in self.query.terms:
            if self.query.text[term.start : term.end].casefold() == words.casefold():
                return term
        return None

    def show_count(self, found: int, total: int) -> None:
        """How many pictures there are, and how many of them are found."""
        text = f"{found:,}" if found == total else self.tr("{:,} of {:,}").format(found, total)
        self.count.setText(text)
        self.count.setToolTip(self.tr("Pictures found, of all that there are"))

    def _look(self) -> None:
        self._timer.stop()
        self.query = parse(self.field.text())
        self._show_chips()
        self.wanted.emit(self.query, self.order)

    # ------------------------------------------------------------------ chips

    def _show_chips(self) -> None:
        self._filters = [term for term in self.query.terms if term.field or term.negated]
        self._chips.show_chips(
            [Chip(self._chip_text(t), self._chip_tip(t), t.problem) for t in self._filters]
        )

    def _remove(self, place: int) -> None:
        term = self._filters[place]
        same = self._written(self.query.text[term.start : term.end])
        if same:
            self.set_text(self.query.without(same))

    def _chip_tip(self, term: Term) -> str:
        if term.problem:
            return self._hint(term)
        if term.field == "star" and not term.negated:
            return self.tr('Only what you starred. For the word, write "star" in quotes.')
        return self.tr("Take this filter away")

    def _chip_text(self, term: Term) -> str:
        value = self.filters.title_of(term.text) if term.field == "task" else term.text
        if term.field == "star":
            text = self.tr("starred") if not term.problem else f"is: {value}"
        elif term.field:
            text = f"{self.filters.name_of(term.field)}: {value}"
        else:
            text = value
        return self.tr("not {}").format(text) if term.negated else text

    def _hint(self, term: Term) -> str:
        return {
            "seed": self.tr("A seed is a number, such as seed:42"),
            "size": self.tr("A size is one side or both, such as size:512 or size:512x768"),
            "date": self.tr(
                "A date is a year, month or day, or a span: date:2026, date:2026-11, "
                "date:2026-11-22, date:today, date:week, date:2026-10..2026-11"
            ),
            "star": self.tr("This can be is:starred"),
        }.get(term.field, self.tr("Take this filter away"))

    # ------------------------------------------------------------------ parts

    def _make_field(self) -> SearchField:
        field = SearchField()
        field.setObjectName("gallery_search")
        field.setPlaceholderText(self.tr("Search prompts, or model:… tag:… seed:… date:… star"))
        field.addAction(theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        field.setToolTip(
            self.tr(
                'Words of the prompt, in any order; "in quotes" one after the other; '
                "a minus for what must not be. Filters: model:stickers tag:cat seed:42 "
                "date:2026-11 size:512 name:fox negative:blurry star (Ctrl+F)"
            )
        )
        field.setAccessibleName(self.tr("Search pictures"))
        field.textChanged.connect(lambda: self._timer.start())
        field.returnPressed.connect(self._look)
        return field

    def _make_orders(self) -> QComboBox:
        orders = QComboBox()
        for text, order in (
            (self.tr("Newest first"), Order.NEWEST),
            (self.tr("Oldest first"), Order.OLDEST),
            (self.tr("Best match"), Order.BEST),
        ):
            orders.addItem(text, order.value)
        orders.setToolTip(self.tr("In which order the pictures are shown"))
        orders.setAccessibleName(self.tr("Order"))
        orders.currentIndexChanged.connect(self._look)
        return orders

    def _make_sizes(self) -> QSlider:
        sizes = QSlider(Qt.Orientation.Horizontal)
        sizes.setRange(SMALLEST // STEP, LARGEST // STEP)
        sizes.setFixedWidth(12 * theme.SPACING)
        sizes.setToolTip(self.tr("How large the pictures are shown (Ctrl and the wheel)"))
        sizes.setAccessibleName(self.tr("Size of the pictures"))
        sizes.valueChanged.connect(lambda value: self.side_chosen.emit(value * STEP))
        return sizes

    def show_side(self, side: int) -> None:
        self.sizes.setValue(side // STEP)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACING)
        self.field.setMinimumWidth(20 * theme.SPACING)
        row.addWidget(self.field, 1)
        row.addWidget(self.filters.button)
        row.addWidget(self.orders)
        row.addWidget(self.sizes)
        row.addWidget(self.count)
        column = QVBoxLayout(self)
        column.setContentsMargins(
            2 * theme.SPACING, theme.SPACING, 2 * theme.SPACING, theme.SPACING
        )
        column.setSpacing(theme.SPACING)
        column.addLayout(row)
        column.addWidget(self._chips)

    def set_names(self, models: Sequence[str], tags: Sequence[str], tasks: Sequence[Named]) -> None:
        """What there is to filter by."""
        self.filters.set_names(models, tags, tasks)
        self.field.set_filters(self.filters.all_words())
