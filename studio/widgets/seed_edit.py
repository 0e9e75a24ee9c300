"""The seed: a number that is new for every picture until it is held."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from engine.task import MAX_SEED, RANDOM_SEED, random_seed
from studio.theme import SPACING, icon, set_role
from studio.widgets.number_box import NumberBox


class SeedEdit(QWidget):
    """While the lock is open, `value()` is RANDOM_SEED and the box shows the last seed used.

    Typing a seed, or asking for another with the dice, closes the lock.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = NumberBox(whole=True, minimum=RANDOM_SEED, maximum=MAX_SEED)
        self.box.setSpecialValueText(self.tr("new every time"))
        self.box.setValue(RANDOM_SEED)
        self.dice = self._button("dices", self.tr("Another seed"))
        self.dice.setToolTip(self.tr("Choose another seed at random and keep it"))
        self.dice.clicked.connect(self._throw)
        self.lock = self._button("lock-open", self.tr("Keep this seed"))
        self.lock.setCheckable(True)
        self.lock.setToolTip(
            self.tr(
                "Locked: the same seed again, so that only what you change changes.\n"
                "Open: a new seed every time."
            )
        )
        self.lock.toggled.connect(self._lock_toggled)
        self.box.valueChanged.connect(self._typed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING // 2)
        row.addWidget(self.box, 1)
        row.addWidget(self.dice)
        row.addWidget(self.lock)
        self.setFocusProxy(self.box)

    def value(self) -> int:
        return int(self.box.number()) if self.lock.isChecked() else RANDOM_SEED

    def set_value(self, seed: int) -> None:
        """Hold `seed`; RANDOM_SEED opens the lock."""
        self._show(seed, locked=seed != RANDOM_SEED)

    def show_used(self, seed: int) -> None:
        """Say which seed was used, without holding it."""
        if not self.lock.isChecked():
            self._show(seed, locked=False)

    def _show(self, seed: int, *, locked: bool) -> None:
        before = self.value()
        for control in (self.box, self.lock):
            control.blockSignals(True)
        self.box.setValue(seed)
        self.lock.setChecked(locked)
        for control in (self.box, self.lock):
            control.blockSignals(False)
        self._show_lock()
        if self.value() != before:
            self.changed.emit()

    def _throw(self) -> None:
        self._show(random_seed(), locked=True)

    def _typed(self) -> None:
        self.lock.blockSignals(True)
        self.lock.setChecked(self.box.number() != RANDOM_SEED)
        self.lock.blockSignals(False)
        self._show_lock()
        self.changed.emit()

    def _lock_toggled(self, locked: bool) -> None:
        if locked and self.box.number() == RANDOM_SEED:
            self.box.setValue(random_seed())
            return
        self._show_lock()
        self.changed.emit()

    def _show_lock(self) -> None:
        locked = self.lock.isChecked()
        self.lock.setIcon(
            icon("lock" if locked else "lock-open", "accent_text" if locked else "muted")
        )

    def _button(self, icon_name: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setIcon(icon(icon_name, "muted"))
        button.setAccessibleName(name)
        set_role(button, "quiet")
        return button
