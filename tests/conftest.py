"""Every test runs without a screen and in a data folder of its own."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("ATELIER_THREADS", "1")

from engine.device import prepare_environment

prepare_environment()

# A busy machine is slow, which is no fault of the code; pytest-timeout sees what hangs.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def collect_here(request: pytest.FixtureRequest) -> Iterator[None]:
    """Windows are collected between tests, by this thread, as `studio.garbage` does it."""
    if "qapp" not in request.fixturenames:
        yield
        return
    gc.disable()
    gc.freeze()  # what is there already need not be looked at after each test
    yield
    gc.collect()
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's data folder of this test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("ATELIER_HOME", str(folder))
    return folder
