"""The model process on its own: what it does when nobody is at the other end any more."""

from __future__ import annotations

from pathlib import Path

import psutil
from small_tasks import Count

from engine.process import Events, ModelProcess, RunTask


def test_a_process_whose_window_is_gone_ends(tmp_path: Path) -> None:
    process = ModelProcess()
    assert process.pid
    watched = psutil.Process(process.pid)
    try:
        process.connection.send(RunTask(1, Count(total=10**6, pause=0.02), tmp_path))
        while not isinstance(process.connection.recv(), Events):
            pass
        process.connection.close()
        watched.wait(timeout=10)
    finally:
        process.kill()
