"""Which files of a repository of the Hub a model needs: weights that run nothing, and settings.

What is never fetched: pickles, programs, other formats and precisions of the same weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import InvalidTask, ModelError
from engine.gate import json_text

PRECISIONS = ("half", "full")
LARGEST_LORA = 2_000_000_000  # bytes
WHOLE_IN_ONE = (
    "Get the same model as a folder of diffusers. Or download the file at its page, and add it by "
    "File › Add a model…, which makes a folder of it."
)

_PART = r"\w[\w.+ -]*"
_SAFE = re.compile(rf"{_PART}(/{_PART}){{0,3}}")
_SETTINGS = re.compile(
    r"[\w.-]*config[\w.-]*\.json|(tokenizer|vocab|special_tokens_map|added_tokens)\.json"
    r"|vocab\.txt|merges\.txt|(spiece|tokenizer|sentencepiece\.bpe)\.model|chat_template\.(jinja|json)"
    r"|styles\.json"
)
_CARD = re.compile(r"README\.md|(LICEN[CS]E|NOTICE)([.-][\w.-]*)?", re.IGNORECASE)
_WEIGHTS = re.compile(
    r"(?P<stem>model|diffusion_pytorch_model)(\.(?P<variant>[a-z]\w*))?(-\d+-of-\d+)?\.safetensors"
    r"|(?P<index>model|diffusion_pytorch_model)\.safetensors\.index(\.(?P<of>[a-z]\w*))?\.json"
)
_PIECE = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_LIKED = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1", "IQ4_XS", "Q5_K_M", "Q6_K", "Q8_0", "BF16", "F16")
"""Quantisations, those that are small for what they lose first."""
_PROJECTOR = "mmproj"  # how the file begins that lets another model see

Kind = Literal["folder", "gguf", "lora"]


@dataclass(frozen=True)
class HubFile:
    """A file of a repository, and what the Hub says of its content."""

    name: str
    size: int
    sha256: str = ""
    """Of a file in LFS; others have the name that git gives their content."""
    blob: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be fetched of a repository."""

    kind: Kind
    files: tuple[HubFile, ...]
    """The weights last, so that what is wrong with a model is known early."""
    choices: tuple[str, ...] = ()
    """The files of which one is taken; the plan is for the first if nobody chose."""
    chosen: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def files_of(answer: Mapping[str, Any]) -> tuple[HubFile, ...]:
    """Those whose names and sizes can be used."""
    return tuple(
        HubFile(each["name"], each["size"], each["sha256"] or "", each["blob"] or "")
        for each in answer["files"]
        if _SAFE.fullmatch(str(each["name"])) and isinstance(each["size"], int)
    )


def plan(
    repository: str, files: Sequence[HubFile], index: str | None, file: str, precision: str
) -> Plan:
    """What a model of these files needs; raises ModelError, InvalidTask.

    `index` is the text of its model_index.json; `file` the one that a person chose.
    """
    singles = _singles(files)
    if file:
        return _one(repository, files, singles, file)
    names = {each.name for each in files}
    if index is not None:
        return _whole(repository, _pipeline(repository, files, index, precision), names)
    if "config.json" in names and any(_WEIGHTS.fullmatch(name) for name in names):
        chosen = [*_weights(files, "", precision), *_matching(files, "", _SETTINGS)]
        return _whole(repository, [*chosen, *_matching(files, "", _CARD)], names)
    if singles:
        return _one(repository, files, singles, singles[0])
    raise _nothing(repository, names)


def _whole(repository: str, chosen: Iterable[HubFile], names: set[str]) -> Plan:
    def order(file: HubFile) -> tuple[bool, int, str]:
        return file.name.endswith(".safetensors"), file.size, file.name

    files = tuple(sorted(set(chosen), key=order))
    if not any(file.name.endswith(".safetensors") for file in files):
        raise _nothing(repository, names)
    return Plan("folder", files)


