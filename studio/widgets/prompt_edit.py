"""A prompt editor: grows with its text, remembers what was asked before (Alt+Up, Alt+Down), raises
and lowers weights (Ctrl+Up, Ctrl+Down), and shows what the model will not see."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QTextEdit, QWidget

from engine.prompts.emphasis import emphasise
from engine.prompts.length import Length
from engine.prompts.templates import places
from studio import theme
from studio.theme import SPACING, set_role
from studio.widgets.text_positions import from_qt, to_qt

MOST_LINES = 6
MARGIN = 3  # pixels around the text, which make one line as high as a button
MOST_REMEMBERED = 100
WEIGHT_STEP = 0.1
FINE_WEIGHT_STEP = 0.05


class PromptEdit(QPlainTextEdit):
    """As high as its text, from one line to MOST_LINES."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # an image dropped here is for the easel behind it
        self.document().setDocumentMargin(MARGIN)
        self.history: list[str] = []
        """Prompts asked before, oldest first."""
        self._place = 0
        self._places: tuple[str, ...] = ()
        self._counter = QLabel(self)
        set_role(self._counter, "caption")
        self._counter.hide()
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def remember(self) -> None:
        """Keep the prompt as the newest of the history."""
        text = self.toPlainText()
        if text.strip():
            self.history = [*(old for old in self.history if old != text), text][-MOST_REMEMBERED:]
        self._place = len(self.history)

    def recall(self, delta: int) -> None:
        """Show an older (negative) or newer prompt; undo brings back what stood here."""
        place = self._place + delta
        if 0 <= place < len(self.history):
            self._place = place
            self.replace(self.history[place])

    def replace(self, text: str) -> None:
        """Show `text`, as one step of undo."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)

    def fill(self, template: str) -> None:
        """Show a template; its first place is selected, and Tab goes on to the next."""
        self.replace(template)
        self._places = places(template)
        self._go_to_place(0)

    def unfilled(self) -> str:
        """The first place of the template that still stands here; empty without one."""
        text = self.toPlainText()
        return next((place for place in self._places if place in text), "")

    def go_to_unfilled(self) -> None:
        """Select it, so that typing fills it in."""
        self._go_to_place(0)

    def _go_to_place(self, start: int) -> bool:
        """Select the first place from `start` on; False where there is none."""
        text = self.toPlainText()
        found = [(at, place) for place in self._places if (at := text.find(place, start)) >= 0]
        if not found:
            return False
        at, place = min(found)
        self.setTextCursor(self._select(text, at, at + len(place)))
        return True

    def weigh(self, step: float) -> None:
        """Raise or lower the weight of what is selected, or of the word under the cursor."""
        text, cursor = self.toPlainText(), self.textCursor()
        start, end = (from_qt(text, at) for at in (cursor.selectionStart(), cursor.selectionEnd()))
        changed = emphasise(text, start, end, step)
        if changed is None:
            return
        self._select(text, *changed.cut).insertText(changed.put)
        self.setTextCursor(self._select(changed.text, changed.start, changed.end))

    def show_length(self, length: Length | None) -> None:
        """Say how much of its room the prompt takes, and strike under what the model won't see."""
        self.setExtraSelections([])
        self._counter.setVisible(length is not None)
        if length is None:
            self._fit()
            return
        about = "" if length.exact else "≈ "
        self._counter.setText(f"{about}{length.used} / {length.room}")
        over = length.used > length.room
        set_role(self._counter, "problem" if over else "caption")
        told = self.tr("{} of {} tokens used").format(length.used, length.room)
        self._counter.setAccessibleName(told)
        self._counter.setToolTip(
            self.tr("{}. Tokens are the pieces of words that the model reads;").format(told)
            + "\n"
            + self.tr("what is too much is underlined, and has no effect.")
        )
        text = self.toPlainText()
        if length.seen < len(text):
            self._strike(self._select(text, length.seen, len(text)))
        self._fit()

    def _strike(self, cursor: QTextCursor) -> None:
        unseen = QTextEdit.ExtraSelection()
        look = QTextCharFormat()
        look.setForeground(theme.colors().muted)
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        look.setUnderlineColor(theme.colors().danger)
        unseen.format = look
        unseen.cursor = cursor
        self.setExtraSelections([unseen])

    def _select(self, text: str, start: int, end: int) -> QTextCursor:
        cursor = self.textCursor()
        cursor.setPosition(to_qt(text, start))
        cursor.setPosition(to_qt(text, end), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
        held = event.modifiers()
        step = steps.get(Qt.Key(event.key()), 0)
        if step and held & Qt.KeyboardModifier.AltModifier:
            self.recall(-step)
        elif step and held & Qt.KeyboardModifier.ControlModifier:
            fine = bool(held & Qt.KeyboardModifier.ShiftModifier)
            self.weigh(step * (FINE_WEIGHT_STEP if fine else WEIGHT_STEP))
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes to the next place of a template, round to the first, before it leaves."""
        here = from_qt(self.toPlainText(), self.textCursor().selectionEnd())
        if forward and (self._go_to_place(here) or self._go_to_place(0)):
            return True
        return super().focusNextPrevChild(forward)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(20 * SPACING, self._height(1))

    def _fit(self) -> None:
        self._place_counter()
        lines = round(self.document().size().height())  # a plain text document counts in lines
        self.setFixedHeight(self._height(min(max(lines, 1), MOST_LINES)))
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            if lines <= MOST_LINES
            else Qt.ScrollBarPolicy.ScrollBarAlwaysOn
        )

    def _height(self, lines: int) -> int:
        margins = self.contentsMargins()
        edge = margins.top() + margins.bottom() + 2 * round(self.document().documentMargin())
        return lines * self.fontMetrics().lineSpacing() + edge

    def _place_counter(self) -> None:
        """At the right of the first line; the text keeps away from it."""
        shown = not self._counter.isHidden()
        self._counter.adjustSize()
        width = self._counter.width() + SPACING if shown else 0
        if self.viewportMargins().right() != width:
            self.setViewportMargins(0, 0, width, 0)
        top = self.contentsMargins().top() + round(self.document().documentMargin())
        bar = self.verticalScrollBar()
        right = self.width() - self.contentsMargins().right() - SPACING // 2
        right -= bar.width() if bar.isVisible() else 0
        self._counter.move(right - self._counter.width(), top)
