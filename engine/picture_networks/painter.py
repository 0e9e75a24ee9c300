"""Style transfer: networks that paint a picture again, in a style of 26 or in another picture's.

Named styles: Dumoulin, Shlens, Kudlur, "A Learned Representation for Artistic Style" (2017).
Any painting: Ghiasi and others, "Exploring the structure of a real-time, arbitrary neural artistic
stylization network" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import cache, device, folders
from engine.errors import ModelError
from engine.events import Progress, Report
from engine.gate.weights import content_hash
from engine.picture_networks.tiling import Pixels

if TYPE_CHECKING:
    import onnxruntime

STYLES = (
    "soft pastel",
    "yellow and black",
    "ink and wash",
    "jazz",
    "red sky",
    "sunset oils",
    "indigo pebbles",
    "primary colours",
    "felt pens",
    "broken tiles",
    "umber",
    "etching",
    "morning light",
    "green and rust",
    "mist",
    "stained glass",
    "violet chalk",
    "woven bands",
    "woodcut",
    "blue swirls",
    "crimson",
    "paper cut-outs",
    "cubes",
    "old portrait",
    "blue print",
    "thick oils",
)
"""In the network's own order. It came without names: these say what its pictures look like."""

STYLE_SIZE = 256
"""Pixels of the square in which a painting's style is looked for."""
STEP = 4
"""The networks make pictures smaller by this, and larger again."""

Colors = NDArray[np.float32]
"""Height, width, three; 0 to 1."""


@dataclass(frozen=True)
class Painter:
    """The networks of one way to paint, loaded, and the style they paint in."""

    sessions: tuple[onnxruntime.InferenceSession, ...]
    weights_hash: str

    def made_with(self) -> dict[str, str]:
        import onnxruntime

        return {"onnxruntime": onnxruntime.__version__}

    def _run(self, session: int, **inputs: Colors) -> Colors:
        """`inputs` in the network's own order, whatever it calls them."""
        network = self.sessions[session]
        names = [value.name for value in network.get_inputs()]
        result: list[Any] = network.run(None, dict(zip(names, inputs.values(), strict=True)))
        return np.asarray(result[0], np.float32)


class NamedPainter(Painter):
    """Paints in one of the `STYLES`."""

    def paint(self, picture: Image.Image, style: str) -> Image.Image:
        weights = np.zeros(len(STYLES), np.float32)
        weights[STYLES.index(style)] = 1
        colors, (height, width) = _padded(picture)
        planes = np.ascontiguousarray(colors.transpose(2, 0, 1)[None])
        painted = self._run(0, picture=planes, weights=weights)[0]
        return _image(painted.transpose(1, 2, 0)[:height, :width])


class AnyPainter(Painter):
    """Paints as another picture is painted."""

    def style_of(self, painting: Image.Image) -> Colors:
        """What makes its style: 100 numbers, of the square in its middle."""
        side = min(painting.size)
        left, top = (painting.width - side) // 2, (painting.height - side) // 2
        square = painting.crop((left, top, left + side, top + side))
        small = square.resize((STYLE_SIZE, STYLE_SIZE), Image.Resampling.LANCZOS)
        return self._run(0, painting=_colors(small)[None])

    def paint(self, picture: Image.Image, style: Colors) -> Image.Image:
        colors, (height, width) = _padded(picture)
        painted = self._run(1, picture=colors[None], style=style)[0]
        return _image(painted[:height, :width])


def load_named(report: Report) -> NamedPainter:
    report(Progress(0, None, "loading the painter"))
    return cache.loaded("named styles", lambda: NamedPainter(*_load("multistyle26")))


def load_any(report: Report) -> AnyPainter:
    report(Progress(0, None, "loading the painter"))
    return cache.loaded(
        "any style", lambda: AnyPainter(*_load("arbitrary_predict", "arbitrary_transform"))
    )


def _load(*names: str) -> tuple[tuple[onnxruntime.InferenceSession, ...], str]:
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = device.threads()
    options.log_severity_level = 3
    paths = [_folder() / f"{name}.onnx" for name in names]
    try:
        weights_hash = content_hash(paths)
        sessions = tuple(
            onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            for path in paths
        )
    except (OSError, RuntimeError, Fail, InvalidGraph, InvalidProtobuf) as error:
        raise ModelError(
            f"The painter in {_folder()} is damaged: {error}.", "Install the studio again."
        ) from error
    return sessions, weights_hash


def _folder() -> Path:
    return folders.RESOURCES / "models" / "styles"


def _colors(picture: Image.Image) -> Colors:
    return np.asarray(picture.convert("RGB"), np.float32) / np.float32(255)


def _padded(picture: Image.Image) -> tuple[Colors, tuple[int, int]]:
    """As large as the networks like it, and how much of it is the picture: height, width."""
    colors = _colors(picture)
    height, width = colors.shape[:2]
    around = ((0, -height % STEP), (0, -width % STEP), (0, 0))
    return np.pad(colors, around, "edge"), (height, width)


def _image(colors: Colors) -> Image.Image:
    pixels: Pixels = (colors.clip(0, 1) * 255).round().astype(np.uint8)
    return Image.fromarray(pixels)
