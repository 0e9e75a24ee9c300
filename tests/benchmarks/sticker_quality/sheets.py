"""Pictures side by side with a line of text below each, as one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from engine import files, folders

FONT = folders.RESOURCES / "fonts" / "Inter-Regular.otf"
PAPER, INK = "white", "#55585f"
GAP = 12
LINE = 16  # pixels of text below a picture
TEXT_SIZES = (11, 10, 9)  # the first in which a text fits


def sheet(
    pictures: Sequence[Image.Image], texts: Sequence[str], columns: int, cell: int = 128
) -> Image.Image:
    """Row by row, each picture `cell` pixels wide and high."""
    fonts = [ImageFont.truetype(str(FONT), size) for size in TEXT_SIZES]
    rows = -(-len(pictures) // columns)
    across, down = cell + GAP, cell + LINE + GAP
    page = Image.new("RGB", (columns * across + GAP, rows * down + GAP), PAPER)
    pen = ImageDraw.Draw(page)
    for place, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        row, column = divmod(place, columns)
        left, top = GAP + column * across, GAP + row * down
        resized = picture.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
        page.paste(resized, (left, top))
        middle = (left + cell / 2, top + cell + LINE / 2)
        font = next((one for one in fonts if one.getlength(text) <= cell + GAP / 2), fonts[-1])
        pen.text(middle, _fitting(text, font, cell + GAP // 2), INK, font, anchor="mm")
    return page


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    shown = text
    while font.getlength(shown) > width:
        shown = shown.removesuffix("…")[:-1].rstrip() + "…"
    return shown


def write(page: Image.Image, path: Path) -> None:
    buffer = io.BytesIO()
    page.save(buffer, "PNG", optimize=True)
    files.write_bytes(path, buffer.getvalue())
