"""What the programs of all trainers on images have in common: the data, the batches, the end.

Each brings its networks, word for word those of engine/models, and its steps: those of its learner
in engine/trainers without what watches them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.image_training import ImageTraining
from engine.run_programs.copied_source import Source, header
from engine.run_programs.data_lines import data_lines
from engine.run_programs.recorded import RecordedRun

_IMPORTS = """\
import copy
from functools import lru_cache
import numpy as np
import torch
from PIL import Image
"""
_PROGRAM = '''\
"""Trains a {what} as a run of Atelier did, with {libraries} alone.

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


def batch(step):
    """Which images a step learns from: each comes once in an epoch."""
    places = np.arange((step - 1) * BATCH_SIZE, step * BATCH_SIZE)
    epochs, places = np.divmod(places, len(learned))
    chosen = [shuffled(int(e))[places[epochs == e]] for e in np.unique(epochs)]
    return learned[np.concatenate(chosen)]


def pixels(chosen):
    """These images, (N, C, H, W) in [-1, 1]."""
    values = torch.from_numpy(images[chosen]).to(DEVICE)
    return values.permute(0, 3, 1, 2).float().contiguous().div_(127.5).sub_(1)


# ---------------------------------------------------------------------- networks

{networks}


def follow(average, network, step):
    """Move the mean of the weights, which draws, a little towards those of this step."""
    decay = min(EMA_DECAY, step / (step + 10))
    with torch.no_grad():
        for mean, value in zip(average.state_dict().values(), network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)


def save(drawn, columns):
    """Images (N, C, H, W) in [-1, 1] as one picture, so many in a row."""
    drawn = drawn.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    rows = drawn.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2)
    rows = rows.flatten(0, 1).flatten(1, 2).cpu().numpy()
    Image.fromarray(rows[..., 0] if CHANNELS == 1 else rows).save("samples.png")


# ---------------------------------------------------------------------- training

{training}'''


@dataclass(frozen=True)
class Lesson:
    """What a trainer brings. `training` are the lines that follow everything else."""

    what: str
    libraries: str
    networks: Iterable[Source]
    constants: Mapping[str, Any]
    training: str
    imports: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def image_program(run: RecordedRun, lesson: Lesson) -> str:
    """The whole program; raises EngineError for what run.json says wrong."""
    task = cast(ImageTraining, run.task)
    networks = tuple(lesson.networks)
    definitions, lines = data_lines(run, task.dataset, lesson.classes)
    rounding = f", but for rounding: it ran on {run.processes} processes"
    taken = [line for source in (definitions, *networks) for line in source.imports]
    return _PROGRAM.format(
        what=lesson.what,
        libraries=lesson.libraries,
        but=rounding if run.processes > 1 else "",
        imports=header([*_IMPORTS.splitlines(), *lesson.imports, *taken]),
        name=repr(run.name),
        torch=repr(run.torch),
        constants=_constants(run, task, lesson.constants),
        threads=run.threads,
        data=definitions.code,
        lines=lines,
        networks="\n\n\n".join(source.code for source in networks),
        training=lesson.training,
    )


def _constants(run: RecordedRun, task: ImageTraining, more: Mapping[str, Any]) -> str:
    values = {
        "SEED": task.seed,
        "STEPS": task.max_steps,
        "BATCH_SIZE": task.batch_size,
        "SIZE": run.number("image_size"),
        "CHANNELS": run.number("channels"),
        "LOG_EVERY": task.log_every,
        "DEVICE": run.device,
        **more,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())
