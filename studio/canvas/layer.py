"""One layer of a document: its pixels, how they are blended, and how they were made."""

from __future__ import annotations

from enum import Enum
from uuid import uuid4

from PySide6.QtGui import QPainter

from engine.metadata import TaskRecord
from studio.canvas.tiles import TileStore

_Mode = QPainter.CompositionMode


class LayerKind(Enum):
    RASTER = "raster"
    MASK = "mask"
    """Says where, not what: seen as a tint over the picture, never part of it."""
    GENERATED = "generated"


class BlendMode(Enum):
    """As in W3C Compositing and Blending; the value is the name in a project file."""

    NORMAL = "normal"
    MULTIPLY = "multiply"
    SCREEN = "screen"
    OVERLAY = "overlay"
    DARKEN = "darken"
    LIGHTEN = "lighten"
    COLOR_DODGE = "color-dodge"
    COLOR_BURN = "color-burn"
    HARD_LIGHT = "hard-light"
    SOFT_LIGHT = "soft-light"
    DIFFERENCE = "difference"
    EXCLUSION = "exclusion"
    PLUS = "plus-lighter"

    @property
    def composition_mode(self) -> QPainter.CompositionMode:
        return _COMPOSITION_MODES[self]


_COMPOSITION_MODES = {
    BlendMode.NORMAL: _Mode.CompositionMode_SourceOver,
    BlendMode.MULTIPLY: _Mode.CompositionMode_Multiply,
    BlendMode.SCREEN: _Mode.CompositionMode_Screen,
    BlendMode.OVERLAY: _Mode.CompositionMode_Overlay,
    BlendMode.DARKEN: _Mode.CompositionMode_Darken,
    BlendMode.LIGHTEN: _Mode.CompositionMode_Lighten,
    BlendMode.COLOR_DODGE: _Mode.CompositionMode_ColorDodge,
    BlendMode.COLOR_BURN: _Mode.CompositionMode_ColorBurn,
    BlendMode.HARD_LIGHT: _Mode.CompositionMode_HardLight,
    BlendMode.SOFT_LIGHT: _Mode.CompositionMode_SoftLight,
    BlendMode.DIFFERENCE: _Mode.CompositionMode_Difference,
    BlendMode.EXCLUSION: _Mode.CompositionMode_Exclusion,
    BlendMode.PLUS: _Mode.CompositionMode_Plus,
}


class Layer:
    """In a document, only the document changes it, so that every change can be undone."""

    def __init__(
        self,
        name: str,
        kind: LayerKind = LayerKind.RASTER,
        pixels: TileStore | None = None,
        *,
        opacity: float = 1.0,
        blend_mode: BlendMode = BlendMode.NORMAL,
        visible: bool = True,
        locked: bool = False,
        record: TaskRecord | None = None,
        id: str = "",
    ) -> None:
        self.id = id or str(uuid4())
        self.name = name
        self.kind = kind
        self.pixels = pixels or TileStore()
        self.opacity = opacity
        self.blend_mode = blend_mode
        self.visible = visible
        self.locked = locked
        self.record = record
        """How it was made, where a task made it."""

    def __repr__(self) -> str:
        return f"<Layer {self.name!r} {self.kind.value}>"
