"""The numbers behind a curve: growing series, debiased EMA, min/max decimation. No Qt in here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BLOCK = 64  # the length in which the EMA is computed at once


class Series:
    """One metric by step, and the same smoothed. Steps are appended in rising order.

    The smoothing is the debiased exponential moving average that TensorBoard shows: it looks only
    back, so a value once drawn never changes while the run goes on.
    """

    def __init__(self, smoothing: float = 0.0) -> None:
        self._steps = np.empty(256)
        self._values = np.empty(256)
        self._smoothed = np.empty(256)
        self._length = 0
        self._smoothing = smoothing
        self._sums = (0.0, 0.0)  # of the values and of their weights, both decayed

    def __len__(self) -> int:
        return self._length

    @property
    def steps(self) -> Array:
        return self._steps[: self._length]

    @property
    def values(self) -> Array:
        return self._values[: self._length]

    @property
    def smoothed(self) -> Array:
        return self._smoothed[: self._length]

    @property
    def smoothing(self) -> float:
        return self._smoothing

    @smoothing.setter
    def smoothing(self, weight: float) -> None:
        self._smoothing = weight
        self._sums = (0.0, 0.0)
        self._smooth(0)

    def extend(self, steps: Array, values: Array) -> None:
        start, end = self._length, self._length + len(steps)
        if end > len(self._steps):
            self._grow(end)
        self._steps[start:end] = steps
        self._values[start:end] = values
        self._length = end
        self._smooth(start)

    def value_at(self, step: float) -> float | None:
        """The value measured nearest to `step`."""
        index = nearest(self.steps, step)
        return None if index is None else float(self._values[index])

    def _grow(self, needed: int) -> None:
        size = max(needed, 2 * len(self._steps))
        for name in ("_steps", "_values", "_smoothed"):
            setattr(self, name, np.resize(getattr(self, name), size))

    def _smooth(self, start: int) -> None:
        """Smooth from index `start` on, going on from the sums so far."""
        values = self.values[start:]
        finite = np.isfinite(values)
        if not len(values):
            return
        total = decayed_sum(np.where(finite, values, 0.0), self._smoothing, self._sums[0])
        weight = decayed_sum(finite.astype(float), self._smoothing, self._sums[1])
        self._sums = (float(total[-1]), float(weight[-1]))
        smoothed = np.full(len(values), np.nan)  # where nothing was measured, nothing is shown
        np.divide(total, weight, out=smoothed, where=finite)
        self._smoothed[start : self._length] = smoothed


def decayed_sum(values: Array, weight: float, start: float = 0.0) -> Array:
    """s[t] = weight · s[t-1] + (1 - weight) · values[t] with s[-1] = `start`, in blocks."""
    count = -(-len(values) // BLOCK)
    padded = np.zeros(count * BLOCK)
    padded[: len(values)] = values * (1.0 - weight)
    lag = np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK))
    kernel = np.where(lag >= 0, weight ** np.abs(lag), 0.0)
    local = padded.reshape(count, BLOCK) @ kernel.T
    carried = np.empty(count)
    for index, last in enumerate(local[:, -1]):
        carried[index] = start
        start = last + weight**BLOCK * start
    decay = weight ** np.arange(1, BLOCK + 1)
    whole: Array = (local + carried[:, None] * decay).ravel()[: len(values)]
    return whole


def decimate(x: Array, y: Array, limit: int) -> tuple[Array, Array]:
    """At most `limit` points in which the lowest and highest of every stretch survive, and gaps.

    A stretch that holds a non-finite value keeps one, so that the line is broken there too.
    """
    if len(x) <= limit:
        return x, y
    stretches = max((limit - 2) // 3, 1)
    size = -(-len(x) // stretches)
    padded = np.full(stretches * size, np.nan)
    padded[: len(y)] = y
    rows = padded.reshape(stretches, size)
    finite = np.isfinite(rows)
    begin = np.arange(stretches) * size
    chosen = [
        np.where(finite, rows, np.inf).argmin(axis=1) + begin,
        np.where(finite, rows, -np.inf).argmax(axis=1) + begin,
        (finite.argmin(axis=1) + begin)[~finite.all(axis=1)],
        np.array([0, len(x) - 1]),
    ]
    kept = np.unique(np.concatenate(chosen))
    kept = kept[kept < len(x)]
    return x[kept], y[kept]


def visible(steps: Array, low: float, high: float) -> slice:
    """The part of rising `steps` within low … high, and one point beyond on either side."""
    first, last = np.searchsorted(steps, (low, high), side="left")
    return slice(max(int(first) - 1, 0), min(int(last) + 2, len(steps)))


def nearest(steps: Array, step: float) -> int | None:
    """The index of the value in rising `steps` that is nearest to `step`."""
    if not len(steps):
        return None
    right = int(np.searchsorted(steps, step))
    if right == 0:
        return 0
    if right == len(steps) or step - steps[right - 1] <= steps[right] - step:
        return right - 1
    return right
