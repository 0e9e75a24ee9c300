"""What a picture may be dropped for, over the canvas."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio import theme
from studio.widgets.drop_zones import DropZones


def test_the_veil_leaves_the_colours_of_the_theme_as_they_are(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 400)
    zones = DropZones({"open": ("Open", "Go on with this picture instead")}, window)
    window.show()
    zones.offer()
    window.grab()
    assert theme.colors().background.alpha() == 255
