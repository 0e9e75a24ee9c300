"""A GGUF as a folder that transformers can read: converted once, kept in the cache by its content.

transformers can load a GGUF but needs half a minute for a small one each time, and cannot save it:
so its weights, dequantized, move into a model without the note that says "quantized".
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import shutil
import tempfile
import time
from pathlib import Path

from engine import device, files, folders, memory
from engine.errors import FileError, InvalidTask, ModelError
from engine.events import Progress, Report
from engine.gate.gguf import GgufHeader
from engine.gate.transformers_folder import check_language_model
from engine.language.identity import sha256
from engine.language.transformers_folder import UNREADABLE, first_line

LAYOUT = 1
"""Raised when this file writes something else from then on: old folders are not used any more."""

ABANDONED = 3600
"""Seconds after which a half-made folder belongs to nobody any more."""


def converted(header: GgufHeader, report: Report) -> Path:
    """The folder with the same model for transformers; raises EngineError, Cancelled.

    It appears in one step: a kill in the middle leaves only what the next conversion sweeps.
    """
    folder = place(header.path, sha256(header.path, report))
    if folder.is_dir():
        try:
            check_language_model(folder)
            return folder
        except ModelError:
            shutil.rmtree(folder)
    import torch

    _check_possible(header)
    report(Progress(0, None, "converting the model for transformers, once"))
    files.make_folder(folder.parent)
    _sweep(folder.parent)
    temporary = Path(tempfile.mkdtemp(prefix=files.TEMPORARY_PREFIX, dir=folder.parent))
    try:
        # A training that has to convert first goes on with the same random numbers as the next.
        with torch.random.fork_rng(devices=[]):
            _convert(header, temporary, report)
        os.chmod(temporary, 0o755)
        if not folder.is_dir():  # else another window was quicker, with the same
            os.replace(temporary, folder)
    except OSError as error:
        if not folder.is_dir():
            raise FileError(
                f"{folder} could not be written: {error.strerror or error}.", "Free some space."
            ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def place(path: Path, digest: str) -> Path:
    """Where the conversion of the GGUF with this SHA-256 is, or would be."""
    return _rooms() / f"{path.stem}-{digest[:16]}-{LAYOUT}"


def _rooms() -> Path:
    return folders.cache() / "converted"


def _check_possible(header: GgufHeader) -> None:
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    if header.architecture not in GGUF_SUPPORTED_ARCHITECTURES:
        raise InvalidTask(
            "num_beams",
            f"Beams and forbidden repeats need transformers, which cannot read {header.path.name} "
            f"(architecture {header.architecture!r}).",
            "Set Beams to 1 and Forbid repeats of to 0, or choose a model folder.",
        )
    memory.require(
        header.parameters * 8,  # two copies in fp32: transformers' and ours
        f"Converting {header.path.name} for transformers needs",
        "Set Beams to 1 and Forbid repeats of to 0, or choose a smaller model.",
    )
    room = folders.home()
    room.mkdir(parents=True, exist_ok=True)
    space = shutil.disk_usage(room).free
    if header.parameters * 2 > space:
        raise FileError(
            f"Converting {header.path.name} needs {header.parameters * 2 / 1e9:.1f} GB on the disk "
            f"of {room}, {space / 1e9:.1f} GB is free.",
            "Free some space.",
        )


def _convert(header: GgufHeader, folder: Path, report: Report) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device.configure_threads()
    path = header.path
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            path.parent, gguf_file=path.name, local_files_only=True
        )
        report(Progress(1, 3, "converting the model for transformers, once"))
        with contextlib.redirect_stderr(io.StringIO()):  # a progress bar that cannot be turned off
            quantized = AutoModelForCausalLM.from_pretrained(
                path.parent, gguf_file=path.name, local_files_only=True
            )
    except UNREADABLE as error:
        raise ModelError(
            f"transformers cannot convert {path}: {first_line(error)}",
            "Set Beams to 1 and Forbid repeats of to 0, or choose a model folder.",
        ) from error
    report(Progress(2, 3, "converting the model for transformers, once"))
    config = copy.deepcopy(quantized.config)
    del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.load_state_dict(quantized.state_dict())
    model.generation_config = quantized.generation_config
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    tokenizer.chat_template = header.chat_template or None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _sync(folder)


def _sync(folder: Path) -> None:
    """On the disk before the folder gets its name."""
    for path in folder.iterdir():
        with open(path, "rb+") as stream:
            os.fsync(stream.fileno())


def _sweep(room: Path) -> None:
    """Remove what a killed conversion left; a younger one may still be at work."""
    for orphan in room.glob(f"{files.TEMPORARY_PREFIX}*"):
        if time.time() - orphan.stat().st_mtime > ABANDONED:
            shutil.rmtree(orphan, ignore_errors=True)
