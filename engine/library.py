"""The models on this machine: embedded, starter packs, and whatever the person put in the folder.

A model is known by a short name or by a path; `find` turns either into a path. A training run that
draws from words is a model too, by its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from engine import folders, trained_language_models, trained_loras, trained_models
from engine.errors import ModelError
from engine.gate import json_text, transformers_folder

EMBEDDED_IMAGE_MODEL = "stickers"
STARTER_TEXT_MODEL = "SmolLM2-135M-Instruct"
STARTER_EMBEDDING_MODEL = "all-MiniLM-L6-v2"
EMBEDDED_UPSCALERS = {"drawings": "realesr-animevideov3-x4", "photographs": "realesrgan-x4plus"}
"""What the networks that ship with the studio are for, and what they are called."""
UPSCALER_SUFFIXES = frozenset({".safetensors", ".pth", ".pt", ".ckpt"})
MAX_CONFIG = 1_000_000  # bytes of the description of a model
MAX_STYLES = 10_000  # bytes of the list of a model's styles


def image_models() -> tuple[str, ...]:
    """Names of the diffusers pipeline folders, the embedded one first, then those of our runs."""
    return (*_names(_is_pipeline), *trained_models.names())


def text_models() -> tuple[str, ...]:
    """Names of the language models; the starter pack comes first, whether fetched or not, and our
    runs come last."""
    found = [name for name in _names(_is_language_model) if name != STARTER_TEXT_MODEL]
    return (STARTER_TEXT_MODEL, *found, *trained_language_models.RUNS.names())


def embedding_models() -> tuple[str, ...]:
    """Names of the folders of models that turn texts into vectors; the starter pack comes first."""
    found = [name for name in _names(is_embedding_model) if name != STARTER_EMBEDDING_MODEL]
    return (STARTER_EMBEDDING_MODEL, *found)


def describers() -> tuple[str, ...]:
    """Names of the folders of models that describe pictures; none ships with the studio."""
    return tuple(_names(is_describer))


def own_paths() -> tuple[Path, ...]:
    """Where the person's models and LoRAs lie, and the embedded image model first."""
    embedded = folders.RESOURCES / "models" / EMBEDDED_IMAGE_MODEL
    room, apart = folders.models(), (folders.upscalers(), folders.loras())
    mine = sorted(room.glob("[!.]*")) if room.is_dir() else []
    small = sorted(folders.loras().rglob("*.safetensors")) if folders.loras().is_dir() else []
    return (embedded, *(path for path in mine if path not in apart), *small)


def styles(name: str) -> tuple[str, ...]:
    """Words for styles that prompts of the image model `name` may begin with.

    They stand in its styles.json, a list; most models have none. Raises ModelError for a list
    that cannot be read.
    """
    path = find(name) / "styles.json"
    if not path.is_file():
        return ()
    try:
        words = json_text.parse(path.read_bytes()[:MAX_STYLES])
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}.", "Mend or remove it.") from error
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ModelError(f"{path} is not a list of words.", "Mend or remove it.")
    return tuple(words)


def upscalers() -> tuple[str, ...]:
    """What pictures the embedded networks enlarge, then the names of the person's own."""
    own = [
        path.name
        for path in sorted(folders.upscalers().glob("[!.]*"))
        if path.suffix.lower() in UPSCALER_SUFFIXES
    ]
    return (*EMBEDDED_UPSCALERS, *own)


def find_upscaler(name: str) -> Path:
    """The network that is for such pictures, or is called `name`, or stands at that path."""
    return find(EMBEDDED_UPSCALERS.get(name, name))


def loras() -> tuple[str, ...]:
    """Names of the LoRAs in their folder, also in folders in it, then those of our runs."""
    room = folders.loras()
    found = sorted(room.rglob("*.safetensors")) if room.is_dir() else []
    own = (path.relative_to(room).with_suffix("").as_posix() for path in found)
    return (*own, *trained_loras.RUNS.names())


def known_lora(name: str) -> str:
    """The LoRA here that is called so, by its name in `loras`; empty where there is none."""
    return next((each for each in loras() if name in (each, PurePosixPath(each).name)), "")


def find_lora(name: str) -> Path:
    """The file of the LoRA called `name`, or at that path; raises ModelError."""
    asked = _path(name)
    if asked and asked.is_absolute() and asked.is_file():
        return asked
    if trained := trained_loras.find(name):
        return trained
    wanted = PurePosixPath(name.replace("\\", "/"))
    for known in loras():
        if known == name or PurePosixPath(known).name == wanted.name.removesuffix(".safetensors"):
            return folders.loras() / f"{known}.safetensors"
    raise ModelError(
        f"There is no LoRA named {name!r} on this machine.",
        f"Put it into {folders.loras()}, or give the path of its file.",
    )


def find(name: str) -> Path:
    """The file or folder of the model called `name`, or at the path `name`; raises ModelError."""
    for path in _candidates():
        if path.name == name or (path.suffix == ".gguf" and path.stem == name):
            return path
    if trained := trained_models.find(name) or trained_language_models.find(name):
        return trained
    asked = _path(name)
    if asked and asked.exists():
        return asked.absolute()
    if asked and asked.is_absolute():
        raise ModelError(
            f"There is no model at {asked}.", "Check the path, or choose another model."
        )
    raise ModelError(
        f"There is no model named {name!r} on this machine.",
        f"Put it into {folders.models()}, or give the path of its file or folder.",
    )


def absolute(name: str) -> str:
    """`name`, or its path in full where it is one, so that it holds from any folder."""
    if any(path.name == name for path in _candidates()):
        return name
    asked = _path(name)
    return str(asked.absolute()) if asked and asked.exists() else name


def _path(name: str) -> Path | None:
    """`name` as a path, where it can be one at all."""
    try:
        path = Path(name).expanduser()
        path.exists()
    except (OSError, RuntimeError):  # longer than a path may be; ~somebody who is not here
        return None
    return path if name.strip() else None


def _names(wanted: Callable[[Path], bool]) -> Iterator[str]:
    for path in _candidates():
        if wanted(path):
            yield path.stem if path.suffix == ".gguf" else path.name


def _candidates() -> Iterator[Path]:
    for room in (folders.RESOURCES / "models", folders.models(), folders.upscalers()):
        if room.is_dir():
            yield from sorted(room.glob("[!.]*"))


def _is_pipeline(path: Path) -> bool:
    return (path / "model_index.json").is_file()


def _is_language_model(path: Path) -> bool:
    if path.is_dir():
        is_model = (path / "config.json").is_file() and not _is_pipeline(path)
        return is_model and not is_embedding_model(path) and not is_describer(path)
    return path.suffix == ".gguf"


def is_describer(path: Path) -> bool:
    """Whether it puts pictures into words."""
    try:
        return transformers_folder.sees(_config(path), path)
    except ModelError:  # what prepares its pictures cannot be read
        return False


def is_embedding_model(path: Path) -> bool:
    """Whether its configuration names a network without a head, as that of an encoder is."""
    architectures = _config(path).get("architectures")
    names = architectures if isinstance(architectures, list) else []
    return bool(names) and all(str(name).endswith("Model") for name in names)


def _config(path: Path) -> dict[str, Any]:
    """Empty where there is none that can be read."""
    try:
        config = json_text.parse((path / "config.json").read_bytes()[:MAX_CONFIG])
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}
