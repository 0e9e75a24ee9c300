"""Trains on several processes as torchrun would, but forked from one that has torch already.

Started as a program: reads one request a line, answers with the exit codes of the processes.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent


class Trainer:
    """`act` is (rank, step, what): kill or cancel that process, or send a command (its word, or all
    of it as JSON), before a step.

    `step` counts the steps that are done.
    """

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def train(
        self,
        task: Any,
        out: Path,
        processes: int = 2,
        act: list[tuple[int, int, Any]] | None = None,
    ) -> list[int]:
        """The exit code of each process: as the terminal's, or minus a signal."""
        request = {
            "task": f"{type(task).__module__}:{type(task).__name__}",
            "fields": task.to_dict(),
            "out": str(out),
            "processes": processes,
            "act": act or [],
        }
        assert self._program.stdin
        assert self._program.stdout
        print(json.dumps(request), file=self._program.stdin, flush=True)
        codes: list[int] = json.loads(self._program.stdout.readline())
        return codes


@contextmanager
def trainer() -> Iterator[Trainer]:
    command = [sys.executable, __file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=TESTS.parent, stdin=pipe, stdout=pipe, text=True) as program:
        yield Trainer(program)
        program.communicate(timeout=60)
        assert program.returncode == 0


def said(out: Path, rank: int) -> str:
    """The error with which a process ended."""
    return out.with_name(f"{out.name}-{rank}.txt").read_text()


# --------------------------------------------------------------------------- the other end


def main() -> None:
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    os.environ["ATELIER_THREADS"] = "1"
    from engine.device import prepare_environment

    prepare_environment()
    import diffusers.models.autoencoders.autoencoder_tiny  # noqa: F401 — once for all
    import torch  # noqa: F401
    from transformers import GPT2LMHeadModel  # noqa: F401

    import engine.models.pixel_diffusion  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        port = _free_port()
        children = [_start(request, rank, port) for rank in range(request["processes"])]
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        sys.stdout.write(f"{json.dumps(ends)}\n")
        sys.stdout.flush()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _start(request: dict[str, Any], rank: int, port: int) -> int:
    child = os.fork()
    if child == 0:
        processes = str(request["processes"])
        os.environ |= {"WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os._exit(_run(request, rank))
    return child


def _run(request: dict[str, Any], rank: int) -> int:
    import importlib

    from engine.errors import Cancelled
    from engine.events import Event, Progress
    from engine.process import attempt
    from engine.runs import RunFolder

    module, _, name = request["task"].partition(":")
    task = getattr(importlib.import_module(module), name).from_dict(request["fields"])
    out = Path(request["out"])
    waiting = [(step, what) for actor, step, what in request["act"] if actor == rank]

    def report(event: Event) -> None:
        steps = ("learning", "following", "paused")
        while waiting and isinstance(event, Progress) and (event.stage in steps):
            step, what = waiting[0]
            if event.step < step:
                return
            waiting.pop(0)
            if what == "kill":
                os.kill(os.getpid(), 9)
            if what == "cancel":
                raise Cancelled
            details = dict(what) if isinstance(what, dict) else {"command": what}
            RunFolder(out).send(details.pop("command"), **details)

    try:
        error = attempt(task, report, out)
    except Cancelled:
        return 130
    if error:
        out.with_name(f"{out.name}-{rank}.txt").write_text(str(error))
    return 1 if error else 0


if __name__ == "__main__":
    main()
