"""A server on loopback that speaks what huggingface_hub asks of the Hub, and fails when told to."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

LFS = (".safetensors", ".gguf", ".bin", ".ckpt")
BLOCK = 65_536


@dataclass
class Repository:
    name: str
    files: dict[str, bytes]
    licence: str = "apache-2.0"
    gated: bool = False
    downloads: int = 1
    revisions: tuple[str, ...] = ("main",)
    served: dict[str, bytes] = field(default_factory=dict)
    """What is handed out instead of what the listing says."""
    serves_ranges: bool = True

    @property
    def commit(self) -> str:
        digest = hashlib.sha1(self.name.encode())
        for name, data in sorted(self.files.items()):
            digest.update(name.encode() + hashlib.sha256(data).digest())
        return digest.hexdigest()

    def described(self) -> dict[str, Any]:
        return {
            "_id": "0",
            "id": self.name,
            "modelId": self.name,
            "sha": self.commit,
            "private": False,
            "gated": "auto" if self.gated else False,
            "disabled": False,
            "downloads": self.downloads,
            "likes": 0,
            "tags": [f"license:{self.licence}", "safetensors"],
            "pipeline_tag": "text-generation",
            "library_name": "transformers",
            "siblings": [_sibling(name, data) for name, data in self.files.items()],
        }


def _sibling(name: str, data: bytes) -> dict[str, Any]:
    sibling: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git_name(data)}
    if name.endswith(LFS):
        sha256 = hashlib.sha256(data).hexdigest()
        sibling["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 130}
    return sibling


def git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class LocalHub:
    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens: set[str] = set()
        """Those that have accepted every licence."""
        self.cuts: list[int] = []
        """Each cuts one answer of the storage after that many bytes."""
        self.broken = 0
        """How many of the next requests are answered by 503."""
        self.stalls = threading.Event()
        """While it is set, the storage gives a block and then waits."""
        self.asked: list[tuple[str, str, str, str]] = []
        """(method, path, range, authorization) of each request, the storage's as /storage/…"""
        self.sent = 0
        """Bytes of weights that left the storage."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_port

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, name: str, files: dict[str, bytes], **values: Any) -> Repository:
        self.repositories[name] = Repository(name, files, **values)
        return self.repositories[name]

    def pulled(self) -> list[tuple[str, str]]:
        """(path, range) of what was fetched from the storage."""
        return [(path, range) for _, path, range, _ in self.asked if path.startswith("/storage")]

    def start(self) -> None:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        self.stalls.clear()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def running_hub() -> Iterator[LocalHub]:
    hub = LocalHub()
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


@contextmanager
def the_only_hub(room: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """The Hub that is asked from here, by somebody who has no account."""
    monkeypatch.setenv("HF_HOME", str(room))
    for name in ("HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with running_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


def _handler(hub: LocalHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            path = unquote(url.path)
            token = self.headers.get("Authorization", "")
            hub.asked.append((self.command, path, self.headers.get("Range", ""), token))
            if hub.broken:
                hub.broken -= 1
                return self._fail(503, "", "The server is busy")
            if path == "/api/models":
                return self._search(parse_qs(url.query))
            if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
                return self._describe(found[1], found[2] or "main")
            if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                return self._resolve(found[1], found[2], found[3], token.removeprefix("Bearer "))
            if found := re.fullmatch(r"/storage/([^/]+/[^/]+)/(.+)", path):
                return self._store(found[1], found[2])
            return self._fail(404, "", "Not found")

        def _search(self, query: dict[str, list[str]]) -> None:
            words = query.get("search", [""])[0].lower().split()
            models = [
                repository.described()
                for repository in hub.repositories.values()
                if all(word in repository.name.lower() for word in words)
            ]
            models.sort(key=lambda model: -int(model["downloads"]))
            self._json(models[: int(query.get("limit", ["100"])[0])])

        def _repository(self, name: str, revision: str) -> Repository | None:
            repository = hub.repositories.get(name)
            if repository is None:
                self._fail(401, "RepoNotFound", "Repository not found")
            elif revision not in (*repository.revisions, repository.commit):
                self._fail(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            else:
                return repository
            return None

        def _describe(self, name: str, revision: str) -> None:
            if repository := self._repository(name, revision):
                self._json(repository.described())

        def _resolve(self, name: str, revision: str, file: str, token: str) -> None:
            repository = self._repository(name, revision)
            if repository is None:
                return None
            if repository.gated and token not in hub.tokens:
                return self._fail(403 if token else 401, "GatedRepo", f"Access to {name} is gated")
            if file not in repository.files:
                return self._fail(404, "EntryNotFound", "Entry not found")
            data = repository.files[file]
            if not file.endswith(LFS):
                headers = {"ETag": f'"{git_name(data)}"', "X-Repo-Commit": repository.commit}
                return self._give(repository.served.get(file, data), headers, [], True)
            self.send_response(302)
            self.send_header("X-Repo-Commit", repository.commit)
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
            # Another host by name: a token is not for the storage.
            self.send_header("Location", f"http://localhost:{hub.port}/storage/{name}/{file}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None

        def _store(self, name: str, file: str) -> None:
            repository = hub.repositories[name]
            data = repository.served.get(file, repository.files[file])
            self._give(data, {}, hub.cuts, repository.serves_ranges)

        def _give(
            self, data: bytes, headers: dict[str, str], cuts: list[int], ranges: bool
        ) -> None:
            start = 0
            if ranges and (found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))):
                start = int(found[1])
                if start >= len(data):
                    return self._fail(416, "", "Requested range not satisfiable")
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(data) - start))
            for key, value in headers.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self._pour(memoryview(data)[start:], cuts)
            return None

        def _pour(self, data: memoryview, cuts: list[int]) -> None:
            most = cuts.pop(0) if cuts else None
            part = data if most is None else data[:most]
            try:
                for at in range(0, len(part), BLOCK):
                    self.wfile.write(part[at : at + BLOCK])
                    if self.path.startswith("/storage/"):
                        hub.sent += len(part[at : at + BLOCK])
                        while hub.stalls.is_set():
                            time.sleep(0.01)
            except OSError:
                self.close_connection = True  # whoever asked has left
                return
            if most is not None:
                self._cut(reset=len(cuts) % 2 == 0)

        def _cut(self, reset: bool) -> None:
            """By the other end of the line, or by the line."""
            self.close_connection = True
            self.wfile.flush()
            if reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

        def _json(self, value: Any) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _fail(self, status: int, code: str, message: str) -> None:
            data = json.dumps({"error": message}).encode()
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", message)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(BrokenPipeError):  # whoever asked has left
                self.wfile.write(b"" if self.command == "HEAD" else data)

    return Handler
