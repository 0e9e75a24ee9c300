"""A canvas with its tools, driven by the mouse, and the pixels that come of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPointingDevice, QTabletEvent, QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.canvas.document import Document
from studio.canvas.layer import Layer
from studio.canvas.tiles import TileStore
from studio.canvas.tools.tool_box import ToolBox
from studio.canvas.view import CanvasView

NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
LEFT = Qt.MouseButton.LeftButton


class Bench:
    """A document of 200×160 pixels, each seen as two by two; places are pixels of the document."""

    def __init__(self, qtbot: QtBot, size: QSize | None = None) -> None:
        self.stack = QUndoStack()
        self.document = Document(size or QSize(200, 160), self.stack)
        self.view = CanvasView(self.document)
        qtbot.addWidget(self.view)
        self.box = ToolBox(self.view)
        self.remarks: list[str] = []
        self.box.remark.connect(self.remarks.append)
        self.view.resize(600, 500)
        with qtbot.waitActive(self.view):
            self.view.show()
            self.view.activateWindow()
        self.view.setFocus()
        self.view.actual_size()
        self.view.zoom_by(2)

    def add(self, color: str | None = None, name: str = "Layer") -> Layer:
        """A layer, all of one colour or empty."""
        layer = Layer(name)
        if color:
            image = QImage(self.document.size, QImage.Format.Format_ARGB32_Premultiplied)
            image.fill(QColor(color))
            layer.pixels = TileStore.from_image(image)
        return self.document.add_layer(layer)

    # ------------------------------------------------------------------ the hand

    def at(self, x: float, y: float) -> QPoint:
        return self.view.from_document(QPointF(x, y)).toPoint()

    def press(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.mousePress(self.view, LEFT, keys, self.at(x, y))

    def move(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        """QTest.mouseMove knows no modifiers."""
        place = QPointF(self.at(x, y))
        event = QMouseEvent(
            QEvent.Type.MouseMove, place, self.view.mapToGlobal(place), LEFT, LEFT, keys
        )
        QApplication.sendEvent(self.view, event)

    def release(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.mouseRelease(self.view, LEFT, keys, self.at(x, y))

    def drag(self, *places: tuple[float, float], keys: Qt.KeyboardModifier = NONE) -> None:
        self.press(*places[0], keys)
        for place in places[1:]:
            self.move(*place, keys)
        self.release(*places[-1], keys)

    def click(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        self.drag((x, y), keys=keys)

    def pen(
        self,
        kind: QEvent.Type,
        x: float,
        y: float,
        pressure: float,
        device: QPointingDevice | None = None,
    ) -> None:
        place = QPointF(self.at(x, y))
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else LEFT
        event = QTabletEvent(
            kind,
            device or QPointingDevice.primaryPointingDevice(),
            place,
            self.view.mapToGlobal(place),
            *(pressure, 0.0, 0.0, 0.0, 0.0, 0.0),
            *(NONE, button, LEFT),
        )
        QApplication.sendEvent(self.view, event)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.view, key, keys)

    # ------------------------------------------------------------------ what came of it

    def color(self, x: int, y: int) -> str:
        return self.document.composite().pixelColor(x, y).name(QColor.NameFormat.HexArgb)

    def alpha(self, x: int, y: int) -> int:
        return self.document.composite().pixelColor(x, y).alpha()

    def selected(self, x: int, y: int) -> bool:
        return self.document.selection.contains(QPoint(x, y))

    def undo(self) -> None:
        self.stack.undo()
