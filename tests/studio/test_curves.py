"""Smoothing and decimation of curves: the numbers a person judges a training by."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from studio.widgets.curves import Series, decimate, nearest, visible

values = hnp.arrays(float, st.integers(1, 700), elements=st.floats(-1e6, 1e6))
with_gaps = hnp.arrays(
    float, st.integers(1, 700), elements=st.floats(-1e6, 1e6) | st.sampled_from([math.nan, np.inf])
)


def plain_ema(values: np.ndarray, weight: float) -> list[float]:
    total = norm = 0.0
    smoothed = []
    for value in values:
        finite = math.isfinite(value)
        total = weight * total + (1 - weight) * (value if finite else 0.0)
        norm = weight * norm + (1 - weight) * finite
        smoothed.append(total / norm if finite else math.nan)
    return smoothed


@given(with_gaps, st.sampled_from([0.0, 0.5, 0.9, 0.99]))
def test_smoothing_is_the_debiased_ema(values: np.ndarray, weight: float) -> None:
    series = Series(weight)
    series.extend(np.arange(len(values)), values)
    np.testing.assert_allclose(
        series.smoothed, plain_ema(values, weight), rtol=1e-6, atol=1e-4, equal_nan=True
    )


@given(values, st.lists(st.integers(1, 90), min_size=1, max_size=20))
def test_smoothing_does_not_depend_on_how_the_values_arrive(
    values: np.ndarray, chunks: list[int]
) -> None:
    whole, parts = Series(0.9), Series(0.9)
    steps = np.arange(len(values), dtype=float)
    whole.extend(steps, values)
    start = 0
    for chunk in [*chunks, len(values)]:
        parts.extend(steps[start : start + chunk], values[start : start + chunk])
        start += chunk
    np.testing.assert_array_equal(parts.values, values)
    np.testing.assert_allclose(parts.smoothed, whole.smoothed, rtol=1e-6, atol=1e-4)


def test_new_smoothing_applies_to_everything_measured_so_far() -> None:
    series = Series(0.0)
    series.extend(np.arange(4.0), np.array([0.0, 1.0, 0.0, 1.0]))
    assert list(series.smoothed) == [0, 1, 0, 1]
    series.smoothing = 0.5
    np.testing.assert_allclose(series.smoothed, plain_ema(series.values, 0.5))


@given(with_gaps, st.integers(8, 200))
def test_decimation_keeps_peaks_ends_and_gaps(values: np.ndarray, limit: int) -> None:
    steps = np.arange(len(values), dtype=float)
    x, y = decimate(steps, values, limit)
    assert len(x) <= max(limit, 8)
    assert np.all(np.diff(x) > 0)
    assert x[0] == 0 and x[-1] == len(values) - 1
    np.testing.assert_array_equal(values[x.astype(int)], y)
    finite = values[np.isfinite(values)]
    if finite.size:
        kept = y[np.isfinite(y)]
        assert kept.min() == finite.min() and kept.max() == finite.max()
    assert np.isfinite(values).all() == np.isfinite(y).all()


def test_one_lonely_peak_in_a_million_points_survives() -> None:
    values = np.zeros(1_000_000)
    values[123_457], values[654_321] = 9.0, -9.0
    x, y = decimate(np.arange(1e6), values, 1000)
    assert len(x) <= 1000
    assert y.max() == 9.0 and x[y.argmax()] == 123_457
    assert y.min() == -9.0 and x[y.argmin()] == 654_321


@given(st.lists(st.integers(0, 500), min_size=1, unique=True).map(sorted), st.floats(-10, 510))
def test_nearest_is_nearest(steps: list[int], wanted: float) -> None:
    index = nearest(np.array(steps, float), wanted)
    assert index is not None
    assert abs(steps[index] - wanted) == min(abs(step - wanted) for step in steps)


def test_the_visible_part_reaches_beyond_both_edges_so_that_lines_do_not_end_in_the_air() -> None:
    steps = np.arange(0.0, 100.0, 10.0)
    assert list(steps[visible(steps, 35, 52)]) == [30, 40, 50, 60, 70]
    assert nearest(np.array([]), 3) is None
