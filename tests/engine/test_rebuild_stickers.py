"""One command goes through all stages, and goes on where it was interrupted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BertConfig, BertModel, BertTokenizerFast

from engine import cli, rebuild_stickers
from engine.runs import RunFolder

TINY = ("--image_size", "32", "--batch_size", "2", "--seed", "1")
AUTOENCODER = (*TINY, "--max_steps", "2", "--crop_size", "16", "--width", "8")
TRANSFORMER = (
    *TINY, *("--max_steps", "3", "--text_steps", "1", "--width", "64", "--text_width", "64"),
    *("--num_layers", "2", "--vocab_size", "540"),
)  # fmt: skip


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which artwork and teacher were fetched already, small ones; and short stages."""
    data, teacher = tmp_path / "data", tmp_path / "teacher"
    data.mkdir()
    Image.new("RGB", (32, 32), "red").save(data / "red.png")
    line = {"file": "red.png", "captions": ["red heart"]}
    (data / "captions.jsonl").write_text(2 * (json.dumps(line) + "\n"))
    teacher.mkdir()
    (teacher / "vocab.txt").write_text("\n".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "red")))
    BertTokenizerFast(str(teacher / "vocab.txt")).save_pretrained(teacher)
    torch.manual_seed(0)
    BertModel(
        BertConfig(
            vocab_size=5, hidden_size=16, num_hidden_layers=1, num_attention_heads=1,
            intermediate_size=16, max_position_embeddings=32,
        )
    ).save_pretrained(teacher)  # fmt: skip
    monkeypatch.setattr(rebuild_stickers, "AUTOENCODER", AUTOENCODER)
    monkeypatch.setattr(rebuild_stickers, "TRANSFORMER", TRANSFORMER)
    return tmp_path


@pytest.mark.slow
def test_all_stages_make_a_model_and_only_what_is_missing_is_done_again(out: Path) -> None:
    assert rebuild_stickers.main(["--out", str(out)]) == cli.DONE
    assert (out / "stickers/model_index.json").is_file()
    stages = [command[0] for command in rebuild_stickers._stages(out)]
    assert stages == ["export_text_to_image"], "both trainings are finished"
    autoencoder = (out / "autoencoder/run.json").stat().st_mtime_ns
    shutil.rmtree(out / "transformer")
    assert rebuild_stickers.main(["--out", str(out)]) == cli.DONE
    assert RunFolder(out / "transformer").heartbeat().state == "finished"
    assert (out / "autoencoder/run.json").stat().st_mtime_ns == autoencoder


def test_an_interrupted_stage_goes_on(out: Path) -> None:
    run = RunFolder(out / "autoencoder")
    run.create({"task": "train_autoencoder", "fields": {}})
    first, second, _ = rebuild_stickers._stages(out)
    assert first[0] == "train_autoencoder" and first[first.index("--resume") + 1] == "true"
    assert second[0] == "train_text_to_image" and second[second.index("--resume") + 1] == "false"


def test_a_stage_that_fails_ends_the_rebuild_with_its_code(out: Path) -> None:
    (out / "data/captions.jsonl").write_text("{\n")
    assert rebuild_stickers.main(["--out", str(out)]) == cli.FAILED
    assert not (out / "transformer").exists()
