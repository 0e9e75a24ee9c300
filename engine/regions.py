"""Connected regions of a mask, found row by row: which pixels belong together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]


def label_regions(mask: Mask) -> Labels:
    """A number for each pixel of `mask` (H, W): 1, 2, … by region, 0 where the mask is False.

    Pixels belong together that touch by a side. Works on runs of pixels, joined from row to row
    by union-find (Tarjan 1975), so that the time follows the outline and not the area.
    """
    rows, starts, ends = _runs(mask)
    parents = list(range(len(rows)))
    for above, below in _touching(rows, starts, ends, mask.shape[0]):
        a, b = _root(parents, above), _root(parents, below)
        parents[max(a, b)] = min(a, b)
    roots = np.array([_root(parents, run) for run in range(len(parents))], np.int32)
    _, regions = np.unique(roots, return_inverse=True)
    return _painted(mask.shape, rows, starts, ends, regions.astype(np.int32) + 1)


def _runs(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, first column and the column after the last, of every run of True, in reading order."""
    steps = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def _touching(
    rows: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp], height: int
) -> Iterator[tuple[int, int]]:
    """Pairs of runs, one under the other, that share a column."""
    first = np.searchsorted(rows, np.arange(height + 1)).tolist()
    begin, end = starts.tolist(), ends.tolist()
    for row in range(1, height):
        above, below = first[row - 1], first[row]
        while above < first[row] and below < first[row + 1]:
            if begin[above] < end[below] and begin[below] < end[above]:
                yield above, below
            if end[above] < end[below]:
                above += 1
            else:
                below += 1


def _root(parents: list[int], run: int) -> int:
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


def _painted(
    shape: tuple[int, ...],
    rows: NDArray[np.intp],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    labels: Labels,
) -> Labels:
    """Every run filled with its label."""
    steps = np.zeros((shape[0], shape[1] + 1), np.int32)
    steps[rows, starts] += labels
    steps[rows, ends] -= labels
    return np.cumsum(steps, axis=1, dtype=np.int32)[:, :-1]
