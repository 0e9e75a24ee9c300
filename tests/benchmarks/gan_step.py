"""A step of train_gan against a plain PyTorch DCGAN loop: same networks, batch, data and threads.

    python tests/benchmarks/gan_step.py

The plain loop is that of pytorch/examples (two passes of the discriminator, default Adam), without
averaged weights or gradient norms. CPU time, in alternating blocks; read the ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from engine.device import configure_threads, prepare_environment

prepare_environment()

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from engine.models import gan  # noqa: E402
from engine.trainers.gan_learner import GanLearner  # noqa: E402
from engine.trainers.train_gan import TrainGan  # noqa: E402

BLOCKS = 12
STEPS = 15  # in a block


def plain_steps(learner: GanLearner) -> Iterator[float]:
    """The loop of the example, on networks of its own."""
    networks = gan.build(learner.config)
    generator, discriminator = networks.generator, networks.discriminator
    batch_size, latent_dim = learner.task.batch_size, learner.task.latent_dim
    images = gan.from_pixels(learner.images)
    optimizers = [
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        for network in (discriminator, generator)
    ]
    real_label, fake_label = torch.ones(batch_size), torch.zeros(batch_size)
    while True:
        real = images[torch.randint(len(images), (batch_size,))]
        discriminator.zero_grad()
        real_loss = F.binary_cross_entropy_with_logits(discriminator(real), real_label)
        real_loss.backward()
        fake = generator(torch.randn(batch_size, latent_dim))
        fake_loss = F.binary_cross_entropy_with_logits(discriminator(fake.detach()), fake_label)
        fake_loss.backward()
        optimizers[0].step()
        generator.zero_grad()
        generator_loss = F.binary_cross_entropy_with_logits(discriminator(fake), real_label)
        generator_loss.backward()
        optimizers[1].step()
        yield real_loss.item() + fake_loss.item() + generator_loss.item()


def our_steps(learner: GanLearner) -> Iterator[float]:
    step = 0
    while True:
        step += 1
        yield sum(learner.step(step).values())


def cpu_milliseconds(step: Callable[[], float]) -> float:
    """A step's CPU time, the mean of a block."""
    began = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - began) / STEPS * 1000


def main() -> None:
    configure_threads()
    for model in ("dcgan", "mlp_small"):
        learner = TrainGan(seed=1, model=model).learner(lambda event: None)
        assert isinstance(learner, GanLearner)
        steps = [plain_steps(learner).__next__, our_steps(learner).__next__]
        for step in steps:
            cpu_milliseconds(step)  # warm up
        pairs = [[cpu_milliseconds(step) for step in steps] for _ in range(BLOCKS)]
        plain, ours = (statistics.median(block) for block in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{model}: plain loop {plain:.1f} CPU-ms, ours {ours:.1f}; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
