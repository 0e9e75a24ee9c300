"""Save and load checkpoints: safetensors and a manifest of hashes, whole or not at all.

A state is a tree of dicts and lists whose leaves are tensors or JSON values. Each entry at the top
becomes one .safetensors file, so that `generator.safetensors` can be loaded by anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
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
    from safetensors.torch import save as to_bytes

    files.make_folder(path.parent)
    temporary = Path(tempfile.mkdtemp(prefix=files.TEMPORARY_PREFIX, dir=path.parent))
    try:
        hashes: dict[str, str] = {}
        rest: dict[str, Any] = {}
        for name, tree in state.items():
            tensors: dict[str, torch.Tensor] = {}
            rest[name] = _pack(tree, "", tensors)
            data = to_bytes(tensors)
            files.write_bytes(temporary / f"{name}.safetensors", data)
            hashes[name] = hashlib.sha256(data).hexdigest()
        manifest = {"step": step, "sha256": hashes, "state": rest}
        files.write_json(temporary / MANIFEST, manifest)
        os.chmod(temporary, 0o755)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
    except OSError as error:
        raise FileError(
            f"{path} could not be written: {error.strerror}.", "Free some space."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load(path: Path) -> tuple[int, dict[str, Any]]:
    """(step, state) of the checkpoint folder `path`; raises FileError when it is damaged."""
    manifest = _manifest(path)
    return int(manifest["step"]), {
        name: _unpack(tree, _tensors(path, name, manifest))
        for name, tree in manifest["state"].items()
    }


def load_tensors(path: Path, name: str) -> dict[str, torch.Tensor]:
    """The tensors of one entry, such as "generator", checked against the manifest."""
    return _tensors(path, name, _manifest(path))


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(manifest["sha256"], dict) or not isinstance(manifest["state"], dict):
            raise ValueError("not a checkpoint manifest")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is not a complete checkpoint.", "Use an earlier one.") from error
    return manifest  # type: ignore[no-any-return]


def _tensors(path: Path, name: str, manifest: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    from safetensors.torch import load as from_bytes

    file = path / f"{Path(name).name}.safetensors"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise FileError(f"{file} cannot be read.", "Use an earlier checkpoint.") from error
    if hashlib.sha256(data).hexdigest() != manifest["sha256"].get(name):
        raise FileError(f"{file} does not match its stored hash.", "Use an earlier checkpoint.")
    return from_bytes(data)  # type: ignore[no-any-return]


def _pack(tree: Any, prefix: str, tensors: dict[str, torch.Tensor]) -> Any:
    """`tree` with its tensors moved into `tensors` and replaced by their names."""
    import torch

    if isinstance(tree, torch.Tensor):
        # A copy of its own: safetensors refuses tensors that share memory.
        tensors[prefix] = tree.detach().cpu().clone().contiguous()
        return {"$tensor": prefix}
    if isinstance(tree, Mapping):
        keys = {str(key): key for key in tree}
        packed = {k: _pack(tree[key], _join(prefix, k), tensors) for k, key in keys.items()}
        return {"$numbered": packed} if any(isinstance(k, int) for k in tree) else packed
    if isinstance(tree, (list, tuple)):
        return [_pack(item, _join(prefix, str(i)), tensors) for i, item in enumerate(tree)]
    return tree


def _join(prefix: str, key: str) -> str:
    return f"{prefix}/{key}" if prefix else key


def _unpack(tree: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    if isinstance(tree, dict):
        if set(tree) == {"$tensor"}:
            return tensors[tree["$tensor"]]
        if set(tree) == {"$numbered"}:
            return {int(key): _unpack(value, tensors) for key, value in tree["$numbered"].items()}
        return {key: _unpack(value, tensors) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_unpack(item, tensors) for item in tree]
    return tree
