"""Every test runs without a screen and in a data folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("ATELIER_THREADS", "1")

from engine.device import prepare_environment  # noqa: E402

prepare_environment()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's data folder of this test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ATELIER_HOME", str(folder))
    return folder
