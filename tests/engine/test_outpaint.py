"""Going on with a picture with tiny real pipelines: it stays, and all around it is drawn."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import colorful, drawing_steps, image, of_kind, pixels, run, saved
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine import metadata
from engine.errors import InvalidTask
from engine.events import Preview, Saved
from engine.generators.outpaint import Outpaint

SIDES = ("left", "top", "right", "bottom")


def task(model: Path, picture: str, **values: Any) -> Outpaint:
    defaults = {"prompt": "a red heart", "num_inference_steps": 2, "seed": 5, "feather": 0}
    return Outpaint(model=str(model), image=picture, **(defaults | values))


@pytest.mark.parametrize("name", ["stable_diffusion", "stable_diffusion_3", "inpainting"])
@pytest.mark.parametrize("side", SIDES)
def test_each_side_goes_on(
    tiny_pipelines: dict[str, Path], tmp_path: Path, name: str, side: str
) -> None:
    given = colorful((16, 12))
    events = run(task(tiny_pipelines[name], saved(given, tmp_path), **{side: 10}), tmp_path)
    result = image(events)
    wider = side in ("left", "right")
    assert result.size == ((26, 12) if wider else (16, 22))
    corner = (10 if side == "left" else 0, 10 if side == "top" else 0)
    kept = result.crop((*corner, corner[0] + 16, corner[1] + 12))
    assert kept.tobytes() == given.tobytes()
    fresh = np.asarray(result).copy()
    fresh[corner[1] : corner[1] + 12, corner[0] : corner[0] + 16] = 0
    assert len(np.unique(fresh)) > 10
    assert {preview.image.size for preview in of_kind(events, Preview)} == {result.size}


@settings(max_examples=12)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(*[st.integers(0, 24)] * 4).filter(any),
    st.integers(0, 6),
    st.sampled_from(("RGB", "RGBA")),
)
def test_the_picture_stays_and_nothing_around_it_is_left_out(
    tiny_pipelines: dict[str, Path],
    size: tuple[int, int],
    around: tuple[int, int, int, int],
    feather: int,
    mode: str,
) -> None:
    given = colorful(size, mode)
    with tempfile.TemporaryDirectory() as folder:
        drawing = task(
            tiny_pipelines["stable_diffusion_3"],
            saved(given, Path(folder)),
            feather=feather,
            num_inference_steps=1,
            **dict(zip(SIDES, around, strict=True)),
        )
        result = image(run(drawing, Path(folder)))
    left, top, right, bottom = around
    assert (result.size, result.mode) == ((left + size[0] + right, top + size[1] + bottom), mode)
    before, after = np.asarray(given), np.asarray(result)
    # With a feather the rim of the picture changes, on the sides that go on.
    rim = [feather if side else 0 for side in around]
    inner = before[rim[1] : size[1] - rim[3], rim[0] : size[0] - rim[2]]
    kept = after[top : top + size[1], left : left + size[0]]
    assert (kept[rim[1] : size[1] - rim[3], rim[0] : size[0] - rim[2]] == inner).all()
    if mode == "RGBA":
        new = np.ones(after.shape[:2], bool)
        new[top : top + size[1], left : left + size[0]] = False
        assert (after[new][:, 3] == 255).all()


def test_what_is_larger_than_the_model_draws_comes_in_pieces(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = tiny_pipelines["stable_diffusion_3"]  # 16 × 16
    picture = saved(colorful((16, 16)), tmp_path)
    events = run(task(model, picture, right=24, num_images_per_prompt=2), tmp_path)
    told = drawing_steps(events)
    assert {progress.total for progress in told} == {2 * 3 * 2}, "3 pieces of 2 steps, twice"
    assert [progress.step for progress in told] == sorted(progress.step for progress in told)
    assert len(of_kind(events, Preview)) == 12
    together = pixels(events)
    assert len(set(together)) == 2
    assert pixels(run(task(model, picture, right=24, seed=6), tmp_path)) == together[1:]
    (first, *_) = of_kind(events, Saved)
    record = metadata.read_task(first.path)
    assert record is not None
    assert record.made_with["piece"] == "16x16"
    assert record.values["image"] == "picture.png"


def test_nothing_to_draw_and_too_much_are_refused(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = tiny_pipelines["stable_diffusion_3"]
    with pytest.raises(InvalidTask, match="No side"):
        run(task(model, saved(colorful((16, 16)), tmp_path)), tmp_path)
    long = saved(Image.new("RGB", (20_000, 8)), tmp_path)
    with pytest.raises(InvalidTask, match="million"):
        run(task(model, long, bottom=4096), tmp_path)


def test_a_model_that_cannot_repaint_says_so(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(InvalidTask, match="cannot repaint") as caught:
        run(task(tiny_pipelines["pixart"], saved(colorful((16, 16)), tmp_path), left=8), tmp_path)
    assert caught.value.field == "model"
