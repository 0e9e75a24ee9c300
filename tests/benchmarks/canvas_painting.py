"""Painting on a large document: milliseconds a frame, against a plain QPainter doing the same.

    python -m tests.benchmarks.canvas_painting

4096 × 4096 pixels, ten layers that all cover everything, a view of 1600 × 1000. A frame is one move
of the mouse with the brush down until the window has been painted again. The plain way keeps each
layer as one QImage, lays all of them over each other for every frame and scales the result into the
window. Both run in the same process one after the other: read the ratio. CPU is what the whole
process has used, on all its threads, which a busy machine does not lengthen as it does the wall
clock.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QUndoStack
from PySide6.QtWidgets import QApplication

from studio import images
from studio.canvas.document import Document
from studio.canvas.layer import BlendMode, Layer
from studio.canvas.tiles import FORMAT, TileStore
from studio.canvas.tools.tool_box import ToolBox
from studio.canvas.view import CanvasView
from studio.theme import Theme

SIDE, LAYERS = 4096, 10
VIEW = QSize(1600, 1000)
STEP = 40  # logical pixels the mouse moves in a frame: 2400 a second
BUDGET = 1000 / 60


@dataclass(frozen=True)
class Scene:
    name: str
    fit: bool
    brush: int
    """Pixels of the document."""
    modes: tuple[BlendMode, ...] = (BlendMode.NORMAL,)
    active: int = LAYERS - 1


SCENES = (
    Scene("100 %, brush 32", False, 32),
    Scene("100 %, brush 200", False, 200),
    Scene("100 %, brush 500", False, 500),
    Scene("100 %, brush 200, lowest layer", False, 200, active=0),
    Scene("100 %, brush 200, blend modes", False, 200, tuple(BlendMode), active=0),
    Scene("whole picture, brush 32", True, 32),
    Scene("whole picture, brush 200", True, 200),
    Scene("whole picture, brush 500", True, 500),
)


@dataclass
class Times:
    """Of the frames of one scene, in milliseconds."""

    wall: list[float]
    cpu: list[float]

    def at(self, part: float) -> tuple[float, float]:
        return float(np.quantile(self.wall, part)), float(np.quantile(self.cpu, part))


def texture(seed: int) -> QImage:
    """Soft colours that let what is below shine through; the lowest is opaque."""
    rolls = np.random.default_rng(seed)
    small = rolls.integers(0, 256, (64, 64, 4), np.uint8)
    small[:, :, 3] = 255 if seed == 0 else rolls.integers(20, 120, (64, 64), np.uint8)
    smooth = Qt.TransformationMode.SmoothTransformation
    keep = Qt.AspectRatioMode.IgnoreAspectRatio
    return images.from_array(small).convertToFormat(FORMAT).scaled(SIDE, SIDE, keep, smooth)


def places(count: int) -> list[QPointF]:
    """A spiral over the middle of the view, as long as there are frames."""
    found, angle = [], 0.0
    for _ in range(count):
        radius = 60 + 8 * angle % 380
        angle += STEP / radius
        found.append(
            QPointF(
                VIEW.width() / 2 + 1.6 * radius * math.cos(angle),
                VIEW.height() / 2 + radius * math.sin(angle),
            )
        )
    return found


def timed(frames: int, draw: Callable[[int], None]) -> Times:
    times = Times([], [])
    for frame in range(frames):
        wall, cpu = time.perf_counter(), time.process_time()
        draw(frame)
        times.wall.append((time.perf_counter() - wall) * 1000)
        times.cpu.append((time.process_time() - cpu) * 1000)
    return times


def send(view: CanvasView, kind: QEvent.Type, place: QPointF) -> None:
    moved = kind == QEvent.Type.MouseMove
    button = Qt.MouseButton.NoButton if moved else Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    held = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, place, view.mapToGlobal(place), button, held, none)
    QApplication.sendEvent(view, event)
    QApplication.processEvents()


def ours(scene: Scene, textures: list[QImage], frames: int) -> Times:
    stack = QUndoStack()
    document = Document(QSize(SIDE, SIDE), stack)
    for number, image in enumerate(textures):
        mode = scene.modes[number % len(scene.modes)]
        layer = Layer(str(number), pixels=TileStore.from_image(image), blend_mode=mode)
        document.add_layer(layer)
    document.set_active(document.layers[scene.active])
    view = CanvasView(document)
    box = ToolBox(view)
    box.choose("brush")
    box.current.size = scene.brush  # type: ignore[attr-defined]
    box.colors.foreground = QColor("orange")
    view.resize(VIEW)
    view.show()
    view.fit() if scene.fit else view.actual_size()
    for _ in range(100):  # until everything is there
        QApplication.processEvents()
    way = places(frames + 1)
    send(view, QEvent.Type.MouseButtonPress, way[0])
    times = timed(frames, lambda frame: send(view, QEvent.Type.MouseMove, way[frame + 1]))
    send(view, QEvent.Type.MouseButtonRelease, way[-1])
    stack.clear()
    view.close()
    view.deleteLater()
    QApplication.processEvents()
    return times


def naive(scene: Scene, textures: list[QImage], frames: int) -> Times:
    layers = [QImage(image) for image in textures]
    screen = QImage(VIEW, QImage.Format.Format_RGB32)
    whole = QImage(SIDE, SIDE, FORMAT)
    scale = (VIEW.height() - 32) / SIDE if scene.fit else 1.0
    way = places(frames + 1)

    def draw(frame: int) -> None:
        with QPainter(layers[scene.active]) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor("orange"))
            at = way[frame] / scale
            painter.drawEllipse(at, scene.brush / 2, scene.brush / 2)
        whole.fill(0)
        with QPainter(whole) as painter:
            for number, layer in enumerate(layers):
                mode = scene.modes[number % len(scene.modes)]
                painter.setCompositionMode(mode.composition_mode)
                painter.drawImage(0, 0, layer)
        with QPainter(screen) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            place = QRectF(0, 0, SIDE * scale, SIDE * scale)
            painter.drawImage(place, whole)

    return timed(frames, draw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--plain-frames", type=int, default=3)
    asked = parser.parse_args()
    app = QApplication.instance() or QApplication(["canvas_painting", "-platform", "offscreen"])
    theme = Theme(app, "dark")  # type: ignore[arg-type]
    textures = [texture(seed) for seed in range(LAYERS)]
    print(f"{SIDE}×{SIDE}, {LAYERS} layers, view {VIEW.width()}×{VIEW.height()}, ms a frame")
    print(f"{'':32}{'median':>15}{'99th percentile':>17}{'plain':>15}{'ratio':>8}")
    print(f"{'':32}{'wall     CPU':>15}{'wall     CPU':>17}{'wall     CPU':>15}{'CPU':>8}")
    worst = (0.0, 0.0)
    for scene in SCENES:
        mine = ours(scene, textures, asked.frames)
        plain = naive(scene, textures, asked.plain_frames)
        median, late, other = mine.at(0.5), mine.at(0.99), plain.at(0.5)
        worst = max(worst, late)
        cells = "  ".join(f"{wall:8.1f}{cpu:7.1f}" for wall, cpu in (median, late, other))
        print(f"{scene.name:32}{cells}{other[1] / median[1]:7.0f}×", flush=True)
    word = "within" if worst[0] <= BUDGET else "over"
    print(f"worst 99th percentile {worst[0]:.1f} ms, {word} the {BUDGET:.1f} of 60 frames a second")
    theme.deleteLater()


if __name__ == "__main__":
    main()
