"""What can be chosen of an export: only what its format has."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox
from pytestqt.qtbot import QtBot

from engine.generators.export_image import ExportImage
from studio.widgets.export_bar import ExportBar


@pytest.mark.parametrize(
    ("file_format", "lossless", "asked"),
    [
        ("PNG", True, set()),
        ("PNG", False, set()),
        ("WebP", True, {"lossless"}),
        ("WebP", False, {"lossless", "quality"}),
        ("JPEG", True, {"quality"}),
        ("JPEG", False, {"quality"}),
    ],
)
def test_a_format_asks_only_what_matters_for_it(
    qtbot: QtBot, file_format: str, lossless: bool, asked: set[str]
) -> None:
    bar = ExportBar(ExportImage)
    qtbot.addWidget(bar)
    bar.set_values({"file_format": "WebP", "lossless": lossless})
    bar.ask([Path("a.png")])
    bar.findChild(QComboBox).setCurrentText(file_format)
    check, spin = bar.findChildren(QCheckBox)[0], bar.findChild(QSpinBox)
    visible = {"lossless": check.isVisible(), "quality": spin.isVisible()}
    assert {name for name, seen in visible.items() if seen} == asked
    values = bar.values()
    assert ExportImage(image="a.png", **values).file_format == file_format
