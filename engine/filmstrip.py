"""Pictures in a row with a line of text under each, as a strip of film."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from engine import folders

FONT = folders.RESOURCES / "fonts" / "Inter-Medium.otf"
IN_A_ROW = 10
MARGIN = 8
TEXT = 28  # pixels for the line under a picture
SMALLEST = 96  # pixels that a frame is wide at least, so that its text has room
PAPER, INK = "white", "#333333"


def filmstrip(images: Sequence[Image.Image], texts: Sequence[str]) -> Image.Image:
    """All of one size, in rows of ten at most; RGB."""
    width, height = max(images[0].width, SMALLEST), images[0].height
    columns = min(len(images), IN_A_ROW)
    rows = math.ceil(len(images) / columns)
    across, down = width + MARGIN, height + TEXT + MARGIN
    strip = Image.new("RGB", (columns * across + MARGIN, rows * down + MARGIN), PAPER)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.truetype(str(FONT), TEXT // 2)
    for place, (image, text) in enumerate(zip(images, texts, strict=True)):
        row, column = divmod(place, columns)
        left, top = MARGIN + column * across, MARGIN + row * down
        strip.paste(image.convert("RGB"), (left + (width - image.width) // 2, top))
        middle = (left + width // 2, top + height + TEXT // 2)
        draw.text(middle, text, INK, font, anchor="mm")
    return strip
