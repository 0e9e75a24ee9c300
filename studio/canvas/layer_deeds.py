"""What is done with whole layers, each as one step of undo: a new one, a copy, two made one."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from engine.errors import EngineError
from studio.canvas.composite import flatten
from studio.canvas.document import Document
from studio.canvas.layer import Layer, LayerKind
from studio.canvas.tiles import TileStore, rect_of


def new_layer(document: Document, kind: LayerKind = LayerKind.RASTER) -> Layer:
    """An empty layer above the active one."""
    word = _tr("Mask {}") if kind is LayerKind.MASK else _tr("Layer {}")
    return document.add_layer(Layer(_free_name(document, word), kind), document.active)


def duplicate(document: Document, layer: Layer) -> Layer:
    """The same again, above it."""
    pixels = TileStore()
    pixels.restore(layer.pixels.snapshot())
    copy = Layer(
        _tr("{} copy").format(layer.name),
        layer.kind,
        pixels,
        opacity=layer.opacity,
        blend_mode=layer.blend_mode,
        record=layer.record,
    )
    return document.add_layer(copy, layer)


def merge_down(document: Document, upper: Layer) -> Layer:
    """Lay `upper` onto the one below; the look stays. Raises EngineError where that cannot be."""
    index = document.layers.index(upper)
    if index == 0:
        raise EngineError(_tr("There is no layer below “{}”.").format(upper.name))
    lower = document.layers[index - 1]
    _check(upper, lower)
    keys = {*upper.pixels.keys(), *lower.pixels.keys()}
    both = [_plain(lower, keep_mode=False), _plain(upper, keep_mode=True)]
    merged = {key: flatten(both, rect_of(key)) for key in keys}
    document.undo_stack.beginMacro(_tr("Merge down"))
    document.remove_layer(upper)
    kind = LayerKind.MASK if lower.kind is LayerKind.MASK else LayerKind.RASTER
    document.change_layer(lower, opacity=1.0, kind=kind, record=None)
    with document.edit(lower, _tr("Merge down"), everywhere=True) as edit:
        for key, image in merged.items():
            edit.put(image, rect_of(key).topLeft())
    document.undo_stack.endMacro()
    document.set_active(lower)
    return lower


def _check(upper: Layer, lower: Layer) -> None:
    for layer in (upper, lower):
        if layer.locked:
            raise EngineError(_tr("“{}” is locked.").format(layer.name), _tr("Unlock it first."))
        if not layer.visible:
            raise EngineError(_tr("“{}” is hidden.").format(layer.name), _tr("Show it first."))
    if (upper.kind is LayerKind.MASK) != (lower.kind is LayerKind.MASK):
        raise EngineError(
            _tr("A mask and a picture cannot be merged."),
            _tr("Move the mask above another mask first."),
        )


def _plain(layer: Layer, *, keep_mode: bool) -> Layer:
    """As a raster layer, so that masks are flattened too; the lower one keeps its blend mode."""
    plain = Layer(layer.name, pixels=layer.pixels, opacity=layer.opacity)
    if keep_mode:
        plain.blend_mode = layer.blend_mode
    return plain


def _free_name(document: Document, word: str) -> str:
    taken, number = {layer.name for layer in document.layers}, 1
    while word.format(number) in taken:
        number += 1
    return word.format(number)


def _tr(text: str) -> str:
    return QCoreApplication.translate("LayerDeeds", text)
