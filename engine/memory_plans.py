"""Plans by which a pipeline takes less memory, the mildest first; each does what those before do.

Left out, because they save nothing here: attention slicing (torch's attention never holds all its
weights at once; `tests/benchmarks/memory_plans.py` measures it), and VAE slicing (pictures are
drawn one at a time).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine import picture_memory
from engine.gate.model_folder import Component, PipelineFolder
from engine.gate.weights import tensors
from engine.task import param

if TYPE_CHECKING:
    import torch

AS_IT_IS = "as it is"
NARROW = "16-bit weights"
OFFLOAD = "model offload"
TILED = "tiled VAE"
EIGHT_BIT = "8-bit weights"
SEQUENTIAL = "sequential offload"
PLANS = (AS_IT_IS, NARROW, OFFLOAD, TILED, EIGHT_BIT, SEQUENTIAL)

SIXTEEN_BITS = {"F16": "float16", "BF16": "bfloat16"}

LAID_OUT = 1.5
"""Times what a network makes: on the CPU the libraries lay much of it out anew to compute."""
LIBRARIES, OF_THE_WEIGHTS = 75_000_000, 0.05
"""What the libraries take, in bytes and of the weights as they are computed with."""
WIDENED, OF_THE_WIDENED = 50_000_000, 0.15
"""What comes and goes besides where weights are kept narrow, likewise."""


def plan_param() -> Any:
    """The field of a task that draws."""
    return param(
        AS_IT_IS,
        label="Memory",
        help="How to take less memory; each does what those before it do. 16-bit weights: kept "
        "so, computed as before (the same picture where the model comes in 16 bits). Model "
        "offload: one part at a time on the graphics card. Tiled VAE: the picture is decoded in "
        "squares, which shows a little. 8-bit weights: a little less exact, and slower. Sequential "
        "offload: layer by layer on the graphics card, very slow.",
        choices=PLANS,
        advanced=True,
    )


@dataclass(frozen=True)
class Savings:
    """What a plan comes to with a model on one device."""

    narrow: bool = False
    """Whether weights are kept in fewer bits than are computed in."""
    eight_bit: bool = False
    tiled: bool = False
    offload: str = ""
    """model, sequential, or empty."""

    @property
    def kept_bytes(self) -> int:
        """Of a weight that is kept narrow."""
        return 1 if self.eight_bit else 2


def savings(plan: str, device: str, bytes_each: int) -> Savings:
    """What there is of `plan` where numbers of so many bytes are computed with on such a device.

    A CPU has nothing to offload, and 16 bits cannot be halved.
    """
    rank = PLANS.index(plan)
    eight_bit = rank >= PLANS.index(EIGHT_BIT)
    narrow = eight_bit or (rank >= PLANS.index(NARROW) and bytes_each > 2)
    offload = ""
    if device == "cuda" and rank >= PLANS.index(OFFLOAD):
        offload = "sequential" if plan == SEQUENTIAL else "model"
    return Savings(narrow, eight_bit, rank >= PLANS.index(TILED), offload)


def read_as(component: Component) -> str:
    """The 16 bits that the part came in; where it came in 32, those with the wider range."""
    kept = {dtype for dtype, _ in tensors(component.weights)} - {"F32"}
    return SIXTEEN_BITS.get(kept.pop() if len(kept) == 1 else "", "bfloat16")


def is_lossless(saving: Savings, folder: PipelineFolder) -> bool:
    """Whether the picture stays the same to the last bit."""
    in_16_bits = all(
        {dtype for dtype, _ in tensors(part.weights)} in ({"F16"}, {"BF16"})
        for part in folder.components
        if part.weights
    )
    return not saving.tiled and not saving.eight_bit and (in_16_bits or not saving.narrow)


# --------------------------------------------------------------------------- what it needs


def weights_need(folder: PipelineFolder, saving: Savings, dtype: torch.dtype) -> int:
    """Bytes of the weights where they are computed with."""
    sizes = [_component_need(part, saving, dtype) for part in folder.components]
    if saving.offload == "model":
        return max(sizes, default=0)
    return max(sizes, default=0) // 10 if saving.offload else sum(sizes)


def _component_need(component: Component, saving: Savings, dtype: torch.dtype) -> int:
    if not component.weights or not saving.narrow:
        return component.parameters * int(dtype.itemsize)
    kept = component.parameters * saving.kept_bytes
    if component.library != "transformers":
        return kept
    tables = [shape[0] * shape[1] for _, shape in tensors(component.weights) if len(shape) == 2]
    wider = int(dtype.itemsize) - saving.kept_bytes
    return kept + max(tables, default=0) * wider  # the table of words is not kept narrow


def need(
    folder: PipelineFolder, size: tuple[int, int], saving: Savings, dtype: torch.dtype
) -> int | None:
    """Bytes that loading the model and drawing at `size` takes; None where it cannot be told."""
    drawing = picture_memory.needs_of_drawing(folder, size, dtype, saving.tiled)
    if drawing is None:
        return None
    computed = folder.parameters * int(dtype.itemsize)
    beside = LIBRARIES + OF_THE_WEIGHTS * computed
    if saving.narrow:
        beside += WIDENED + OF_THE_WIDENED * computed
    return weights_need(folder, saving, dtype) + round(LAID_OUT * drawing + beside)


# --------------------------------------------------------------------------- doing it


def narrow(part: Any, component: Component, saving: Savings, dtype: torch.dtype) -> None:
    """Keep the layers of a network narrow; each is widened only while it computes."""
    import torch
    from diffusers.hooks import apply_layerwise_casting

    storage = torch.float8_e4m3fn if saving.eight_bit else getattr(torch, read_as(component))
    kept_wide = tuple(getattr(part, "_keep_in_fp32_modules", None) or ())
    fragile = (*FRAGILE, *(getattr(part, "_skip_layerwise_casting_patterns", None) or ()))
    skipped = (*kept_wide, *(fragile if saving.eight_bit else ()))
    apply_layerwise_casting(
        part,
        storage_dtype=storage,
        compute_dtype=dtype,
        skip_modules_pattern=skipped,
        skip_modules_classes=(torch.nn.Embedding,),  # pipelines ask it for the dtype of the text
    )
    for tensor in _never_widened(part):
        tensor.data = tensor.data.to(dtype)


FRAGILE = ("pos_embed", "patch_embed", "norm", "^proj_in$", "^proj_out$")
"""Layers that 8 bits would harm most; diffusers leaves them wide by itself."""


@contextmanager
def wide_adapters(saving: Savings, dtype: torch.dtype) -> Iterator[None]:
    """Within, LoRAs are loaded as wide as is computed in.

    peft would keep them as narrow as the layers that they act on, which only a layer of the model
    itself can compute with.
    """
    if not saving.narrow:
        yield
        return
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = BaseTunerLayer._get_base_layer_device_and_dtype
    BaseTunerLayer._get_base_layer_device_and_dtype = lambda self, layer: (
        found(self, layer)[0],
        dtype,
    )
    try:
        yield
    finally:
        BaseTunerLayer._get_base_layer_device_and_dtype = found


def _never_widened(part: Any) -> Iterator[torch.Tensor]:
    """The numbers of those modules that no hook widens."""
    for module in part.modules():
        if getattr(module, "_diffusers_hook", None) is None:
            own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
            yield from (tensor for tensor in own if tensor.is_floating_point())


def place(pipe: Any, saving: Savings, target: torch.device) -> None:
    """Bring the pipeline to its device, whole or by parts."""
    if saving.tiled:
        picture_memory.tile(pipe.vae)
    if saving.offload == "model":
        pipe.enable_model_cpu_offload(device=target)
    elif saving.offload:
        pipe.enable_sequential_cpu_offload(device=target)
    else:
        pipe.to(target)
