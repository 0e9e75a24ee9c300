"""Networks from files of weights that the person has, of any architecture that spandrel knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import device
from engine.errors import EngineError, ModelError
from engine.events import Report
from engine.gate.pickled_weights import SUFFIXES, converted
from engine.gate.weights import check_safetensors, content_hash
from engine.picture_networks.spandrel_import import import_spandrel
from engine.picture_networks.tiling import Planes, Tick

if TYPE_CHECKING:
    import spandrel
    import torch

TILE = 192
WHOLE = 2**30
"""A tile for networks that have to see the whole picture."""
MARGIN = 48
"""Pixels around a pixel that matter to a deep network: measured with Real-ESRGAN's."""
FADE = 16
LARGEST_WHOLE = 2_000_000
"""Pixels of a picture that a network can see whole."""
LARGEST_SCALE = 8

# What reading damaged or strange weights raises, in torch and in spandrel's 42 architectures.
UNUSABLE = (
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    AssertionError,
    ZeroDivisionError,
    NotImplementedError,
)


@dataclass(frozen=True)
class TorchNetwork:
    """A network of spandrel's, loaded."""

    name: str
    descriptor: spandrel.ImageModelDescriptor[torch.nn.Module]
    weights_hash: str
    tile: int = TILE
    margin: int = MARGIN
    fade: int = FADE
    parts: int = 1

    @property
    def scale(self) -> int:
        return int(self.descriptor.scale)

    def made_with(self) -> dict[str, str]:
        import torch

        spandrel = import_spandrel()
        return {
            "torch": torch.__version__,
            "spandrel": spandrel.__version__,
            "architecture": self.descriptor.architecture.name,
            "device": self.descriptor.device.type,
            "dtype": str(self.descriptor.dtype).removeprefix("torch."),
        }

    def run(self, planes: Planes, tick: Tick) -> Planes:
        import torch

        network = self.descriptor
        if self.tile == WHOLE and planes[0].size > LARGEST_WHOLE:
            raise EngineError(
                f"{self.name} has to see a picture whole, and this one is too large for that.",
                "Make the picture smaller first, or choose another upscaler.",
            )
        batch = torch.from_numpy(np.ascontiguousarray(planes))[None]
        with _told(tick), torch.inference_mode():
            made = network(batch.to(network.device, network.dtype))
        return made[0].float().cpu().numpy()  # type: ignore[no-any-return]


def load_torch(path: Path, report: Report) -> TorchNetwork:
    """The network of these weights; raises ModelError."""
    weights = converted(path, report) if path.suffix.lower() in SUFFIXES else path
    check_safetensors(weights)
    weights_hash = content_hash([path])
    descriptor = _descriptor(path, weights)
    spandrel = import_spandrel()
    whole = descriptor.tiling is not spandrel.ModelTiling.SUPPORTED
    return TorchNetwork(path.name, descriptor, weights_hash, tile=WHOLE if whole else TILE)


def _descriptor(path: Path, weights: Path) -> spandrel.ImageModelDescriptor[torch.nn.Module]:
    from safetensors.torch import load_file

    spandrel = import_spandrel()
    device.configure_threads()
    try:
        state = spandrel.canonicalize_state_dict(load_file(weights))
        descriptor = spandrel.ModelLoader().load_from_state_dict(state)
    except spandrel.UnsupportedModelError as error:
        raise ModelError(
            f"{path} holds no network for pictures that spandrel knows.",
            "Choose the weights of an upscaler, such as ESRGAN, SwinIR, HAT or Compact.",
        ) from error
    except UNUSABLE as error:
        raise ModelError(
            f"The weights in {path} do not fit together: {_first_line(error)}.",
            "Copy or download this file again, whole.",
        ) from error
    _check_purpose(path, spandrel, descriptor)
    return _placed(descriptor)


def _check_purpose(path: Path, spandrel: Any, descriptor: Any) -> None:
    usable = (
        isinstance(descriptor, spandrel.ImageModelDescriptor)
        and descriptor.input_channels == descriptor.output_channels == 3
        and descriptor.scale <= LARGEST_SCALE
    )
    if not usable:
        raise ModelError(
            f"{path} ({descriptor.architecture.name}) does not make a colour picture of another.",
            "Choose the weights of an upscaler for colour pictures.",
        )


def _placed(descriptor: Any) -> Any:
    """On the best device, in half precision where device and network are made for it."""
    import torch

    place = device.best_device()
    dtype = device.best_dtype(place)
    if (dtype == torch.float16 and not descriptor.supports_half) or (
        dtype == torch.bfloat16 and not descriptor.supports_bfloat16
    ):
        dtype = torch.float32
    return descriptor.to(place, dtype).eval()


@contextmanager
def _told(tick: Tick) -> Iterator[None]:
    """Within, each layer of a network tells that it is at work, so that a stop is quick."""
    import torch

    handle = torch.nn.modules.module.register_module_forward_pre_hook(lambda module, args: tick(0))
    try:
        yield
    finally:
        handle.remove()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".:")
