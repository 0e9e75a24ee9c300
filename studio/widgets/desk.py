"""What a person writes with: the page, the line under it, and the box to ask the model."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.theme import SPACING, set_role
from studio.widgets.ask_box import AskBox
from studio.widgets.column_edit import MARGIN
from studio.widgets.error_box import ErrorBox
from studio.widgets.pack_notice import PackNotice
from studio.widgets.page import Page
from studio.widgets.reading_page import ReadingPage
from studio.widgets.writing_bar import WritingBar


class Desk(QWidget):
    """Everything in one column; what went wrong or is missing appears above the box to ask."""

    def __init__(self, notice: PackNotice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "page")
        self.page = Page()
        self.page.setPlaceholderText(self.tr("Write here, or ask the model below."))
        self.page.setAccessibleName(self.tr("Your text"))
        self.reading = ReadingPage()
        self.reading.setAccessibleName(self.tr("Your text as it reads"))
        self.reading.hide()
        self.bar = WritingBar()
        self.error = ErrorBox()
        self.notice = notice
        self.ask_box = AskBox()
        under = QWidget()
        column = QVBoxLayout(under)
        column.setContentsMargins(MARGIN, SPACING, MARGIN, 2 * SPACING)
        column.setSpacing(SPACING)
        for widget in (self.bar, self.error, self.notice, self.ask_box):
            column.addWidget(widget)
        centered = QHBoxLayout()
        centered.addStretch()
        centered.addWidget(under)
        centered.addStretch()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.page, 1)
        rows.addWidget(self.reading, 1)
        rows.addLayout(centered)
        self.page.column_changed.connect(under.setFixedWidth)
        self.reading.column_changed.connect(
            lambda column: under.setFixedWidth(column) if self.reading.isVisible() else None
        )
        self.setFocusProxy(self.page)

    def show_reading(self, reading: bool) -> None:
        """The text as it reads in the place of the page, or the page again."""
        self.reading.setVisible(reading)
        self.page.setVisible(not reading)
        self.bar.show_reading(reading)
        (self.reading if reading else self.page).setFocus()
