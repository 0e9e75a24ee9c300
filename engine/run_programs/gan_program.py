"""A run of train_gan as a program of plain PyTorch that makes the same steps, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from textwrap import indent
from typing import cast

from engine.errors import EngineError
from engine.run_programs.copied_source import Source, copied
from engine.run_programs.image_program import Lesson, image_program
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.trainers.train_gan import TrainGan
from engine.training import TrainingTask

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
_TRAINING = """\
{half}config = {config}
generator, discriminator = Generator(config), Discriminator(config)
generator, discriminator = generator.to(DEVICE), discriminator.to(DEVICE)
average = copy.deepcopy(generator).eval().requires_grad_(False)  # which draws
adam = dict(betas=({beta1}, {beta2}), fused=True)
generator_optimizer = torch.optim.Adam(generator.parameters(), GENERATOR_RATE, **adam)
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), DISCRIMINATOR_RATE, **adam)
fixed_noise = torch.randn(64, LATENT_DIM, generator=torch.Generator().manual_seed(SEED))

{changes}{alone}for step in range(1, {steps} + 1):
{change}{who}    reals = pixels(batch(step))
    fakes = {generator}torch.randn(BATCH_SIZE, LATENT_DIM).to(DEVICE)).float()
{discriminator_step}
{generator_step}
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {told}", flush=True)

with torch.inference_mode():
    save(average(fixed_noise.to(DEVICE)), columns=8)
"""
_DISCRIMINATOR_STEP = """\
    seen = {shown_reals}, {shown_fixed}
    real, fake = {discriminator}torch.cat(seen)).float().chunk(2)
    discriminator_loss = {discriminator_loss}
    whole = discriminator_loss
{penalty}    discriminator_optimizer.zero_grad()
    whole.backward()
    discriminator_optimizer.step()
"""
_GENERATOR_STEP = """\
    discriminator.requires_grad_(False)  # its gradients are not needed here
    fake = {discriminator}{shown_fakes}).float()
{compared}    generator_loss = {generator_loss}
    generator_optimizer.zero_grad()
    generator_loss.backward()
    generator_optimizer.step()
    discriminator.requires_grad_(True)

    follow(average, generator, step)
"""
_BOTH = "{discriminator_loss.item()} {generator_loss.item()}"
_ALONE = """\
ALONE = {parts}  # steps that one made while the other stood still
"""
_WHO = """\
    alone, losses = ALONE.get(step), []
"""
_UNLESS = """\
    if alone != "{other}":
{step}        losses.append(str({part}_loss.item()))
"""
_CHANGE = """\
    generator_optimizer.param_groups[0]["lr"] = GENERATOR_RATE
    discriminator_optimizer.param_groups[0]["lr"] = DISCRIMINATOR_RATE
"""
_PENALTY = """\
    if step % {every} == 0:
        chance = torch.rand(BATCH_SIZE).to(DEVICE)
        whole = discriminator_loss + PENALTY_WEIGHT * {name}(discriminator, *seen, chance)
"""
_AUGMENT = """\
def shown(images):
    return augmented(images, torch.rand(BATCH_SIZE, NUMBERS).to(DEVICE))"""
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
            f"This version of Atelier does not know the model {run.architecture!r} with the loss "
            f"{task.loss}.",
            f"It knows {', '.join(_FILES)}, with {', '.join(_LOSSES)}.",
        )
    live = partial(_live, loss)
    training = _TRAINING.format(
        config=_config(run),
        beta1=task.beta1,
        beta2=task.beta2,
        **_steps(run.steering.parts, _step(run, loss)),
        **vars(steered_lines(run.steering, live, _CHANGE)),
    )
    lesson = Lesson(
        what="GAN",
        libraries="PyTorch, NumPy and Pillow",
        networks=_networks(run, loss),
        constants={"LATENT_DIM": task.latent_dim, "EMA_DECAY": task.ema_decay, **live(task)},
        training=training,
        imports=("from torch.nn import functional",),
    )
    return image_program(run, lesson)


def _networks(run: RecordedRun, loss: _Loss) -> list[Source]:
    """The networks, with what else of the engine the steps need."""
    sources = [copied(f"models/{_FILES[run.architecture]}.py")]
    if loss.penalty:
        sources.append(copied("models/gan_losses.py", [loss.penalty, "_gradients"]))
    if run.augmented:
        sources += [copied("models/diff_augment.py"), Source(frozenset(), _AUGMENT)]
    return sources


def _live(loss: _Loss, task: TrainingTask) -> Constants:
    task = cast(TrainGan, task)
    weight = (task.gamma or loss.gamma) * loss.penalty_every
    return {
        "GENERATOR_RATE": task.generator_learning_rate,
        "DISCRIMINATOR_RATE": task.discriminator_learning_rate,
        **({"PENALTY_WEIGHT": weight} if loss.penalty else {}),
    }


def _steps(parts: Mapping[int, str], step: Mapping[str, str]) -> dict[str, str]:
    """Both networks' updates, each left out where the other made a step alone."""
    updates = {
        "discriminator": _DISCRIMINATOR_STEP.format(**step),
        "generator": _GENERATOR_STEP.format(**step),
    }
    if not parts:
        named = {f"{part}_step": update for part, update in updates.items()}
        return {**named, "alone": "", "who": "", "told": _BOTH, **step}
    if not set(parts.values()) <= updates.keys():
        raise EngineError(
            "The metrics of this run tell of steps of a network that a GAN does not have.",
            "Choose a run of this version of Atelier.",
        )
    other = dict(zip(updates, reversed(updates), strict=True))
    named = {
        f"{part}_step": _UNLESS.format(other=other[part], step=indent(update, "    "), part=part)
        for part, update in updates.items()
    }
    alone = _ALONE.format(parts=dict(parts))
    return {**step, **named, "alone": alone, "who": _WHO, "told": "{' '.join(losses)}"}


def _step(run: RecordedRun, loss: _Loss) -> dict[str, str]:
    """The parts of a step that depend on precision, loss and augmentation."""
    half = run.precision == "bfloat16"
    discriminator = "half(discriminator, " if half else "discriminator("
    shown = "shown({})" if run.augmented else "{}"
    penalty = _PENALTY.format(every=loss.penalty_every, name=loss.penalty)
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


def _config(run: RecordedRun) -> str:
    last = _HIDDEN.get(run.architecture) or run.number("width")
    shape = [run.number(name) for name in ("image_size", "channels", "latent_dim")]
    numbers = ", ".join(map(str, [*shape, last]))
    unbound = run.architecture == "dcgan" and run.model.get("spectral_norm") is False
    bound = ", spectral_norm=False" if unbound else ""
    return f"{_CONFIGS[_FILES[run.architecture]]}({numbers}{bound})"
