"""What drawing took on this machine before, remembered for each model, plan and size."""

from __future__ import annotations

import platform
import threading
from typing import TYPE_CHECKING

from engine.remembered import remember as write_down
from engine.remembered import remembered

if TYPE_CHECKING:
    import torch

PAUSE = 0.02  # seconds between two looks
MOST_KEPT = 500
RECORD = "memory.json"


def resident() -> int:
    """Bytes that this process holds of the main memory."""
    import psutil

    return int(psutil.Process().memory_info().rss)


class Watch:
    """Within, the most memory that this process holds is found out, on the device it computes on.

    torch counts its own on a graphics card; the system does not, so it is looked at in between.
    """

    def __init__(self, target: torch.device) -> None:
        self._target = target
        self._ended = threading.Event()
        self.most = 0

    def __enter__(self) -> Watch:
        if self._target.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(self._target)
        else:
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._target.type == "cuda":
            import torch

            self.most = torch.cuda.max_memory_allocated(self._target)
            return
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.most = max(self.most, resident())
            if self._ended.wait(PAUSE):
                return


def held(target: torch.device) -> int:
    """Bytes that are taken now, to be compared with what a Watch found."""
    if target.type != "cuda":
        return resident()
    import torch

    return int(torch.cuda.memory_allocated(target))


def key_of(fingerprint: str, plan: str, size: tuple[int, int], target: torch.device) -> str:
    """What a measurement belongs to; a data folder may be shared by several machines."""
    return f"{platform.node()}|{target}|{fingerprint}|{plan}|{size[0]}x{size[1]}"


def remember(key: str, taken: int) -> None:
    known = {name: value for name, value in remembered(RECORD).items() if name != key}
    kept = [*known.items(), (key, taken)][-MOST_KEPT:]
    write_down(RECORD, dict(kept))


def taken_before(key: str) -> int:
    """Bytes; 0 where it was never measured."""
    value = remembered(RECORD).get(key, 0)
    return value if type(value) is int and value > 0 else 0
