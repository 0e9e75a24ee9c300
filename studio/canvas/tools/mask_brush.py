"""The mask brush: paints what is selected, or the active layer where that is a mask."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PySide6.QtGui import QColor, QImage, QPainter, QSinglePointEvent

from studio import theme
from studio.canvas.document import Document
from studio.canvas.layer import LayerKind
from studio.canvas.selection import Selection
from studio.canvas.tiles import rect_of
from studio.canvas.tools.dabs import Dab
from studio.canvas.tools.ink import Ink, LayerPaper, Paper
from studio.canvas.tools.marks import LIGHT
from studio.canvas.tools.option import Option
from studio.canvas.tools.round_tool import RoundTool
from studio.canvas.tools.tool import ALT

TINT = 0.45  # opacity of what is being selected
BEYOND = 1024
"""Pixels outside the document that can be selected: there it will be extended.

Only what is painted out there counts; a wide brush close to the side masks the picture alone.
"""


class SelectionPaper:
    """Seen as a tint while it is painted; at its end added to the selection, or taken away."""

    def __init__(self, document: Document, hardness: float, *, subtract: bool, text: str) -> None:
        self._document = document
        self._text = text
        self._within = document.rect.adjusted(-BEYOND, -BEYOND, BEYOND, BEYOND)
        self.subtract = subtract
        self.ink = Ink(theme.colors().danger if subtract else theme.colors().accent, hardness)

    def lay(self, dabs: Sequence[Dab]) -> None:
        for outside, group in groupby(dabs, self._is_outside):
            within = self._within if outside or self.subtract else self._document.rect
            for _ in self.ink.lay(list(group), within):
                pass

    def _is_outside(self, dab: Dab) -> bool:
        return not self._document.rect.contains(dab.center.toPoint())

    def finish(self) -> None:
        bounds = self.ink.pixels.bounds()
        painted = Selection.from_image(self.ink.pixels.image(bounds), bounds.topLeft())
        before = self._document.selection
        join = before.subtract if self.subtract else before.union
        self._document.set_selection(join(painted), self._text)

    def cancel(self) -> None:
        """Nothing but this paper knows of it."""


class MaskBrush(RoundTool):
    """What is soft at its edge is selected in part, so that Generate blends there."""

    id = "mask_brush"
    title = "Mask brush"
    icon = "venetian-mask"
    shortcut = "M"
    help = "Paint what Generate shall change; with Alt, or erasing, take away from it."

    size = Option(
        64,
        label="Size",
        help="How wide the tip is; [ and ] make it smaller and larger.",
        minimum=1,
        maximum=1000,
        unit="px",
    )
    erase = Option(False, label="Erase", help="Take away from what is selected. Alt does so too.")

    def paper(self, event: QSinglePointEvent) -> Paper | None:
        subtract = self.erase or bool(event.modifiers() & ALT)
        layer = self.document.active
        if layer is None or layer.kind is not LayerKind.MASK:
            text = self.tr("Mask brush")
            return SelectionPaper(self.document, self.hardness / 100, subtract=subtract, text=text)
        if self.layer_to_change() is None:
            return None
        mode = QPainter.CompositionMode
        edit = self.document.edit(layer, self.tr("Mask brush"))
        return LayerPaper(
            edit,
            Ink(QColor(LIGHT), self.hardness / 100),
            self.document.rect,
            mode=mode.CompositionMode_DestinationOut
            if subtract
            else mode.CompositionMode_SourceOver,
        )

    def move(self, event: QSinglePointEvent) -> None:
        super().move(event)
        if isinstance(self._paper, SelectionPaper):
            self.view.update()  # no document tells of what is painted there

    def overlay(self, painter: QPainter) -> None:
        if isinstance(self._paper, SelectionPaper):
            painter.save()
            painter.setOpacity(TINT)
            painter.setTransform(self.view.viewport.transform(), True)
            pixels = self._paper.ink.pixels
            for key, tile in pixels.snapshot().items():
                painter.drawImage(rect_of(key).topLeft(), tile or QImage())
            painter.restore()
        super().overlay(painter)
