"""A teacher passes on what words mean: with a real, tiny sentence-embedding model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BertConfig, BertModel, BertTokenizerFast

from engine.errors import ModelError
from engine.events import Event
from engine.models.caption_pretraining import COARSE, CaptionHeads, caption_loss
from engine.models.flow_transformer import FlowConfig, FlowTransformer
from engine.models.word_teacher import WordTeacher, readable
from engine.runs import MetricsTail, RunFolder
from engine.trainers.caption_lessons import CaptionLessons
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.trainers.train_text_to_image import TrainTextToImage

WORDS = ("red", "blue", "crimson", "square", "puppy", "dog")


def ignore(event: Event) -> None:
    pass


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##s", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def task(teacher: Path, tmp_path: Path) -> TrainTextToImage:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for color in ("red", "blue"):
        Image.new("RGB", (32, 32), color).save(folder / f"{color}.png")
        (folder / f"{color}.txt").write_text(f"{color} square\n{color}\n{'红' * 3}")
    return TrainTextToImage(
        dataset=str(folder), autoencoder=str(tmp_path / "autoencoder"), image_size=32, width=64,
        text_width=128, num_layers=2, vocab_size=540, batch_size=4, seed=2, max_steps=30,
        text_steps=29, warmup_steps=2, log_every=1, sample_every=30, checkpoint_every=30,
        text_teacher=str(teacher),
    )  # fmt: skip


def test_a_text_means_the_same_alone_and_among_longer_ones(teacher: Path) -> None:
    model = WordTeacher(teacher)
    alone = model.embed(["red"], ignore)
    among = model.embed(["blue dog puppy square", "red", "dogs"], ignore)
    torch.testing.assert_close(alone[0], among[1])
    torch.testing.assert_close(among.norm(dim=1), torch.ones(3))


def test_lessons_are_all_words_and_the_same_pairs_each_time(teacher: Path) -> None:
    model = WordTeacher(teacher)
    assert model.words() == sorted(WORDS), "neither pieces of words nor marks"
    asked = ["red square", "红"]
    assert model.lessons(asked, 3) == model.lessons(asked, 3) != model.lessons(asked, 4)
    pairs = [text.split() for text in model.lessons(asked, 3) if " " in text]
    assert {second for _, second in pairs} == {"red", "square"}, "what the captions speak of"


def test_a_caption_the_teacher_cannot_read_means_what_its_picture_is_called(
    task: TrainTextToImage,
) -> None:
    captions = (("red square", "红红红"), ("blue", "蓝蓝蓝"))
    lessons = CaptionLessons(captions, task, ignore)
    numbers = {text: index for index, text in enumerate(lessons.captions)}
    meanings = lessons.meanings(torch.arange(4))
    assert meanings is not None
    torch.testing.assert_close(meanings[numbers["红红红"]], meanings[numbers["red square"]])
    assert not torch.allclose(meanings[numbers["红红红"]], meanings[numbers["蓝蓝蓝"]])
    assert readable("café") and not readable("红心 a")


def test_the_text_encoder_learns_from_the_teacher(task: TrainTextToImage, tmp_path: Path) -> None:
    TrainAutoencoder(
        dataset=task.dataset, image_size=32, crop_size=16, width=8, batch_size=2, max_steps=2
    ).run(ignore, tmp_path / "autoencoder")
    task.run(ignore, tmp_path / "run")
    lines, _ = MetricsTail(RunFolder(tmp_path / "run")).read()
    losses = [line.values["text_loss"] for line in lines if "text_loss" in line.values]
    assert losses[-1] < 0.7 * losses[0]
    description = RunFolder(tmp_path / "run").description()
    assert description["model"]["text_width"] == 128


@pytest.mark.parametrize(("likeness", "settled"), [(0.9, True), (0.2, False)])
def test_a_word_settles_where_the_caption_of_nearly_the_same_meaning_is(
    likeness: float, settled: bool
) -> None:
    torch.manual_seed(0)
    model = FlowTransformer(FlowConfig(4, 4, vocab_size=20, width=64, text_width=64, max_tokens=4))
    heads = CaptionHeads(64, 4)
    captions, word = torch.tensor([[0, 5, 1, 1], [0, 7, 1, 1]]), torch.tensor([[0, 9, 1, 1]])
    nearest = torch.cat((captions, captions[:1])), torch.tensor([0.0, 0.0, likeness])
    coarse = torch.randn(2, 4 * COARSE**2)
    optimizer = torch.optim.Adam(model.text_encoder.parameters(), 1e-3)
    for _ in range(60):
        ids = torch.cat((captions, word))
        loss = caption_loss(model, heads, ids, coarse, nearest=nearest)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        _, (own, other, asked) = model.encode(ids)
    near, far = (asked - own).norm(), (asked - other).norm()
    assert bool(near < 0.2 * far) is settled


def test_a_folder_that_is_no_teacher_is_named(task: TrainTextToImage, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a sentence-embedding model"):
        WordTeacher(tmp_path)