def _one(repository: str, files: Sequence[HubFile], choices: tuple[str, ...], name: str) -> Plan:
    found = next((each for each in files if each.name == name), None)
    if found is None or name not in choices:
        offered = ", ".join(choices[:12]) or "none that can be taken alone"
        raise InvalidTask(
            "file", f"{repository} has no model in one file called {name!r}.", f"It has {offered}."
        )
    kind: Kind = "gguf" if name.lower().endswith(".gguf") else "lora"
    if kind == "lora" and found.size > LARGEST_LORA:
        raise ModelError(
            f"{name} of {repository} is too large for a LoRA: it is a whole model in one file.",
            WHOLE_IN_ONE,
        )
    return Plan(kind, (found,), choices, name)


def _singles(files: Sequence[HubFile]) -> tuple[str, ...]:
    """Models in one file: a GGUF in each quantisation, or a LoRA. The one to take first."""
    packed = [
        each.name
        for each in files
        if each.name.lower().endswith(".gguf")
        and not _PIECE.search(each.name)
        and not each.name.rpartition("/")[2].startswith(_PROJECTOR)
    ]
    if packed:
        return tuple(sorted(packed, key=_liking))
    if any(each.name in ("config.json", "model_index.json") for each in files):
        return ()
    return tuple(
        each.name for each in files if each.name.endswith(".safetensors") and "/" not in each.name
    )


def _liking(name: str) -> tuple[int, str]:
    upper = name.upper()
    place = next((n for n, word in enumerate(_LIKED) if re.search(rf"[-._]{word}\.", upper)), 99)
    return place, name


def _pipeline(
    repository: str, files: Sequence[HubFile], index: str, precision: str
) -> Iterable[HubFile]:
    try:
        parts = json_text.parse(index.encode("utf-8"))
    except ValueError as error:
        raise ModelError(f"model_index.json of {repository} cannot be read: {error}.") from error
    if not isinstance(parts, dict):
        raise ModelError(f"model_index.json of {repository} describes no model.")
    yield from (each for each in files if each.name in ("model_index.json", "styles.json"))
    yield from _matching(files, "", _CARD)
    for name, value in parts.items():
        if isinstance(value, list) and value != [None, None] and re.fullmatch(r"[a-z]\w*", name):
            yield from _matching(files, f"{name}/", _SETTINGS)
            yield from _weights(files, f"{name}/", precision)


def _matching(files: Sequence[HubFile], folder: str, pattern: re.Pattern[str]) -> Iterable[HubFile]:
    for each in files:
        rest = each.name.removeprefix(folder)
        inside = each.name.startswith(folder) and "/" not in rest
        if inside and pattern.fullmatch(rest) and not _WEIGHTS.fullmatch(rest):
            yield each


def _weights(files: Sequence[HubFile], folder: str, precision: str) -> Iterable[HubFile]:
    """One set of weights of the folder: the half ones where they are wanted and there."""
    sets: dict[str, list[HubFile]] = {}
    for each in files:
        found = _WEIGHTS.fullmatch(each.name.removeprefix(folder))
        if each.name.startswith(folder) and found:
            sets.setdefault(found["variant"] or found["of"] or "", []).append(each)
    order = ("fp16", "bf16", "") if precision == "half" else ("", "fp16", "bf16")
    return next((sets[name] for name in order if name in sets), [])


def _nothing(repository: str, names: set[str]) -> ModelError:
    if any(_PIECE.search(name) for name in names):
        return ModelError(
            f"{repository} has only models cut into several .gguf files, which are not read here.",
            "Look for a smaller quantisation, in one file.",
        )
    if any(name.endswith((".bin", ".ckpt", ".pt", ".pth", ".h5", ".msgpack")) for name in names):
        return ModelError(
            f"{repository} has its weights only in formats that can run programs.",
            "Look for the same model with .safetensors or .gguf files.",
        )
    return ModelError(
        f"{repository} holds no model that can be used here.",
        "Take one with a model_index.json, with a config.json and .safetensors, or with .gguf.",
    )
