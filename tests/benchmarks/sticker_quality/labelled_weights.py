"""The file of a judge: the weights of its network, and what its outputs are called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from engine import files
from engine.errors import FileError


def write(path: Path, network: nn.Module, labels: Mapping[str, Any]) -> Path:
    """As safetensors, with `labels` in its metadata; raises FileError."""
    from safetensors.torch import save

    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    files.write_bytes(path, save(tensors, {"labels": json.dumps(labels)}))
    return path


def read(path: Path, what: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Weights and labels that `write` wrote; raises FileError, which calls the judge `what`."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as stream:
            labels = json.loads((stream.metadata() or {})["labels"])
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except OSError as error:
        raise FileError(f"{path} cannot be read.", f"Train the {what} first.") from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise FileError(f"{path} is no {what}.", f"Train the {what} again.") from error
    return tensors, labels
