"""What one model is and needs, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.amounts import told
from engine.events import ModelFacts, ModelListed
from studio.theme import SPACING, icon, set_role

USED_IN = {"image model": "create", "language model": "write", "LoRA": "create"}
"""The workspace in which a kind of models is at work."""


class FactRows(QFormLayout):
    """Name by name what is known of a model."""

    def __init__(self) -> None:
        super().__init__()
        self.setVerticalSpacing(SPACING)
        self.setHorizontalSpacing(3 * SPACING)

    def show_facts(self, facts: ModelFacts | None) -> None:
        while self.rowCount():
            self.removeRow(0)
        for name, text in self._told(facts) if facts else ():
            label = QLabel(text)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setWordWrap(True)
            self.addRow(name, label)

    def _told(self, facts: ModelFacts) -> list[tuple[str, str]]:
        tr = self.tr
        needs = tr("{}, {} are free").format(told(facts.needs), told(facts.free))
        rows = [
            (tr("Name"), facts.name),
            (tr("Kind"), f"{facts.kind} ({facts.family})"),
            (tr("Parameters"), tr("{:,.1f} million").format(facts.parameters / 1e6)),
            (tr("On the disk"), told(facts.on_disk)),
            (tr("Memory"), needs),
        ]
        if facts.becomes:
            rows.append((tr("When added"), facts.becomes))
        if facts.context_length:
            rows.append((tr("Context"), tr("{:,} tokens").format(facts.context_length)))
        if facts.trigger_words:
            rows.append((tr("Trigger words"), ", ".join(facts.trigger_words)))
        if facts.source:
            rows.append((tr("From"), facts.source))
        return [*rows, (tr("Licence"), facts.licence or tr("it does not say"))]


class ModelPage(QWidget):
    """`used`, `shown` (in its folder) and `removed` are for the model on the page."""

    used = Signal()
    shown = Signal()
    pictures_wanted = Signal()
    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._path, self._problem = QLabel(), QLabel(), QLabel()
        set_role(self._title, "title")
        set_role(self._path, "caption")
        set_role(self._problem, "error")
        for label in (self._title, self._path, self._problem):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._rows = FactRows()
        self._use = self._button("check", self.tr("Use it"), self.tr("Choose it where it works"))
        set_role(self._use, "primary")
        self._show = self._button(
            "folder-open", self.tr("Show in folder"), self.tr("Open the folder it lies in")
        )
        self._pictures = self._button(
            "images", "", self.tr("Show the pictures that it made in the gallery")
        )
        self._remove = self._button(
            "trash-2", self.tr("Remove"), self.tr("Move it to the trash, from where it comes back")
        )
        self._use.clicked.connect(self.used)
        self._show.clicked.connect(self.shown)
        self._pictures.clicked.connect(self.pictures_wanted)
        self._remove.clicked.connect(self.removed)
        deeds = QHBoxLayout()
        for button in (self._use, self._pictures, self._show, self._remove):
            deeds.addWidget(button)
        deeds.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(3 * SPACING,) * 4)
        column.setSpacing(2 * SPACING)
        for widget in (self._title, self._path, self._problem):
            column.addWidget(widget)
        column.addLayout(self._rows)
        column.addLayout(deeds)
        column.addStretch(1)

    def show_model(self, model: ModelListed, mine: bool) -> None:
        """`mine`: whether it can be removed."""
        facts = model.facts
        self._title.setText(facts.name if facts else model.path.name)
        self._path.setText(str(model.path))
        self._problem.setText(model.problem)
        self._problem.setVisible(bool(model.problem))
        self._rows.show_facts(facts)
        self._use.setVisible(facts is not None and facts.kind in USED_IN)
        self._remove.setVisible(mine)
        self.show_count(0)

    def show_count(self, pictures: int) -> None:
        """How many pictures it made."""
        one = self.tr("1 picture")
        self._pictures.setText(one if pictures == 1 else self.tr("{:,} pictures").format(pictures))
        self._pictures.setVisible(pictures > 0)

    def told(self) -> list[str]:
        """What is shown."""
        return [label.text() for label in self.findChildren(QLabel) if label.isVisibleTo(self)]

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(icon(name, "on_accent" if name == "check" else "muted"), text)
        button.setToolTip(tip)
        return button


def usage(facts: ModelFacts) -> tuple[str, dict[str, str]]:
    """The workspace where a model of a kind in USED_IN works, and what its form is to show."""
    if facts.kind == "LoRA":
        return USED_IN[facts.kind], {"loras": f"{facts.name}: 1"}
    return USED_IN[facts.kind], {"model": facts.name}
