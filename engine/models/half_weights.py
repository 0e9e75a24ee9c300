"""Weights of 16 bits with arithmetic of 32 on the CPU: half the memory, more speed, the same words.

Most models are published with 16-bit weights. torch on a CPU either widens them to float32, which
doubles what is read from memory for every token, or computes in 16 bits, which also rounds what
passes between the layers. FBGEMM (Khudia et al., 2101.05615) does neither: it reads float16 weights
and multiplies and adds in float32, so that only the order of summing differs from float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

LOST = 2.0**-25
"""What float16 may round off a weight: half its smallest step. A bfloat16 weight loses no more, and
only where it is next to nothing; one that was trained in float32 loses more and stays wide."""

BLOCK = 512
"""FBGEMM fills up the inputs of a layer to a multiple of this."""


def is_possible(target: torch.device) -> bool:
    """Whether this machine has FBGEMM: x86 with AVX2."""
    return target.type == "cpu" and "fbgemm" in torch.backends.quantized.supported_engines


def pack(model: nn.Module) -> nn.Module:
    """Pack the linear layers and embeddings of a model in place; the rest becomes float32.

    For inference only: what is packed has no parameters any more.
    """
    for parent in list(model.modules()):
        for name, module in list(parent.named_children()):
            if type(module) is nn.Linear and fits(module.weight):
                setattr(parent, name, PackedLinear(module))
            elif type(module) is nn.Embedding:
                setattr(parent, name, NarrowEmbedding(module))
    for parameter in model.parameters():  # not buffers: those hold angles, masks, narrow tables
        parameter.data = parameter.data.float()
    return model


def packed_bytes(shape: Sequence[int]) -> int:
    """Of a weight (out, in) once it is packed; of other tensors as float32."""
    if len(shape) != 2:
        return 4 * math.prod(shape)
    return 2 * shape[0] * math.ceil(shape[1] / BLOCK) * BLOCK


def fits(weight: torch.Tensor) -> bool:
    """Whether float16 holds these weights as they are; infinity or nan does not fit."""
    if weight.dtype == torch.float16:
        return bool(weight.isfinite().all())
    wide = weight.detach().float()
    return bool((wide.half().float() - wide).abs().max() <= LOST)


class PackedLinear(nn.Module):
    """`x` (…, in) float32 to (…, out) float32."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        bias = None if linear.bias is None else linear.bias.detach().float()
        self._packed = torch.ops.quantized.linear_prepack_fp16(linear.weight.detach().float(), bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.quantized.linear_dynamic_fp16(x, self._packed)

    @property
    def weight(self) -> torch.Tensor:
        """Unpacked, (out, in) float32: some networks, such as Mamba, multiply by it themselves."""
        return torch.ops.quantized.linear_unpack_fp16(self._packed)[0].float()

    @property
    def bias(self) -> torch.Tensor | None:
        return torch.ops.quantized.linear_unpack_fp16(self._packed)[1]


class NarrowEmbedding(nn.Module):
    """Rows of a table that stays as narrow as it is; they come out as float32."""

    table: torch.Tensor

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self.register_buffer("table", embedding.weight.detach().clone(), persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return functional.embedding(ids, self.table).float()

    @property
    def weight(self) -> torch.Tensor:
        """The whole table as float32."""
        return self.table.float()
