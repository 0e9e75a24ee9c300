"""Brings a model of the Hub to this machine: piece by piece, each verified, whole or not at all.

While it comes it lies in a hidden folder beside the models, on the same disk; there it stays when
the person stops, and from there it goes on. There is no other copy.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import amounts, files, folders, model_facts, model_source, run_lock
from engine.errors import FileError, InvalidTask, ModelError
from engine.events import HubModel, ModelFacts, Progress, Report
from engine.gate.model_folder import check_folder
from engine.hub import Hub
from engine.hub_files import WHOLE_IN_ONE, HubFile, Plan, files_of, plan
from engine.model_source import ModelSource

ROOM = ".fetching"
PART = ".part"
BLOCK = 2**20
SPARE = 500_000_000  # bytes that are left free on the disk
NAMED = re.compile(r"[\w][\w.-]*(/[\w][\w.-]*)?")


@dataclass(frozen=True)
class Found:
    """What the Hub says of a repository, and what is to be fetched of it."""

    repository: str
    commit: str
    licence: str
    gated: bool
    plan: Plan

    @property
    def target(self) -> Path:
        """Where it lies when it is here."""
        name = self.repository.rpartition("/")[2]
        if self.plan.kind == "gguf":
            return folders.models() / self.plan.chosen.rpartition("/")[2]
        if self.plan.kind == "lora":
            return folders.loras() / f"{name}.safetensors"
        return folders.models() / name

    @property
    def room(self) -> Path:
        """Where it lies while it comes; one choice of a repository does not disturb another."""
        key = f"{self.repository}/{self.plan.chosen}".strip("/").replace("/", "--")
        return folders.models() / ROOM / key

    @property
    def whole(self) -> Path:
        """The folder or file in the room that becomes the model."""
        return self.room / self.target.name

    def place(self, file: HubFile) -> Path:
        return self.whole / file.name if self.plan.kind == "folder" else self.whole

    def part(self, file: HubFile) -> Path:
        """Named by its content, so that another commit goes on with what is still the same."""
        place = self.place(file)
        return place.with_name(f"{place.name}.{(file.sha256 or file.blob)[:12]}{PART}")

    def kept(self) -> int:
        """Bytes that are here already."""
        return sum(_size(self.place(file)) or _size(self.part(file)) for file in self.plan.files)

    def here(self) -> bool:
        """Whether this very commit is among the models."""
        source = model_source.read(self.target) if self.target.exists() else None
        said = source and (source.repository, source.commit)
        return said == (self.repository, self.commit)

    def told(self) -> HubModel:
        return HubModel(
            repository=self.repository,
            commit=self.commit,
            licence=self.licence,
            gated=self.gated,
            kind=self.plan.kind,
            name=self.target.name,
            size=self.plan.size,
            kept=self.kept(),
            free=shutil.disk_usage(folders.models()).free,
            here=self.here(),
            choices=self.plan.choices,
            chosen=self.plan.chosen,
        )


def find(repository: str, revision: str, file: str, precision: str, report: Report) -> Found:
    """Ask the Hub what it has; raises EngineError, InvalidTask."""
    if not NAMED.fullmatch(repository):
        raise InvalidTask(
            "repository", f"{repository!r} is no name of a repository.", "It is OWNER/NAME."
        )
    files.make_folder(folders.models())
    stage = f"asking the Hub for {repository}"
    report(Progress(0, None, stage))
    with Hub(lambda: report(Progress(0, None, stage))) as hub:
        answer = hub.look(repository, revision or "main")
    known = files_of(answer)
    wanted = plan(answer["repository"], known, answer["index"], file, precision)
    name, licence = answer["repository"], answer["licence"]
    return Found(name, str(answer["commit"]), licence, answer["gated"], wanted)


def fetch(found: Found, report: Report) -> ModelFacts:
    """Fetch what is missing, verify all, look inside, and put it among the models.

    Raises EngineError: no network, no leave, a wrong hash, a full disk, a model that cannot be
    used. Raises Cancelled; what has been fetched then stays for the next time.
    """
    if found.target.exists():
        raise InvalidTask(
            "repository",
            f"There is a model called {found.target.name} already.",
            "Rename or remove the other one first.",
        )
    with _alone(found):
        _clear_old(found)
        _check_space(found)
        meter = _Meter(found, report)
        with Hub(meter.repeat) as hub:
            for file in found.plan.files:
                if file.name.endswith(".safetensors") and found.plan.kind == "folder":
                    _check_settings(found)
                _bring(hub, found, file, meter)
        report(Progress(found.plan.size, found.plan.size, "looking inside", "bytes"))
        try:
            facts = model_facts.facts_at(found.whole, report)
            if facts.becomes:
                raise ModelError(f"{found.plan.chosen} is no LoRA: {facts.kind}.", WHOLE_IN_ONE)
        except ModelError:
            discard(found)  # what the gate refuses is of no use
            raise
        _put_in_place(found)
        discard(found)
    return model_facts.facts_at(found.target, report)


def discard(found: Found) -> None:
    """Remove what has been fetched of it so far; raises FileError."""
    if found.room.exists():
        files.remove_folder(found.room)


# --------------------------------------------------------------------------- one file


class _Meter:
    """How far all of it is."""

    def __init__(self, found: Found, report: Report) -> None:
        self._total, self._report = found.plan.size, report
        self.done = 0
        """Bytes of the files before this one."""
        self._last = Progress(0, self._total, "asking the Hub", "bytes")

    def say(self, at: int, stage: str) -> None:
        self._last = Progress(min(self.done + at, self._total), self._total, stage, "bytes")
        self.repeat()

    def repeat(self) -> None:
        """Nothing new: what is asked for, such as to stop, is heard all the same."""
        self._report(self._last)


def _bring(hub: Hub, found: Found, file: HubFile, meter: _Meter) -> None:
    place, part = found.place(file), found.part(file)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and not _is_right(file, place, meter):
            place.unlink()  # another commit's, or spoiled since it came
        if not place.exists():
            _pull(hub, found, file, meter)
            if not _is_right(file, part, meter):
                part.unlink()
                raise _wrong(found, file)
            files.move(part, place)
    except OSError as error:
        raise FileError(
            f"{place} could not be stored: {error.strerror or error}.",
            "Free some space, then fetch it again: it goes on where it stopped.",
        ) from error
    meter.done += file.size


def _pull(hub: Hub, found: Found, file: HubFile, meter: _Meter) -> None:
    """Bring the part to its whole size."""
    part = found.part(file)
    fetching, waiting = (
        f"fetching {file.name}",
        f"the connection was cut; going on with {file.name}",
    )
    if _size(part) > file.size:
        part.unlink()
    meter.say(_size(part), fetching)

    def heard(at: int, cut: bool) -> None:
        meter.say(at, waiting if cut else fetching)

    try:
        hub.fetch(found.repository, found.commit, (file.name, file.size), part, heard)
    except ModelError:  # it is another file than it should be
        part.unlink(missing_ok=True)
        raise


def _is_right(file: HubFile, path: Path, meter: _Meter) -> bool:
    """Whether it is what the Hub says it is."""
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size)
    at = 0
    with open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            at += len(block)
            digest.update(block)
            meter.say(min(at, file.size), f"checking {file.name}")
    return at == file.size and digest.hexdigest() == (file.sha256 or file.blob)


def _wrong(found: Found, file: HubFile) -> ModelError:
    return ModelError(
        f"{file.name} of {found.repository} is not what the Hub says it is (its hash differs), "
        "and was thrown away.",
        "Fetch it again: the other files are kept. If it happens twice, the Hub, or what lies "
        "between it and this machine, hands out something else.",
    )


# --------------------------------------------------------------------------- the whole


@contextlib.contextmanager
def _alone(found: Found) -> Iterator[None]:
    """Two that append to one file would spoil it."""
    files.make_folder(found.room.parent)
    busy = FileError(f"{found.repository} is being fetched already.", "Wait for it, or stop it.")
    with run_lock.locked(found.room.parent / f"{found.room.name}.lock", busy):
        yield


def _clear_old(found: Found) -> None:
    """What an earlier commit needed, and this one does not."""
    wanted = {path for f in found.plan.files for path in (found.place(f), found.part(f))}
    for path in found.room.rglob("*") if found.room.exists() else ():
        if path.is_file() and path not in wanted:
            path.unlink()


def _check_space(found: Found) -> None:
    needed = found.plan.size - found.kept()
    free = shutil.disk_usage(folders.models()).free
    if needed + SPARE > free:
        raise FileError(
            f"{found.target.name} needs {amounts.told(needed)} more on the disk of "
            f"{folders.models()}; {amounts.told(max(0, free - SPARE))} can be taken.",
            "Free some space, or move your data folder to a larger disk.",
        )


def _check_settings(found: Found) -> None:
    """Refuse a model for its settings before its weights are fetched."""
    index = "model_index.json"
    needed = index if found.place(HubFile(index, 0)).exists() else "config.json"
    try:
        check_folder(found.whole, needed, "a model")
    except ModelError:
        discard(found)
        raise


def _put_in_place(found: Found) -> None:
    """Its note first, so that no model is ever listed without its licence."""
    hashes = {file.name: file.sha256 or file.blob for file in found.plan.files}
    now = files.timestamp()
    source = ModelSource(found.repository, found.commit, found.licence, now, hashes)
    is_folder = found.plan.kind == "folder"
    model_source.write(model_source.note_of(found.whole if is_folder else found.target), source)
    files.move(found.whole, found.target)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
