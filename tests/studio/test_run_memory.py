"""How much memory a training holds, told beside its speed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from training_runs import begin_run, finished_run, learn

from engine import liveness
from studio.run_follower import read_state
from studio.widgets.transport import Status, TransportBar


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say")
def test_the_memory_of_a_live_run_is_known_and_of_an_ended_one_not(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "live")
    learn(run, 0, 20)
    own = liveness.memory(os.getpid())
    assert own > 20 * 2**20
    assert read_state(run).memory == pytest.approx(own, rel=0.2)
    assert read_state(finished_run(tmp_path / "ended")).memory == 0
    assert liveness.memory(4_194_305) == 0


def test_it_is_told_while_there_is_a_process(qtbot: QtBot) -> None:
    bar = TransportBar()
    qtbot.addWidget(bar)
    bar.show_status(Status("paused", "paused", memory=812 * 2**20))
    assert "812 MB" in bar.text
    bar.show_status(Status("finished", "finished", memory=812 * 2**20))
    assert "MB" not in bar.text
