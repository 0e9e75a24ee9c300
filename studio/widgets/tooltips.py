"""Tooltips for texts from outside, which Qt would take for HTML where they look like it."""

from __future__ import annotations


def literal(text: str) -> str:
    """A tooltip that shows `text` as it is, line by line."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")
    return f"<qt>{escaped}</qt>"
