"""Old pixels, for undo: as they are while they are few, then compressed, then in a file.

Compressing takes milliseconds for a tile, so it happens on another thread while there is room; what
comes in faster than that is compressed at once, so that memory is bounded whatever happens.
"""

from __future__ import annotations

import logging
import zlib
from collections import OrderedDict
from weakref import ref

from PySide6.QtGui import QImage

from studio.background import Background
from studio.canvas.swap_file import Extent, SwapFile

log = logging.getLogger(__name__)

MEMORY = 256 * 2**20
"""Bytes of pixels kept in memory, compressed or not."""

LEVEL = 1  # zlib's fastest: what is left over goes to the file anyway


class Kept:
    """An image that can be had back, bit for bit; forgotten with the last reference to it."""

    def __init__(self, archive: Archive, image: QImage) -> None:
        self._archive = archive
        self._shape = image.width(), image.height(), image.bytesPerLine(), image.format()
        self.live: QImage | None = image
        self.packed: bytes | None = None
        self.extent: Extent | None = None

    def __del__(self) -> None:
        self._archive.forget(self)

    def image(self) -> QImage:
        """The pixels; raises OSError where the file they are in cannot be read any more."""
        if self.live is not None:
            return self.live
        packed = self.packed
        if packed is None:
            assert self.extent is not None
            packed = self._archive.file.read(self.extent)
        return QImage(zlib.decompress(packed), *self._shape).copy()


class Archive:
    """Takes images; the oldest are compressed first, and first written out when that is not enough.

    A quarter of `budget` bytes may stay as it is, and a half until the thread has caught up; until
    then a layer that is deleted takes the memory it had.
    """

    def __init__(self, budget: int = MEMORY, background: Background | None = None) -> None:
        self.file = SwapFile()
        self._budget = budget
        self._background = background
        self._live: OrderedDict[int, ref[Kept]] = OrderedDict()  # by id, from the oldest on
        self._packed: OrderedDict[int, ref[Kept]] = OrderedDict()
        self._live_bytes = self._packed_bytes = 0
        self._is_packing = False

    @property
    def memory(self) -> int:
        """Bytes held in memory now."""
        return self._live_bytes + self._packed_bytes

    def keep(self, image: QImage, *, at_leisure: bool = False) -> Kept:
        """Take `image`; `at_leisure` for one that was in memory anyway, so that nobody waits."""
        kept = Kept(self, image)
        self._live[id(kept)] = ref(kept)
        self._live_bytes += image.sizeInBytes()
        # Twice what has come goes, so that what came at leisure is worked off bit by bit.
        due = 0 if at_leisure else 2 * image.sizeInBytes()
        while due > 0 and self._live_bytes > self._budget // 2:
            oldest = self._oldest_live()
            assert oldest.live is not None
            due -= oldest.live.sizeInBytes()
            self._pack(oldest, _compress(oldest.live))
        self._pack_later()
        return kept

    def forget(self, kept: Kept) -> None:
        """Give its room back."""
        self._leave_memory(kept)
        if kept.extent is not None:
            self.file.free(kept.extent)

    # ------------------------------------------------------------------ smaller and smaller

    def _oldest_live(self) -> Kept:
        kept = next(iter(self._live.values()))()
        assert kept is not None  # what is forgotten leaves the list at once
        return kept

    def _pack_later(self) -> None:
        """Compress the oldest on another thread, one after the other."""
        over = self._live_bytes > self._budget // 4
        if self._background is None or self._is_packing or not over:
            return
        self._is_packing = True
        oldest = self._oldest_live()
        image, waiting = oldest.live, ref(oldest)
        assert image is not None
        del oldest
        self._background.run(
            lambda: _compress(image), lambda data: self._take(waiting, image, data)
        )

    def _take(self, waiting: ref[Kept], image: QImage, data: bytes) -> None:
        self._is_packing = False
        kept = waiting()
        if kept is not None and kept.live is image:
            self._pack(kept, data)
        self._pack_later()

    def _pack(self, kept: Kept, data: bytes) -> None:
        self._leave_memory(kept)
        kept.live, kept.packed = None, data
        self._packed[id(kept)] = ref(kept)
        self._packed_bytes += len(data)
        while self._packed_bytes > self._budget // 2:
            oldest = next(iter(self._packed.values()))()
            assert oldest is not None and oldest.packed is not None
            try:
                extent = self.file.write(oldest.packed)
            except OSError as error:  # rather too much memory than a lost picture
                log.warning("Old steps stay in memory, the file for them is full: %s", error)
                break
            self._leave_memory(oldest)
            oldest.packed, oldest.extent = None, extent

    def _leave_memory(self, kept: Kept) -> None:
        if self._live.pop(id(kept), None) and kept.live is not None:
            self._live_bytes -= kept.live.sizeInBytes()
        if self._packed.pop(id(kept), None) and kept.packed is not None:
            self._packed_bytes -= len(kept.packed)


def _compress(image: QImage) -> bytes:
    return zlib.compress(image.constBits(), LEVEL)
