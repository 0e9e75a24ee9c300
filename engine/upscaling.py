"""Enlarges pictures: Real-ESRGAN on ncnn, or whatever weights the person has, on torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from engine import cache
from engine.errors import EngineError, InvalidTask, ModelError
from engine.events import Progress, Report
from engine.gate.images import MAXIMUM_PIXELS
from engine.picture_networks.ncnn_network import DESCRIPTION, NcnnNetwork, load_ncnn
from engine.picture_networks.tiling import run_tiled
from engine.picture_networks.transparency import enlarged_with_opacity, with_hidden_colors

if TYPE_CHECKING:
    from engine.picture_networks.torch_network import TorchNetwork


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges, loaded."""

    network: NcnnNetwork | TorchNetwork

    @property
    def name(self) -> str:
        return self.network.name

    @property
    def scale(self) -> int:
        return self.network.scale

    @property
    def weights_hash(self) -> str:
        return self.network.weights_hash

    def made_with(self) -> dict[str, str]:
        return self.network.made_with() | {"upscaler": self.name}

    def enlarge(self, image: Image.Image, report: Report, scale: int = 0) -> Image.Image:
        """The picture, RGB or RGBA, `scale` times as wide and high; each tile is reported.

        0 is the network's own scale, other ones divide it; raises EngineError.
        """
        scale = self.checked(scale)
        width, height = image.size
        _check_size(width * scale, height * scale)
        enlarged = run_tiled(
            self.network,
            with_hidden_colors(image),
            report,
            "enlarging",
            scale=scale,
            through=enlarged_with_opacity,
        )
        return Image.fromarray(enlarged)

    def checked(self, scale: int) -> int:
        """How many times the picture becomes as wide and high; raises InvalidTask."""
        if scale and self.scale % scale:
            possible = [str(n) for n in range(1, self.scale + 1) if self.scale % n == 0]
            raise InvalidTask(
                "scale",
                f"{self.name} cannot enlarge {scale} times.",
                f"Possible with it: {', '.join(possible)}.",
            )
        return scale or self.scale


def load_upscaler(path: Path, report: Report) -> Upscaler:
    """The upscaler in the folder or file of weights, kept warm; raises ModelError."""
    report(Progress(0, None, "loading the upscaler"))
    key = ("upscaler", str(path), _state(path))
    return cache.loaded(key, lambda: Upscaler(_load(path, report)))


def _state(path: Path) -> tuple[int, int, int] | None:
    """Another one for a file of weights that was exchanged."""
    try:
        found = path.stat()
    except OSError:  # whoever loads it says so
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _load(path: Path, report: Report) -> NcnnNetwork | TorchNetwork:
    if path.is_dir():
        if not (path / DESCRIPTION).is_file():
            raise ModelError(
                f"{path.name} is no upscaler.",
                "Choose another: drawings, photographs, or a file of weights.",
            )
        return load_ncnn(path)
    from engine.picture_networks.torch_network import load_torch

    return load_torch(path, report)


def _check_size(width: int, height: int) -> None:
    if width * height > MAXIMUM_PIXELS:
        raise EngineError(
            f"The enlarged picture would have {width} × {height} pixels, "
            f"more than the {MAXIMUM_PIXELS // 1_000_000} million allowed.",
            "Enlarge it fewer times, or a part of it only.",
        )
