"""Save and load checkpoints: safetensors and a manifest of hashes, whole or not at all.

A state is a tree of dicts and lists whose leaves are tensors or JSON values. Each entry at the top
becomes one .safetensors file, so that `generator.safetensors` can be loaded by anything; an entry
that is a text becomes a file of its own name, such as `config.json`.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import files
from engine.errors import FileError
from engine.runs import MANIFEST

if TYPE_CHECKING:
    import torch

State = Mapping[str, Any]


def save(path: Path, step: int, state: State) -> None:
    """Write the checkpoint folder `path`; raises FileError. An older one there is replaced."""
    files.write_folder(path, _contents(step, state))


def _contents(step: int, state: State) -> Iterator[tuple[str, bytes]]:
    """The files of a checkpoint, one at a time; the manifest, which makes it complete, last."""
    from safetensors.torch import save as to_bytes

    hashes: dict[str, str] = {}
    rest: dict[str, Any] = {}
    for name, tree in state.items():
        tensors: dict[str, torch.Tensor] = {}
        if isinstance(tree, str):
            rest[name], data = {"$text": name}, tree.encode()
        else:
            rest[name] = _pack(tree, "", tensors)
            data = to_bytes(tensors)
        hashes[name] = hashlib.sha256(data).hexdigest()
        yield _file_name(name, rest[name]), data
    manifest = {"step": step, "sha256": hashes, "state": rest}
    yield MANIFEST, files.json_bytes({**manifest, "seal": _seal(manifest)})


def _seal(manifest: Mapping[str, Any]) -> str:
    """The hash of the manifest itself: a flipped bit in a learning rate is damage too."""
    text = json.dumps({name: manifest[name] for name in ("step", "sha256", "state")})
    return hashlib.sha256(text.encode()).hexdigest()


def load(path: Path) -> tuple[int, dict[str, Any]]:
    """(step, state) of the checkpoint folder `path`; raises FileError when it is damaged."""
    manifest = _manifest(path)
    return int(manifest["step"]), {name: _entry(path, name, manifest) for name in manifest["state"]}


def verify(path: Path) -> None:
    """Check every file of the checkpoint folder `path` against its hash; raises FileError.

    For whoever moves or copies it without torch.
    """
    manifest = _manifest(path)
    for name in manifest["state"]:
        _data(path, name, manifest)


def values(path: Path, name: str) -> dict[str, Any]:
    """One entry that holds JSON values only, read without torch; empty when there is none."""
    found = _manifest(path)["state"].get(name)
    return dict(found) if isinstance(found, dict) else {}


def load_tensors(path: Path, name: str) -> dict[str, torch.Tensor]:
    """The tensors of one entry, such as "generator", checked against the manifest."""
    return _tensors(path, name, _manifest(path))


def load_entry(path: Path, name: str) -> Any:
    """One entry as it was saved, checked; raises FileError also when there is none."""
    manifest = _manifest(path)
    if name not in manifest["state"]:
        raise FileError(f"{path} holds no {name}.", "Use another checkpoint.")
    return _entry(path, name, manifest)


def has_entry(path: Path, name: str) -> bool:
    """Whether the checkpoint holds such an entry; raises FileError when it is not complete."""
    return name in _manifest(path)["state"]


def _entry(path: Path, name: str, manifest: Mapping[str, Any]) -> Any:
    tree = manifest["state"][name]
    if isinstance(tree, dict) and "$text" in tree:
        return _data(path, name, manifest).decode()
    return _unpack(tree, _tensors(path, name, manifest))


def _file_name(name: str, tree: Any) -> str:
    plain = isinstance(tree, dict) and "$text" in tree
    return Path(name).name if plain else f"{Path(name).name}.safetensors"


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        if manifest["seal"] != _seal(manifest):
            raise ValueError("not the manifest that was written")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FileError(f"{path} is not a complete checkpoint.", "Use an earlier one.") from error
    return manifest  # type: ignore[no-any-return]


def _tensors(path: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    from safetensors.torch import load as from_bytes

    return from_bytes(_data(path, name, manifest))  # type: ignore[no-any-return]


def _data(path: Path, name: str, manifest: Mapping[str, Any]) -> bytes:
    file = path / _file_name(name, manifest["state"].get(name))
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file} cannot be read.", "Use an earlier checkpoint.") from error
    if hashlib.sha256(data).hexdigest() != manifest["sha256"].get(name):
        raise FileError(f"{file} does not match its stored hash.", "Use an earlier checkpoint.")
    return data


def _pack(tree: Any, prefix: str, tensors: dict[str, torch.Tensor]) -> Any:
    """`tree` as JSON, with its tensors moved into `tensors` and replaced by their names."""
    import torch

    if isinstance(tree, torch.Tensor):
        while prefix in tensors:  # {"a/b": …} beside {"a": {"b": …}}
            prefix += "'"
        # A copy of its own: safetensors refuses tensors that share memory.
        tensors[prefix] = tree.detach().cpu().clone().contiguous()
        return {"$tensor": prefix}
    if isinstance(tree, Mapping):
        packed = {
            _text_key(key): _pack(value, _join(prefix, str(key)), tensors)
            for key, value in tree.items()
        }
        numbered = {isinstance(key, int) for key in tree}
        if len(numbered) > 1:
            raise TypeError("a checkpoint cannot hold numbers and texts as keys of one mapping")
        return {"$numbered": packed} if True in numbered else packed
    if isinstance(tree, (list, tuple)):
        items = [_pack(item, _join(prefix, str(i)), tensors) for i, item in enumerate(tree)]
        return {"$tuple": items} if isinstance(tree, tuple) else items
    if isinstance(tree, float) and not math.isfinite(tree):
        return {"$float": struct.pack(">d", tree).hex()}  # JSON has no word for these
    return tree


def _text_key(key: Any) -> str:
    """JSON has only texts for keys; those of a numbered mapping become numbers again."""
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise TypeError(f"a checkpoint cannot hold the key {key!r}")
    if isinstance(key, str) and key.startswith("$"):
        raise ValueError(f"a key cannot begin with $: {key!r}")
    return str(key)


def _join(prefix: str, key: str) -> str:
    return f"{prefix}/{key}" if prefix else key


def _unpack(tree: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    if isinstance(tree, list):
        return [_unpack(item, tensors) for item in tree]
    if not isinstance(tree, dict):
        return tree
    match tree:
        case {"$tensor": name}:
            return tensors[name]
        case {"$tuple": items}:
            return tuple(_unpack(item, tensors) for item in items)
        case {"$float": bits}:
            return struct.unpack(">d", bytes.fromhex(bits))[0]
        case {"$numbered": packed}:
            return {int(key): _unpack(value, tensors) for key, value in packed.items()}
    return {key: _unpack(value, tensors) for key, value in tree.items()}
