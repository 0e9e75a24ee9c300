"""The measurement of the sticker model: artwork, evaluator, drawings, and all of it together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image

from engine import device
from engine.errors import DatasetError, FileError
from tests.benchmarks.sticker_quality import (
    evaluator,
    fixed_lists,
    naming,
    style_classifier,
    train_style_classifier,
    variety,
)
from tests.benchmarks.sticker_quality.__main__ import measure, write_sheets
from tests.benchmarks.sticker_quality.artwork import SIZE, Name, read_artwork
from tests.benchmarks.sticker_quality.augmentation import augmented
from tests.benchmarks.sticker_quality.drawings import Artist, Request, hire
from tests.benchmarks.sticker_quality.fixed_lists import FixedLists
from tests.benchmarks.sticker_quality.sheets import sheet
from tests.benchmarks.sticker_quality.speed import speed
from tests.benchmarks.sticker_quality.style_classifier import StyleClassifier
from tests.benchmarks.sticker_quality.table import markdown
from tests.benchmarks.sticker_quality.train_evaluator import Recipe, train

SHAPES = {"1f4a0": "square", "1f534-200d-1f525": "disc"}
CHINESE = {"square": "方", "disc": "圆"}
PAPERS = {"flat": 255, "3d": 200}
"""The grey behind the shape stands for the style."""


def drawn(shape: str, paper: int, color: str) -> Image.Image:
    picture = Image.new("RGB", (SIZE, SIZE), (paper, paper, paper))
    size = (SIZE // 2, SIZE // 2)
    mask = Image.new("L", size, 255)
    if shape == "disc":
        along = np.linspace(-1, 1, size[0])
        inside = np.hypot(along[:, None], along[None]) < 1
        mask = Image.fromarray((inside * 255).astype(np.uint8))
    picture.paste(Image.new("RGB", size, color), (SIZE // 4, SIZE // 4), mask)
    return picture


@pytest.fixture(scope="module", autouse=True)
def threads() -> None:
    device.configure_threads()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two concepts in two styles, one of them also in blue; the first picture is listed twice."""
    folder = tmp_path_factory.mktemp("data")
    lines = []
    for style, paper in PAPERS.items():
        for code, shape in SHAPES.items():
            colors = ("black", "blue") if shape == "disc" else ("black",)
            for color in colors:
                ending = "-blue" if color == "blue" else ""
                file = f"images/{style}/{code}{ending}.png"
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                drawn(shape, paper, color).save(folder / file)
                name = f"blue {shape}" if ending else shape
                captions = [name, name, name, CHINESE[shape], CHINESE[shape], "Shape one"]
                lines.append(json.dumps({"file": file, "captions": captions}))
    (folder / "captions.jsonl").write_text("\n".join([lines[0], *lines]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def taught(data: Path) -> evaluator.Evaluator:
    """An evaluator of those two concepts and two styles."""
    return train(read_artwork(data), Recipe(80, batch_size=12, width=4, learning_rate=5e-3))


@pytest.fixture(scope="module")
def styled(data: Path) -> StyleClassifier:
    """A classifier of the two styles that has seen discs only."""
    recipe = train_style_classifier.Recipe(40, batch_size=8, width=4, strength=0.1)
    return train_style_classifier.train(read_artwork(data), ["1f4a0"], recipe)


LISTS = FixedLists(
    concepts={code: Name(shape, CHINESE[shape]) for code, shape in SHAPES.items()},
    paraphrases={"box": ("square",), "ring": ("disc",)},
    combinations=("blue disc", "disc on fire"),
    contact_sheet=("disc",),
)


# ------------------------------------------------------------------ lists and artwork


def test_lists_are_checked_against_the_data(data: Path) -> None:
    artwork = read_artwork(data)
    fixed_lists.check(LISTS, artwork)
    learned = FixedLists(LISTS.concepts, {"shape ONE": ("disc",)}, (), ())
    with pytest.raises(DatasetError, match="shape ONE"):
        fixed_lists.check(learned, artwork)
    nowhere = FixedLists(LISTS.concepts, {"box": ("cube",)}, (), ())
    with pytest.raises(DatasetError, match="cube"):
        fixed_lists.check(nowhere, artwork)
    renamed = FixedLists({"1f4a0": Name("circle", "方")}, {}, (), ())
    with pytest.raises(DatasetError, match="circle"):
        fixed_lists.check(renamed, artwork)


def test_artwork_is_read_once_each_with_its_own_names(data: Path) -> None:
    artwork = read_artwork(data)
    assert len(artwork.files) == 6
    assert artwork.pictures.shape == (6, SIZE, SIZE, 3)
    assert artwork.names == LISTS.concepts
    [flat, real] = artwork.indices_of("1f534-200d-1f525")
    assert (artwork.styles[flat], artwork.styles[real]) == ("flat", "3d")
    assert "blue disc" in artwork.captions


# ------------------------------------------------------------------ the evaluator


def test_augmentation_changes_every_picture_differently_but_not_at_strength_0() -> None:
    pictures = torch.ones(8, 3, 32, 32)
    pictures[:, :, 8:24, 8:24] = 0.2
    random = torch.Generator().manual_seed(0)
    changed = augmented(pictures, random)
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert (changed - pictures).abs().mean((1, 2, 3)).min() > 0.01
    assert (changed[1:] - changed[:1]).abs().mean((1, 2, 3)).min() > 0.01
    torch.testing.assert_close(augmented(pictures, random, strength=0.0), pictures)


def test_the_evaluator_learns_shapes_and_papers_and_can_be_kept(
    data: Path, taught: evaluator.Evaluator, tmp_path: Path
) -> None:
    artwork = read_artwork(data)
    judged = taught.judge(artwork.pictures)
    right = [taught.concepts.index(code) for code in artwork.concepts]
    assert judged.concept.argmax(1).tolist() == right
    assert judged.features.norm(dim=1).tolist() == pytest.approx([1.0] * 6)

    evaluator.save(taught, tmp_path)
    kept = evaluator.load(tmp_path)
    assert (kept.concepts, kept.styles) == (taught.concepts, taught.styles)
    torch.testing.assert_close(kept.judge(artwork.pictures).concept, judged.concept)


def test_the_same_seed_teaches_the_same(data: Path) -> None:
    artwork = read_artwork(data)
    first, again, other = (
        train(artwork, Recipe(3, batch_size=4, width=4, seed=seed)).judge(artwork.pictures)
        for seed in (1, 1, 2)
    )
    assert torch.equal(first.concept, again.concept)
    assert not torch.equal(first.concept, other.concept)


def test_the_style_of_what_was_never_seen_is_told(
    data: Path, styled: StyleClassifier, tmp_path: Path
) -> None:
    artwork = read_artwork(data)
    assert train_style_classifier.told_right(styled, artwork) == 1.0
    squares = [artwork.open(index) for index in artwork.indices_of("1f4a0")]
    papers = [artwork.styles[index] for index in artwork.indices_of("1f4a0")]
    assert [styled.styles[style] for style in styled.judge(squares)] == papers

    style_classifier.save(styled, tmp_path)
    kept = style_classifier.load(tmp_path)
    assert (kept.styles, kept.unseen) == (styled.styles, ("1f4a0",))
    assert kept.judge(squares).tolist() == styled.judge(squares).tolist()


def test_a_file_that_is_no_style_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        style_classifier.load(tmp_path)
    (tmp_path / style_classifier.FILE).write_bytes(b"not safetensors")
    with pytest.raises(FileError, match="no style classifier"):
        style_classifier.load(tmp_path)


def test_a_file_that_is_no_evaluator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        evaluator.load(tmp_path)
    (tmp_path / evaluator.FILE).write_bytes(b"not safetensors")
    with pytest.raises(FileError, match="no evaluator"):
        evaluator.load(tmp_path)


# ------------------------------------------------------------------ drawings


@pytest.fixture
def artist(tmp_path: Path) -> Artist:
    folder = tiny_models.save_stable_diffusion_3(tmp_path / "tiny")
    (folder / "styles.json").write_text(json.dumps([*PAPERS]), encoding="utf-8")
    return hire(str(folder), tmp_path / "out")


def test_a_drawing_is_kept_and_depends_on_prompt_and_seed(artist: Artist) -> None:
    requests = [Request("disc", 1), Request("disc", 2), Request("square", 1), Request("disc", 1)]
    first = [np.asarray(picture) for picture in artist.draw(requests)]
    assert len(list(artist.folder.iterdir())) == 3
    assert (first[0] == first[3]).all()
    assert (first[0] != first[1]).any()
    kept = artist.path(requests[1], batch=16)
    Image.new("RGB", (8, 8), "red").save(kept)
    again = [np.asarray(picture) for picture in artist.draw(requests)]
    assert (again[1] == (255, 0, 0)).all(), "what is there is not drawn again"
    assert (again[2] == first[2]).all()


def test_figures_of_a_model_that_draws_noise(
    data: Path,
    taught: evaluator.Evaluator,
    styled: StyleClassifier,
    artist: Artist,
    tmp_path: Path,
) -> None:
    """Random weights: the figures are there, the real artwork is recognised, the rest is not."""
    artwork = read_artwork(data)
    figures = measure(artwork, taught, styled, artist, LISTS)
    named, told, apart = figures["concepts"], figures["styles"], figures["seeds"]
    assert named["artwork"]["top_1"] == 1.0
    assert named["artwork_through_autoencoder"]["pictures"] == 4
    assert named["drawn"]["pictures"] == 4
    mistaken = named["drawn_judged_by_another_name"]["top_1"]
    assert named["drawn"]["top_1"] + mistaken == pytest.approx(1.0), "of two concepts, the other"
    assert told["artwork"]["seen"] == [[1, 0], [0, 1]]
    assert apart["two_concepts_in_one_style"]["pixels"] > 0.05
    assert apart["two_styles_of_one_concept"]["pairs"] == 2
    assert [row["in_captions"] for row in figures["combinations"]] == [True, False]

    figures["nearest"] = variety.nearest(artwork, artist, LISTS).figures()
    figures["speed"] = {"warm_cpu_seconds": 0.5, "cold_cpu_seconds": 4.0, "steps": 20}
    figures["speed"] |= {"previews_of_a_picture": 20.0, "threads": 1}
    figures["evaluator"] = {"concepts": 2, "parameters": 12_000, "weights": "ab" * 32}
    json.dumps(figures, allow_nan=False)
    assert "| The real artwork of these concepts | 100.0% | 100.0% | 4 |" in markdown(figures)
    write_sheets(artwork, artist, LISTS, tmp_path)
    assert {"contact_sheet.png", "combinations.png"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.slow
def test_a_cold_start_takes_longer_and_every_step_is_shown(artist: Artist) -> None:
    taken = speed(str(artist.model.folder.path))
    assert taken["cold_cpu_seconds"] > taken["warm_cpu_seconds"] > 0
    assert taken["previews_of_a_picture"] == taken["steps"]


def test_the_nearest_artwork_of_a_copy_is_the_original(data: Path, artist: Artist) -> None:
    artwork = read_artwork(data)
    for code, name in LISTS.concepts.items():
        original = artwork.folder / f"images/3d/{code}.png"
        for seed in naming.SEEDS:
            path = artist.path(Request(name.english, seed), batch=16)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(original.read_bytes())
    found = variety.nearest(artwork, artist, LISTS)
    assert found.files[0] == "images/3d/1f4a0.png"
    assert found.distances == [0.0] * 4
    assert found.to_other_styles[0] == pytest.approx((55 / 255) * 0.75**0.5, abs=0.01)
    assert found.figures()["nearer_than_another_style"] == 1.0
    pictures, texts = found.beside(artwork)
    assert len(pictures) == len(texts) == 8


def test_a_sheet_shortens_what_does_not_fit() -> None:
    pictures = [Image.new("RGB", (30, 30), "red"), Image.new("RGB", (64, 64), "blue")]
    page = sheet(pictures, ["red", "a very long line of text that cannot fit"], 2, cell=64)
    assert page.getpixel((40, 40)) == (255, 0, 0)
    assert page.getpixel((110, 40)) == (0, 0, 255)
    assert page.getpixel((6, 40)) == (255, 255, 255), "a margin"
    around = np.asarray(page.convert("L"))[76:92]
    assert (around[:, 88:152] < 200).any(), "the text is below its picture"
    assert (around[:, 76:82] == 255).all(), "and does not run into its neighbour's"
