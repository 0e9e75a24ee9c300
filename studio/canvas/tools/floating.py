"""Pixels lifted off a layer: shown wherever they are held until they are put down."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QImage, QPainter, QTransform

from studio.canvas.document import Document
from studio.canvas.layer import Layer
from studio.canvas.selection import Selection
from studio.canvas.tiles import FORMAT, TileStore

_Mode = QPainter.CompositionMode
WHOLE = 1e-6  # pixels: a move this near to whole pixels needs no resampling


def liftable(document: Document, layer: Layer) -> QRect:
    """What would be lifted: the pixels of the layer, where something is selected those in it."""
    bounds, selection = layer.pixels.bounds(), document.selection
    return bounds if selection.is_empty else bounds & selection.bounds


class Floating:
    """One step of undo together with the selection, which goes along."""

    def __init__(self, document: Document, layer: Layer, text: str) -> None:
        self._document = document
        self._selection = document.selection
        self._text = text
        self.rect = liftable(document, layer)
        self.transform = QTransform()
        self._edit = document.edit(layer, text, everywhere=True)
        self._image = self._lifted(layer)
        self._rest = TileStore()
        self._rest.restore(layer.pixels.snapshot())
        self._shown = QRect()
        self.show(self.transform)

    @property
    def is_open(self) -> bool:
        """Whether nobody else has ended it, by an undo or another deed."""
        return self._edit.is_open

    def show(self, transform: QTransform, *, smooth: bool = True) -> None:
        """Hold the pixels where `transform` puts them, always made from those that were lifted."""
        self.transform = transform
        if not self._shown.isEmpty():
            self._edit.put(self._rest.image(self._shown), self._shown.topLeft())
        self._shown = _outer(transform.mapRect(QRectF(self.rect)))
        if self._shown.isEmpty():
            return
        with self._edit.paint(self._shown) as painter:
            _draw(painter, self._image, self.rect.topLeft(), transform, smooth)

    def put_down(self) -> None:
        """Leave the pixels where they are held."""
        if not self.is_open or self.transform.isIdentity():
            self.give_back()
            return
        stack = self._document.undo_stack
        stack.beginMacro(self._text)
        self._edit.commit()
        if not self._selection.is_empty:
            self._document.set_selection(_transformed(self._selection, self.transform))
        stack.endMacro()

    def give_back(self) -> None:
        """As if nothing had been lifted."""
        self._edit.cancel()

    def _lifted(self, layer: Layer) -> QImage:
        """Cut the pixels out of the layer."""
        image = layer.pixels.image(self.rect)
        if self._selection.is_empty:
            layer_rest = QImage(image.size(), FORMAT)
            layer_rest.fill(0)
            self._edit.put(layer_rest, self.rect.topLeft())
            return image
        stencil = self._selection.image(self.rect)
        with QPainter(image) as painter:
            painter.setCompositionMode(_Mode.CompositionMode_DestinationIn)
            painter.drawImage(0, 0, stencil)
        with self._edit.paint(self.rect) as painter:
            painter.setCompositionMode(_Mode.CompositionMode_DestinationOut)
            painter.drawImage(self.rect.topLeft(), stencil)
        return image


def _draw(
    painter: QPainter, image: QImage, place: QPoint, transform: QTransform, smooth: bool
) -> None:
    if _is_whole_move(transform):
        painter.drawImage(place + QPoint(round(transform.dx()), round(transform.dy())), image)
        return
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    painter.setTransform(transform, combine=True)
    painter.drawImage(place, image)


def _is_whole_move(transform: QTransform) -> bool:
    kinds = QTransform.TransformationType
    if transform.type() not in (kinds.TxNone, kinds.TxTranslate):
        return False
    return all(abs(by - round(by)) < WHOLE for by in (transform.dx(), transform.dy()))


def _transformed(selection: Selection, transform: QTransform) -> Selection:
    if _is_whole_move(transform):
        return selection.moved(QPoint(round(transform.dx()), round(transform.dy())))
    area = _outer(transform.mapRect(QRectF(selection.bounds)))
    image = QImage(area.size(), FORMAT)
    image.fill(0)
    with QPainter(image) as painter:
        painter.translate(-area.topLeft())
        stencil = selection.image(selection.bounds).convertToFormat(FORMAT)
        _draw(painter, stencil, selection.bounds.topLeft(), transform, True)
    return Selection.from_image(image, area.topLeft())


def _outer(rect: QRectF) -> QRect:
    if rect.isEmpty():
        return QRect()
    left, top = math.floor(rect.left()) - 1, math.floor(rect.top()) - 1
    right, bottom = math.ceil(rect.right()) + 1, math.ceil(rect.bottom()) + 1
    return QRect(left, top, right - left, bottom - top)
