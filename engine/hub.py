"""The Hugging Face Hub, asked only when a person asked for it, through a process of its own.

Everything else here is offline (`engine.device.ENVIRONMENT`). Only this process is not; it ends
with the task, and at once when the person stops it.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from engine.errors import EngineError, FileError, InvalidTask, ModelError

CHILD = Path(__file__).with_name("hub_child.py")
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ENVIRONMENT = {
    "HF_HUB_DISABLE_XET": "1",  # its chunks lie in a cache of their own, beside the file
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "PYTHONIOENCODING": "utf-8",
}
WAKE = 0.1  # seconds after which a stop is noticed although the Hub says nothing
SIGN_IN = "put a token of your account into the variable HF_TOKEN, or run `hf auth login`"

Answer = dict[str, Any]


class Hub:
    """The Hub for the length of one task; in a `with` block, at whose end nothing is left of it."""

    def __init__(self, idle: Callable[[], None]) -> None:
        """`idle` is called while the Hub is silent; where it raises, the request is given up."""
        self._idle = idle
        self._stack = contextlib.ExitStack()
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def __enter__(self) -> Hub:
        with self._stack:
            self._log = self._stack.enter_context(tempfile.TemporaryFile())
            self._process = self._stack.enter_context(_process(self._log))
            reader = threading.Thread(target=self._read, daemon=True)
            reader.start()
            self._stack.callback(reader.join)
            self._stack.callback(self._process.kill)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def look(self, repository: str, revision: str) -> Answer:
        """What the repository holds; raises EngineError."""
        return list(self._ask(do="look", repository=repository, revision=revision))[-1]

    def search(self, words: str) -> list[Answer]:
        """The models with these words in their names; raises EngineError."""
        found: list[Answer] = list(self._ask(do="search", words=words))[-1]["found"]
        return found

    def fetch(
        self,
        repository: str,
        commit: str,
        file: tuple[str, int],
        to: Path,
        heard: Callable[[int, bool], None],
    ) -> None:
        """Bring the file `to` to its whole size; what it holds already is kept.

        `file` is the name and the size. `heard(bytes, cut)` says how far it is, and whether the
        connection was just cut; the Hub waits for it, so that whoever pauses there pauses the
        download. Raises EngineError.
        """
        name, size = file
        asked = {"repository": repository, "commit": commit, "name": name, "size": size}
        for answer in self._ask(do="fetch", to=str(to), **asked):
            if "at" in answer:
                heard(answer["at"], bool(answer.get("cut")))

    def _ask(self, **request: Any) -> Iterator[Answer]:
        self._send(request)
        while True:
            try:
                line = self._lines.get(timeout=WAKE)
            except queue.Empty:
                self._idle()
                continue
            if line is None:
                raise _died(self._process, self._log)
            answer = json.loads(line)
            if "error" in answer:
                raise explain(answer, request)
            yield answer
            if "end" in answer:
                return
            self._send("go on")

    def _send(self, message: Any) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # why it ended is told by what it said last
            self._process.stdin.write(json.dumps(message).encode("utf-8") + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)


def _process(log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in OFFLINE}
    return subprocess.Popen(
        [sys.executable, "-P", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment | ENVIRONMENT,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _died(process: subprocess.Popen[bytes], log: IO[bytes]) -> EngineError:
    """Without an answer; its last words hold no token."""
    process.wait()
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it gave no reason")
    return EngineError(
        f"The program that asks the Hub has ended: {_safe(said)[:300]}.", "Try again."
    )


def _safe(said: str) -> str:
    return re.sub(r"hf_\w+", "hf_…", said)


def page_of(repository: str) -> str:
    """The address of the page that people read."""
    return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/{repository}"


# --------------------------------------------------------------------------- failures


def explain(answer: Answer, request: Answer) -> EngineError:
    """What a person can make of a failure that the process told of."""
    host = re.sub(r"^https?://", "", answer["endpoint"])
    repository, said = request.get("repository", ""), _safe(answer["said"]).rstrip(".")[:300]
    kind = answer["error"]
    if kind in ("gated", "token"):
        return _closed(answer, repository)
    if kind == "missing":
        return InvalidTask(
            "repository",
            f"There is no model {repository!r} on {host} that can be seen from here.",
            f"Check its name, as OWNER/NAME. If it is private, {SIGN_IN}.",
        )
    if kind == "revision":
        return InvalidTask(
            "revision",
            f"{repository} has no revision {request['revision']!r}.",
            "Leave it at main, or give the name of a branch, a tag or a commit.",
        )
    if kind == "entry":
        return ModelError(f"{repository} has lost {request['name']}.", "Ask the Hub again.")
    if kind == "long":
        return ModelError(
            f"{request['name']} of {repository} is longer than the Hub said.",
            "It was thrown away. Try again later.",
        )
    if kind == "disk":
        return FileError(
            f"{request.get('name', 'A file')} could not be stored: {said}.",
            "Free some space, then fetch it again: it goes on where it stopped.",
        )
    if kind == "offline":
        return EngineError(
            f"{host} cannot be reached: {said}.",
            "Check the connection to the internet, then try again; what has been fetched is kept.",
        )
    return EngineError(
        f"{host} did not answer as it should: {said}.",
        "Try again later; what has been fetched is kept.",
    )


def _closed(answer: Answer, repository: str) -> EngineError:
    """The owners let in only those who have accepted their licence."""
    page = f"{answer['endpoint']}/{repository}"
    if answer["error"] == "token" and answer["signed_in"]:
        return EngineError(
            "The Hub does not accept the token that is set here.",
            f"Make a new one at {answer['endpoint']}/settings/tokens; {SIGN_IN}.",
        )
    if answer["signed_in"]:
        return EngineError(
            f"Your account has not been let in to {repository}: its licence must be accepted.",
            f"Open {page} in a browser, signed in, accept the licence there, then try again.",
        )
    return EngineError(
        f"{repository} is given only to those who accept its licence.",
        f"Open {page} in a browser and accept it there; then {SIGN_IN} "
        f"(the token is kept in {answer['token_path']}), and try again.",
    )
