"""Muon: the same steps as torch's, in whatever precision is quick here."""

from __future__ import annotations

import pytest
import torch

from engine.trainers import muon
from engine.trainers.muon import Muon, MuonAdamW, descend, orthogonal


@pytest.mark.parametrize("shape", [(24, 24), (16, 64), (64, 16)])
def test_it_steps_as_torchs_does(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    start = torch.randn(shape)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    reference = torch.optim.Muon(
        [theirs],
        0.02,
        weight_decay=muon.WEIGHT_DECAY,
        momentum=muon.MOMENTUM,
        ns_steps=muon.NEWTON_SCHULZ_STEPS,
        adjust_lr_fn="match_rms_adamw",
    )
    own = Muon([ours])
    for _ in range(5):
        gradient = torch.randn(shape)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        own.update(0.02)
        reference.step()
    moved = (theirs - start).norm()
    assert (ours - theirs).norm() < 0.03 * moved  # torch's rounds to bfloat16


def test_what_it_goes_along_is_nearly_orthogonal() -> None:
    torch.manual_seed(0)
    direction = orthogonal(torch.randn(20, 50), torch.float32)
    values = torch.linalg.svdvals(direction)
    assert values.min() > 0.4
    assert values.max() < 1.4


def test_what_has_no_gradient_stays() -> None:
    still = torch.nn.Parameter(torch.ones(3, 3))
    Muon([still]).update(1.0)
    assert torch.equal(still, torch.ones(3, 3))


def test_two_optimizers_go_down_one_loss_each_at_its_rate() -> None:
    torch.manual_seed(0)
    networks = [torch.nn.Linear(4, 1) for _ in range(2)]
    before = [network.weight.detach().clone() for network in networks]
    optimizers = [MuonAdamW(network.named_parameters(), 0.1) for network in networks]
    inputs = torch.randn(8, 4)
    loss = sum(network(inputs).square().mean() for network in networks)
    norm = descend(loss, [(optimizers[0], 0.1), (optimizers[1], 0.0)])
    assert norm > 0
    assert not torch.equal(networks[0].weight, before[0])
    assert torch.equal(networks[1].weight, before[1])
