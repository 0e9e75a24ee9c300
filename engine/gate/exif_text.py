"""Reads what programs write into the EXIF of a JPEG or WebP about how it was made."""

from __future__ import annotations

from PIL import ExifTags, Image

COMMENT = "parameters"
"""The keyword under which a PNG holds what a JPEG has as its comment."""
_COMFY_TAGS = range(0x0100, 0x0111)
"""ComfyUI writes `prompt:{…}` and `workflow:{…}` from the tag Model (0x0110) downwards."""
_COMFY_NAMES = ("prompt", "workflow")


def texts_in(exif: Image.Exif) -> dict[str, str]:
    texts = {}
    for tag in _COMFY_TAGS:
        value = exif.get(tag)
        name, colon, text = value.partition(":") if isinstance(value, str) else ("", "", "")
        if colon and name.lower() in _COMFY_NAMES:
            texts[name.lower()] = text
    comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if isinstance(comment, bytes) and comment:
        texts[COMMENT] = decode_comment(comment)
    return texts


def decode_comment(comment: bytes) -> str:
    """An EXIF UserComment: eight bytes that name the encoding, then the text."""
    name, body = comment[:8], comment[8:]
    if name != b"UNICODE\0":
        known = name in (b"ASCII\0\0\0", b"\0" * 8)
        return (body if known else comment).decode("utf-8", "replace").strip("\0")
    # The standard does not say which byte comes first, and programs differ.
    little = body[1::2].count(0) > body[0::2].count(0)
    text = body.decode("utf-16-le" if little else "utf-16-be", "replace")
    return text.removeprefix("\ufeff").strip("\0")
