"""Model folders whose weights are pickles: which of their files count, and the same as safetensors.

Only the numbers in them are read; see `gate/pickled_weights`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine import files
from engine.errors import ModelError
from engine.gate import pickled_weights
from engine.gate.model_folder import INCOMPLETE, check_folder, read_config
from engine.single_file.writing import write_safetensors

STEMS = {"diffusion_pytorch_model": "diffusion_pytorch_model", "pytorch_model": "model"}
"""What such files are called, and what safetensors are called in their place."""
DESCRIPTIONS = {"model_index.json": "a diffusers pipeline", "config.json": "a model folder"}

_SHARD = re.compile(r"(\w+?)(-\d{5}-of-\d{5})\.bin")


@dataclass(frozen=True)
class Pickled:
    """A pickle in a folder, and the name of what it becomes beside it."""

    source: Path
    name: str


def weights_to_convert(path: Path) -> list[Pickled]:
    """The pickles that the model in the folder cannot do without; empty for any other path."""
    if not path.is_dir() or not any((path / name).is_file() for name in DESCRIPTIONS):
        return []
    rooms = [path, *sorted(folder for folder in path.glob("[!.]*") if folder.is_dir())]
    return [pickled for room in rooms for pickled in _in_room(room)]


def convert(
    pickled: list[Pickled], path: Path, made: Path, written: Callable[[str, int], None]
) -> None:
    """Write safetensors into the folder `made`, where `path` has pickles; raises EngineError."""
    needed = next(name for name in DESCRIPTIONS if (path / name).is_file())
    check_folder(path, needed, DESCRIPTIONS[needed])
    weights: dict[Path, dict[str, str]] = {}
    for each in pickled:
        tensors = pickled_weights.read(each.source, largest=2 * each.source.stat().st_size)
        room = made / each.source.parent.relative_to(path)
        write_safetensors(room / each.name, tensors, partial(written, each.name))
        weights.setdefault(room, {}).update(dict.fromkeys(tensors, each.name))
    for room, names in weights.items():
        if len(set(names.values())) > 1:
            stem = next(iter(names.values())).split("-")[0]
            files.write_json(
                room / f"{stem}.safetensors.index.json", {"metadata": {}, "weight_map": names}
            )


def _in_room(room: Path) -> Iterator[Pickled]:
    if any(room.glob("*.safetensors")):
        return
    for stem, new in STEMS.items():
        index = room / f"{stem}.bin.index.json"
        if (room / f"{stem}.bin").is_file():
            yield Pickled(room / f"{stem}.bin", f"{new}.safetensors")
        elif index.is_file():
            yield from _shards(index, stem, new)
        elif variants := sorted(room.glob(f"{stem}.*.bin")):
            variant = variants[0].name.split(".")[1]
            yield Pickled(variants[0], f"{new}.{variant}.safetensors")


def _shards(index: Path, stem: str, new: str) -> Iterator[Pickled]:
    """The files that an index names, each beside it; raises ModelError."""
    named = read_config(index).get("weight_map")
    for name in sorted(set(named.values())) if isinstance(named, dict) else ():
        shard = _SHARD.fullmatch(str(name))
        if shard is None or shard[1] != stem or not (index.parent / str(name)).is_file():
            raise ModelError(
                f"{index.parent} is incomplete: {str(name)[:80]} is missing.", INCOMPLETE
            )
        yield Pickled(index.parent / str(name), f"{new}{shard[2]}.safetensors")
