"""The model process on its own: what it does when nobody is at the other end any more."""

from __future__ import annotations

import time
from pathlib import Path

from small_tasks import Count

from engine.messages import Events, RunTask
from engine.process import ModelProcess


def test_a_process_whose_window_is_gone_ends(tmp_path: Path) -> None:
    process = ModelProcess()
    try:
        process.connection.send(RunTask(1, Count(total=10**6, pause=0.02), tmp_path))
        while not isinstance(process.connection.recv(), Events):
            pass
        process.connection.close()
        until = time.monotonic() + 10
        while process.alive and time.monotonic() < until:
            time.sleep(0.05)
        assert not process.alive
    finally:
        process.kill()
