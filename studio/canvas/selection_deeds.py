"""What is done with the selection and within it, each as one step of undo."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRect
from PySide6.QtGui import QColor, QPainter

from studio.canvas.document import Document
from studio.canvas.layer import Layer
from studio.canvas.selection import Selection


def select_all(document: Document) -> None:
    document.set_selection(Selection.from_rect(document.rect), _tr("Select all"))


def select_none(document: Document) -> None:
    document.set_selection(Selection(), _tr("Select nothing"))


def invert_selection(document: Document) -> None:
    """Of nothing selected, everything."""
    inverted = document.selection.inverted(document.size)
    document.set_selection(inverted, _tr("Invert the selection"))


def select_pixels(document: Document, layer: Layer) -> None:
    """What the layer covers, by its opacity."""
    bounds = layer.pixels.bounds()
    covered = Selection.from_image(layer.pixels.image(bounds), bounds.topLeft())
    document.set_selection(covered, _tr("Select what is on the layer"))


def erase_selected(document: Document, layer: Layer) -> None:
    """All of the layer where nothing is selected."""
    area = _area(document, layer)
    if area.isEmpty():
        return
    clear = QPainter.CompositionMode.CompositionMode_Clear
    with document.edit(layer, _tr("Erase")) as edit, edit.paint(area) as painter:
        painter.setCompositionMode(clear)
        painter.fillRect(area, QColor())


def fill_selected(document: Document, layer: Layer, color: QColor) -> None:
    """All of the document where nothing is selected."""
    area = _area(document, layer) & document.rect
    area = document.rect if document.selection.is_empty else area
    if area.isEmpty():  # only what is beyond the picture is selected
        return
    with document.edit(layer, _tr("Fill")) as edit, edit.paint(area) as painter:
        painter.fillRect(area, color)


def _area(document: Document, layer: Layer) -> QRect:
    selection = document.selection
    return layer.pixels.bounds() if selection.is_empty else selection.bounds


def _tr(text: str) -> str:
    return QCoreApplication.translate("SelectionDeeds", text)
