"""A run of train_gan as a program of plain PyTorch that makes the same steps, bit for bit.

The networks are those of engine/models, word for word; the loop is that of
engine/trainers/gan_learner.py without what watches it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from engine.errors import EngineError
from engine.run_programs.copied_source import Source, copied, header
from engine.run_programs.data_lines import data_lines
from engine.run_programs.recorded import RecordedRun
from engine.trainers.train_gan import TrainGan

_FILES = {"dcgan": "dcgan", "conv": "conv_gan", "mlp_small": "mlp_gan", "mlp_large": "mlp_gan"}
_CONFIGS = {"dcgan": "DcganConfig", "conv_gan": "ConvGanConfig", "mlp_gan": "MlpGanConfig"}
_HIDDEN = {"mlp_small": (256,), "mlp_large": (512, 1024)}


@dataclass(frozen=True)
class _Loss:
    """As engine/models/gan_losses.py has it; the expressions are of logits `real` and `fake`."""

    discriminator: str
    generator: str
    compares: bool = False
    penalty: str = ""
    penalty_every: int = 1
    gamma: float = 0.0


_LOSSES = {
    "hinge": _Loss(
        "functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()", "-fake.mean()"
    ),
    "non_saturating": _Loss(
        "functional.softplus(-real).mean() + functional.softplus(fake).mean()",
        "functional.softplus(-fake).mean()",
    ),
    "wgan_gp": _Loss(
        "fake.mean() - real.mean()", "-fake.mean()", penalty="gradient_penalty", gamma=10.0
    ),
    "relativistic": _Loss(
        "functional.softplus(fake - real).mean()",
        "functional.softplus(real - fake).mean()",
        compares=True,
        penalty="zero_centred",
        penalty_every=4,
        gamma=1.0,
    ),
}
_IMPORTS = """\
import copy
from functools import lru_cache
import numpy as np
import torch
from PIL import Image
from torch.nn import functional
"""
_PROGRAM = '''\
"""Trains a GAN as a run of Atelier did, with PyTorch, NumPy and Pillow alone.

On the same kind of processor, with the same torch and number of threads, the losses are those of
the run bit for bit{but}.
"""

{imports}

# The run was {name}, with torch {torch}.
{constants}
torch.set_num_threads({threads})
torch.manual_seed(SEED)

# ---------------------------------------------------------------------- data

{data}

{lines}

@lru_cache(maxsize=2)
def shuffled(epoch):
    return np.random.default_rng((SEED, epoch)).permutation(len(learned))


def real_images(step):
    """The batch of a step, (N, C, H, W) in [-1, 1]: each image comes once in an epoch."""
    places = np.arange((step - 1) * BATCH_SIZE, step * BATCH_SIZE)
    epochs, places = np.divmod(places, len(learned))
    chosen = np.concatenate([shuffled(int(e))[places[epochs == e]] for e in np.unique(epochs)])
    pixels = torch.from_numpy(images[learned[chosen]]).to(DEVICE)
    return pixels.permute(0, 3, 1, 2).float().contiguous().div_(127.5).sub_(1)


# ---------------------------------------------------------------------- networks

{networks}


# ---------------------------------------------------------------------- training

{half}config = {config}
generator, discriminator = Generator(config), Discriminator(config)
generator, discriminator = generator.to(DEVICE), discriminator.to(DEVICE)
average = copy.deepcopy(generator).eval().requires_grad_(False)  # which draws
adam = dict(betas=({beta1}, {beta2}), fused=True)
generator_optimizer = torch.optim.Adam(generator.parameters(), {generator_rate}, **adam)
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), {discriminator_rate}, **adam)
fixed_noise = torch.randn(64, LATENT_DIM, generator=torch.Generator().manual_seed(SEED))

for step in range(1, STEPS + 1):
    reals = real_images(step)
    fakes = {generator}torch.randn(BATCH_SIZE, LATENT_DIM).to(DEVICE)).float()
    seen = {shown_reals}, {shown_fixed}
    real, fake = {discriminator}torch.cat(seen)).float().chunk(2)
    discriminator_loss = {discriminator_loss}
    whole = discriminator_loss
{penalty}    discriminator_optimizer.zero_grad()
    whole.backward()
    discriminator_optimizer.step()

    discriminator.requires_grad_(False)  # its gradients are not needed here
    fake = {discriminator}{shown_fakes}).float()
{compared}    generator_loss = {generator_loss}
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
    discriminator.requires_grad_(True)

    decay = min({ema_decay}, step / (step + 10))
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), generator.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        losses = f"{{discriminator_loss.item()}} {{generator_loss.item()}}"
        print(f"step {{step}}: {{losses}}", flush=True)

with torch.inference_mode():
    drawn = average(fixed_noise.to(DEVICE))
drawn = drawn.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
rows = drawn.unflatten(0, (8, 8)).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2).cpu().numpy()
Image.fromarray(rows[..., 0] if CHANNELS == 1 else rows).save("samples.png")
'''
_PENALTY = """\
    if step % {every} == 0:
        chance = torch.rand(BATCH_SIZE).to(DEVICE)
        whole = discriminator_loss + {weight} * {name}(discriminator, *seen, chance)
