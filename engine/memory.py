"""Whether something fits: what it needs against what is free, asked before anything is loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from engine.errors import OutOfMemory

if TYPE_CHECKING:
    import torch

CHOOSE_SMALLER = "Close other programs, or choose a smaller model."


def free_memory() -> int:
    """Bytes of main memory that this process may take without pushing others out."""
    import psutil

    return min(int(psutil.virtual_memory().available), _allowed())


def _allowed() -> int:
    """Bytes that this process may still take by a limit that was set for it (`ulimit -v`)."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    import psutil

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(0, limit - int(psutil.Process().memory_info().vms))


def whole_memory() -> int:
    """Bytes of main memory that this machine has."""
    import psutil

    return int(psutil.virtual_memory().total)


def free_on(target: torch.device) -> int:
    """Bytes that are free where `target` computes; Apple's MPS shares the main memory."""
    import torch

    return torch.cuda.mem_get_info(target)[0] if target.type == "cuda" else free_memory()


def require(needed: int, by: str, hint: str = CHOOSE_SMALLER, free: int | None = None) -> None:
    """Raises OutOfMemory when `by`, such as "This model needs", takes more bytes than are free."""
    free = free_memory() if free is None else free
    if needed > free:
        raise OutOfMemory(
            f"{by} {needed / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free.", hint
        )
