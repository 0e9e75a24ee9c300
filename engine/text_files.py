"""A text as a file: .txt and .md as it stands, .docx with its Markdown as Word shows it."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from engine import files

if TYPE_CHECKING:
    from docx.document import Document
    from docx.text.paragraph import Paragraph

SUFFIXES = (".txt", ".md", ".docx")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")

_EMU_A_PIXEL = 9525  # at 96 pixels an inch
_LINE = re.compile(r"(?P<mark>#{1,6}|[-*+]|\d{1,9}[.)])\s+(?P<text>.*)")
_STRONG = re.compile(
    r"(\*\*|(?<!\w)__)(?=\S)(.+?)(?<=\S)\1|(\*|(?<!\w)_)(?=\S)(.+?)(?<=\S)\3(?!\w)"
)
_PICTURE = re.compile(r"!\[[^\]]*\]\((file:[^)\s]+)\)")
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, text: str) -> None:
    """In the format that the ending of `path` says; raises FileError, and the old file stays."""
    if path.suffix.lower() == ".docx":
        files.write_bytes(path, docx(text))
    else:
        files.write_text(path, text)


def docx(text: str) -> bytes:
    """A Word document: headings, lists, bold and italic of Markdown; a paragraph for each line."""
    import docx as library

    document = library.Document()
    for line in _NOT_IN_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"):
        if not line.strip():
            continue
        if (picture := _PICTURE.fullmatch(line.strip())) and _add_picture(document, picture[1]):
            continue
        found = _LINE.fullmatch(line.strip())
        style = _style(found["mark"]) if found else "Normal"
        _add(document.add_paragraph(style=style), found["text"] if found else line)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _add_picture(document: Document, url: str) -> bool:
    """The picture of a file: URL, as wide as the text at most; False where it cannot be read."""
    from docx.shared import Emu
    from PIL import Image, ImageOps

    try:
        with Image.open(url2pathname(urlsplit(url).path)) as picture:
            stream = io.BytesIO()  # Word knows neither WebP nor turned photographs
            ImageOps.exif_transpose(picture).convert("RGBA").save(stream, "PNG")
            wanted = Emu(picture.width * _EMU_A_PIXEL)
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
    section = document.sections[-1]
    margins = (section.left_margin or 0) + (section.right_margin or 0)
    room = Emu((section.page_width or wanted) - margins)
    stream.seek(0)
    document.add_picture(stream, width=min(wanted, room))
    return True


def _style(mark: str) -> str:
    if mark.startswith("#"):
        return f"Heading {len(mark)}"
    return "List Number" if mark[0].isdigit() else "List Bullet"


def _add(paragraph: Paragraph, text: str) -> None:
    """The text in runs, as bold or italic as its stars say."""
    end = 0
    for found in _STRONG.finditer(text):
        paragraph.add_run(text[end : found.start()])
        if found[1]:
            paragraph.add_run(found[2]).bold = True
        else:
            paragraph.add_run(found[4]).italic = True
        end = found.end()
    paragraph.add_run(text[end:])
