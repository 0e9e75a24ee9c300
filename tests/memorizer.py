"""A real trainer that learns a few noisy points by heart, for the alarm of overfitting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from engine.events import Report
from engine.task import param
from engine.training import Learner, TrainingTask


@dataclass(frozen=True)
class Memorizer(TrainingTask):
    title = "Memorizer"
    summary = "Learns noise by heart."

    points: int = param(12, label="Points", help="How many there are to learn.")

    def learner(self, report: Report) -> Learner:
        return Heart(self)


class Heart:
    """It knows nothing of live values, parts or spread: what every learner has is enough."""

    def __init__(self, task: Memorizer) -> None:
        import torch
        from torch import nn

        self.network = nn.Sequential(
            nn.Linear(8, 128), nn.Tanh(), nn.Linear(128, 64), nn.Tanh(), nn.Linear(64, 1)
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), 3e-3)
        own = torch.Generator().manual_seed(task.seed)
        self.learned, self.held_out = (self._points(n, own) for n in (task.points, 500))

    @staticmethod
    def _points(count: int, own: Any) -> tuple[Any, Any]:
        """Inputs (N, 8), and their first feature with noise of the same size (N, 1)."""
        import torch

        x = torch.randn(count, 8, generator=own)
        return x, x[:, :1] + torch.randn(count, 1, generator=own)

    def _loss(self, points: tuple[Any, Any]) -> Any:
        return (self.network(points[0]) - points[1]).square().mean()

    def description(self) -> Mapping[str, Any]:
        return {"dataset": {"name": "noise"}}

    def step(self, step: int) -> Mapping[str, float]:
        import torch

        loss = self._loss(self.learned)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        measured = {"loss": loss.item()}
        if step % 10 == 0:
            with torch.inference_mode():
                measured["val_loss"] = self._loss(self.held_out).item()
        return measured

    def sample(self) -> Image.Image:
        return Image.new("L", (2, 2))

    def state(self) -> Mapping[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
