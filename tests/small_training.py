"""A real but tiny trainer: a linear network with dropout that learns y = 2x + 1 with Adam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from engine import distributed
from engine.events import Report
from engine.task import param
from engine.training import Learner, TrainingTask


@dataclass(frozen=True)
class Regression(TrainingTask):
    title = "Regression"
    summary = "Learns a straight line."

    learning_rate: float = param(
        0.05, label="Learning rate", help="How fast.", minimum=0.0, live=True
    )
    nan_at: int = param(0, label="NaN at", help="The step at which the loss is lost.")
    slope: float = param(2.0, label="Slope", help="What to learn.")

    def learner(self, report: Report) -> Learner:
        return Line(self)


class Line:
    def __init__(self, task: Regression) -> None:
        import torch

        self.task = task
        self.network = torch.nn.Sequential(
            torch.nn.Linear(1, 8), torch.nn.Dropout(0.25), torch.nn.Linear(8, 1)
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), task.learning_rate)

    def description(self) -> Mapping[str, Any]:
        return {"dataset": {"name": "line", "sha256": f"{self.task.slope}"}}

    def step(self, step: int) -> Mapping[str, float]:
        import torch

        x = distributed.share(torch.randn(self.task.batch_size, 1))
        self.network.train()
        loss = (self.network(x) - self.task.slope * x - 1).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        distributed.average_gradients(self.network.parameters())
        self.optimizer.step()
        return {"loss": float("nan") if step == self.task.nan_at else loss.item()}

    def change(self, task: Regression) -> None:
        self.task = task
        for group in self.optimizer.param_groups:
            group["lr"] = task.learning_rate

    def sample(self) -> Image.Image:
        import torch

        self.network.eval()
        with torch.inference_mode():
            y = self.network(torch.linspace(-1, 1, 16)[:, None])
        self.network.train()
        gray = y.flatten().sigmoid().mul(255).byte()
        return Image.frombytes("L", (16, 1), bytes(gray.tolist()))

    def state(self) -> Mapping[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
