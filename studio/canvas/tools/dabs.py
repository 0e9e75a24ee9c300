"""One touch of the brush: a round stamp, soft at its edge, placed to a quarter of a pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QColor, QImage, QPainter

SUBPIXEL = 4
"""Small dabs are drawn at so many places within a pixel, so that thin lines do not wobble."""
SMALL = 64  # pixels; a larger dab may sit on whole pixels, nobody sees the difference


@dataclass(frozen=True)
class Dab:
    """Where the brush touches: `center` in pixels of the document, `size` its diameter."""

    center: QPointF
    size: float
    flow: float

    def rect(self) -> QRect:
        """All pixels it can change."""
        reach = self.size / 2 + 1.5
        left, top = math.floor(self.center.x() - reach), math.floor(self.center.y() - reach)
        right, bottom = math.ceil(self.center.x() + reach), math.ceil(self.center.y() + reach)
        return QRect(left, top, right - left, bottom - top)


def paint_dab(painter: QPainter, dab: Dab, hardness: float, color: QColor) -> None:
    """Lay the stamp over what is there; `hardness` from 0 (a cloud) to 1 (a disc)."""
    size = _rounded(dab.size)
    steps = SUBPIXEL if size < SMALL else 1
    x, y = round(dab.center.x() * steps), round(dab.center.y() * steps)
    stamp = _stamp(size, round(hardness, 2), x % steps / steps, y % steps / steps, color.rgb())
    half = stamp.width() // 2
    painter.setOpacity(dab.flow)
    painter.drawImage(x // steps - half, y // steps - half, stamp)


def _rounded(size: float) -> float:
    """Few enough different sizes for the cache, near enough for the eye."""
    step = 0.25 if size < 16 else 1 if size < SMALL else 2
    return max(round(size / step) * step, 0.5)


@lru_cache(maxsize=64)
def _stamp(size: float, hardness: float, dx: float, dy: float, rgb: int) -> QImage:
    """An odd square of colour, touched at (dx, dy) from the corner of its middle pixel."""
    alpha = coverage(size, hardness, dx, dy)
    color = QColor(rgb)
    channels = (color.blue(), color.green(), color.red(), 255)
    pixels = np.stack([np.rint(alpha * channel) for channel in channels], axis=-1).astype(np.uint8)
    side = alpha.shape[0]
    image = QImage(pixels.data, side, side, side * 4, QImage.Format.Format_ARGB32_Premultiplied)
    return image.copy()


def coverage(size: float, hardness: float, dx: float = 0.0, dy: float = 0.0) -> NDArray[np.float64]:
    """How much of each pixel the dab covers, 0 to 1, shape (side, side).

    The edge falls off as a smoothstep over the soft part of the radius, at least over one pixel.
    A dab thinner than a pixel is as faint as the part of the pixel that it covers.
    """
    radius = max(size, 1.0) / 2
    half = math.ceil(radius + 1.5)
    places = np.arange(-half, half + 1) + 0.5
    distance = np.hypot(places[:, None] - dy, places[None, :] - dx)
    ramp = max(radius * (1 - hardness), 1.0)
    inside = np.clip((radius + 0.5 - distance) / ramp, 0.0, 1.0)
    faint: float = min(size, 1.0) ** 2
    return np.asarray(inside * inside * (3 - 2 * inside) * faint, np.float64)
