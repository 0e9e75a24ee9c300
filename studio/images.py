"""Pictures across the border: PIL and NumPy to QImage and back. The only converter.

Every result owns its pixels: a QImage over a borrowed buffer crashes once the buffer is gone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage


def from_pil(image: Image.Image) -> QImage:
    """Any PIL image as RGB, or as RGBA where it can be transparent."""
    transparent = image.has_transparency_data
    image = image.convert("RGBA" if transparent else "RGB")
    return from_array(np.asarray(image))


def from_array(pixels: NDArray[np.uint8]) -> QImage:
    """Pixels of shape (H, W), (H, W, 3) or (H, W, 4), uint8; raises ValueError."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise ValueError(f"pixels must be (H, W[, C]) of uint8, not {pixels.shape} {pixels.dtype}")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    formats = {
        1: QImage.Format.Format_Grayscale8,
        3: QImage.Format.Format_RGB888,
        4: QImage.Format.Format_RGBA8888,
    }
    if channels not in formats:
        raise ValueError(f"pixels must have 1, 3 or 4 channels, not {channels}")
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    return QImage(data.data, width, height, width * channels, formats[channels]).copy()


def to_array(image: QImage) -> NDArray[np.uint8]:
    """Pixels of shape (H, W, 4), RGBA, uint8."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4).copy()


def to_pil(image: QImage) -> Image.Image:
    """RGBA where the picture can be transparent, else RGB."""
    pixels = to_array(image)
    return Image.fromarray(pixels if image.hasAlphaChannel() else pixels[:, :, :3].copy())


def resized(image: QImage, width: int, height: int) -> QImage:
    """Smoothly, whatever becomes of its proportions."""
    mode = Qt.TransformationMode.SmoothTransformation
    return image.scaled(width, height, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
