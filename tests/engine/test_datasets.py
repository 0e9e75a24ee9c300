"""Datasets: the embedded digits, folders of any images, batches that a resumed run meets again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.data import crop, idx
from engine.data.batches import Batches
from engine.data.digits import load_digits
from engine.data.image_dataset import ImageDataset, dataset_names, load_dataset
from engine.errors import DatasetError, OutOfMemory
from engine.events import Event, Notice


def ignore(event: Event) -> None:
    pass


def load(path: Path | str, image_size: str = "auto", color: str = "auto") -> ImageDataset:
    return load_dataset(str(path), image_size, color, ignore)


@pytest.fixture
def paint(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of images: `paint("a/b.png", color, size)`."""

    def paint(name: str, color: object = "red", size: tuple[int, int] = (40, 30)) -> Path:
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(
            "RGBA" if isinstance(color, tuple) and len(color) == 4 else "RGB", size, color
        ).save(path)
        return tmp_path / "images"

    return paint


class TestDigits:
    def test_are_ten_thousand_upright_digits_of_all_kinds(self) -> None:
        images, labels = load_digits()
        assert images.shape == (10_000, 28, 28, 1)
        assert np.bincount(labels).min() > 800
        ones, zeros = images[labels == 1].mean(0)[..., 0], images[labels == 0].mean(0)[..., 0]
        assert ones[14, 14] > 128 > zeros[14, 14]  # a stroke, and a hole
        assert ones[:, 14].sum() > 2 * ones[14, :].sum()  # upright, not lying
        sevens = images[labels == 7].mean(0)[..., 0]
        assert sevens[:14].sum() > 1.1 * sevens[14:].sum()  # its bar is at the top

    def test_any_first_part_is_a_fair_sample(self) -> None:
        _, labels = load_digits()
        assert np.bincount(labels[:500], minlength=10).min() > 25

    def test_are_a_dataset_of_every_size_and_color(self) -> None:
        assert load("digits").images.shape == (10_000, 28, 28, 1)
        assert load("digits", "32", "color").images.shape == (10_000, 32, 32, 3)


