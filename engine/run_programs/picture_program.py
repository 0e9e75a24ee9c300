"""What the programs of trainers on pictures with captions have in common.

Each brings its model and its steps: those of its learner in engine/trainers without what watches
them, and without what several processes need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import library
from engine.errors import EngineError
from engine.run_programs.captioned_lines import captioned_source
from engine.run_programs.copied_source import Source, copied, header
from engine.run_programs.recorded import RecordedRun

_IMPORTS = """\
import numpy as np
import torch
"""
_PROGRAM = '''\
"""Trains {what} as a run of Atelier did, with {libraries} alone.

On the same kind of processor, with the same torch and number of threads, the losses are those of
the run bit for bit{but}. {end}
"""

from __future__ import annotations

{imports}

# The run was {name}, with torch {torch}.
{constants}
torch.set_num_threads({threads})
torch.manual_seed(SEED)

# ---------------------------------------------------------------------- definitions

{definitions}


# ---------------------------------------------------------------------- training

{training}'''


@dataclass(frozen=True)
class PictureLesson:
    """What a trainer brings. `training` are the lines that follow everything else."""

    what: str
    dataset: str
    libraries: str
    end: str
    """A sentence: what there is in the end, and where."""
    sources: Iterable[Source]
    constants: Mapping[str, Any]
    training: str
    imports: tuple[str, ...] = ()


def picture_program(run: RecordedRun, lesson: PictureLesson) -> str:
    """The whole program."""
    sources = [
        captioned_source(lesson.dataset),
        copied("data/batches.py"),
        *lesson.sources,
    ]
    taken = [line for source in sources for line in source.imports]
    rounding = f", but for rounding: it ran on {run.processes} processes"
    return _PROGRAM.format(
        what=lesson.what,
        libraries=lesson.libraries,
        but=rounding if run.processes > 1 else "",
        end=lesson.end,
        imports=header([*_IMPORTS.splitlines(), *lesson.imports, *taken]),
        name=repr(run.name),
        torch=repr(run.torch),
        constants=_constants(run, lesson.constants),
        threads=run.threads,
        definitions="\n\n\n".join(source.code for source in sources),
        training=lesson.training,
    )


def _constants(run: RecordedRun, more: Mapping[str, Any]) -> str:
    task = run.task
    values = {
        "SEED": task.seed,
        "STEPS": task.max_steps,
        "BATCH_SIZE": task.batch_size,
        "LOG_EVERY": task.log_every,
        "DEVICE": run.device,
        **more,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())


def base_folder(name: str) -> Path:
    """Of the model that a run began with; raises ModelError and EngineError where it is gone."""
    path = library.find(name)
    if not (path / "model_index.json").is_file():
        raise EngineError(
            f"{name} is a run of yours, and its files as a model are gone.",
            "Draw a picture with it once: that writes them again.",
        )
    return path


def precision_lines(asked: str) -> Source:
    """`HALF`: whether the run computed in bfloat16; "auto" asks the processor, as it did."""
    if asked != "auto":
        return Source(frozenset(), f"HALF = {asked == 'bfloat16'}")
    native = copied("device.py", ["has_native_bfloat16"])
    line = 'HALF = DEVICE != "cpu" or has_native_bfloat16()'
    return replace(native, code=f"{native.code}\n\n\n{line}")


ALONE = Source(
    frozenset(),
    '''\
def share(rows):
    """Of a batch: all of it, where there is one process."""
    return rows


gather = whole_like = share''',
)
"""What the networks ask of engine/distributed.py."""
