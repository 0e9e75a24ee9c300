"""What a trainer brings to the loop: a Learner; and what a learner may be able to do besides.

A class that has `change`, `step_parts`, `spread` or `ended` can be asked for them; one without
works as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from engine.checkpoints import State

if TYPE_CHECKING:
    from PIL import Image


class Learner(Protocol):
    """The networks and losses; what the one loop in engine/training_loop.py asks for."""

    def description(self) -> Mapping[str, Any]:
        """What run.json should say of the data and the networks: hash, count, parameters."""

    def step(self, step: int) -> Mapping[str, float]:
        """One optimizer update; returns what was measured (generator_loss, d_real, …).

        For exact resume everything random comes from torch's default generator (saved with the
        checkpoint) or from generators seeded with (seed, step) or (seed, epoch). For runs on
        several processes it is drawn for the whole batch, of which `distributed.share` takes the
        rows of this process; `distributed.average_gradients` comes before the update.
        """

    def sample(self) -> Image.Image | str:
        """A grid drawn from noise that stays the same through the run, or texts from prompts that
        do; must not touch the RNG."""

    def state(self) -> State:
        """Networks, EMA, optimizers: a tree of tensors and JSON values, a file for each entry."""

    def load_state(self, state: State) -> None:
        """Take back what `state` returned."""


@runtime_checkable
class Changeable(Protocol):
    """A learner whose task's live fields (`param(live=True)`) can change while it learns."""

    def change(self, task: Any) -> None:
        """Go on with another task, which differs in live fields only: give new learning rates to
        the optimizers, take the rest from it at every step. Also called after `load_state`."""


@runtime_checkable
class InParts(Protocol):
    """A learner of several networks, of which one alone can make a step."""

    step_parts: tuple[str, ...]

    def step_part(self, step: int, part: str) -> Mapping[str, float]:
        """As `Learner.step`, for one of `step_parts` alone."""


@runtime_checkable
class Spreading(Protocol):
    """A learner that can tell how different its samples are from each other."""

    def spread(self) -> tuple[float, float]:
        """(of samples from the fixed noise, of as many real ones): the mean distance of two, in
        any unit; must not touch the RNG. Far less than among real ones is mode collapse."""


@runtime_checkable
class EndingEarly(Protocol):
    """A learner that can find, in a step, that more steps are no use."""

    ended: str
    """Why the training is over before its last step; empty while it is not."""


def over_because(learner: Learner) -> str:
    """Why the training is over before its last step; empty while it is not."""
    return learner.ended if isinstance(learner, EndingEarly) else ""


def parts_of(learner: Learner) -> tuple[str, ...]:
    """The parts that can step alone; empty where the learner is one."""
    return tuple(learner.step_parts) if isinstance(learner, InParts) else ()


def take_step(learner: Learner, step: int, part: str = "") -> Mapping[str, float]:
    """One step of the whole learner, or of a part of it."""
    if part and isinstance(learner, InParts):
        return learner.step_part(step, part)
    return learner.step(step)
