"""Preferences and About, used with the keyboard."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPlainTextEdit, QSpinBox
from pytestqt.qtbot import QtBot

from engine import folders
from studio.dialogs.about import AboutDialog, licences
from studio.dialogs.preferences import PreferencesDialog
from studio.settings import PARK_TRAINING, TEXT_SCALE, THEME, THREADS, Settings


@pytest.fixture
def settings(qapp) -> Settings:
    return Settings()


@pytest.fixture
def preferences(qtbot: QtBot, settings: Settings) -> PreferencesDialog:
    dialog = PreferencesDialog(settings)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def named(dialog, kind, name: str):
    return next(w for w in dialog.findChildren(kind) if w.accessibleName() == name)


def test_a_change_is_in_effect_at_once_and_on_the_disk(qtbot, settings, preferences) -> None:
    changed: list[str] = []
    settings.changed.connect(changed.append)
    qtbot.keyClicks(named(preferences, QComboBox, "Theme"), "Dark")
    size = named(preferences, QSpinBox, "Text size")
    size.selectAll()
    qtbot.keyClicks(size, "150")
    qtbot.keyClick(size, Qt.Key.Key_Return)
    qtbot.keyClick(named(preferences, QSpinBox, "Threads"), Qt.Key.Key_Up)
    qtbot.keyClick(named(preferences, QCheckBox, "Training"), Qt.Key.Key_Space)
    assert changed == [THEME, TEXT_SCALE, THREADS, PARK_TRAINING]
    settings.save()
    again = Settings()
    assert again.value(THEME, "system") == "dark"
    assert again.value(TEXT_SCALE, 100) == 150
    assert again.value(THREADS, 0) == 1
    assert again.value(PARK_TRAINING, True) is False


def test_what_was_chosen_before_is_shown(qtbot, settings) -> None:
    settings.set_value(THEME, "light")
    settings.set_value(TEXT_SCALE, 120)
    dialog = PreferencesDialog(settings)
    qtbot.addWidget(dialog)
    assert named(dialog, QComboBox, "Theme").currentText() == "Light"
    assert named(dialog, QSpinBox, "Text size").value() == 120
    assert named(dialog, QSpinBox, "Threads").text().startswith("Automatic")


def test_the_folder_of_results_is_named(preferences) -> None:
    texts = [label.text() for label in preferences.findChildren(QLabel)]
    assert str(folders.outputs()) in texts


def test_about_names_every_work_that_is_embedded(qtbot) -> None:
    dialog = AboutDialog()
    qtbot.addWidget(dialog)
    works = dialog.findChild(QComboBox)
    assert licences() and works.count() > len(licences())
    for row in range(works.count()):
        works.setCurrentIndex(row)
        assert len(dialog.findChild(QPlainTextEdit).toPlainText()) > 20, works.currentText()
    text = "\n".join(label.text() for label in dialog.findChildren(QLabel))
    assert str(folders.home()) in text and "torch 2." in text and "offline" in text


def test_about_imports_nothing_heavy() -> None:
    program = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from studio.dialogs.about import AboutDialog; AboutDialog();"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'diffusers')))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
