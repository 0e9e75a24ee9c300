"""Muon for the matrices inside a transformer's blocks, AdamW for all the rest, as one optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import device, distributed

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Parameter

INSIDE = ("transformer_blocks.", "encoder.layers.")
GRADIENT_CLIP = 1.0
MOMENTUM = 0.95
WEIGHT_DECAY = 0.01
NEWTON_SCHULZ_STEPS = 4
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: the quickest from small to about 1


class Muon:
    """Muon (Jordan et al. 2024), as `torch.optim.Muon` with the rates of AdamW (2502.16982, 2.2).

    That one multiplies in bfloat16 wherever it runs, which on a processor without it takes 27
    times as long as float32; the results differ by rounding.
    """

    def __init__(self, matrices: Sequence[Parameter]) -> None:
        import torch

        self.matrices = matrices
        self.momenta = [torch.zeros_like(matrix) for matrix in matrices]

    def zero_grad(self) -> None:
        for matrix in self.matrices:
            matrix.grad = None

    def update(self, learning_rate: float) -> None:
        """Follow the gradients that are there; what has none stays."""
        import torch

        with torch.no_grad():
            for matrix, momentum in zip(self.matrices, self.momenta, strict=True):
                if matrix.grad is None:
                    continue
                momentum.lerp_(matrix.grad, 1 - MOMENTUM)
                direction = orthogonal(matrix.grad.lerp(momentum, MOMENTUM))
                scale = 0.2 * math.sqrt(max(matrix.shape))
                matrix.mul_(1 - learning_rate * WEIGHT_DECAY)
                matrix.add_(direction, alpha=-learning_rate * scale)

    def state_dict(self) -> dict[str, Any]:
        return {str(number): momentum for number, momentum in enumerate(self.momenta)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for number, momentum in enumerate(self.momenta):
            momentum.copy_(state[str(number)])


def orthogonal(matrix: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Nearly U Vᵀ of the matrix (A, B) with singular value decomposition U S Vᵀ.

    By a few steps of Newton and Schulz, in `dtype`, or in what is quick on this device.
    """
    import torch

    native = matrix.device.type != "cpu" or device.has_native_bfloat16()
    wanted = dtype or (torch.bfloat16 if native else torch.float32)
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(wanted)
    x = x / x.norm().clamp(min=1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).to(matrix.dtype)


class MuonAdamW:
    """Muon takes about half the steps of AdamW on a transformer's matrices."""

    def __init__(self, named: Iterable[tuple[str, Parameter]], learning_rate: float) -> None:
        import torch

        parameters = list(named)
        inside = [p for n, p in parameters if p.ndim == 2 and any(room in n for room in INSIDE)]
        chosen = {id(p) for p in inside}
        outside = [p for _, p in parameters if id(p) not in chosen]
        self.parameters = inside + outside
        self.muon = Muon(inside)
        self.adamw = torch.optim.AdamW(
            outside, learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )

    def step(self, loss: Tensor, learning_rate: float) -> float:
        """Go down the gradient of `loss`; returns the norm the gradient had."""
        return descend(loss, ((self, learning_rate),))

    def zero_grad(self) -> None:
        self.muon.zero_grad()
        self.adamw.zero_grad()

    def update(self, learning_rate: float) -> None:
        """Follow the gradients that are there; what has none stays."""
        for group in self.adamw.param_groups:
            group["lr"] = learning_rate
        self.muon.update(learning_rate)
        self.adamw.step()

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])


def descend(loss: Tensor, optimizers: Sequence[tuple[MuonAdamW, float]]) -> float:
    """One step of several optimizers, each at its rate; returns the norm of all gradients."""
    import torch

    parameters = [p for optimizer, _ in optimizers for p in optimizer.parameters]
    for optimizer, _ in optimizers:
        optimizer.zero_grad()
    loss.backward()
    distributed.average_gradients(parameters)
    norm = torch.nn.utils.clip_grad_norm_(parameters, GRADIENT_CLIP)
    for optimizer, learning_rate in optimizers:
        optimizer.update(learning_rate)
    return float(norm)
