"""The trial of architectures: every candidate takes steps, goes on where it stopped, and draws."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import CLIPTextModelWithProjection

from engine.data.captioned_images import load_captioned_folder
from engine.models import tiny_autoencoder
from engine.models.caption_tokenizer import train_tokenizer
from engine.models.flow_transformer import FlowConfig, text_encoder_config
from tests.benchmarks.architecture_trial import learning
from tests.benchmarks.architecture_trial.candidates import CANDIDATES, Candidate, Shape
from tests.benchmarks.architecture_trial.frozen import Frozen
from tests.benchmarks.architecture_trial.judging import judge, write_summary
from tests.benchmarks.architecture_trial.learning import Lesson, learning_rate
from tests.benchmarks.architecture_trial.spaces import latent_space, pixel_space
from tests.benchmarks.sticker_quality.evaluator import Evaluator, Network

COLORS = ("red", "green", "blue", "gold")
TEXT_WIDTH, TOKENS, VOCABULARY = 64, 8, 530


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "images" / "flat").mkdir(parents=True)
    lines = []
    for code, color in enumerate(COLORS):
        file = f"images/flat/{code}.png"
        Image.new("RGB", (32, 32), color).save(folder / file)
        captions = [f"{color} square", f"{color} square", color, "方"]
        lines.append(json.dumps({"file": file, "captions": captions}))
    (folder / "captions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def frozen() -> Frozen:
    torch.manual_seed(0)
    config = FlowConfig(4, 16, VOCABULARY, text_width=TEXT_WIDTH, max_tokens=TOKENS)
    tokenizer = train_tokenizer(COLORS, VOCABULARY, TOKENS)
    encoder = CLIPTextModelWithProjection(text_encoder_config(config)).eval()
    autoencoder = tiny_autoencoder.build(tiny_autoencoder.AutoencoderConfig(width=8)).eval()
    return Frozen(tokenizer, encoder, autoencoder)


def lesson(candidate: Candidate, data: Path, frozen: Frozen, folder: Path) -> Lesson:
    images = load_captioned_folder(data, 32, lambda event: None)
    autoencoder = frozen.autoencoder
    space = latent_space(images, autoencoder, data) if candidate.latent else pixel_space(images)
    _, channels, size, _ = space.clean.shape
    shape = Shape(channels, size, TOKENS, TEXT_WIDTH, width=64, num_layers=1)
    return Lesson(candidate, shape, space, frozen, images.captions, folder)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "BATCH_SIZE", 4)
    monkeypatch.setattr(learning, "SAVE_EVERY", 1.5)
    monkeypatch.setattr(learning, "STEPS_DRAWN", 3)


class Clock:
    """A step takes a second; the machine is switched off at the beginning of the step `last`."""

    def __init__(self, last: int = 1_000_000) -> None:
        self.ticks = -1
        self.last = last

    def __call__(self) -> float:
        self.ticks += 1
        if self.ticks >= 2 * self.last:
            raise KeyboardInterrupt
        return float(self.ticks)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_each_candidate_goes_on_exactly_where_it_was_saved_and_draws(
    candidate: Candidate, data: Path, frozen: Frozen, tmp_path: Path
) -> None:
    straight = lesson(candidate, data, frozen, tmp_path / "straight")
    straight.learn(4, part=0.75, clock=Clock())
    assert straight.spent == 3
    straight.learn(4, clock=Clock())
    with pytest.raises(KeyboardInterrupt):
        lesson(candidate, data, frozen, tmp_path / "stopped").learn(4, clock=Clock(last=3))
    resumed = lesson(candidate, data, frozen, tmp_path / "stopped")
    assert resumed.spent == 2, "it is saved every two seconds here"
    resumed.learn(4, clock=Clock())
    assert resumed.losses == straight.losses
    assert len(resumed.losses) == 4
    drawn = resumed.draw(["red", "blue"])
    assert torch.equal(drawn, straight.draw(["red", "blue"]))
    assert resumed.space.decode(drawn).shape == (2, 32, 32, 3)
    assert not torch.equal(*resumed.draw(["red", "red"])), "every picture has its own noise"


def test_pictures_follow_words(data: Path, frozen: Frozen, tmp_path: Path) -> None:
    pupil = lesson(CANDIDATES[1], data, frozen, tmp_path)
    pupil.learn(60, clock=Clock())
    red, blue = (pupil.space.decode(pupil.draw([word]))[0].mean((0, 1)) for word in ("red", "blue"))
    assert red[0] - red[2] > blue[0] - blue[2] + 50


def test_the_rate_rises_stays_and_falls_with_the_time() -> None:
    rates = [learning_rate(1.0, spent) for spent in (0.0, 0.015, 0.1, 0.5, 0.75, 1.0)]
    assert rates == pytest.approx([0.03, 0.53, 1.0, 1.0, 0.51, 0.02], abs=0.01)


def test_table_and_sheet_show_what_was_judged(data: Path, frozen: Frozen, tmp_path: Path) -> None:
    torch.manual_seed(0)
    evaluator = Evaluator(Network(4, 1, 8), ("0", "1", "2", "3"), ("flat",), 8)
    candidate = CANDIDATES[0]
    pupil = lesson(candidate, data, frozen, tmp_path / candidate.name)
    pupil.learn(2, clock=Clock())
    result = judge(pupil, {"0": "red", "1": "green", "3": "gold"}, evaluator)
    assert result.top_5 == 1.0, "there are only four concepts"
    assert result.images == 4 * result.steps
    table = write_summary(tmp_path)
    assert f"1. {candidate.title}" in table
    assert CANDIDATES[1].title not in table
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (12 * 128, 128)
