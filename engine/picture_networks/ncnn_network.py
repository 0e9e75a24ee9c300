"""Networks that run on ncnn, as they ship with the studio: a .param, a .bin and a description."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import device
from engine.errors import EngineError, ModelError
from engine.gate.weights import content_hash
from engine.picture_networks.tiling import Planes, Tick

if TYPE_CHECKING:
    import ncnn

DESCRIPTION = "network.json"
PIECE = 96
"""Pixels of a side of what is drawn at once at the end of a network."""


@dataclass(frozen=True)
class NcnnNetwork:
    """A network of ncnn's, loaded."""

    name: str
    net: ncnn.Net
    weights_hash: str
    scale: int
    margin: int
    tile: int
    input: str
    output: str
    stages: tuple[str, ...] = ()
    """Values inside the network that are asked for one after the other: a stop comes between."""
    tail: str = ""
    """The value from which on a network only draws what it knows, large: done piece by piece."""
    tail_margin: int = 0
    """How many pixels around a pixel of that value matter."""
    fade: int = 0

    @property
    def parts(self) -> int:
        return len(self.stages) + 1

    def made_with(self) -> dict[str, str]:
        import ncnn

        return {"ncnn": ncnn.__version__}

    def run(self, planes: Planes, tick: Tick) -> Planes:
        import ncnn

        extractor = self.net.create_extractor()
        extractor.input(self.input, ncnn.Mat(planes))  # the Mat looks into `planes`
        for part, stage in enumerate(self.stages, 1):
            self._value(extractor, stage)
            tick(part)
        if not self.tail:
            return np.array(self._value(extractor, self.output))
        return self._finished(np.array(self._value(extractor, self.tail)), tick)

    def _finished(self, features: Planes, tick: Tick) -> Planes:
        """The picture of the tail's value: whole, its layers would take gigabytes."""
        import ncnn

        height, width = features.shape[1:]
        scale, margin = self.scale, self.tail_margin
        made = np.empty((3, height * scale, width * scale), np.float32)
        for top in range(0, height, PIECE):
            for left in range(0, width, PIECE):
                tick(len(self.stages))
                above, before = min(top, margin), min(left, margin)
                rows = slice(top - above, top + PIECE + margin)
                columns = slice(left - before, left + PIECE + margin)
                piece = np.ascontiguousarray(features[:, rows, columns])
                extractor = self.net.create_extractor()
                extractor.input(self.tail, ncnn.Mat(piece))
                large = np.array(self._value(extractor, self.output))
                made[
                    :, top * scale : (top + PIECE) * scale, left * scale : (left + PIECE) * scale
                ] = large[
                    :,
                    above * scale : (above + PIECE) * scale,
                    before * scale : (before + PIECE) * scale,
                ]
        return made

    def _value(self, extractor: ncnn.Extractor, name: str) -> ncnn.Mat:
        failed, value = extractor.extract(name)
        if failed:
            raise EngineError(
                f"{self.name} could not work on the picture.",
                "Close other programs, in case that memory ran out, and try again.",
            )
        return value


def load_ncnn(folder: Path, weights: str = "model") -> NcnnNetwork:
    """The network in the folder, whose files are called `weights`; raises ModelError."""
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = device.threads()
    net.opt.use_vulkan_compute = False
    structure, numbers = folder / f"{weights}.param", folder / f"{weights}.bin"
    try:
        described: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        described["stages"] = tuple(described.get("stages", ()))
        weights_hash = content_hash([numbers])
        if net.load_param(str(structure)) or net.load_model(str(numbers)):
            raise ValueError("its network cannot be loaded")
        return NcnnNetwork(folder.name, net, weights_hash, **described)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"The network in {folder} is damaged: {error}.", "Install the studio again."
        ) from error
