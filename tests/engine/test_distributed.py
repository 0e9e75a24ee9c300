"""One training on several processes means what it means on one, and all of them end together."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from PIL import Image
from several_processes import Trainer, said, trainer
from small_training import Regression

from engine import checkpoints, cli, device
from engine.events import Event
from engine.metrics_log import OF_THE_MACHINE
from engine.runs import MetricsTail, RunFolder
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.trainers.train_diffusion import TrainDiffusion
from engine.trainers.train_gan import TrainGan
from engine.trainers.train_text_to_image import TrainTextToImage
from engine.trainers.train_vae import TrainVae
from engine.training import TrainingTask

ROOT = Path(__file__).resolve().parents[2]
CADENCE = {"log_every": 1, "sample_every": 4, "checkpoint_every": 4}
LINE = Regression(max_steps=8, batch_size=4, seed=5, **CADENCE)


def ignore(event: Event) -> None:
    pass


@pytest.fixture(scope="module")
def together() -> Iterator[Trainer]:
    with trainer() as started:
        yield started


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("pictures")
    for index, color in enumerate(("red", "green", "blue", "gold", "gray")):
        picture = Image.new("RGB", (32, 32), "white")
        picture.paste(color, (4 + index, 8, 24, 24))
        picture.save(folder / f"{color}.png")
        (folder / f"{color}.txt").write_text(f"{color} square\n{color}")
    return str(folder)


def autoencoder(pictures: str) -> TrainingTask:
    return TrainAutoencoder(
        dataset=pictures, image_size=32, crop_size=16, width=8, precision="float32",
        batch_size=4, max_steps=8, seed=5, **CADENCE,
    )  # fmt: skip


def gan(pictures: str) -> TrainingTask:
    return TrainGan(
        dataset=pictures, model="mlp_small", image_size="28", latent_dim=4, precision="float32",
        batch_size=4, max_steps=8, seed=5, **CADENCE,
    )  # fmt: skip


def relativistic(pictures: str) -> TrainingTask:
    """With penalties in the steps 4 and 8, and with few images shown changed."""
    return dataclasses.replace(gan(pictures), loss="relativistic", gamma=1.0)


def wgan(pictures: str) -> TrainingTask:
    return dataclasses.replace(gan(pictures), loss="wgan_gp", augment="off")


def vae(pictures: str) -> TrainingTask:
    return TrainVae(
        dataset=pictures, model="small", image_size="28", latent_dim=4, precision="float32",
        held_out=0.3, batch_size=4, max_steps=8, seed=5, **CADENCE,
    )  # fmt: skip


def diffusion(pictures: str) -> TrainingTask:
    return TrainDiffusion(
        dataset=pictures, model="tiny", image_size="28", sample_steps=1, precision="float32",
        held_out=0.3, warmup_steps=2, batch_size=4, max_steps=8, seed=5, **CADENCE,
    )  # fmt: skip


def text_to_image(pictures: str) -> TrainingTask:
    """On an autoencoder of its own."""
    folder = Path(pictures).with_name("autoencoder")
    if not folder.exists():
        dataclasses.replace(autoencoder(pictures), max_steps=2).run(ignore, folder)
    return TrainTextToImage(
        dataset=pictures, autoencoder=str(folder), image_size=32, width=64, text_width=64,
        num_layers=2, vocab_size=530, precision="float32", warmup_steps=2, text_steps=6,
        batch_size=4, max_steps=8, seed=5, **CADENCE,
    )  # fmt: skip


def weights(run: Path, step: int, name: str) -> torch.Tensor:
    tensors = checkpoints.load_tensors(RunFolder(run).checkpoint_path(step), name)
    return torch.cat([tensors[key].double().flatten() for key in sorted(tensors)])


def bits(run: Path, step: int) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in RunFolder(run).checkpoint_path(step).iterdir()}


def measured(run: Path) -> dict[int, dict[str, float]]:
    lines, _ = MetricsTail(RunFolder(run)).read()
    return {
        line.step: {k: v for k, v in line.values.items() if k not in OF_THE_MACHINE}
        for line in lines
        if line.values
    }


def marks(run: Path) -> list[tuple[int, str]]:
    return [(line.step, line.event) for line in MetricsTail(RunFolder(run)).read()[0] if line.event]


def assert_same_but_for_rounding(one: Path, other: Path, names: tuple[str, ...]) -> None:
    for step, values in measured(one).items():
        assert measured(other)[step] == pytest.approx(values, rel=2e-3, abs=1e-4), step
    for name in names:
        moved = (weights(one, 8, name) - weights(one, 4, name)).norm()
        apart = (weights(one, 8, name) - weights(other, 8, name)).norm()
        assert apart < 0.02 * moved, name


@pytest.mark.parametrize(
    ("task_for", "names"),
    [
        (autoencoder, ("autoencoder", "average")),
        (gan, ("generator", "discriminator")),
        (relativistic, ("generator", "discriminator")),
        (wgan, ("generator", "discriminator")),
        (vae, ("vae", "vae_ema")),
        (diffusion, ("unet", "unet_ema")),
        (text_to_image, ("model", "caption_heads")),
    ],
)
def test_two_processes_with_half_a_batch_learn_what_one_learns(
    together: Trainer,
    pictures: str,
    tmp_path: Path,
    task_for: Callable[[str], TrainingTask],
    names: tuple[str, ...],
) -> None:
    task = task_for(pictures)
    task.run(ignore, tmp_path / "one")
    assert together.train(task, tmp_path / "two") == [0, 0]
    assert_same_but_for_rounding(tmp_path / "one", tmp_path / "two", names)
    assert RunFolder(tmp_path / "two").description()["processes"] == 2
    assert weights(tmp_path / "one", 8, "rng").equal(weights(tmp_path / "two", 8, "rng"))


def test_a_run_goes_on_bit_for_bit_and_on_another_number_but_for_rounding(
    together: Trainer, pictures: str, tmp_path: Path
) -> None:
    task = autoencoder(pictures)
    go_on = dataclasses.replace(task, resume=True)
    assert together.train(task, tmp_path / "straight") == [0, 0]
    for name in ("two", "one"):
        run = RunFolder(tmp_path / name)
        assert together.train(task, run.path, act=[(0, 6, "cancel")])[0] == 130
        assert [step for step, _ in run.checkpoints()] == [4, 6]
    assert together.train(go_on, tmp_path / "two") == [0, 0]
    assert bits(tmp_path / "two", 8) == bits(tmp_path / "straight", 8)
    assert measured(tmp_path / "two") == measured(tmp_path / "straight")
    go_on.run(ignore, tmp_path / "one")
    assert_same_but_for_rounding(tmp_path / "straight", tmp_path / "one", ("autoencoder",))


@pytest.mark.parametrize("asked", [0, 1])
def test_whoever_is_asked_to_stop_all_stop_and_the_work_is_kept(
    together: Trainer, tmp_path: Path, asked: int
) -> None:
    task = dataclasses.replace(LINE, batch_size=6)
    codes = together.train(task, tmp_path / "run", 3, [(asked, 5, "cancel")])
    assert codes == [130, 0, 0]
    run = RunFolder(tmp_path / "run")
    assert marks(run.path)[-1] == (5, "stopped")
    assert checkpoints.load(run.checkpoint_path(5))[0] == 5
    assert run.heartbeat().state == "stopped"  # type: ignore[union-attr]


@pytest.mark.parametrize("killed", [0, 1])
def test_a_kill_of_one_ends_the_other_and_the_run_goes_on(
    together: Trainer, tmp_path: Path, killed: int
) -> None:
    run = tmp_path / "run"
    codes = together.train(LINE, run, act=[(killed, 6, "kill")])
    assert (codes[killed], codes[1 - killed]) == (-9, 1)
    assert "Another process of this training has ended." in said(run, 1 - killed)
    assert together.train(dataclasses.replace(LINE, resume=True), run) == [0, 0]
    assert together.train(LINE, tmp_path / "straight") == [0, 0]
    assert bits(run, 8) == bits(tmp_path / "straight", 8)


def test_commands_are_obeyed_by_all_at_the_same_step(together: Trainer, tmp_path: Path) -> None:
    sent = ["pause", "step", "step", "save", "resume", "stop"]
    steps = [2, 2, 2, 4, 4, 6]
    act = [(0, step, what) for step, what in zip(steps, sent, strict=True)]
    task = dataclasses.replace(LINE, checkpoint_every=100)
    assert together.train(task, tmp_path / "run", act=act) == [0, 0]
    assert marks(tmp_path / "run") == [
        (2, "pause #1"),
        (2, "step #2"),
        (2, "step #3"),
        (4, "save #4"),
        (4, "resume #5"),
        (6, "stop #6"),
        (6, "stopped"),
    ]
    assert together.train(LINE, tmp_path / "straight") == [0, 0]
    assert bits(tmp_path / "run", 4) == bits(tmp_path / "straight", 4)


def test_a_lost_loss_is_said_by_the_first_and_ends_all(together: Trainer, tmp_path: Path) -> None:
    task = dataclasses.replace(LINE, nan_at=6)
    assert together.train(task, tmp_path / "run") == [1, 1]
    assert "step 6: loss became nan" in said(tmp_path / "run", 0)
    assert RunFolder(tmp_path / "run").heartbeat().state == "failed"  # type: ignore[union-attr]


def test_what_cannot_be_shared_is_refused_before_anything_begins(
    together: Trainer, tmp_path: Path
) -> None:
    assert together.train(LINE, tmp_path / "run", processes=3) == [1, 1, 1]
    assert "A batch of 4 cannot be shared equally by 3" in said(tmp_path / "run", 0)
    assert not RunFolder(tmp_path / "run").exists


def test_a_folder_with_a_run_is_not_overwritten(together: Trainer, tmp_path: Path) -> None:
    assert together.train(LINE, tmp_path / "run") == [0, 0]
    before = bits(tmp_path / "run", 8)
    assert together.train(LINE, tmp_path / "run") == [1, 1]
    assert "already holds a training run" in said(tmp_path / "run", 0)
    assert bits(tmp_path / "run", 8) == before


def test_only_training_runs_on_several(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert cli.main(["text_to_image", "--prompt", "x"]) == cli.BAD_INPUT
    assert "Start it without torchrun" in capsys.readouterr().err


def test_processes_on_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 9)
    assert device.default_threads() == 8
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert device.default_threads() == 4


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "engine"]
TINY = ["--model", "mlp_small", "--batch_size", "4", "--latent_dim", "4", "--seed", "1"]


@pytest.mark.slow
def test_torchrun_trains_stops_and_goes_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    train = [*TORCHRUN, "train_gan", *TINY, "--out", str(run.path)]
    with subprocess.Popen([*train, "--max_steps", "1000000"], cwd=ROOT) as started:
        while not run.metrics_path.exists():
            assert started.poll() is None
            time.sleep(0.1)
        started.terminate()
    assert started.returncode != 0
    (stopped, event) = marks(run.path)[-1]
    assert event == "stopped"
    assert [step for step, _ in run.checkpoints()][-1] == stopped
    more = ["--resume", "true", "--max_steps", str(stopped + 3)]
    done = subprocess.run([*train, *more], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"{run.path}\n"), done.stderr
    assert marks(run.path)[-1] == (stopped + 3, "finished")


@pytest.mark.slow
@pytest.mark.parametrize("who", ["first", "other", "torchrun"])
def test_a_kill_leaves_no_orphans(tmp_path: Path, who: str) -> None:
    run = RunFolder(tmp_path / "run")
    train = [*TORCHRUN, "train_gan", *TINY, "--out", str(run.path), "--max_steps", "1000000"]
    with subprocess.Popen(train, cwd=ROOT) as started:
        while not run.metrics_path.exists():
            assert started.poll() is None
            time.sleep(0.1)
        both = psutil.Process(started.pid).children()
        first = psutil.Process(run.heartbeat().pid)  # type: ignore[union-attr]
        (other,) = (process for process in both if process != first)
        {"first": first, "other": other, "torchrun": psutil.Process(started.pid)}[who].kill()
        assert psutil.wait_procs(both, timeout=60)[1] == []
    assert started.returncode != 0
