"""What the tests of the canvas's tools share."""

from __future__ import annotations

import pytest
from canvas_bench import Bench
from pytestqt.qtbot import QtBot


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(qtbot)
