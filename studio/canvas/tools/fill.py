"""The bucket: fills what is alike and connected with the foreground colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage, QPainter, QSinglePointEvent

from studio.canvas.tools.flood import Mask, flood, grown
from studio.canvas.tools.option import Option
from studio.canvas.tools.tool import ALT, Tool


class Fill(Tool):
    """Within the selection, where there is one. With Alt it takes a colour instead."""

    id = "fill"
    title = "Fill"
    icon = "paint-bucket"
    shortcut = "G"
    help = "Fill what has the same colour. Alt and a click take a colour."

    tolerance = Option(
        16,
        label="Tolerance",
        help="How different a colour may be and still be filled, in each of its channels.",
        maximum=255,
    )
    grow = Option(
        0, label="Grow", help="Fill so far beyond the edge, under lines.", maximum=32, unit="px"
    )
    opacity = Option(100, label="Opacity", help="How dense the paint is.", minimum=1, unit="%")
    contiguous = Option(
        True, label="Connected", help="Only what is connected with the place of the click."
    )
    all_layers = Option(
        True, label="All layers", help="Look at the whole picture, not at the active layer alone."
    )

    def press(self, event: QSinglePointEvent) -> None:
        place = self.pixel(event)
        if event.modifiers() & ALT:
            self.box.pick_color(self.place(event))
            return
        if not self.document.rect.contains(place):
            self.say(self.tr("Click inside the picture to fill."))
            return
        selection = self.document.selection
        if not selection.is_empty and not selection.contains(place):
            self.say(self.tr("That place is not selected. Click inside the selection to fill."))
            return
        self._fill(place)

    def _fill(self, place: QPoint) -> None:
        layer = self.layer_to_paint()
        if layer is None:
            return
        rect = self.document.rect
        seen = self.document.composite() if self.all_layers else layer.pixels.image(rect)
        mask = flood(
            _premultiplied(seen),
            place.x(),
            place.y(),
            self.tolerance,
            contiguous=self.contiguous,
        )
        stencil = _stencil(grown(mask, self.grow))
        color = self.box.colors.foreground
        self.box.colors.remember(color)
        with QPainter(stencil) as painter:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
            painter.fillRect(stencil.rect(), color)
        with self.document.edit(layer, self.tr("Fill")) as edit, edit.paint(rect) as painter:
            painter.setOpacity(self.opacity / 100)
            painter.drawImage(0, 0, stencil)


def _premultiplied(image: QImage) -> NDArray[np.uint8]:
    """Shape (H, W, 4): what is transparent has no colour that could differ."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888_Premultiplied)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[:, : image.width()].copy()


def _stencil(mask: Mask) -> QImage:
    """Opaque where `mask` is True."""
    height, width = mask.shape
    alpha = np.where(mask, np.uint8(255), np.uint8(0))
    image = QImage(alpha.data, width, height, width, QImage.Format.Format_Alpha8)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
