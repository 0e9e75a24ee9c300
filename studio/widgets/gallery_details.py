"""What is known of the chosen picture, beside the grid: its words, tags, notes and settings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QLocale, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFocusEvent
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.gallery.pictures import Picture
from studio import theme
from studio.picture_facts import Facts, Section
from studio.widgets.chip_row import remove_widgets
from studio.widgets.flow_layout import FlowLayout
from studio.widgets.tag_edit import TagEdit

WIDTH = 38 * theme.SPACING  # on the first day
KEEP_AFTER = 1500  # milliseconds after the last key in the notes


class GalleryDetails(QScrollArea):
    """Of one picture all, of several what can be done with them."""

    tag_added = Signal(str)
    tag_removed = Signal(str)
    notes_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumWidth(28 * theme.SPACING)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._title = text_label("heading")
        self._file = text_label("caption")
        self._problem = text_label("error")
        self._deeds = FlowLayout(gap=theme.SPACING)
        self._small_deeds = FlowLayout(gap=theme.SPACING // 2)
        self._prompt = text_label()
        self._avoided = text_label()
        self.tags = TagEdit()
        self.tags.added.connect(self.tag_added)
        self.tags.removed.connect(self.tag_removed)
        self.notes = NotesEdit()
        self.notes.edited.connect(self.notes_changed)
        self._sections = QVBoxLayout()
        self._sections.setSpacing(2 * theme.SPACING)
        self._lay_out()
        self.show_nothing()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 80 * theme.SPACING)

    def add_deeds(self, main: Sequence[QAction], others: Sequence[QAction]) -> None:
        """What can be done with the picture: a few with their names, the others as icons."""
        for action in main:
            self._deeds.addWidget(_button(action, Qt.ToolButtonStyle.ToolButtonTextBesideIcon))
        for action in others:
            button = _button(action, Qt.ToolButtonStyle.ToolButtonIconOnly)
            theme.set_role(button, "quiet")
            self._small_deeds.addWidget(button)

    # ------------------------------------------------------------------ what is shown

    def show_nothing(self) -> None:
        self._pages.setCurrentWidget(self._nothing)

    def show_picture(self, picture: Picture) -> None:
        """What the index knows; `show_facts` follows when the file has been read."""
        said = picture.description
        self._title.setText(picture.path.name)
        self._file.setText(_file_line(picture))
        self._problem.setText(said.problem)
        self._problem.setVisible(bool(said.problem))
        self._show_words(said.prompt, said.negative_prompt)
        self.tags.show_tags(picture.mark.tags)
        self.notes.show_notes(picture.mark.notes)
        self._form("notes").setVisible(True)
        self._show_sections(())
        self._pages.setCurrentWidget(self._body)

    def show_facts(self, facts: Facts) -> None:
        """Everything that the file of the shown picture tells."""
        if facts.prompt or facts.negative_prompt:
            self._show_words(facts.prompt, facts.negative_prompt)
        self._show_sections(facts.sections)

    def show_marks(self, pictures: Sequence[Picture]) -> None:
        """Tags and notes are others now."""
        self.tags.show_tags(common_tags(pictures))
        if len(pictures) == 1:
            self.notes.show_notes(pictures[0].mark.notes)

    def show_many(self, count: int, pictures: Sequence[Picture]) -> None:
        """Several are chosen; `pictures` are those that are looked at for their tags."""
        self._title.setText(self.tr("{:,} pictures").format(count))
        self._file.setText(self.tr("Tags and stars are for all of them."))
        self._problem.hide()
        self._show_words("", "")
        self.tags.show_tags(common_tags(pictures))
        self._form("notes").setVisible(False)
        self._show_sections(())
        self._pages.setCurrentWidget(self._body)

    def _show_words(self, prompt: str, avoided: str) -> None:
        for name, label, text in (
            ("prompt", self._prompt, prompt),
            ("avoided", self._avoided, avoided),
        ):
            label.setText(text)
            self._form(name).setVisible(bool(text))

    def _show_sections(self, sections: Sequence[Section]) -> None:
        remove_widgets(self._sections)
        for section in sections:
            self._sections.addWidget(_SectionView(section))

    # ------------------------------------------------------------------ parts

    def _form(self, name: str) -> QWidget:
        found = self._body.findChild(QWidget, name)
        assert found is not None
        return found

    def _lay_out(self) -> None:
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(*(2 * theme.SPACING,) * 4)
        column.setSpacing(2 * theme.SPACING)
        names = QVBoxLayout()
        names.setSpacing(theme.SPACING // 2)
        names.addWidget(self._title)
        names.addWidget(self._file)
        column.addLayout(names)
        column.addLayout(self._deeds)
        column.addLayout(self._small_deeds)
        column.addWidget(self._problem)
        column.addWidget(_titled("prompt", self.tr("Prompt"), self._prompt))
        column.addWidget(_titled("avoided", self.tr("To avoid"), self._avoided))
        column.addWidget(_titled("tags", self.tr("Tags"), self.tags))
        column.addWidget(_titled("notes", self.tr("Notes"), self.notes))
        column.addLayout(self._sections)
        column.addStretch(1)
        self._nothing = QLabel(self.tr("Choose a picture to see how it was made."), wordWrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_role(self._nothing, "caption")
        self._pages = Pages()
        self._pages.addWidget(self._body)
        self._pages.addWidget(self._nothing)
        self.setWidget(self._pages)


class Pages(QStackedWidget):
    """As high as the page that is shown needs, and no higher."""

    def sizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.sizeHint() if page else QSize()

    def minimumSizeHint(self) -> QSize:
        page = self.currentWidget()
        return page.minimumSizeHint() if page else QSize()


class NotesEdit(QPlainTextEdit):
    """A few lines; `edited` when the person has stopped typing or goes elsewhere."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText(self.tr("Anything to remember"))
        self.setToolTip(self.tr("Notes are kept with the picture and found by the search"))
        self.setAccessibleName(self.tr("Notes"))
        self.setTabChangesFocus(True)
        self.setFixedHeight(9 * theme.SPACING)
        self._kept = ""
        self._timer = QTimer(self, singleShot=True, interval=KEEP_AFTER)
        self._timer.timeout.connect(self.keep)
        self.textChanged.connect(lambda: self._timer.start())

    def show_notes(self, notes: str) -> None:
        """Unless the person is writing others just now."""
        if notes != self._kept or not self._timer.isActive():
            self._kept = notes
            if self.toPlainText() != notes:
                self.setPlainText(notes)
            self._timer.stop()

    def keep(self) -> None:
        """Tell what was written, if it was."""
        self._timer.stop()
        if self.toPlainText().strip() != self._kept.strip():
            self._kept = self.toPlainText()
            self.edited.emit(self._kept)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.keep()


