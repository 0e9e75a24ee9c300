"""Takes a model in: looks inside to see what it is, then copies it to the models of the person."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, ClassVar

from engine import files, folders, model_facts
from engine.errors import FileError, InvalidTask
from engine.events import ModelFacts, Notice, Progress, Report, Saved
from engine.gate.weights import PICKLE_SUFFIXES
from engine.task import Task, param

CHUNK = 16 * 2**20
SPARE = 500_000_000  # bytes that are left free on the disk


@dataclass(frozen=True)
class AddModel(Task):
    """The original stays where and as it is; a copy appears whole or not at all."""

    title: ClassVar[str] = "Add a model"
    summary: ClassVar[str] = "Checks a model and copies it to those of the studio."

    path: str = param(
        label="File or folder",
        help="A folder of diffusers or transformers, a .gguf file, or a LoRA in safetensors.",
        kind="model",
        required=True,
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises ModelError that says what is wrong with it, FileError, InvalidTask."""
        path = Path(self.path).expanduser().absolute()
        report(Progress(0, None, "looking inside"))
        facts = model_facts.facts_at(path, report)
        report(facts)
        target = _place(path, facts)
        if target.exists():
            raise InvalidTask(
                "path",
                f"There is a model called {target.name} already.",
                "Rename the file or folder, or remove the other one first.",
            )
        parts = list(_parts(path))
        _check_space(sum(part.stat().st_size for part in parts), target)
        self._copy(path, parts, target, report)
        report(Notice(f"{facts.name} is a {facts.kind}; it is in the lists of models now."))
        report(Saved(target))

    def _copy(self, path: Path, parts: list[Path], target: Path, report: Report) -> None:
        total = sum(part.stat().st_size for part in parts)
        done = 0

        def pour(part: Path, stream: BinaryIO) -> None:
            nonlocal done
            with open(part, "rb") as source:
                while data := source.read(CHUNK):
                    stream.write(data)
                    done += len(data)
                    report(Progress(done, total, f"copying {part.name}"))

        files.make_folder(target.parent)
        room = Path(tempfile.mkdtemp(prefix=files.TEMPORARY_PREFIX, dir=target.parent))
        try:
            for part in parts:
                copy = room / (part.relative_to(path) if path.is_dir() else part.name)
                files.write_stream(copy, partial(pour, part))
            room.chmod(0o755)
            files.move(room if path.is_dir() else room / path.name, target)
        finally:
            shutil.rmtree(room, ignore_errors=True)


def _place(path: Path, facts: ModelFacts) -> Path:
    return (folders.loras() if facts.kind == "LoRA" else folders.models()) / path.name


def _parts(path: Path) -> Iterator[Path]:
    """The files that are read of a model, which lie in its folder and in the folders in it."""
    if not path.is_dir():
        yield path
        return
    for pattern in ("*", "*/*"):
        for part in sorted(path.glob(pattern)):
            hidden = any(name.startswith(".") for name in part.relative_to(path).parts)
            if part.is_file() and not hidden and part.suffix.lower() not in PICKLE_SUFFIXES:
                yield part


def _check_space(needed: int, target: Path) -> None:
    files.make_folder(target.parent)
    free = shutil.disk_usage(target.parent).free
    if needed + SPARE > free:
        raise FileError(
            f"{target.name} needs {needed / 1e9:.1f} GB on the disk of {target.parent}; "
            f"{max(0, free - SPARE) / 1e9:.1f} GB can be taken.",
            "Free some space, or move your data folder to a larger disk.",
        )
