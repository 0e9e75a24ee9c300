"""Copy as Python for runs that somebody steered: the program does it again, bit for bit."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_language_runs import save_text
from test_run_program import SMALL, SMALL_GPT, TINY, WRITING, ignore, losses, said, some_digits
from training_diary import at, cancel

from engine import checkpoints, registry
from engine.errors import Cancelled, EngineError
from engine.events import Event, Progress
from engine.metrics_log import MetricLine
from engine.run_programs.program import run_program
from engine.run_programs.steering import Steering, steering
from engine.runs import RunFolder
from engine.trainers.train_diffusion import TrainDiffusion
from engine.trainers.train_gan import TrainGan
from engine.trainers.train_language_model import TrainLanguageModel
from engine.trainers.train_vae import TrainVae
from engine.training import TrainingTask

__all__ = ["some_digits"]  # a fixture
Act = Callable[[Event], None]
PARTS = ("generator", "discriminator")


def learn(task: TrainingTask, run: RunFolder, *acts: tuple[int, Callable[[], object]]) -> RunFolder:
    """Train; each of `acts` is done before the step after its step. Who pauses is sent on."""
    looks = [at(step, act) for step, act in acts]

    def look(event: Event) -> None:
        for each in looks:
            each(event)
        if isinstance(event, Progress) and event.stage == "paused":
            run.send("resume")

    task.run(look, run.path)
    return run


def go_on(run: RunFolder, *acts: tuple[int, Callable[[], object]], **fields: Any) -> RunFolder:
    known = {"max_steps": run.description()["fields"]["max_steps"], **fields}
    trainer = registry.task_class(run.description()["task"])
    task = trainer.from_dict({**run.description()["fields"], **known, "resume": True})
    return learn(task, run, *acts)  # type: ignore[arg-type]


def change(run: RunFolder, **values: Any) -> Callable[[], None]:
    def act() -> None:
        for name, value in values.items():
            run.send("set", name=name, value=value)

    return act


def repeated(
    run: RunFolder, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """Run the program, compare the losses; returns all that it has in the end."""
    (folder / "program.py").write_text(run_program(run), encoding="utf-8")
    patch.chdir(folder)
    capsys.readouterr()
    found = runpy.run_path("program.py")
    told = said(capsys.readouterr().out)
    assert told == losses(run)
    return found


def same(network: torch.nn.Module, run: RunFolder, name: str) -> bool:
    path = run.checkpoints()[-1][1]
    kept, found = checkpoints.load_tensors(path, name), network.state_dict()
    assert kept and kept.keys() <= found.keys()  # a tied weight is kept once
    return all(torch.equal(kept[key], found[key]) for key in kept)


def gan(**fields: Any) -> TrainGan:
    known = {**TINY, "model": "mlp_small", "loss": "wgan_gp", "log_every": 1, "max_steps": 9}
    return TrainGan(**{**known, **fields})


@pytest.mark.parametrize("loss", ["wgan_gp", "relativistic"])
def test_a_gan_changes_where_it_was_changed(
    loss: str,
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunFolder(tmp_path / "run")
    learn(
        gan(dataset=some_digits, loss=loss, augment="on"), run,
        (0, change(run, generator_learning_rate=0.003)),
        (3, change(run, gamma=2.5, discriminator_learning_rate=1e-4)),
        (7, change(run, gamma=0.0)),
    )  # fmt: skip
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["generator"], run, "generator")
    assert same(found["discriminator"], run, "discriminator")
    assert same(found["average"], run, "generator_ema")


def test_steps_of_one_network_alone_are_made_by_it_alone(
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunFolder(tmp_path / "run")

    def step_by_step() -> None:
        run.send("step", part="generator")
        run.send("step")
        run.send("step", part="discriminator")
        run.send("step", part="generator")

    def never_mind() -> None:
        run.send("step", part="generator")
        run.send("step", part="generator")
        run.send("resume")

    learn(gan(dataset=some_digits), run, (2, step_by_step), (7, never_mind))
    alone = {step for step, values in losses(run).items() if len(values) == 1}
    assert alone == {3, 5, 6}
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["generator"], run, "generator")
    assert same(found["discriminator"], run, "discriminator")
    assert same(found["average"], run, "generator_ema")


def test_a_run_that_was_rolled_back_and_branched_is_repeated_from_its_very_beginning(
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    parent, run = RunFolder(tmp_path / "parent"), RunFolder(tmp_path / "branch")

    def back() -> None:
        parent.send("step", part="generator")  # of what is rolled back
        parent.send("roll_back", step=4)

    task = gan(dataset=some_digits, checkpoint_every=2, keep_checkpoints=9)
    learn(
        task, parent,
        (1, lambda: parent.send("step", part="generator")),
        (3, change(parent, generator_learning_rate=0.003)),
        (5, change(parent, generator_learning_rate=0.5)),
        (7, back),
        (8, change(parent, gamma=1.0)),
    )  # fmt: skip
    assert not any("generator" in line.event for line in events(parent) if line.step > 5)
    kept = repeated(parent, tmp_path, monkeypatch, capsys)
    assert same(kept["generator"], parent, "generator")
    branch = gan(branch_from=str(parent.path), resume_step=6, max_steps=12)
    learn(branch, run, (10, change(run, discriminator_learning_rate=0.01)))
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["generator"], run, "generator")
    assert same(found["discriminator"], run, "discriminator")


def events(run: RunFolder) -> list[MetricLine]:
    return [line for _, line in run.metric_texts() if line.event]


def test_a_vae_changes_where_it_was_changed(
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunFolder(tmp_path / "vae")
    task = TrainVae(**{**SMALL, "dataset": some_digits, "model": "small", "beta": 0.5})
    learn(task, run, (2, change(run, beta=3.0)), (3, change(run, learning_rate=0.01)))
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["vae"], run, "vae")


@pytest.mark.slow
def test_a_diffusion_model_changes_where_it_was_changed(
    some_digits: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = RunFolder(tmp_path / "diffusion")
    other = TrainDiffusion(**{**SMALL, "dataset": some_digits, "model": "tiny", "sample_steps": 2})
    learn(
        other, run,
        (1, change(run, learning_rate=0.02, sample_guidance=1.5)),
        (3, change(run, class_dropout=1.0)),
    )  # fmt: skip
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["unet"], run, "unet")


def test_a_run_that_was_left_to_itself_has_no_word_of_changes(
    some_digits: str, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    learn(gan(dataset=some_digits, max_steps=3), run, (1, lambda: run.send("step")))
    go_on(run)
    assert "CHANGED" not in run_program(run)
    assert "ALONE" not in run_program(run)
    learn(gan(dataset=some_digits, max_steps=3), RunFolder(tmp_path / "alone"))
    assert body(run_program(RunFolder(tmp_path / "alone"))) == body(run_program(run))


def body(program: str) -> str:
    return re.sub(r"(?m)^# The run was .*$", "", program)


def writer(folder: Path, **fields: Any) -> TrainLanguageModel:
    known = {**WRITING, **SMALL_GPT, "dataset": save_text(folder, 120), "checkpoint_every": 3}
    return TrainLanguageModel(**{**known, **fields})


def test_a_language_model_that_was_stopped_changed_and_given_more_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its schedule falls over the steps, and it measures at the last: the first end matters."""
    run = RunFolder(tmp_path / "run")
    with pytest.raises(Cancelled):
        learn(
            writer(tmp_path, patience=0, max_steps=7), run,
            (3, change(run, learning_rate=0.01)), (5, cancel),
        )  # fmt: skip
    go_on(run)
    go_on(run, (9, change(run, learning_rate=0.02)), max_steps=13)
    assert run.description()["first_max_steps"] == 7
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["model"], run, "model")


