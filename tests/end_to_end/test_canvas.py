"""The canvas in the real window: drawn on, filled, saved, killed in the middle, found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SESSION = Path(__file__).with_name("canvas_session.py")


def run(part: str, display: str, home: Path, pictures: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DISPLAY": display, "ATELIER_HOME": str(home)}
    return subprocess.run(
        [sys.executable, str(SESSION), part, str(pictures)],
        env=environment | {"QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_was_on_the_canvas_survives_a_kill(display: str, home: Path, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("ATELIER_PICTURES", tmp_path))
    pictures.mkdir(parents=True, exist_ok=True)
    first = run("first", display, home, pictures)
    assert first.returncode == -signal.SIGKILL, first.stdout + first.stderr
    second = run("second", display, home, pictures)
    assert second.returncode == 0, second.stdout + second.stderr
