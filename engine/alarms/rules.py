"""The rules: each looks at the history of a training and says what it finds wrong, if anything.

A rule is quiet while it knows too little. The limits were set between what healthy and spoilt
runs of the GANs here measure, with the sources named; tests cause each alarm on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.alarms.alarm import COLLAPSE, DISCRIMINATOR_WINS, EXPLODING, OVERFITTING
from engine.alarms.history import WINDOW, History
from engine.alarms.remedies import HALF, TENTH

LARGE_NORM = 100.0  # ganhacks §10; the default GANs stay under 30
TIMES_THE_FIRST, HUGE_NORM = 10.0, 1000.0  # a large network may begin with a large norm
NORMS = 20  # steps whose median counts, so that one spike is none

BEATEN_LOSS = 0.05  # of the discriminator; 2 and 1.4 at chance, healthy runs seldom under 0.2
CERTAINTY = 0.4  # between D(x) and D(G(z))

ALIKE = 0.15  # of the spread of real samples; the default GANs stay over 0.3
FALLEN = 0.35  # of the most that the samples once had
ALIKE_FOR, FIRST_STEPS = 100, 200  # steps: young samples are all alike

RISEN = 0.05  # part of the best val_loss
RISES = 3  # measurements in a row


@dataclass(frozen=True)
class Finding:
    """What is wrong. `good_step` is the last step at which it was not."""

    kind: str
    event: str
    reason: str
    numbers: Mapping[str, float]
    good_step: int
    rates: tuple[str, ...] = ()
    """How the live fields begin that should be lowered, best first; none: that is no help."""
    factor: float = HALF


def exploding_gradients(history: History, step: int) -> Finding | None:
    """The median norm of a gradient is over 100 (ganhacks §10) and far over what it began with."""
    for name in history.names:
        if not name.endswith("gradient_norm"):
            continue
        norm = history.median(name, NORMS)
        began = history.first[name]
        if norm is None or norm <= LARGE_NORM:
            continue
        if norm > TIMES_THE_FIRST * began or norm > HUGE_NORM:
            part = name.removesuffix("gradient_norm").strip("_")
            whose = f"gradients of the {part}" if part else "gradients"
            return Finding(
                EXPLODING,
                "alarm: exploding gradients",
                f"The {whose} have a norm of {norm:.3g}, where it began with {began:.3g}: each "
                "step overshoots what it aims at. The usual reason is a learning rate that is too "
                "high.",
                {name: norm, f"{name}_at_first": began},
                step - WINDOW,
                (part, "") if part else ("",),
                TENTH,
            )
    return None


def discriminator_winning(history: History, step: int) -> Finding | None:
    """Its loss is next to 0 over a whole window (ganhacks §10) and it is certain of both."""
    if not history.full("discriminator_loss"):
        return None
    loss, real, fake = (history.mean(n) for n in ("discriminator_loss", "d_real", "d_fake"))
    if loss is None or real is None or fake is None:
        return None
    if not (0 <= loss < BEATEN_LOSS and real - fake > CERTAINTY):
        return None
    return Finding(
        DISCRIMINATOR_WINS,
        "alarm: the discriminator is winning",
        f"The discriminator tells every drawn image from a real one: over the last {WINDOW} steps "
        f"its loss is {loss:.2g}, with D(x) = {real:.2f} and D(G(z)) = {fake:.2f}. The generator "
        "learns little from a judge who is always certain.",
        {
            "discriminator_loss": loss,
            "generator_loss": history.mean("generator_loss") or 0.0,
            "d_real": real,
            "d_fake": fake,
        },
        step - WINDOW,
        ("discriminator",),
    )


def mode_collapse(history: History, step: int) -> Finding | None:
    """Samples have been far more alike than real ones for a while."""
    if step < FIRST_STEPS or len(history.spreads) < 3:
        return None
    best = max(spread.ratio for spread in history.spreads)
    limit = max(ALIKE, FALLEN * min(best, 1.0))
    low = []
    for spread in reversed(history.spreads):
        if spread.ratio >= limit:
            break
        low.append(spread)
    if len(low) < 3 or low[0].step - low[-1].step < ALIKE_FOR:
        return None
    now = low[0]
    return Finding(
        COLLAPSE,
        "alarm: mode collapse",
        f"The samples are all alike: two of them are {now.drawn:.3g} apart on average, two real "
        f"ones {now.real:.3g}. The generator has found a few images that pass, and draws those "
        "whatever the noise.",
        {"sample_distance": now.drawn, "real_distance": now.real, "ratio": now.ratio},
        low[-1].step - 1,
        ("generator", ""),
    )


def overfitting(history: History, step: int) -> Finding | None:
    """val_loss has risen over its best for a while, and the loss has fallen meanwhile."""
    measured = history.validations
    if len(measured) <= RISES:
        return None
    best = min(measured, key=lambda validation: validation.held_out)
    latest = measured[-RISES:]
    limit = best.held_out + RISEN * abs(best.held_out)
    if latest[0].step <= best.step or any(found.held_out <= limit for found in latest):
        return None
    now = latest[-1]
    if now.learned >= best.learned:
        return None
    return Finding(
        OVERFITTING,
        "alarm: overfitting",
        f"It learns its data by heart: since step {best.step} the loss on held-out data rose from "
        f"{best.held_out:.3g} to {now.held_out:.3g}, while the training loss fell from "
        f"{best.learned:.3g} to {now.learned:.3g}. More steps make it worse; more data, dropout or "
        "a smaller model help.",
        {
            "val_loss": now.held_out,
            "best_val_loss": best.held_out,
            "best_step": float(best.step),
            "train_loss": now.learned,
            "train_loss_at_best": best.learned,
        },
        best.step,
    )


RULES: tuple[Callable[[History, int], Finding | None], ...] = (
    exploding_gradients,
    discriminator_winning,
    mode_collapse,
    overfitting,
)