class TestFolder:
    def test_is_read_with_its_subfolders_in_a_fixed_order(self, paint: Callable[..., Path]) -> None:
        paint("b.png", "blue")
        paint("a/deep/er.jpg", "red")
        folder = paint("c.webp", "white")
        colors = load(folder).images[:, 16, 16]
        assert np.abs(colors.astype(int) - [[255, 0, 0], [0, 0, 255], [255] * 3]).max() < 8

    def test_takes_the_centre(self, tmp_path: Path) -> None:
        image = Image.new("RGB", (96, 32), "red")
        image.paste((0, 0, 255), (32, 0, 64, 32))
        image.save(tmp_path / "x.png")
        assert (load(tmp_path).images == [0, 0, 255]).all()

    @pytest.mark.parametrize(
        ("size", "expected"), [((20, 500), 28), ((30, 31), 32), ((33, 40), 64), ((900, 700), 64)]
    )
    def test_auto_size_fits_the_images(
        self, paint: Callable[..., Path], size: tuple[int, int], expected: int
    ) -> None:
        assert load(paint("x.png", "red", size)).image_size == expected

    def test_auto_color_is_gray_only_if_all_are(self, paint: Callable[..., Path]) -> None:
        folder = paint("gray.png", (90, 90, 90))
        assert load(folder).channels == 1
        paint("red.png", "red")
        assert load(folder).channels == 3
        assert load(folder, "28", "gray").images[1].max() == 76  # red as luma

    def test_transparent_becomes_white(self, paint: Callable[..., Path]) -> None:
        assert (load(paint("x.png", (0, 0, 0, 0))).images == 255).all()

    def test_an_unreadable_image_is_named_and_left_out(self, paint: Callable[..., Path]) -> None:
        folder = paint("good.png")
        data = (folder / "good.png").read_bytes()
        (folder / "broken.png").write_bytes(data[: len(data) // 2])
        (folder / "text.jpg").write_text("no picture")
        events: list[Event] = []
        images = load_dataset(str(folder), "28", "auto", events.append).images
        notices = [event.message for event in events if isinstance(event, Notice)]
        assert len(images) == 1
        assert len(notices) == 1
        assert "broken.png" in notices[0]
        assert "text.jpg" in notices[0]

    def test_with_no_image_or_no_readable_one_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "readme.txt").write_text("hello")
        with pytest.raises(DatasetError, match="no images in"):
            load(tmp_path)
        (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        with pytest.raises(DatasetError, match=r"None of the 1 images.*broken\.png"):
            load(tmp_path)

    def test_links_in_circles_end(self, paint: Callable[..., Path]) -> None:
        folder = paint("sub/x.png")
        (folder / "sub" / "loop").symlink_to(folder, target_is_directory=True)
        (folder / "again").symlink_to(folder / "sub", target_is_directory=True)
        (folder / "nowhere.png").symlink_to(folder / "gone.png")
        assert len(load(folder)) == 1

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_a_closed_folder_is_named(self, paint: Callable[..., Path]) -> None:
        folder = paint("sub/x.png")
        (folder / "sub").chmod(0)
        with pytest.raises(DatasetError, match="sub cannot be read"):
            load(folder)

    def test_too_many_images_are_refused_before_reading(
        self, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("engine.memory.free_memory", lambda: 1000)
        with pytest.raises(OutOfMemory, match="1 images of 64 pixels"):
            load(paint("x.png"), "64")


class TestClasses:
    def test_digits_have_ten_in_the_order_of_the_images(self) -> None:
        data = load("digits")
        assert data.classes == tuple("0123456789")
        assert data.labels is not None
        assert np.array_equal(data.labels, load_digits()[1])

    def test_sub_folders_are_classes_whatever_lies_deeper(self, paint: Callable[..., Path]) -> None:
        for name in ("dogs/a.png", "cats/big/b.png", "cats/c.png", "dogs/small/d.png"):
            folder = paint(name)
        (folder / "cats" / "broken.png").write_text("no picture")
        data = load(folder)
        assert data.classes == ("cats", "dogs")
        assert data.labels is not None
        assert data.labels.tolist() == [0, 0, 1, 1]

    @pytest.mark.parametrize("names", [("a.png", "b.png"), ("cats/a.png", "cats/b.png")])
    def test_one_kind_alone_is_no_class(
        self, paint: Callable[..., Path], names: tuple[str, ...]
    ) -> None:
        for name in names:
            folder = paint(name)
        assert (load(folder).classes, load(folder).labels) == ((), None)

    def test_images_outside_of_the_sub_folders_leave_all_without_classes(
        self, paint: Callable[..., Path]
    ) -> None:
        for name in ("cats/a.png", "dogs/b.png", "c.png"):
            folder = paint(name)
        assert (load(folder).classes, load(folder).labels) == ((), None)

    @pytest.mark.parametrize(
        ("labels", "expected"), [([2, 0], ["0", "1", "2"]), ([2, 0, 1], []), (None, [])]
    )
    def test_labels_beside_an_idx_file_count_if_they_fit(
        self, tmp_path: Path, labels: list[int] | None, expected: list[str]
    ) -> None:
        path = tmp_path / "train-images-idx3-ubyte"
        idx.write(path, np.zeros((2, 28, 28), np.uint8))
        if labels is not None:
            idx.write(idx.labels_path(path), np.array(labels, np.uint8))
        data = load(path)
        assert list(data.classes) == expected
        assert (data.labels is not None) == bool(expected)


def test_an_idx_file_is_a_dataset(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    idx.write(path, np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28))
    assert load(path).images.shape == (2, 28, 28, 1)


def test_an_unknown_dataset_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(DatasetError, match=r"nowhere.*digits"):
        load("nowhere")


def test_the_hash_tells_data_apart(paint: Callable[..., Path]) -> None:
    folder = paint("x.png", "red")
    red = load(folder).sha256()
    assert load(folder).sha256() == red
    paint("x.png", "blue")
    assert load(folder).sha256() != red


def test_named_datasets_load() -> None:
    for name in dataset_names():
        assert load(name).image_size in crop.SIZES


class TestBatches:
    @given(
        count=st.integers(1, 50),
        batch_size=st.integers(1, 120),
        seed=st.integers(0, 2**32 - 1),
        epochs=st.integers(1, 4),
    )
    def test_every_sample_comes_once_in_an_epoch(
        self, count: int, batch_size: int, seed: int, epochs: int
    ) -> None:
        batches = Batches(count, batch_size, seed)
        steps = -(-count * epochs // batch_size)
        seen = np.concatenate([batches.indices(step) for step in range(1, steps + 1)])
        for epoch in seen[: count * epochs].reshape(epochs, count):
            assert sorted(epoch) == list(range(count))

    def test_depend_on_seed_and_step_alone(self) -> None:
        straight = Batches(100, 7, seed=3)
        for step in range(1, 40):
            expected = straight.indices(step)
            assert np.array_equal(Batches(100, 7, seed=3).indices(step), expected)
            assert not np.array_equal(Batches(100, 7, seed=4).indices(step), expected)

    def test_epochs_differ(self) -> None:
        batches = Batches(64, 64, seed=0)
        assert not np.array_equal(batches.indices(1), batches.indices(2))
