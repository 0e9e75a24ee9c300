"""Which pixels a bucket of paint reaches: alike in colour, and connected if that is asked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def flood(
    pixels: NDArray[np.uint8], x: int, y: int, tolerance: int, *, contiguous: bool = True
) -> Mask:
    """True where `pixels`, shape (H, W, C), differ from the pixel at (x, y) in no channel by more
    than `tolerance`; if `contiguous`, only where such pixels lead there by their sides."""
    alike = similar(pixels, pixels[y, x], tolerance)
    return connected(alike, x, y) if contiguous else alike


def similar(pixels: NDArray[np.uint8], color: NDArray[np.uint8], tolerance: int) -> Mask:
    """Where no channel is further than `tolerance` from `color`'s."""
    low = np.clip(color.astype(int) - tolerance, 0, 255).astype(np.uint8)
    high = np.clip(color.astype(int) + tolerance, 0, 255).astype(np.uint8)
    alike = np.ones(pixels.shape[:2], bool)
    for channel in range(pixels.shape[2]):
        values = pixels[:, :, channel]
        alike &= (values >= low[channel]) & (values <= high[channel])
    return alike


def connected(mask: Mask, x: int, y: int) -> Mask:
    """The part of `mask` that hangs together with (x, y) by sides, not corners.

    Works on runs (stretches of True in a row) instead of pixels: runs that touch in neighbouring
    rows are linked, then every run learns the least number among those it is linked to, with the
    shortcuts of Shiloach & Vishkin, An O(log n) parallel connectivity algorithm (1982).
    """
    height, width = mask.shape
    if not mask[y, x]:
        return np.zeros_like(mask)
    # One False column at the right end keeps the rows apart in the flat array.
    flat = np.zeros((height, width + 1), bool)
    flat[:, :width] = mask
    edges = np.flatnonzero(np.diff(flat.ravel(), prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    labels = _least_labels(len(starts), *_links(starts, ends, width + 1))
    seed = np.searchsorted(starts, y * (width + 1) + x, side="right") - 1
    reached = labels == labels[seed]
    marks = np.zeros(height * (width + 1) + 1, np.int8)
    marks[starts[reached]] = 1
    marks[ends[reached]] -= 1
    return np.cumsum(marks, dtype=np.int8)[:-1].reshape(flat.shape)[:, :width].astype(bool)


def _links(
    starts: NDArray[np.intp], ends: NDArray[np.intp], stride: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of runs that touch: the first of each pair lies in the row above the second."""
    first = np.searchsorted(ends, starts + stride, side="right")
    last = np.searchsorted(starts, ends + stride, side="left")
    counts = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return above, np.repeat(first, counts) + offsets


def _least_labels(count: int, above: NDArray[np.intp], below: NDArray[np.intp]) -> NDArray[np.intp]:
    """For every run the least number of all runs it hangs together with."""
    labels = np.arange(count)
    while True:
        least = np.minimum(labels[above], labels[below])
        hooked = labels.copy()
        for ends in (above, below):
            np.minimum.at(hooked, labels[ends], least)
        while not np.array_equal(hooked, jumped := hooked[hooked]):
            hooked = jumped
        if np.array_equal(hooked, labels):
            return labels
        labels = hooked


def grown(mask: Mask, by: int) -> Mask:
    """`mask` and all that is at most `by` pixels from it, corners rounded."""
    for step in range(by):
        wider = mask.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
        base = wider.copy() if step % 2 else mask  # every other time corners too: a round shape
        wider[:, 1:] |= base[:, :-1]
        wider[:, :-1] |= base[:, 1:]
        mask = wider
    return mask