"""
_AUGMENT = """


def shown(images):
    return augmented(images, torch.rand(BATCH_SIZE, NUMBERS).to(DEVICE))
"""
_HALF = """\
def half(network, inputs):
    with torch.autocast(torch.device(DEVICE).type, torch.bfloat16):
        return network(inputs)


"""


def gan_program(run: RecordedRun) -> str:
    """The whole program; raises EngineError for what it cannot do yet."""
    task = cast(TrainGan, run.task)
    loss = _LOSSES.get(task.loss)
    if loss is None or run.architecture not in _FILES:
        raise EngineError(
            f"The loss {task.loss} or the model of this run is not in the program yet.",
            f"There is one for runs with the losses {', '.join(_LOSSES)}.",
        )
    size, channels = run.number("image_size"), run.number("channels")
    definitions, lines = data_lines(task.dataset, size, channels, run.sha256, run.held_out)
    networks = _networks(run, loss)
    rounding = f", but for rounding: it ran on {run.processes} processes"
    return _PROGRAM.format(
        imports=header([*_IMPORTS.splitlines(), *definitions.imports, *networks.imports]),
        but=rounding if run.processes > 1 else "",
        name=repr(run.name),
        torch=repr(run.torch),
        threads=run.threads,
        constants=_constants(task, size, channels, run.device),
        data=definitions.code,
        lines=lines,
        networks=networks.code,
        config=_config(run, size, channels),
        generator_rate=task.generator_learning_rate,
        discriminator_rate=task.discriminator_learning_rate,
        beta1=task.beta1,
        beta2=task.beta2,
        ema_decay=task.ema_decay,
        **_step(run, task, loss),
    )


def _networks(run: RecordedRun, loss: _Loss) -> Source:
    """The networks, with what else of the engine the steps need."""
    sources = [copied(f"models/{_FILES[run.architecture]}.py")]
    if loss.penalty:
        sources.append(copied("models/gan_losses.py", [loss.penalty, "_gradients"]))
    if run.augmented:
        sources.append(copied("models/diff_augment.py"))
    code = "\n\n\n".join(source.code for source in sources)
    imports = frozenset().union(*(source.imports for source in sources))
    return Source(imports, code + (_AUGMENT.rstrip("\n") if run.augmented else ""))


def _step(run: RecordedRun, task: TrainGan, loss: _Loss) -> dict[str, str]:
    """The parts of a step that depend on precision, loss and augmentation."""
    half = run.precision == "bfloat16"
    discriminator = "half(discriminator, " if half else "discriminator("
    shown = "shown({})" if run.augmented else "{}"
    weight = (task.gamma or loss.gamma) * loss.penalty_every
    penalty = _PENALTY.format(every=loss.penalty_every, weight=weight, name=loss.penalty)
    compared = f"    real = {discriminator}{shown.format('reals')}).float()\n"
    return {
        "half": _HALF if half else "",
        "generator": "half(generator, " if half else "generator(",
        "discriminator": discriminator,
        "shown_reals": shown.format("reals"),
        "shown_fixed": shown.format("fakes.detach()"),
        "shown_fakes": shown.format("fakes"),
        "penalty": penalty if loss.penalty else "",
        "compared": compared if loss.compares else "",
        "discriminator_loss": loss.discriminator,
        "generator_loss": loss.generator,
    }


def _constants(task: TrainGan, size: int, channels: int, device: str) -> str:
    values = {
        "SEED": task.seed,
        "STEPS": task.max_steps,
        "BATCH_SIZE": task.batch_size,
        "LATENT_DIM": task.latent_dim,
        "SIZE": size,
        "CHANNELS": channels,
        "LOG_EVERY": task.log_every,
        "DEVICE": device,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())


def _config(run: RecordedRun, size: int, channels: int) -> str:
    last = _HIDDEN.get(run.architecture) or run.number("width")
    numbers = f"{size}, {channels}, {run.number('latent_dim')}, {last}"
    unbound = run.architecture == "dcgan" and run.model.get("spectral_norm") is False
    bound = ", spectral_norm=False" if unbound else ""
    return f"{_CONFIGS[_FILES[run.architecture]]}({numbers}{bound})"
