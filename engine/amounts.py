"""Numbers of bytes as people read them."""

from __future__ import annotations

from engine.events import Progress


def told(count: int) -> str:
    """`3 kB`, `93 MB`, `1.7 GB`."""
    if count < 1_000_000:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def progress_told(progress: Progress, step: int) -> str:
    """`3 / 20`, or in bytes `93 MB / 1.7 GB`; empty where it is not known how much there is."""
    if not progress.total:
        return ""
    if progress.unit == "bytes":
        return f"{told(step)} / {told(progress.total)}"
    return f"{step} / {progress.total}"
