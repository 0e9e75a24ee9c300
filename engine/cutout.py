"""Cuts a drawing out of the paper it is on: the paper becomes transparent, with soft edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from engine.regions import Mask, label_regions

FAINT = 32
"""Levels (of 255): what differs less from the paper is too weak to tell an edge by."""
EDGE = 1 / 42
"""Part of the longer side that an edge may be wide: 3 pixels of 128, 12 of 512."""
ARRIVED = 0.7
"""On the way in, the drawing has been reached where the difference falls below this much of it."""

Pixels = NDArray[np.float32]
Steps = NDArray[np.int32]


def cut_out(
    image: Image.Image, *, tolerance: int = 5, gap: int = 1, enclosed: bool = False
) -> Image.Image:
    """The picture as RGBA, without the paper that reaches its borders.

    `tolerance` is how many levels (of 255) the paper may vary, `gap` the half width in pixels of
    the openings in an outline through which it does not enter; `enclosed` takes away paper inside
    the drawing as well. What was transparent stays so.
    """
    given = np.asarray(image.convert("RGBA"))
    colors = given[..., :3].astype(np.float32)
    color = paper_color(given)
    difference: Pixels = np.abs(colors - color).max(axis=2)
    difference[given[..., 3] == 0] = 0
    paper = find_paper(difference, tolerance, gap, enclosed)
    opacity, inks = soften(colors, color, difference, paper)
    opacity *= given[..., 3] / 255
    inks[opacity == 0] = 0
    cut = np.dstack([inks, opacity * 255])
    return Image.fromarray(cut.round().astype(np.uint8))


def paper_color(rgba: NDArray[np.uint8]) -> Pixels:
    """The colour (3,) along the borders, where they can be seen; white where they cannot."""
    border = np.concatenate([rgba[0], rgba[-1], rgba[:, 0], rgba[:, -1]])
    seen = border[border[:, 3] > 0]
    if len(seen) == 0:
        return np.full(3, 255, np.float32)
    color: Pixels = np.median(seen[:, :3], axis=0).astype(np.float32)
    return color


def find_paper(difference: Pixels, tolerance: int, gap: int, enclosed: bool) -> Mask:
    """Where the paper is (H, W), from how much each pixel differs from its colour.

    Flooded from the borders by a square too wide for the gaps, then up to the drawing itself.
    """
    alike = difference <= tolerance
    if enclosed:
        return alike
    around = np.pad(alike, gap + 1, constant_values=True)
    regions = label_regions(~_grown(~around, gap))
    outside = _grown(regions == regions[0, 0], gap) & around
    for _ in range(2 * gap):  # into corners where the square did not fit
        outside = _grown(outside, 1) & around
    inner = slice(gap + 1, -gap - 1)
    return outside[inner, inner]


def soften(
    colors: Pixels, paper_color: Pixels, difference: Pixels, paper: Mask
) -> tuple[Pixels, Pixels]:
    """Opacity (H, W) in 0…1 and the colours (H, W, 3) without the paper that shines through.

    A pixel at the edge is a mixture, p = a·ink + (1 - a)·paper. Its ink is looked for on the way
    into the drawing, and a is how far p lies from the paper to that ink. Where the drawing itself
    is too faint for that it is kept whole; only dirt goes.
    """
    width = max(2, round(max(paper.shape) * EDGE))
    steps = _steps_from(paper, width)
    opacity = np.where(paper | _dirt(difference, paper, steps, width), 0, 1).astype(np.float32)
    inks = colors.copy()
    edge = np.nonzero(steps)
    if len(edge[0]) == 0:
        return opacity, inks
    found = _way_in(difference, paper, steps, width)
    ink, mixed = colors[found] - paper_color, colors[edge] - paper_color
    part = (mixed * ink).sum(axis=1) / np.maximum((ink * ink).sum(axis=1), 1)
    clear = difference[found] >= FAINT
    opacity[edge] = np.where(clear, part.clip(0, 1), opacity[edge])
    inks[edge] = colors[found]
    return opacity, inks


def _dirt(difference: Pixels, paper: Mask, steps: Steps, width: int) -> Mask:
    """Faint pixels that are noise of the model: too thin to be a drawing, or a rim around one."""
    faint = ~paper & (difference < FAINT)
    solid = _grown(~_grown(paper, width), width)
    from_strong = _steps_from(difference >= FAINT, width)
    rim = (from_strong > 0) & (steps > 0) & (from_strong + steps <= width + 1)
    return faint & (rim | ~solid)


def _way_in(
    difference: Pixels, paper: Mask, steps: Steps, width: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each pixel near the paper the place of its ink: rows and columns.

    Straight away from the paper, no deeper than `width`, up to where the drawing is reached.
    """
    blurred = Image.fromarray(paper.astype(np.uint8) * 255).filter(
        ImageFilter.GaussianBlur(width / 2)
    )
    slope = np.pad(np.asarray(blurred).astype(np.float32), 1, "edge")
    down, right = np.gradient(slope, axis=0), np.gradient(slope, axis=1)
    rows, columns = np.nonzero(steps)
    dy, dx = -down[rows + 1, columns + 1], -right[rows + 1, columns + 1]
    length = np.maximum(np.hypot(dy, dx), 1e-6)
    best = difference[rows, columns]
    best_rows, best_columns = rows.copy(), columns.copy()
    walking = np.ones(len(rows), bool)
    for step in range(1, width + 1):
        y = np.rint(rows + dy / length * step).astype(np.intp).clip(0, paper.shape[0] - 1)
        x = np.rint(columns + dx / length * step).astype(np.intp).clip(0, paper.shape[1] - 1)
        here = difference[y, x]
        walking &= (step + steps[rows, columns] <= width + 1) & (
            (best < FAINT) | (here >= ARRIVED * best)
        )
        better = walking & (here > best)
        best[better] = here[better]
        best_rows[better], best_columns[better] = y[better], x[better]
    return best_rows, best_columns


def _steps_from(mask: Mask, most: int) -> Steps:
    """How many pixels away from the mask, 1 to `most`; 0 inside it and further away."""
    steps = np.zeros(mask.shape, np.int32)
    reached = mask
    for step in range(1, most + 1):
        wider = _grown(reached, 1)
        steps[wider & ~reached] = step
        reached = wider
    return steps


def _grown(mask: Mask, by: int) -> Mask:
    """The mask, wider by so many pixels on every side and corner."""
    for _ in range(by):
        wide = mask.copy()
        wide[:, 1:] |= mask[:, :-1]
        wide[:, :-1] |= mask[:, 1:]
        mask = wide.copy()
        mask[1:] |= wide[:-1]
        mask[:-1] |= wide[1:]
    return mask
