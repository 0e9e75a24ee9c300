"""Pictures as the bytes of a PNG or WebP file, with what they tell of themselves inside."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping

from PIL import ExifTags, Image, PngImagePlugin

from engine.gate.images import XMP_KEYWORD

FORMATS = ("PNG", "WebP")
SUFFIXES = {"PNG": ".png", "WebP": ".webp"}

KEYWORD = "atelier"
"""The record of how a picture was made: a text chunk of a PNG, a property in the XMP of a WebP."""
PARAMETERS = "parameters"
"""The same, readable, where A1111 and its heirs look for it."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
NAMESPACE = "https://atelier.invalid/ns/"

_RECORD = re.compile(r'\batelier:record="([^"<]*)"')


def encode_png(image: Image.Image, texts: Mapping[str, str], program: str) -> bytes:
    """Lossless. `texts` may be empty; the mark of a picture made by a model is always there."""
    chunks = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        chunks.add_text(keyword, text)
    chunks.add_itxt(XMP_KEYWORD, _xmp(program))
    stream = io.BytesIO()
    image.save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()


def encode_webp(
    image: Image.Image, texts: Mapping[str, str], program: str, quality: int, lossless: bool
) -> bytes:
    """`quality` is 1 to 100; where it is lossless, how long to look for a smaller file."""
    exif = Image.Exif()
    if PARAMETERS in texts:
        comment = b"UNICODE\0" + texts[PARAMETERS].encode("utf-16-be")
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    stream = io.BytesIO()
    xmp = _xmp(program, texts.get(KEYWORD, ""))
    options = {"quality": quality, "lossless": lossless, "method": 4}
    image.save(stream, "WEBP", exif=exif.tobytes(), xmp=xmp.encode(), **options)
    return stream.getvalue()


def record_in(texts: Mapping[str, str]) -> str | None:
    """The record among the texts of a file, as `engine.gate.images.read_text` returns them.

    It is looked for in the XMP as plain text: no XML parser meets what comes from outside.
    """
    if KEYWORD in texts:
        return texts[KEYWORD]
    found = _RECORD.search(texts.get(XMP_KEYWORD, ""))
    return html.unescape(found[1]) if found else None


def _xmp(program: str, record: str = "") -> str:
    """IPTC's mark of a picture made by a trained model, and the record, as XMP."""
    # JSON in ASCII holds no control character, so that only XML's own signs need care.
    own = f' xmlns:atelier="{NAMESPACE}" atelier:record="{html.escape(record)}"' if record else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' xmp:CreatorTool="{program}"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"{own}/>'
        "</rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    )
