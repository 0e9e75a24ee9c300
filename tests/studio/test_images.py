"""Pictures keep their pixels on the way to Qt and back."""

import gc

import numpy as np
import pytest
from PIL import Image

from studio import images


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_pixels_survive_the_way_to_qt_and_back(mode: str) -> None:
    shape = (5, 7, len(mode))  # an odd width: rows of a QImage are padded
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = Image.fromarray(pixels)
    back = images.to_pil(images.from_pil(picture))
    assert back.mode == mode
    assert np.array_equal(np.asarray(back), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16"])
def test_other_kinds_of_pictures_arrive_as_color(mode: str) -> None:
    image = images.from_pil(Image.new("RGB", (3, 2), "white").convert("L").convert(mode))
    assert (image.width(), image.height()) == (3, 2)
    assert image.pixelColor(1, 1).name() == "#ffffff" or mode == "I;16"


def test_a_palette_with_transparency_stays_transparent() -> None:
    picture = Image.new("P", (2, 2), 0)
    picture.putpalette([255, 0, 0])
    picture.info["transparency"] = 0
    assert images.from_pil(picture).pixelColor(0, 0).alpha() == 0


def test_the_image_owns_its_pixels() -> None:
    pixels = np.full((64, 64, 3), 200, np.uint8)
    image = images.from_array(pixels)
    pixels[:] = 0
    del pixels
    gc.collect()
    assert image.pixelColor(10, 10).red() == 200


def test_a_view_that_is_not_contiguous_arrives_upright() -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, 0] = 255
    image = images.from_array(pixels[::-1, ::-1])
    assert image.pixelColor(3, 3).red() == 255
    assert image.pixelColor(0, 0).red() == 0


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 4, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="pixels must"):
        images.from_array(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        images.from_array(np.zeros((4, 4), np.float32))
