"""The same lesson for every candidate: so many seconds of CPU time, saved every minute or so."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine import checkpoints, files
from engine.data.batches import Batches
from engine.models.flow_transformer import NOISE_SPREAD, SHIFT
from engine.models.gan import update_average
from engine.runs import MANIFEST
from engine.trainers.muon import MuonAdamW
from tests.benchmarks.architecture_trial.candidates import Candidate, Shape
from tests.benchmarks.architecture_trial.frozen import Frozen
from tests.benchmarks.architecture_trial.spaces import Space, autocast

SEED = 1
BATCH_SIZE = 32
CAPTION_DROPOUT = 0.1
NOISE_MEAN = 0.8
WARM_UP = 0.03  # of the time
DECAY_FROM = 0.5
EMA_DECAY = 0.999
SAVE_EVERY = 90.0  # seconds of CPU time
LOG_EVERY = 20  # steps
STEPS_DRAWN = 20
GUIDANCE = 3.0
DRAW_BATCH = 20


class Lesson:
    """One candidate learning; `spent` seconds, counted only while it learns."""

    def __init__(
        self,
        candidate: Candidate,
        shape: Shape,
        space: Space,
        frozen: Frozen,
        captions: Sequence[tuple[str, ...]],
        folder: Path,
    ) -> None:
        torch.manual_seed(SEED)
        self.candidate = candidate
        self.folder = folder
        files.make_folder(folder)
        self.space = space
        self.frozen = frozen
        self.captions = [frozen.ids(list(texts)) for texts in captions]
        self.empty = frozen.ids([""])
        self.network = candidate.build(shape)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = MuonAdamW(self.network.named_parameters(), candidate.learning_rate)
        self.batches = Batches(len(space.clean), BATCH_SIZE, SEED)
        self.spent = 0.0
        self.losses: list[float] = []
        if (self.folder / "checkpoint" / MANIFEST).is_file():
            self._resume()

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())

    def learn(
        self, budget: float, part: float = 1.0, clock: Callable[[], float] = time.process_time
    ) -> None:
        """Until that part of `budget` seconds is spent, over all calls and processes."""
        saved, end = self.spent, part * budget
        while self.spent < end:
            began = clock()
            self._step(learning_rate(self.candidate.learning_rate, self.spent / budget))
            self.spent += clock() - began
            if len(self.losses) % LOG_EVERY == 0:
                self._log()
            if self.spent - saved > SAVE_EVERY or self.spent >= end:
                self._save()
                saved = self.spent

    def _step(self, rate: float) -> None:
        step = len(self.losses) + 1
        torch.manual_seed(SEED + step)  # all that is random follows from the step
        indices = torch.from_numpy(self.batches.indices(step))
        states, pooled = self.frozen.encode(self._ids(indices))
        clean = self.space.clean[indices]
        sigmas = (NOISE_SPREAD * torch.randn(len(clean)) + NOISE_MEAN).sigmoid()
        noise = torch.randn_like(clean)
        noisy = clean.lerp(noise, sigmas.view(-1, 1, 1, 1))
        with autocast():
            velocity = self.network(noisy, sigmas, states, pooled)
        loss = F.mse_loss(velocity.float(), noise - clean)
        self.optimizer.step(loss, rate)
        update_average(self.average, self.network, min(EMA_DECAY, step / (step + 10)))
        self.losses.append(loss.item())

    def _ids(self, indices: Tensor) -> Tensor:
        """One caption of each picture, or none."""
        rows = [self.captions[index] for index in indices.tolist()]
        which = torch.rand(len(rows)).tolist()
        chosen = torch.stack(
            [ids[int(part * len(ids))] for ids, part in zip(rows, which, strict=True)]
        )
        return torch.where(torch.rand(len(rows), 1) < CAPTION_DROPOUT, self.empty, chosen)

    def final_loss(self) -> float:
        """The mean over the last tenth."""
        last = self.losses[-max(1, len(self.losses) // 10) :]
        return sum(last) / len(last)

    def draw(self, prompts: list[str]) -> Tensor:
        """What the averaged network draws: (N, C, H, W); the noise is the same for everyone."""
        own = torch.Generator().manual_seed(SEED)
        noise = torch.randn(len(prompts), *self.space.clean.shape[1:], generator=own)
        ids = self.frozen.ids(prompts)
        return torch.cat([
            _draw(self.average, part, self.frozen.encode(torch.cat((self.empty.expand_as(i), i))))
            for part, i in zip(noise.split(DRAW_BATCH), ids.split(DRAW_BATCH), strict=True)
        ])  # fmt: skip

    def _log(self) -> None:
        mean = sum(self.losses[-LOG_EVERY:]) / LOG_EVERY
        print(f"{self.spent:.0f} s, step {len(self.losses):,}, loss {mean:.3f}", flush=True)

    def _save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "progress": {"spent": self.spent, "losses": self.losses},
        }
        checkpoints.save(self.folder / "checkpoint", len(self.losses), state)

    def _resume(self) -> None:
        _, state = checkpoints.load(self.folder / "checkpoint")
        for part in ("network", "average", "optimizer"):
            getattr(self, part).load_state_dict(state[part])
        self.spent = state["progress"]["spent"]
        self.losses = state["progress"]["losses"]


def learning_rate(highest: float, spent: float) -> float:
    """Rises, stays, then falls in a line to a fiftieth when all the time is `spent` (0…1)."""
    late = max(0.0, spent - DECAY_FROM) / (1 - DECAY_FROM)
    return highest * min(1.0, (spent + 1e-3) / WARM_UP) * (1 - 0.98 * min(1.0, late))


@torch.no_grad()
def _draw(network: nn.Module, noise: Tensor, text: tuple[Tensor, Tensor]) -> Tensor:
    """Euler steps with classifier-free guidance; `text` is empty first, then the captions."""
    even = torch.linspace(1, 0, STEPS_DRAWN + 1)
    drawn = noise
    for now, after in pairwise(SHIFT * even / (1 + (SHIFT - 1) * even)):
        with autocast():
            velocity = network(drawn.repeat(2, 1, 1, 1), now.expand(2 * len(drawn)), *text)
        without, given = velocity.float().chunk(2)
        drawn = drawn + (after - now) * (without + GUIDANCE * (given - without))
    return drawn
