"""What two models wrote to the same prompts, side by side under each prompt."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from engine.events import ComparedModel
from studio.theme import SPACING, set_role


class ComparisonTable(QScrollArea):
    """Two columns; every text can be selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._figures: list[QLabel] = []
        self._texts: list[list[QLabel]] = []

    def begin(self, models: Sequence[str], prompts: Sequence[str]) -> None:
        """Empty places for what is going to be written."""
        page = QWidget()
        grid = QGridLayout(page)
        grid.setContentsMargins(0, 0, 2 * SPACING, 0)
        grid.setHorizontalSpacing(3 * SPACING)
        grid.setVerticalSpacing(SPACING)
        self._figures = [_label("caption") for _ in models]
        for column, name in enumerate(models):
            head = QVBoxLayout()
            head.setSpacing(0)
            head.addWidget(_label("heading", name))
            head.addWidget(self._figures[column])
            grid.addLayout(head, 0, column)
            grid.setColumnStretch(column, 1)
        self._texts = []
        for number, prompt in enumerate(prompts):
            asked = _label("caption", prompt)
            asked.setContentsMargins(0, 2 * SPACING, 0, 0)
            grid.addWidget(asked, 2 * number + 1, 0, 1, len(models))
            self._texts.append([_label("") for _ in models])
            for column, text in enumerate(self._texts[-1]):
                grid.addWidget(text, 2 * number + 2, column, Qt.AlignmentFlag.AlignTop)
        grid.setRowStretch(2 * len(prompts) + 3, 1)
        self.setWidget(page)

    def show_text(self, model: int, prompt: int, text: str) -> None:
        self._texts[prompt][model].setText(text.strip())

    def show_figures(self, facts: ComparedModel) -> None:
        told = [self.tr("{:.0f} tokens/s").format(facts.tokens_per_second)]
        if facts.perplexity is not None and facts.bits_per_byte is not None:
            told.append(self.tr("perplexity {:,.2f}").format(facts.perplexity))
            told.append(self.tr("{:.2f} bits per byte").format(facts.bits_per_byte))
        label = self._figures[facts.model]
        label.setText(" · ".join(told))
        label.setToolTip(
            self.tr(
                "Perplexity can be compared between models of one tokenizer, bits per byte "
                "between all: less is better."
            )
        )

    def texts(self) -> list[list[str]]:
        """By prompt, then by model."""
        return [[label.text() for label in row] for row in self._texts]

    def figures(self) -> list[str]:
        return [label.text() for label in self._figures]


def _label(role: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    set_role(label, role)
    return label
