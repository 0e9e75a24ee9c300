"""What the tests of several parts of the window share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from engine.process import Standby
from engine.worker import Engine


@pytest.fixture
def engine(qtbot: QtBot) -> Iterator[Engine]:
    """Its tasks run in a thread, so that small ones of a test's own will do."""
    standby = Standby(isolated=False)
    engine = Engine("make", standby)
    yield engine
    engine.close()
    standby.close()
