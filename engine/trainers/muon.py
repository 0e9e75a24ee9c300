"""Muon for the matrices inside a transformer's blocks, AdamW for all the rest, as one optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from engine import distributed

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

INSIDE = ("transformer_blocks.", "encoder.layers.")
GRADIENT_CLIP = 1.0


class MuonAdamW:
    """Muon (Jordan et al. 2024) takes about half the steps of AdamW on a transformer's matrices."""

    def __init__(self, named: Iterable[tuple[str, Parameter]], learning_rate: float) -> None:
        import torch

        parameters = list(named)
        inside = [p for n, p in parameters if p.ndim == 2 and any(room in n for room in INSIDE)]
        chosen = {id(p) for p in inside}
        outside = [p for _, p in parameters if id(p) not in chosen]
        self.parameters = inside + outside
        self.muon = torch.optim.Muon(
            inside, learning_rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw", ns_steps=4
        )
        self.adamw = torch.optim.AdamW(
            outside, learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
        )

    def step(self, loss: Tensor, learning_rate: float) -> float:
        """Go down the gradient of `loss`; returns the norm the gradient had."""
        import torch

        for optimizer in (self.muon, self.adamw):
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
        loss.backward()
        distributed.average_gradients(self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, GRADIENT_CLIP)
        self.muon.step()
        self.adamw.step()
        return float(norm)

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])
