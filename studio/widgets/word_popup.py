"""Over a word: what else the model might have written there, and how likely each was."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from engine.events import Candidate
from studio.theme import SPACING, set_role

SHOWN = 10
BAR = 14 * SPACING


class WordPopup(QFrame):
    """Closes at a click elsewhere or with Escape."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        set_role(self, "notice")
        self._title = QLabel(textFormat=Qt.TextFormat.PlainText)
        set_role(self._title, "heading")
        self._said = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        set_role(self._said, "caption")
        self._said.setFixedWidth(40 * SPACING)
        self._table = QWidget()
        self._rows = QVBoxLayout(self)
        for widget in (self._title, self._said, self._table):
            self._rows.addWidget(widget)

    def show_waiting(self, word: str, place: QRect, status: str) -> None:
        """`place`: that of the word, on the screen."""
        self._title.setText(self.tr("“{}”").format(word))
        self._show_table(QWidget())
        self._said.setText(status)
        self._open_at(place)

    def show_candidates(self, word: str, tokens: Sequence[Candidate], following: str) -> None:
        """`following`: the text from the place on, in which the token that was taken begins."""
        taken = taken_of(tokens, following)
        if taken is None:
            said = self.tr("The model would hardly have begun this word so.")
        elif taken.chance:
            said = self.tr(
                "Chosen with a chance of {}; to the model itself it is {} likely."
            ).format(percent(taken.chance), percent(taken.probability))
        else:
            said = self.tr(
                "With these parameters it would not be chosen; to the model itself it is {} likely."
            ).format(percent(taken.probability))
        self._said.setText(said)
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        for row, token in enumerate(tokens[:SHOWN]):
            name = QLabel(shown(token.text), textFormat=Qt.TextFormat.PlainText)
            if token is taken:
                set_role(name, "heading")
            bar = QProgressBar(textVisible=False, maximum=1000, value=round(1000 * token.chance))
            bar.setFixedWidth(BAR)
            bar.setAccessibleName(self.tr("{}: {}").format(token.text, percent(token.chance)))
            chance = QLabel(percent(token.chance) if token.chance else self.tr("dropped"))
            set_role(chance, "caption")
            for column, widget in enumerate((name, bar, chance)):
                grid.addWidget(widget, row, column)
        self._show_table(table)
        self._open_at(self._place)

    def words(self) -> list[str]:
        """What is listed, and how likely."""
        labels = self._table.findChildren(QLabel)
        return [label.text() for label in labels]

    def said(self) -> str:
        return self._said.text()

    def _show_table(self, table: QWidget) -> None:
        self._rows.replaceWidget(self._table, table)
        self._table.deleteLater()
        self._table = table
        table.show()

    def _open_at(self, place: QRect) -> None:
        """Under the word, or over it where there is no room, and never beyond the screen."""
        self._place = place
        self.adjustSize()
        screen = QGuiApplication.screenAt(place.center()) or self.screen()
        room = screen.availableGeometry()
        top = place.bottom() + SPACING // 2
        if top + self.height() > room.bottom():
            top = place.top() - SPACING // 2 - self.height()
        left = min(place.left(), room.right() - self.width())
        self.move(QPoint(max(left, room.left()), max(top, room.top())))
        self.show()


def taken_of(tokens: Sequence[Candidate], following: str) -> Candidate | None:
    """The longest token that the text goes on with."""
    fitting = [each for each in tokens if each.text and following.startswith(each.text)]
    return max(fitting, key=lambda each: len(each.text), default=None)


def percent(part: float) -> str:
    return f"{100 * part:.0f}\u00a0%" if part >= 0.1 else f"{100 * part:.2g}\u00a0%"


def shown(token: str) -> str:
    """A token in sight, even if it is none: blanks and line breaks as signs."""
    return token.replace("\n", "⏎").replace("\t", "⇥").strip(" ") or "␣"
