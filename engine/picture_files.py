"""Pictures as the bytes of a PNG, WebP or JPEG file, with what they tell of themselves inside."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping

from PIL import ExifTags, Image, PngImagePlugin

from engine.errors import FileError
from engine.gate.images import XMP_KEYWORD

SUFFIXES = {"PNG": ".png", "WebP": ".webp", "JPEG": ".jpg"}
FORMATS = tuple(SUFFIXES)

JPEG_TEXT = 65_000
"""Bytes that one segment of a JPEG holds, a little less."""

KEYWORD = "atelier"
"""The record of how a picture was made: a text chunk of a PNG, else a property in the XMP."""
PARAMETERS = "parameters"
"""The same, readable, where A1111 and its heirs look for it."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
NAMESPACE = "https://atelier.invalid/ns/"

_RECORD = re.compile(r'\batelier:record="([^"<]*)"')


def encode(
    image: Image.Image,
    suffix: str,
    texts: Mapping[str, str],
    program: str,
    quality: int,
    lossless: bool,
    by_model: bool = True,
) -> bytes:
    """A file of the kind that `suffix` names, else a PNG.

    `texts` may be empty; the mark of a picture made by a model is there whenever one has had a
    part in it.
    """
    if suffix.lower() == ".webp":
        return encode_webp(image, texts, program, quality, lossless, by_model)
    if suffix.lower() in (".jpg", ".jpeg"):
        return encode_jpeg(image, texts, program, quality, by_model)
    return encode_png(image, texts, program, by_model)


def encode_png(
    image: Image.Image, texts: Mapping[str, str], program: str, by_model: bool = True
) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        chunks.add_text(keyword, text)
    chunks.add_itxt(XMP_KEYWORD, xmp_packet(program, {}, by_model))
    stream = io.BytesIO()
    image.save(stream, "PNG", pnginfo=chunks)
    return stream.getvalue()


def encode_webp(
    image: Image.Image,
    texts: Mapping[str, str],
    program: str,
    quality: int,
    lossless: bool,
    by_model: bool = True,
) -> bytes:
    """`quality` is 1 to 100; where it is lossless, how long to look for a smaller file."""
    options = {"quality": quality, "lossless": lossless, "method": 4}
    xmp = xmp_packet(program, texts, by_model).encode()
    stream = io.BytesIO()
    image.save(stream, "WEBP", exif=_exif(texts), xmp=xmp, **options)
    return stream.getvalue()


def encode_jpeg(
    image: Image.Image,
    texts: Mapping[str, str],
    program: str,
    quality: int,
    by_model: bool = True,
) -> bytes:
    """`quality` is 1 to 100; what is transparent becomes white.

    Raises FileError where the texts are longer than a JPEG can hold.
    """
    exif, xmp = _exif(texts), xmp_packet(program, texts, by_model).encode()
    if max(len(exif), len(xmp)) > JPEG_TEXT:
        raise FileError(
            "The settings of this picture are too long for a JPEG.",
            "Save it as PNG or WebP, or without its settings.",
        )
    fine = {"subsampling": "4:4:4"} if quality >= 90 else {}
    stream = io.BytesIO()
    _on_white(image).save(
        stream, "JPEG", quality=quality, optimize=True, exif=exif, xmp=xmp, **fine
    )
    return stream.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    white = Image.new("RGB", seen.size, "white")
    white.paste(seen, mask=seen.getchannel("A"))
    return white


def _exif(texts: Mapping[str, str]) -> bytes:
    exif = Image.Exif()
    if PARAMETERS in texts:
        comment = b"UNICODE\0" + texts[PARAMETERS].encode("utf-16-be")
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    return exif.tobytes()


def record_in(texts: Mapping[str, str]) -> str | None:
    """The record among the texts of a file, as `engine.gate.images.read_text` returns them.

    It is looked for in the XMP as plain text: no XML parser meets what comes from outside.
    """
    if KEYWORD in texts:
        return texts[KEYWORD]
    found = _RECORD.search(texts.get(XMP_KEYWORD, ""))
    return html.unescape(found[1]) if found else None


def xmp_packet(program: str, texts: Mapping[str, str], by_model: bool = True) -> str:
    """IPTC's mark of a picture made by a trained model, and the record, as XMP."""
    mark = f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"' if by_model else ""
    record = texts.get(KEYWORD, "")
    # JSON in ASCII holds no control character, so that only XML's own signs need care.
    own = f' xmlns:atelier="{NAMESPACE}" atelier:record="{html.escape(record)}"' if record else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about=""'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        f' xmp:CreatorTool="{program}"{mark}{own}/>'
        "</rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    )
