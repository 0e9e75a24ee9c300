"""The brush: paints over the active layer in the foreground colour."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPointingDevice, QSinglePointEvent

from studio.canvas.tools.ink import Ink, LayerPaper, Paper
from studio.canvas.tools.option import Option
from studio.canvas.tools.round_tool import RoundTool
from studio.canvas.tools.stroke import Nib
from studio.canvas.tools.tool import ALT

PRESSURE = ("size", "flow", "both", "nothing")


class PressureTool(RoundTool):
    """A round tool whose strokes have an opacity and build up by their flow."""

    opacity = Option(
        100,
        label="Opacity",
        help="How dense a stroke can get, however often it goes over the same place.",
        minimum=1,
        unit="%",
    )
    flow = Option(
        100,
        label="Flow",
        help="How much each touch lays down: with little of it a slow hand paints denser.",
        minimum=1,
        unit="%",
    )
    pressure = Option(
        "size",
        label="Pressure",
        help="What pressing a pen harder changes; a mouse always presses fully.",
        choices=PRESSURE,
    )

    def nib(self) -> Nib:
        return Nib(
            self.size,
            self.hardness / 100,
            self.flow / 100,
            pressure_sizes=self.pressure in ("size", "both"),
            pressure_flows=self.pressure in ("flow", "both"),
        )


class Brush(PressureTool):
    """With Alt it takes a colour from the picture instead."""

    id = "brush"
    title = "Brush"
    icon = "brush"
    shortcut = "B"
    help = "Paint. Shift and a click draw a straight line, Alt and a click take a colour."

    def press(self, event: QSinglePointEvent) -> None:
        if event.modifiers() & ALT:
            self.box.pick_color(self.place(event))
        else:
            super().press(event)

    def move(self, event: QSinglePointEvent) -> None:
        if event.modifiers() & ALT and not self.is_painting:
            self.box.pick_color(self.place(event))
        super().move(event)

    def paper(self, event: QSinglePointEvent) -> Paper | None:
        if event.pointerType() == QPointingDevice.PointerType.Eraser:
            eraser = self.box.tool(Eraser.id)
            assert isinstance(eraser, Eraser)
            return eraser.paper(event)  # the other end of the pen
        layer = self.layer_to_paint()
        if layer is None:
            return None
        color = self.box.colors.foreground
        self.box.colors.remember(color)
        edit = self.document.edit(layer, self.tr("Brush"))
        ink = Ink(color, self.hardness / 100)
        return LayerPaper(edit, ink, self.document.rect, self.opacity / 100)


class Eraser(PressureTool):
    """Makes the active layer transparent."""

    id = "eraser"
    title = "Eraser"
    icon = "eraser"
    shortcut = "E"
    help = "Rub away from the layer. Shift and a click rub along a straight line."

    def paper(self, event: QSinglePointEvent) -> Paper | None:
        layer = self.layer_to_change()
        if layer is None:
            return None
        edit = self.document.edit(layer, self.tr("Eraser"))
        ink = Ink(self.box.colors.foreground, self.hardness / 100)
        rub = QPainter.CompositionMode.CompositionMode_DestinationOut
        return LayerPaper(edit, ink, self.document.rect, self.opacity / 100, rub)
