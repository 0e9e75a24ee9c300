"""What is made of a run beside its film: numbers, a log for TensorBoard, a filmstrip."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from image_runs import ignore, write_digits
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot
from training_runs import finished_run

from engine import folders
from engine.process import Standby
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.trainers.train_gan import TrainGan
from engine.trainers.train_text_to_image import TrainTextToImage
from engine.worker import Engine
from studio.settings import Settings
from studio.widgets.run_task_bar import RunTaskBar
from studio.workspaces.train import TrainWorkspace

Open = Callable[[], TrainWorkspace]
COLORS = ("red", "green", "blue", "gold")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that would have been shown in a file manager."""
    shown: list[Path] = []
    monkeypatch.setattr(
        "studio.run_task.QDesktopServices.openUrl",
        lambda url: shown.append(Path(url.toLocalFile())),
    )
    return shown


@pytest.fixture
def open_train(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    standby = Standby(isolated=False)
    engines = [Engine(name, standby) for name in ("train", "make")]

    def open_it() -> TrainWorkspace:
        workspace = TrainWorkspace(engines[0], Settings(), engines[1])
        qtbot.addWidget(workspace)
        workspace.resize(1366, 768)
        workspace.show()
        qtbot.waitUntil(lambda: workspace._studies.products._trainer != "", timeout=20_000)
        return workspace

    yield open_it
    for engine in engines:
        engine.close()
    standby.close()


def tool(workspace: TrainWorkspace, name: str) -> QToolButton:
    return next(b for b in workspace.page.findChildren(QToolButton) if b.accessibleName() == name)


def bar(workspace: TrainWorkspace, name: str) -> RunTaskBar:
    return workspace._studies.products.task(name).bar


def test_a_gan_is_measured_in_place(qtbot: QtBot, open_train: Open, tmp_path: Path) -> None:
    data = write_digits(tmp_path, 200)
    run = folders.runs() / "gan"
    TrainGan(
        dataset=data, max_steps=4, batch_size=8, seed=1, log_every=1,
        sample_every=4, checkpoint_every=4,
    ).run(ignore, run)  # fmt: skip
    workspace = open_train()
    assert not tool(workspace, "Draw filmstrip").isVisible()
    qtbot.mouseClick(tool(workspace, "Measure quality"), Qt.MouseButton.LeftButton)
    asked = bar(workspace, "quality")
    samples = asked._editors["num_samples"]
    samples.setFocus()
    samples.setValue(30)  # type: ignore[union-attr]
    qtbot.keyClick(asked, Qt.Key.Key_Return)
    shown: set[str] = set()

    def done() -> bool:
        shown.add(asked._said.text())
        return "Saved" in asked._said.text()

    qtbot.waitUntil(done, timeout=60_000)
    assert any(text.endswith("…") for text in shown), "what it is doing is told meanwhile"
    (record,) = folders.outputs().glob("quality-*.json")
    stored = json.loads(record.read_text("utf-8"))
    said = asked._said.text()
    assert said.splitlines()[:-1] == stored["lines"]
    assert said.startswith("step 4: KID") and "real against real" in said and "untrained" in said


def test_the_curves_go_to_tensorboard(qtbot: QtBot, open_train: Open, opened: list[Path]) -> None:
    finished_run(folders.runs() / "run-1")
    workspace = open_train()
    qtbot.mouseClick(tool(workspace, "Export for TensorBoard"), Qt.MouseButton.LeftButton)
    asked = bar(workspace, "tensorboard")
    qtbot.keyClick(asked, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(opened), timeout=20_000)
    assert opened == [folders.outputs() / "run-1"]
    (events,) = opened[0].glob("events.out.tfevents.*")
    assert events.name in asked._said.text()
    qtbot.mouseClick(tool(workspace, "Export timelapse"), Qt.MouseButton.LeftButton)
    assert not asked.isVisible() and bar(workspace, "film").isVisible()


def test_a_prompt_is_drawn_with_every_checkpoint(
    qtbot: QtBot, open_train: Open, opened: list[Path], tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for color in COLORS:
        Image.new("RGB", (32, 32), color).save(pictures / f"{color}.png")
        (pictures / f"{color}.txt").write_text(f"{color} square")
    TrainAutoencoder(
        dataset=str(pictures), image_size=32, crop_size=16, width=8, latent_channels=16,
        batch_size=4, max_steps=2, seed=1,
    ).run(ignore, tmp_path / "autoencoder")  # fmt: skip
    TrainTextToImage(
        dataset=str(pictures), autoencoder=str(tmp_path / "autoencoder"), image_size=32, width=64,
        num_layers=2, vocab_size=530, batch_size=4, seed=2, max_steps=4, text_steps=1,
        warmup_steps=1, log_every=1, sample_every=2, checkpoint_every=2,
    ).run(ignore, folders.runs() / "words")  # fmt: skip
    workspace = open_train()
    assert not tool(workspace, "Measure quality").isVisible()
    qtbot.mouseClick(tool(workspace, "Draw filmstrip"), Qt.MouseButton.LeftButton)
    asked = bar(workspace, "filmstrip")
    qtbot.keyClicks(asked._editors["prompt"], "red square")
    asked._editors["num_inference_steps"].setValue(2)  # type: ignore[union-attr]
    qtbot.keyClick(asked._editors["prompt"], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(opened), timeout=60_000)
    (strip,) = folders.outputs().glob("*-filmstrip.png")
    assert strip.name in asked._said.text()
    with Image.open(strip) as picture:
        assert picture.width > 2 * 32
    assert len(list(folders.outputs().glob("*-step-*.png"))) == 2