def test_a_language_model_that_had_ended_early_and_was_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder(tmp_path / "run")
    task = writer(tmp_path, patience=1, max_steps=30, learning_rate=0.5, schedule="constant")
    learn(task, run)
    assert any("stopped early" in line.event for line in events(run))
    go_on(run)
    found = repeated(run, tmp_path, monkeypatch, capsys)
    assert same(found["model"], run, "best")


# --------------------------------------------------------------------------- what the metrics tell


def steered(*lines: tuple[int, str, dict[str, Any]]) -> Steering:
    told = [MetricLine(step, 0.0, {}, event, details) for step, event, details in lines]
    return steering(told, TrainGan(max_steps=20, seed=7), PARTS)


def test_what_is_set_again_by_a_resume_counts_as_the_last_word() -> None:
    found = steered(
        (5, "gamma = 3 #1", {"set": {"gamma": 3.0}}),
        (5, "resumed", {"set": {"gamma": 0.0}}),
        (9, "gamma = 3 #2", {"set": {"gamma": 3}}),
        (20, "gamma = 4 #3", {"set": {"gamma": 4}}),
    )
    constants = found.constants(lambda task: {"gamma": task.gamma})  # type: ignore[attr-defined]
    assert constants == {10: {"gamma": 3.0}}


def test_steps_that_a_process_did_not_live_to_make_are_not_made() -> None:
    steps = [(5, "step generator #1", {}), (5, "step generator #2", {})]
    assert steered(*steps).parts == {6: "generator", 7: "generator"}
    assert steered(*steps, (6, "resumed", {})).parts == {6: "generator"}
    assert steered(*steps, (6, "branched from x", {})).parts == {6: "generator"}
    assert steered(*steps, (6, "rolled back from step 9 #3", {})).parts == {6: "generator"}
    assert steered(*steps, (5, "resume #3", {})).parts == {}
    assert steered(*steps, (5, "pause #3", {}), (7, "step #4", {})).parts == {
        6: "generator",
        7: "generator",
    }


def test_the_steps_of_a_shorter_resume_are_the_last() -> None:
    assert steered((5, "resumed", {"max_steps": 9})).steps == 9
    longer = steered((5, "resumed", {"max_steps": 30}))
    assert [(step, task.max_steps) for step, task in longer.tasks] == [(1, 20), (6, 30)]
    assert steered((20, "resumed", {"max_steps": 20})).tasks == steered().tasks


@pytest.mark.parametrize(
    "lines",
    [
        [(5, "x", {"set": {"gamma": '"); import os #'}})],
        [(5, "x", {"set": {"gamma": float("nan")}})],
        [(5, "resumed", {"max_steps": '"); import os #'})],
        [(5, "resumed", {"max_steps": -1})],
        [(5, "step nose #1", {})],
        [(5, "stopped", {}), (3, "resumed", {})],
    ],
    ids=str,
)
def test_what_no_run_would_tell_is_refused(lines: list[tuple[int, str, dict[str, Any]]]) -> None:
    with pytest.raises(EngineError):
        steered(*lines)


@pytest.mark.parametrize("values", ["no mapping", {"seed": 3, "__class__": 3, "max_steps": 5}])
def test_what_cannot_be_set_is_left(values: Any) -> None:
    assert steered((5, "resumed", {"set": values})).tasks == steered().tasks


def test_no_part_is_believed_that_a_gan_does_not_have(some_digits: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    gan(dataset=some_digits, max_steps=2).run(ignore, run.path)
    run_program(run)
    fields = {**run.description()["fields"], "max_steps": 5}
    run.create({**run.description(), "fields": fields, "parts": ["nose"]})
    run.log_event(2, "step nose #1")
    with pytest.raises(EngineError, match="a network that a GAN does not have"):
        run_program(run)
