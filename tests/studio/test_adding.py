"""A model taken in through the real window: dropped, checked, copied, used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from original_layout import save_original, tensors_of
from published_models import pipeline
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from tiny_language_models import save_folder
from tiny_loras import save_lora
from tiny_models import save_stable_diffusion

from engine import folders
from studio.adding import is_model
from studio.app import Studio
from studio.dialogs.adding import AddingDialog
from studio.panels.log_records import LogHandler
from studio.workspaces.create import CreateWorkspace
from studio.workspaces.write import WriteWorkspace

PATIENCE = 120_000


@pytest.fixture
def studio(qtbot: QtBot, qapp: QApplication) -> Iterator[Studio]:
    studio = Studio(qapp, LogHandler())
    with qtbot.waitExposed(studio.window):
        studio.window.show()
    yield studio
    studio.window.close()
    studio.close()


def dialog_of(studio: Studio) -> AddingDialog:
    (dialog,) = studio.window.findChildren(AddingDialog)
    return dialog


def press(dialog: AddingDialog, text: str) -> None:
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == text)
    assert button.isEnabled()
    button.click()


def test_a_dropped_model_is_told_of_copied_and_used(qtbot, studio: Studio, tmp_path: Path) -> None:
    studio.window.open_file(save_folder(tmp_path / "poet"))
    dialog = dialog_of(studio)
    qtbot.waitUntil(lambda: "lists of models" in dialog.status.text(), timeout=PATIENCE)
    assert {"poet", "language model (llama)", "it does not say"} <= set(dialog.told())
    assert (folders.models() / "poet" / "config.json").is_file()
    press(dialog, "Use it")
    write = studio.window.workspace_named("write")
    assert isinstance(write, WriteWorkspace) and write.form.values()["model"] == "poet"
    lora = save_lora(save_stable_diffusion(tmp_path / "sd"), tmp_path / "ink.safetensors")
    qtbot.waitUntil(lambda: not studio.window.findChildren(AddingDialog))
    studio.window.open_file(lora)
    dialog = dialog_of(studio)
    qtbot.waitUntil(lambda: "lists of models" in dialog.status.text(), timeout=PATIENCE)
    press(dialog, "Use it")
    create = studio.window.workspace_named("create")
    assert isinstance(create, CreateWorkspace) and create.form.values()["loras"] == "ink: 1"


@pytest.mark.slow
def test_a_checkpoint_becomes_a_folder(qtbot, studio: Studio, tmp_path: Path) -> None:
    pipe = pipeline("sd1", small=True)
    studio.window.open_file(save_original(pipe, tmp_path / "fox.safetensors"))
    dialog = dialog_of(studio)
    shown: list[str] = []

    def told() -> bool:
        shown.extend(dialog.told())
        return "lists of models" in dialog.status.text()

    qtbot.waitUntil(told, timeout=PATIENCE)
    assert "checkpoint (Stable Diffusion 1)" in shown
    assert any(line.startswith("becomes a folder of diffusers") for line in shown)
    assert "image model (StableDiffusion)" in dialog.told()
    assert (folders.models() / "fox" / "model_index.json").is_file()
    press(dialog, "Use it")
    create = studio.window.workspace_named("create")
    assert isinstance(create, CreateWorkspace) and create.form.values()["model"] == "fox"
    qtbot.waitUntil(lambda: not studio.window.findChildren(AddingDialog))
    add_a_pickle(qtbot, studio, pipe, tmp_path / "old.ckpt")


def add_a_pickle(qtbot: QtBot, studio: Studio, pipe: Any, path: Path) -> None:
    """Only who asks for it gets it converted, and is asked again the next time."""
    tensors = {name: tensor.clone() for name, tensor in tensors_of(pipe).items()}
    torch.save({"state_dict": tensors}, path)
    studio.window.open_file(path)
    dialog = dialog_of(studio)
    qtbot.waitUntil(dialog.errors.isVisible, timeout=PATIENCE)
    assert "Convert pickles" in dialog.errors.details()
    assert not (folders.models() / "old").exists()
    dialog.form.set_values({"read_pickles": True})
    dialog.start()
    qtbot.waitUntil(lambda: "lists of models" in dialog.status.text(), timeout=PATIENCE)
    assert (folders.models() / "old" / "unet" / "config.json").is_file()
    dialog.close()
    qtbot.waitUntil(lambda: not studio.window.findChildren(AddingDialog))
    studio.window.open_file(path)
    assert dialog_of(studio).form.values()["read_pickles"] is False
    dialog_of(studio).close()


def test_what_is_wrong_with_one_is_said_in_place(qtbot, studio: Studio, tmp_path: Path) -> None:
    weights = save_folder(tmp_path / "poet") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-200])
    studio.window.open_file(tmp_path / "poet")
    dialog = dialog_of(studio)
    qtbot.waitUntil(dialog.errors.isVisible, timeout=PATIENCE)
    assert not (folders.models() / "poet").exists()
    dialog.close()


def test_pictures_are_no_models(tmp_path: Path) -> None:
    assert is_model(save_folder(tmp_path / "poet")) and is_model(tmp_path / "x.GGUF")
    assert not is_model(tmp_path / "x.png") and not is_model(tmp_path)
