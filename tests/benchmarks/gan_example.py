"""Our GAN step against the PyTorch example DCGAN, and against a bare loop of the same step.

    python tests/benchmarks/gan_example.py [--blocks 10]

1. Images a second of CPU time at one image shape (64×64×3), batch size (64) and data in memory: the
   networks and the loop of pytorch/examples (dcgan/main.py, BSD-3-Clause) against train_gan at the
   example's width and at its own. The networks are not the same: that is the point of ours.
2. What watching costs: the whole training loop (curves every 10 steps, samples every 50, heartbeat,
   gradient norms) against a bare loop of the same step on the same networks and digits.

All in one run, in alternating blocks; read the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.device import configure_threads, prepare_environment

prepare_environment()

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from engine.events import Event, Progress  # noqa: E402
from engine.models import gan  # noqa: E402
from engine.trainers.gan_learner import GanLearner  # noqa: E402
from engine.trainers.train_gan import TrainGan  # noqa: E402

BATCH = 64
LATENT, WIDTH, CHANNELS = 100, 64, 3  # of the example: nz, ngf and ndf, nc
STEPS = 2  # in a block of the first comparison; one takes a second or more there
WATCHED = 50  # in a block of the second, so that each draws a sample grid


def ignore(event: Event) -> None:
    pass


def learner_of(**fields: Any) -> GanLearner:
    learner = TrainGan(seed=1, batch_size=BATCH, **fields).learner(ignore)
    assert isinstance(learner, GanLearner)
    return learner


# --------------------------------------------------------------------------- the example


def example_generator() -> nn.Module:
    layers: list[nn.Module] = []
    widths = (LATENT, WIDTH * 8, WIDTH * 4, WIDTH * 2, WIDTH)
    for level, (inputs, outputs) in enumerate(pairwise(widths)):
        stride, padding = (1, 0) if level == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)]
        layers += [nn.BatchNorm2d(outputs), nn.ReLU(True)]
    layers += [nn.ConvTranspose2d(WIDTH, CHANNELS, 4, 2, 1, bias=False), nn.Tanh()]
    return nn.Sequential(*layers).apply(example_weights)


def example_discriminator() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(CHANNELS, WIDTH, 4, 2, 1, bias=False)]
    layers += [nn.LeakyReLU(0.2, inplace=True)]
    for inputs, outputs in ((WIDTH, WIDTH * 2), (WIDTH * 2, WIDTH * 4), (WIDTH * 4, WIDTH * 8)):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs)]
        layers += [nn.LeakyReLU(0.2, inplace=True)]
    layers += [nn.Conv2d(WIDTH * 8, 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0)]
    return nn.Sequential(*layers).apply(example_weights)


def example_weights(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


def example_steps(images: Tensor) -> Iterator[object]:
    """The loop of the example; it reads six numbers in each step, as that prints them."""
    generator, discriminator = example_generator(), example_discriminator()
    criterion = nn.BCELoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    while True:
        real = images[torch.randint(len(images), (BATCH,))]
        discriminator.zero_grad()
        label = torch.full((BATCH,), 1.0)
        output = discriminator(real)
        loss_real = criterion(output, label)
        loss_real.backward()
        d_x = output.mean().item()
        fake = generator(torch.randn(BATCH, LATENT, 1, 1))
        output = discriminator(fake.detach())
        loss_fake = criterion(output, label.fill_(0.0))
        loss_fake.backward()
        d_g_z1 = output.mean().item()
        optimizer_d.step()
        generator.zero_grad()
        output = discriminator(fake)
        loss_g = criterion(output, label.fill_(1.0))
        loss_g.backward()
        optimizer_g.step()
        yield (loss_real + loss_fake).item(), loss_g.item(), d_x, d_g_z1, output.mean().item()


def our_steps(learner: GanLearner) -> Iterator[object]:
    step = 0
    while True:
        step += 1
        yield learner.step(step)


def cpu_seconds(step: Callable[[], object], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        step()
    return time.process_time() - began


def against_the_example(blocks: int) -> None:
    ours = {
        f"train_gan, width {WIDTH}": learner_of(dataset="stickers", width=WIDTH),
        "train_gan, its own width (32)": learner_of(dataset="stickers"),
    }
    images = gan.from_pixels(next(iter(ours.values())).images)
    steps = {"PyTorch example DCGAN": example_steps(images).__next__}
    steps |= {name: our_steps(learner).__next__ for name, learner in ours.items()}
    for step in steps.values():
        cpu_seconds(step, 1)  # warm up
    times = [{n: cpu_seconds(step, STEPS) for n, step in steps.items()} for _ in range(blocks)]
    print("| | Images a second (CPU) | Ratio |\n|---|---|---|")
    example = next(iter(steps))
    for name in steps:
        rate = STEPS * BATCH / statistics.median(block[name] for block in times)
        ratio = statistics.median(block[example] / block[name] for block in times)
        print(f"| {name} | {rate:.1f} | {ratio:.2f} |", flush=True)


# --------------------------------------------------------------------------- what watching costs


def bare_steps(learner: GanLearner) -> Iterator[object]:
    """The same step with nothing measured, as somebody would write it for one experiment."""
    task, step = learner.task, 0
    generator, discriminator = learner.generator, learner.discriminator
    while True:
        step += 1
        with learner.autocast():
            fakes = generator(torch.randn(task.batch_size, task.latent_dim)).float()
        reals = learner.pixels(learner.chosen(step))
        with learner.autocast():
            both = discriminator(torch.cat((reals, fakes.detach()))).float()
        loss = learner.loss.discriminator(*both.chunk(2))
        learner.discriminator_optimizer.zero_grad()
        loss.backward()
        learner.discriminator_optimizer.step()
        discriminator.requires_grad_(False)
        with learner.autocast():
            logits = discriminator(fakes).float()
        loss = learner.loss.generator(logits, logits)
        learner.generator_optimizer.zero_grad()
        loss.backward()
        learner.generator_optimizer.step()
        discriminator.requires_grad_(True)
        decay = min(task.ema_decay, step / (step + 10))
        gan.update_average(learner.average, generator, decay)
        yield step


class Alternating:
    """The report of a watched training, in which a block of bare steps follows each of its own."""

    def __init__(self, bare: Callable[[], object]) -> None:
        self._bare = bare
        self._began: float | None = None
        self.watched: list[float] = []
        self.unwatched: list[float] = []

    def __call__(self, event: Event) -> None:
        learning = isinstance(event, Progress) and event.stage == "learning"
        if not learning or event.step % WATCHED:  # type: ignore[union-attr]
            return
        now = time.process_time()
        if self._began is not None:
            self.watched.append(now - self._began)
            self.unwatched.append(cpu_seconds(self._bare, WATCHED))
        self._began = time.process_time()


def against_a_bare_loop(blocks: int) -> None:
    bare = bare_steps(learner_of()).__next__
    cpu_seconds(bare, 5)  # warm up
    report = Alternating(bare)
    with tempfile.TemporaryDirectory() as folder:
        steps = WATCHED * blocks + 1
        TrainGan(seed=1, batch_size=BATCH, max_steps=steps).run(report, Path(folder) / "run")
    pairs = list(zip(report.watched, report.unwatched, strict=True))
    watched, unwatched = (
        1000 * statistics.median(side) / WATCHED for side in zip(*pairs, strict=True)
    )
    over = statistics.median(a / b for a, b in pairs) - 1
    print(
        f"\nDefault GAN on digits: bare loop {unwatched:.1f} CPU-ms a step, watched training "
        f"{watched:.1f}; watching costs {over:+.1%} (median of {len(pairs)} pairs of blocks)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=10)
    options = parser.parse_args()
    configure_threads()
    against_the_example(options.blocks)
    against_a_bare_loop(options.blocks)


if __name__ == "__main__":
    main()