class _SectionView(QWidget):
    """A title and what is told under it, line by line."""

    def __init__(self, section: Section) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACING // 2)
        heading = text_label("heading")
        heading.setText(section.title)
        column.addWidget(heading)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(2 * theme.SPACING)
        form.setVerticalSpacing(theme.SPACING // 2)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        for name, value in section.lines:
            told = text_label()
            told.setText(value)
            if name:
                label = QLabel(name, textFormat=Qt.TextFormat.PlainText)
                theme.set_role(label, "caption")
                form.addRow(label, told)
            else:
                form.addRow(told)
        column.addLayout(form)


def text_label(role: str = "") -> QLabel:
    """For words from outside: plain, wrapped, to be selected and copied."""
    label = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    if role:
        theme.set_role(label, role)
    return label


def common_tags(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """The tags that all of them have."""
    if not pictures:
        return ()
    others = [set(picture.mark.tags) for picture in pictures[1:]]
    return tuple(tag for tag in pictures[0].mark.tags if all(tag in other for other in others))


def _button(action: QAction, style: Qt.ToolButtonStyle) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setToolButtonStyle(style)
    keys = action.shortcut().toString()
    button.setToolTip(f"{action.text()} ({keys})" if keys else action.text())
    button.setAccessibleName(action.text())
    return button


def _titled(name: str, title: str, widget: QWidget) -> QWidget:
    box = QWidget()
    box.setObjectName(name)
    heading = QLabel(title)
    theme.set_role(heading, "caption")
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.SPACING // 2)
    column.addWidget(heading)
    column.addWidget(widget)
    return box


def _file_line(picture: Picture) -> str:
    """Size, kind and day, as a person reads them."""
    locale = QLocale()
    when = QDateTime.fromMSecsSinceEpoch(picture.modified // 1_000_000)
    said = picture.description
    parts = [f"{said.width} × {said.height}"] if said.width else []
    parts.append(picture.path.suffix.removeprefix(".").upper())
    parts.append(locale.formattedDataSize(picture.size, 0, QLocale.DataSizeFormat.DataSizeSIFormat))
    parts.append(locale.toString(when, "d MMM yyyy HH:mm"))
    return " · ".join(parts)
