"""LoRAs on a pipeline: small files that change what a model draws, each with a weight of its own.

Hu et al., 2106.09685. diffusers and peft do the work, in the formats of diffusers and of kohya.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import library, memory_plans, trained_loras
from engine.errors import InvalidTask, ModelError
from engine.events import Progress, Report
from engine.gate.lora import check_lora
from engine.language.identity import sha256
from engine.task import param

if TYPE_CHECKING:
    from engine.pipelines import LoadedPipeline

STRONGEST = 4.0
MOST = 20

NOT_ITS_OWN = (ValueError, KeyError, RuntimeError, IndexError, TypeError, AttributeError)
"""What diffusers and peft raise for a LoRA whose layers the model does not have."""


@dataclass(frozen=True)
class Wanted:
    """A LoRA by its name or path, and how strongly it acts: 1 as it was made, negative against."""

    name: str
    weight: float = 1.0

    def line(self) -> str:
        return f"{self.name}: {self.weight:g}"


def lora_param() -> Any:
    """The field of a task that draws."""
    return param(
        "",
        label="LoRAs",
        help="Small files that teach a model a style, a character or a thing; each acts as "
        "strongly as its weight says. They must belong to the kind of the model.",
        kind="loras",
    )


def parse(text: str) -> tuple[Wanted, ...]:
    """One LoRA a line, `NAME: WEIGHT`, without a weight 1; raises InvalidTask."""
    found = tuple(_parse_line(line.strip()) for line in text.splitlines() if line.strip())
    if len(found) > MOST:
        raise InvalidTask("loras", f"{len(found)} LoRAs are too many.", f"Use at most {MOST}.")
    names = [each.name for each in found]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise InvalidTask("loras", f"The LoRA {doubled} is there twice.", "Take one away.")
    return found


def told(wanted: Sequence[Wanted]) -> str:
    """The text that `parse` reads; one without a name is left out."""
    return "\n".join(each.line() for each in wanted if each.name)


def pinned(text: str) -> str:
    """With the step of the checkpoint that a training's name stands for now, so that a record
    stays true while the training goes on."""
    return told([replace(each, name=trained_loras.pinned(each.name)) for each in parse(text)])


def use(model: LoadedPipeline, wanted: Sequence[Wanted], report: Report) -> dict[str, str]:
    """Let exactly these act on the model; what is loaded already stays warm.

    Returns what a record says of them. Raises InvalidTask for a model that takes none, ModelError
    for a file that is no LoRA or belongs to another model.
    """
    pipe = model.pipe
    if not wanted:
        if _loaded(pipe):
            pipe.unload_lora_weights()
        return {}
    if not hasattr(pipe, "load_lora_weights"):
        raise InvalidTask("loras", f"{model.name} takes no LoRAs.", "Choose another model.")
    paths = [library.find_lora(each.name) for each in wanted]
    for path in paths:
        check_lora(path)
    digests = [sha256(path, report) for path in paths]
    adapters = [_adapter(digest) for digest in digests]
    present = _loaded(pipe)
    if others := sorted(present - set(adapters)):
        pipe.delete_adapters(others)
    for path, adapter in zip(paths, adapters, strict=True):
        if adapter not in present:
            report(Progress(0, None, f"loading {path.stem}"))
            _load(model, path, adapter)
    # Sums differ in the last bit with the order; this one does not depend on who came first.
    weights = {adapter: each.weight for adapter, each in zip(adapters, wanted, strict=True)}
    pipe.set_adapters(sorted(weights), [weights[adapter] for adapter in sorted(weights)])
    return {"loras_sha256": hashlib.sha256("".join(digests).encode()).hexdigest()}


def adapter_name(path: Path, report: Report) -> str:
    """What a LoRA is called on a pipeline: by its content, so that its order never changes."""
    return _adapter(sha256(path, report))


def _adapter(digest: str) -> str:
    return f"lora_{digest[:16]}"


def _load(model: LoadedPipeline, path: Path, adapter: str) -> None:
    pipe = model.pipe
    try:
        with (
            memory_plans.wide_adapters(model.saving, pipe.dtype),
            warnings.catch_warnings(),
        ):  # that there is another one already, which is intended
            warnings.filterwarnings("ignore", "Already found a `peft_config`", UserWarning)
            pipe.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=adapter, local_files_only=True
            )
    except NOT_ITS_OWN as error:
        if adapter in _loaded(pipe):
            pipe.delete_adapters([adapter])
        raise _belongs_elsewhere(path, model) from error
    if adapter not in _loaded(pipe):
        raise _belongs_elsewhere(path, model)


def _belongs_elsewhere(path: Path, model: LoadedPipeline) -> ModelError:
    return ModelError(
        f"The LoRA {path.name} does not fit {model.name}: it was made for another kind of model.",
        "Take it away, or choose the model it belongs to.",
    )


def _loaded(pipe: Any) -> set[str]:
    """The names of the adapters that are in any part of the pipeline."""
    if not hasattr(pipe, "get_list_adapters"):
        return set()
    return set(chain.from_iterable(pipe.get_list_adapters().values()))


def _parse_line(line: str) -> Wanted:
    name, colon, weight = line.rpartition(":")
    try:
        number = float(weight)
    except ValueError:  # the colon belongs to a path, or there is none
        return Wanted(line)
    if not colon or not name.strip():
        return Wanted(line)
    if not math.isfinite(number) or abs(number) > STRONGEST:
        raise InvalidTask(
            "loras",
            f"The weight of {name.strip()} is {weight.strip()}.",
            f"Choose one between −{STRONGEST:g} and {STRONGEST:g}; 1 is as it was made.",
        )
    return Wanted(name.strip(), number)
