"""Numbers of bytes as people read them."""

from __future__ import annotations


def told(count: int) -> str:
    """`3 kB`, `93 MB`, `1.7 GB`."""
    if count < 1_000_000:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
