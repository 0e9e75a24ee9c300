"""Real small GAN trainings are killed at random moments; every one of them goes on.

ATELIER_KILLS=200 for the full number.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults import temporary_files
from training_diary import Diary, bits, samples

from engine import checkpoints
from engine.runs import MetricsTail, RunFolder
from engine.trainers.train_gan import TrainGan

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("ATELIER_KILLS", "40"))
COMPARED = 5  # of how many runs one is compared with the straight one, bit for bit
TASK = TrainGan(
    model="mlp_small", latent_dim=8, batch_size=4, seed=7, max_steps=24, precision="float32",
    log_every=2, sample_every=4, checkpoint_every=3, keep_checkpoints=2,
)  # fmt: skip

# Forked from one process that has torch already. Half of the kills hit any moment of the training,
# half are aimed at a write: as soon as a temporary file is seen.
KILLED = """
import json, os, random, signal, sys, time, traceback
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, "tests")
from engine.device import prepare_environment
prepare_environment()
import torch
torch.set_num_threads(1)
from engine.trainers.train_gan import TrainGan
room, kills, fields = Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
task = TrainGan.from_dict(fields)
random.seed(11)

def train(task, out):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            task.run(lambda event: None, out)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child

def alive(child):
    return os.waitpid(child, os.WNOHANG) == (0, 0)

began = time.monotonic()
assert os.waitpid(train(task, room / "measured"), 0)[1] == 0
whole = time.monotonic() - began
orphans = killed = 0
for number in range(kills):
    out = room / f"run{number}"
    child = train(task, out)
    until = time.monotonic() + random.uniform(0.0, whole)
    running = True
    while running and time.monotonic() < until:
        running = alive(child)
        time.sleep(0.002)
    if running and number % 2:
        while (running := alive(child)) and not any(out.rglob(".atelier-*")):
            pass
    if running:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed += 1
    orphans += len(list(out.rglob(".atelier-*")))
    # One that was killed before it had a run.json begins anew in the same folder.
    again = replace(task, resume=(out / "run.json").is_file())
    assert os.waitpid(train(again, out), 0)[1] == 0, f"run {number} does not go on"
print(json.dumps({"killed": killed, "orphans": orphans}))
"""


def losses(run: RunFolder) -> list[tuple[int, float, float]]:
    lines = [line for line in MetricsTail(run).read()[0] if line.values]
    return [
        (line.step, line.values["generator_loss"], line.values["discriminator_loss"])
        for line in lines
    ]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_killed_run_goes_on_and_becomes_what_it_would_have_been(tmp_path: Path) -> None:
    straight = RunFolder(tmp_path / "straight")
    TASK.run(Diary(), straight.path)
    arguments = [
        sys.executable,
        "-c",
        KILLED,
        str(tmp_path),
        str(KILLS),
        json.dumps(TASK.to_dict()),
    ]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=3500)
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["killed"] > KILLS * 0.6, "too few were still running: the test proves little"
    assert counts["orphans"] > 0, "no kill hit a write: the test proves little"
    for number in range(KILLS):
        run = RunFolder(tmp_path / f"run{number}")
        beat = run.heartbeat()
        assert beat is not None and (beat.state, beat.step) == ("finished", TASK.max_steps)
        assert temporary_files(run.path) == []
        for step, path in run.checkpoints():
            assert checkpoints.load(path)[0] == step
        assert losses(run) == losses(straight)
        assert list(samples(run.path)) == list(samples(straight.path))
        if number % COMPARED == 0:
            assert bits(run.path) == bits(straight.path)
            assert samples(run.path) == samples(straight.path)
