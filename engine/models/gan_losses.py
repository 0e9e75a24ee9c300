"""What the two networks of a GAN strive for: losses of logits, and penalties on gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Penalty = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class GanLoss:
    """`discriminator(real, fake)` and `generator(fake, real)`: logits (N,) to a scalar.

    `penalty(network, reals, fakes, chance)` is weighed with `gamma` and joins the discriminator's
    loss at every `penalty_every`-th step, so many times as heavy (lazy regularisation: Karras et
    al. 2020, 1912.04958). `chance` (N,) is uniform. A loss with a penalty needs a discriminator
    that is not bound otherwise: without spectral normalisation.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    compares: bool = False
    """Whether the generator's loss looks at `real` at all."""
    penalty: Penalty | None = None
    penalty_every: int = 1
    gamma: float = 0.0

    def penalty_weight(self, step: int, gamma: float = 0.0) -> float:
        """What the penalty weighs at this step, 0 when it is not due; a `gamma` of 0 is its own."""
        due = self.penalty is not None and step % self.penalty_every == 0
        return (gamma or self.gamma) * self.penalty_every if due else 0.0


def gradient_penalty(network: nn.Module, reals: Tensor, fakes: Tensor, chance: Tensor) -> Tensor:
    """How far the gradient's norm is from 1 between real and fake (1704.00028)."""
    share = chance[:, None, None, None]
    between = share * reals + (1 - share) * fakes
    return (_gradients(network, between).norm(dim=1) - 1).square().mean()


def zero_centred(network: nn.Module, reals: Tensor, fakes: Tensor, chance: Tensor) -> Tensor:
    """(R1 + R2) / 2: the gradient's squared norm at real and at fake images.

    Mescheder et al. 2018 (1801.04406); both together in Huang et al. 2024 (2501.05441).
    """
    squared = _gradients(network, torch.cat((reals, fakes))).square().sum(1)
    real, fake = squared.chunk(2)
    return (real.mean() + fake.mean()) / 2


def _gradients(network: nn.Module, images: Tensor) -> Tensor:
    """The gradient (N, pixels) of each image's logit, which can be derived once more."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(network(images).sum(), images, create_graph=True)
    return gradient.flatten(1)


def _hinge(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _more_real(first: Tensor, second: Tensor) -> Tensor:
    """-log of the chance that each of `first` is more real than its partner in `second`."""
    return F.softplus(second - first).mean()


LOSSES = {
    # Lim & Ye 2017 (1705.02894), Miyato et al. 2018 (1802.05957)
    "hinge": GanLoss(_hinge, lambda fake, real: -fake.mean()),
    # Goodfellow et al. 2014 (1406.2661): -log D(x) - log(1 - D(G(z))) against -log D(G(z))
    "non_saturating": GanLoss(_cross_entropy, lambda fake, real: F.softplus(-fake).mean()),
    # Gulrajani et al. 2017 (1704.00028); the discriminator is a critic without a sigmoid
    "wgan_gp": GanLoss(
        lambda real, fake: fake.mean() - real.mean(),
        lambda fake, real: -fake.mean(),
        penalty=gradient_penalty,
        gamma=10.0,
    ),
    # Jolicoeur-Martineau 2018 (1807.00734) with R1 and R2, as in R3GAN (2501.05441)
    "relativistic": GanLoss(
        _more_real, _more_real, compares=True, penalty=zero_centred, penalty_every=4, gamma=1.0
    ),
}
