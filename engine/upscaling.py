"""Enlarges pictures with Real-ESRGAN on ncnn, tile by tile, so that no seam can be seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from engine import cache, device
from engine.errors import EngineError, ModelError
from engine.gate.images import MAXIMUM_PIXELS
from engine.gate.weights import content_hash
from engine.task import Progress, Report

if TYPE_CHECKING:
    import ncnn

TILE = 192
"""Pixels; a tile takes about a fifth of a second, which is how quick a stop is."""
CLEAR = 4
"""Levels (of 255) of opacity that are the network's own noise."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges, loaded."""

    name: str
    net: ncnn.Net
    scale: int
    margin: int
    """How many pixels around a pixel the network looks at: a tile is given so much more."""
    input: str
    output: str
    weights_hash: str

    def made_with(self) -> dict[str, str]:
        import ncnn

        return {"ncnn": ncnn.__version__, "upscaler": self.name}

    def enlarge(self, image: Image.Image, report: Report) -> Image.Image:
        """The picture, RGB or RGBA, `scale` times as wide and high; each tile is reported."""
        width, height = image.size
        _check_size(width * self.scale, height * self.scale)
        pixels = _with_hidden_colors(image)
        shape = (height * self.scale, width * self.scale, pixels.shape[2])
        enlarged = np.empty(shape, np.uint8)
        around = ((self.margin, self.margin), (self.margin, self.margin), (0, 0))
        padded = np.pad(pixels, around, "edge")
        tiles = list(_tiles(width, height))
        for step, (top, left, bottom, right) in enumerate(tiles):
            report(Progress(step, len(tiles), "enlarging"))
            margins = 2 * self.margin
            tile = self._enlarge_tile(padded[top : bottom + margins, left : right + margins])
            s = self.scale
            enlarged[top * s : bottom * s, left * s : right * s] = tile
        report(Progress(len(tiles), len(tiles), "enlarging"))
        return Image.fromarray(enlarged)

    def _enlarge_tile(self, tile: Pixels) -> Pixels:
        """Without its margins. Opacity goes through the network as a grey picture."""
        colors = self._run(tile[..., :3])
        if tile.shape[2] == 3:
            return colors
        opacity = tile[..., 3]
        if (opacity == opacity[0, 0]).all():
            shown = np.full(colors.shape[:2], opacity[0, 0], np.uint8)
        else:
            shown = self._run(np.repeat(opacity[..., None], 3, axis=2)).mean(axis=2)
            shown = np.where(shown < CLEAR, 0, np.where(shown > 255 - CLEAR, 255, shown))
        colors[shown == 0] = 0
        return np.dstack([colors, shown.astype(np.uint8)])

    def _run(self, tile: Pixels) -> Pixels:
        import ncnn

        planes = np.ascontiguousarray(tile.transpose(2, 0, 1), np.float32) / 255
        extractor = self.net.create_extractor()
        extractor.input(self.input, ncnn.Mat(planes))  # the Mat looks into `planes`
        failed, result = extractor.extract(self.output)
        if failed:
            raise EngineError(
                f"{self.name} could not enlarge the picture.",
                "Close other programs, in case that memory ran out, and try again.",
            )
        edge = self.margin * self.scale
        enlarged = np.array(result).transpose(1, 2, 0)[edge:-edge, edge:-edge]
        return (enlarged.clip(0, 1) * 255).round().astype(np.uint8)


def load_upscaler(folder: Path, report: Report) -> Upscaler:
    """The upscaler in the folder, kept warm; raises ModelError."""
    report(Progress(0, None, "loading the upscaler"))
    return cache.loaded(("upscaler", str(folder)), lambda: _load(folder))


def _load(folder: Path) -> Upscaler:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = device.threads()
    net.opt.use_vulkan_compute = False
    network, weights = folder / "model.param", folder / "model.bin"
    try:
        described: dict[str, Any] = json.loads((folder / "upscaler.json").read_text("utf-8"))
        weights_hash = content_hash([weights])
        if net.load_param(str(network)) or net.load_model(str(weights)):
            raise ValueError("its network cannot be loaded")
        return Upscaler(folder.name, net, **described, weights_hash=weights_hash)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"The upscaler in {folder} is damaged: {error}.", "Install the studio again."
        ) from error


def _tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Top, left, bottom, right of each tile."""
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            yield top, left, min(top + TILE, height), min(left + TILE, width)


def _check_size(width: int, height: int) -> None:
    if width * height > MAXIMUM_PIXELS:
        raise EngineError(
            f"The enlarged picture would have {width} × {height} pixels, "
            f"more than the {MAXIMUM_PIXELS // 1_000_000} million allowed.",
            "Make the picture smaller first, or enlarge a part of it.",
        )


def _with_hidden_colors(image: Image.Image) -> Pixels:
    """RGB or RGBA, where what is transparent takes the colours of what is beside it.

    Else the network would draw an edge between the picture and a colour nobody sees.
    """
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    image = image.convert("RGBA")
    pixels = np.array(image)
    hidden = pixels[..., 3] == 0
    radius = 1
    while hidden.any() and not hidden.all() and radius < 2 * max(image.size):
        blurred = np.asarray(
            image.convert("RGBa").filter(ImageFilter.BoxBlur(radius)).convert("RGBA")
        )
        near = hidden & (blurred[..., 3] > 8)  # below that the division has no digits left
        pixels[near, :3] = blurred[near, :3]
        hidden &= ~near
        radius *= 2
    return pixels
