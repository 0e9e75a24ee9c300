"""The program that talks to the Hugging Face Hub, for as long as one task needs it.

It runs in a process of its own, which may use the network while everything else stays offline, and
which can be ended at any moment. Requests are lines of JSON on stdin, the answers are lines on
stdout. It is started by its path, and so imports nothing of the engine.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable
from io import FileIO
from typing import Any

import httpx2
from huggingface_hub import HfApi, ModelInfo, constants, get_token, hf_hub_url
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

AS_IT_COMES = None
"""Blocks of the library's own size are ten megabytes; what of one comes before a cut is lost."""
OFTEN = 0.05  # seconds between two words about how far it is
TRIES = 3  # in a row without a new byte; the library makes five of its own in each
INDEX = "model_index.json"
LARGEST_INDEX = 1_000_000  # bytes
FOUND = 30  # models of a search
DISK = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO),
)


class TooLong(Exception):
    """The file goes on after its end."""


class Meter:
    """Counts as a bar of tqdm would, tells how far the file is, and waits to be told to go on."""

    def __init__(self, at: int, size: int) -> None:
        self._at, self._size = at, size
        self._told = 0.0

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, count: int) -> None:
        """That many more bytes are about to be written; those before them are."""
        if time.monotonic() - self._told > OFTEN:
            ask({"at": self._at})
            self._told = time.monotonic()
        self._at += count
        if self._at > self._size:
            raise TooLong


def tell(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)  # noqa: T201 — this is how it answers


def ask(message: dict[str, Any]) -> None:
    """Tell, and wait until it was heard; whoever is not heard any more ends."""
    tell(message)
    if not sys.stdin.readline():
        sys.exit(1)


def look(repository: str, revision: str) -> None:
    """Tell what the repository holds, at which commit, under which licence."""
    info = HfApi().model_info(repository, revision=revision, files_metadata=True)
    found: list[dict[str, Any]] = [
        {
            "name": each.rfilename,
            "size": each.lfs.size if each.lfs else each.size,
            "sha256": each.lfs.sha256 if each.lfs else None,
            "blob": each.blob_id,
        }
        for each in info.siblings or []
    ]
    index = None
    if any(each["name"] == INDEX and (each["size"] or 0) < LARGEST_INDEX for each in found):
        url = hf_hub_url(repository, INDEX, revision=info.sha)
        response = get_session().get(url, headers=build_hf_headers(), follow_redirects=True)
        hf_raise_for_status(response)
        index = response.text
    tell(_described(info) | {"commit": info.sha, "files": found, "index": index, "end": True})


def search(words: str) -> None:
    """Tell of the models with these words in their names, those fetched most often first."""
    wanted = ["downloads", "gated", "library_name", "pipeline_tag", "tags"]
    asked: dict[str, Any] = {"search": words, "sort": "downloads", "limit": FOUND, "expand": wanted}
    # HfApi.list_models tries for half a minute before it says that there is no network.
    address = f"{constants.ENDPOINT}/api/models"
    response = get_session().get(address, params=asked, headers=build_hf_headers())
    hf_raise_for_status(response)
    models: list[ModelInfo] = [ModelInfo(**each) for each in response.json()]  # type: ignore[no-untyped-call]
    found = [_described(each) for each in models]
    tell({"found": found, "end": True})


def _described(info: ModelInfo) -> dict[str, Any]:
    tags = info.tags or []
    return {
        "repository": info.id,
        "licence": next((t.split(":", 1)[1] for t in tags if t.startswith("license:")), ""),
        "gated": bool(info.gated),
        "downloads": info.downloads or 0,
        "purpose": info.pipeline_tag or "",
        "library": info.library_name or "",
        "tags": [tag for tag in tags if ":" not in tag],
    }


def fetch(repository: str, commit: str, name: str, size: int, to: str) -> None:
    """Append to the file `to` what it still lacks, however often the connection is cut."""
    url = hf_hub_url(repository, name, revision=commit)
    constants.DOWNLOAD_CHUNK_SIZE = AS_IT_COMES  # type: ignore[assignment]
    headers = build_hf_headers() | {"Accept-Encoding": "identity"}  # so that bytes can be counted
    with open(to, "ab", buffering=0) as stream:  # a stop keeps every byte
        failures = 0
        while (at := stream.tell()) < size:
            cut = _pull(url, stream, at, size, headers)
            if cut is None:
                continue
            failures = 0 if stream.tell() > at else failures + 1
            if failures == TRIES:
                raise cut
            ask({"at": stream.tell(), "cut": True})
            time.sleep(2.0**failures / 2)
        os.fsync(stream.fileno())
    tell({"end": True})


def _pull(
    url: str, stream: FileIO, at: int, size: int, headers: dict[str, str]
) -> Exception | None:
    """Go on at byte `at`; returns what cut it short, where trying again may help."""
    meter: Callable[..., Meter] = lambda **_: Meter(at, size)  # noqa: E731 — passed as a class
    try:
        http_get(
            url,
            stream,
            resume_size=at,
            headers=headers,
            expected_size=size,
            displayed_filename="",
            tqdm_class=meter,  # type: ignore[arg-type]  # only some of a bar is asked for
        )
    except HfHubHTTPError as error:
        if error.response.status_code not in (408, 429) and error.response.status_code < 500:
            raise
        return error
    except httpx2.TransportError as error:
        return error
    except OSError as error:
        if error.errno is not None:
            raise
        return error  # the library's word for a file that ended too early
    return None


def explain(error: Exception) -> dict[str, Any]:
    """What kind of failure it is, and the words that its message needs."""
    kind = next((kind for classes, kind in KINDS if isinstance(error, classes)), "other")
    status = 0
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if kind == "server" and status in (401, 403):
            kind = "token"
    if kind == "other" and isinstance(error, OSError) and error.errno in DISK:
        kind = "disk"
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return {
        "error": kind,
        "said": next((line.strip() for line in said.splitlines() if line.strip()), ""),
        "status": status,
        "signed_in": bool(get_token()),
        "token_path": constants.HF_TOKEN_PATH,
        "endpoint": constants.ENDPOINT,
    }


KINDS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((GatedRepoError,), "gated"),
    ((RevisionNotFoundError,), "revision"),
    ((RemoteEntryNotFoundError,), "entry"),
    ((DisabledRepoError, RepositoryNotFoundError, HFValidationError), "missing"),
    ((HfHubHTTPError,), "server"),
    ((TooLong,), "long"),
    ((httpx2.TransportError,), "offline"),
)


def main() -> None:
    deeds: dict[str, Callable[..., None]] = {"look": look, "search": search, "fetch": fetch}
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        try:
            deeds[request.pop("do")](**request)
        except (httpx2.HTTPError, OSError, TooLong, HFValidationError) as error:
            tell(explain(error))


if __name__ == "__main__":
    main()
