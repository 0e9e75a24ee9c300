"""Repainting a part with tiny real pipelines: what is outside of the mask stays, bit for bit."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn import colorful, drawing_steps, image, of_kind, pixels, run, saved
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from engine import metadata
from engine.drawing import Drawing
from engine.errors import Cancelled, EngineError, FileError, InvalidTask
from engine.events import Event, Preview, Saved
from engine.generators.inpaint import Inpaint
from engine.generators.text_to_image import TextToImage
from engine.masks import feathered
from engine.pipelines import load_text_to_image
from engine.schedulers import FLOW_SCHEDULERS, NOISE_SCHEDULERS

CAPABLE = ("stable_diffusion", "stable_diffusion_3", "inpainting", "flux")


def task(model: Path, picture: str, mask: str, **values: Any) -> Inpaint:
    defaults = {"prompt": "a red heart", "num_inference_steps": 2, "seed": 5, "feather": 0}
    return Inpaint(model=str(model), image=picture, mask=mask, **(defaults | values))


def box_mask(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


@pytest.mark.parametrize("name", CAPABLE)
def test_only_what_is_masked_changes(
    tiny_pipelines: dict[str, Path], tmp_path: Path, name: str
) -> None:
    given, mask = colorful((48, 32)), box_mask((48, 32), (10, 8, 26, 20))
    events = run(
        task(tiny_pipelines[name], saved(given, tmp_path), saved(mask, tmp_path, "mask.png")),
        tmp_path,
    )
    result = image(events)
    assert (result.size, result.mode) == (given.size, "RGB")
    before, after, masked = np.asarray(given), np.asarray(result), np.asarray(mask) > 0
    assert (before[~masked] == after[~masked]).all()
    changed = (before != after).any(axis=2)
    assert changed[masked].mean() > 0.9
    assert len(np.unique(after[masked])) > 10, "a flat patch"


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    """White, gray and nearly black rectangles and ellipses; somewhere it is not black."""
    size = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    mask = Image.new("L", size)
    for _ in range(draw(st.integers(1, 3))):
        x, y = draw(st.integers(0, size[0] - 1)), draw(st.integers(0, size[1] - 1))
        shape = x, y, x + draw(st.integers(0, 40)), y + draw(st.integers(0, 40))
        pen = ImageDraw.Draw(mask)
        fill = draw(st.sampled_from((255, 255, 100, 1)))
        (pen.rectangle if draw(st.booleans()) else pen.ellipse)(shape, fill=fill)
    mask.putpixel((x, y), 255)
    return mask


@settings(max_examples=25)
@given(masks(), st.integers(0, 12), st.integers(0, 80), st.sampled_from(("RGB", "RGBA")))
def test_outside_of_the_mask_not_a_bit_changes(
    tiny_pipelines: dict[str, Path], mask: Image.Image, feather: int, padding: int, mode: str
) -> None:
    given = colorful(mask.size, mode)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        drawing = task(
            tiny_pipelines["stable_diffusion_3"],
            saved(given, out),
            saved(mask, out, "mask.png"),
            feather=feather,
            padding=padding,
            num_inference_steps=1,
        )
        result = image(run(drawing, out))
    assert (result.size, result.mode) == (given.size, mode)
    before, after = np.asarray(given), np.asarray(result)
    outside = np.asarray(mask) == 0
    assert (before[outside] == after[outside]).all()
    whole = np.asarray(feathered(mask, feather)) == 255
    if mode == "RGBA":
        assert (after[whole][:, 3] == 255).all(), "what is drawn is not glass"


def test_gray_mixes_old_and_new(tiny_pipelines: dict[str, Path], tmp_path: Path) -> None:
    model, given = tiny_pipelines["stable_diffusion_3"], colorful((16, 16))
    picture = saved(given, tmp_path)
    drawn = {}
    for value in (128, 255):
        mask = Image.new("L", (16, 16))
        mask.paste(value, (4, 4, 12, 12))
        events = run(task(model, picture, saved(mask, tmp_path, "mask.png")), tmp_path)
        drawn[value] = np.asarray(image(events), int)[4:12, 4:12]
    old = np.asarray(given, int)[4:12, 4:12]
    assert np.abs(drawn[255] - old).mean() > 20
    assert np.abs(drawn[128] - (old * 127 + drawn[255] * 128) / 255).max() < 3


def test_little_strength_stays_near_the_picture(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = tiny_pipelines["stable_diffusion"]
    given = colorful((16, 16))
    files = saved(given, tmp_path), saved(box_mask((16, 16), (0, 0, 16, 16)), tmp_path, "m.png")
    drawn = {
        strength: np.asarray(
            image(run(task(model, *files, strength=strength, num_inference_steps=20), tmp_path)),
            float,
        )
        for strength in (0.05, 0.2, 1.0)
    }
    near, far = (np.abs(drawn[0.05] - drawn[other]).mean() for other in (0.2, 1.0))
    assert 0 < near < far


def test_the_part_is_drawn_at_the_models_own_size_with_what_is_around_it(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    given, mask = colorful((200, 100)), box_mask((200, 100), (90, 40, 100, 50))
    files = saved(given, tmp_path), saved(mask, tmp_path, "mask.png")
    (done,) = of_kind(
        run(task(tiny_pipelines["stable_diffusion_3"], *files, padding=7, feather=2), tmp_path),
        Saved,
    )
    record = metadata.read_task(done.path)
    assert record is not None
    assert record.made_with["box"] == "83 33 107 57"  # 10 pixels and 7 of padding
    assert record.made_with["drawn_at"] == "16x16"


@pytest.mark.parametrize("size", [(64, 48), (3000, 30)])
def test_previews_show_the_whole_picture(
    tiny_pipelines: dict[str, Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    given = Image.new("RGB", size, (10, 200, 30))
    files = saved(given, tmp_path), saved(box_mask(size, (8, 8, 16, 16)), tmp_path, "mask.png")
    events = run(task(tiny_pipelines["stable_diffusion_3"], *files, padding=4), tmp_path)
    previews = [preview.image for preview in of_kind(events, Preview)]
    assert len(previews) == 2
    for preview in previews:
        scale = min(1, 1024 / size[0])
        assert preview.size == (round(size[0] * scale), round(size[1] * scale))
        assert preview.getpixel((preview.width - 1, 0)) == (10, 200, 30)
    if size == (64, 48):
        assert previews[-1].getpixel((12, 12)) != (10, 200, 30)
        assert previews[-1].getpixel((18, 18)) == (10, 200, 30)


@pytest.mark.parametrize("scheduler", NOISE_SCHEDULERS)
def test_every_noise_scheduler_draws(
    tiny_pipelines: dict[str, Path], tmp_path: Path, scheduler: str
) -> None:
    files = (
        saved(colorful((16, 16)), tmp_path),
        saved(box_mask((16, 16), (4, 4, 12, 12)), tmp_path, "mask.png"),
    )
    drawing = task(
        tiny_pipelines["stable_diffusion"], *files, scheduler=scheduler, num_inference_steps=4
    )
    events = run(drawing, tmp_path)
    assert len(np.unique(np.asarray(image(events))[4:12, 4:12])) > 10
    assert drawing_steps(events)[-1].step == drawing_steps(events)[-1].total


@pytest.mark.parametrize("scheduler", FLOW_SCHEDULERS)
def test_every_flow_scheduler_draws(
    tiny_pipelines: dict[str, Path], tmp_path: Path, scheduler: str
) -> None:
    files = (
        saved(colorful((16, 16)), tmp_path),
        saved(box_mask((16, 16), (4, 4, 12, 12)), tmp_path, "mask.png"),
    )
    drawing = task(tiny_pipelines["stable_diffusion_3"], *files, scheduler=scheduler)
    assert len(np.unique(np.asarray(image(run(drawing, tmp_path)))[4:12, 4:12])) > 10


@pytest.mark.parametrize("name", ["stable_diffusion", "stable_diffusion_3", "flux"])
def test_what_is_not_masked_comes_out_of_the_decoder_as_it_went_in(
    tiny_pipelines: dict[str, Path], name: str
) -> None:
    """Colours would differ at the seam, where scale or shift of the latents were not undone."""
    import torch

    model = load_text_to_image(tiny_pipelines[name], lambda event: None).of_kind("inpaint")
    model.use_scheduler("default")
    size = model.own_size() if name != "flux" else (32, 32)
    given = colorful(size).resize(size)
    drawing = task(tiny_pipelines[name], "x", "x")
    arguments = drawing.arguments(model, width=size[0], height=size[1], strength=1.0)
    black = Image.new("L", size)
    drawn = Drawing(model, lambda event: None, 5, 2).call(
        {**arguments, "image": given, "mask_image": black}, size, 2
    )
    assert drawn is not None
    vae, processor = model.pipe.vae, model.pipe.image_processor
    with torch.no_grad():
        encoded = vae.encode(processor.preprocess(given).to(vae.dtype))
        latents = (
            encoded.latents
            if hasattr(encoded, "latents")
            else encoded.latent_dist.sample(torch.Generator().manual_seed(5))
        )
        (expected,) = processor.postprocess(vae.decode(latents).sample)
    shift = vae.config.shift_factor or 0.1
    with torch.no_grad():
        (wrong,) = processor.postprocess(vae.decode(latents - shift).sample)
    assert distance(drawn, expected) < 0.4 * distance(wrong, expected)


def distance(image: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(image, float) - np.asarray(other, float)).mean())


def test_the_record_tells_of_both_pictures(tiny_pipelines: dict[str, Path], tmp_path: Path) -> None:
    model = tiny_pipelines["stable_diffusion_3"]
    first = TextToImage(prompt="a fox", model=str(model), num_inference_steps=1, seed=8)
    (source,) = of_kind(run(first, tmp_path), Saved)
    mask = saved(box_mask((16, 16), (4, 4, 12, 12)), tmp_path, "mask.png")
    (done,) = of_kind(run(task(model, str(source.path), mask), tmp_path), Saved)
    record = metadata.read_task(done.path)
    assert record is not None
    assert record.name == "inpaint"
    assert (record.values["image"], record.values["mask"]) == (source.path.name, "mask.png")
    assert str(tmp_path).encode() not in done.path.read_bytes()
    assert record.source is not None
    assert record.source.values["prompt"] == "a fox"


def test_each_image_of_several_can_be_drawn_again_alone(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = tiny_pipelines["inpainting"]
    files = (
        saved(colorful((16, 16)), tmp_path),
        saved(box_mask((16, 16), (4, 4, 12, 12)), tmp_path, "mask.png"),
    )
    together = pixels(run(task(model, *files, num_images_per_prompt=2), tmp_path))
    assert len(set(together)) == 2
    assert pixels(run(task(model, *files, seed=6), tmp_path)) == together[1:]


def test_a_stop_leaves_nothing_behind(tiny_pipelines: dict[str, Path], tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Preview):
            raise Cancelled

    files = (
        saved(colorful((16, 16)), tmp_path),
        saved(box_mask((16, 16), (4, 4, 12, 12)), tmp_path, "mask.png"),
    )
    with pytest.raises(Cancelled):
        task(tiny_pipelines["stable_diffusion"], *files).run(stop, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_picture_that_is_all_black_may_stay_so(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_pipelines["stable_diffusion"], tmp_path / "model"))
    file = folder / "vae/diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["decoder.conv_out.bias"].fill_(-1e4)  # it can draw nothing but black
    save_file(weights, file, metadata={"format": "pt"})
    mask = saved(box_mask((16, 16), (4, 4, 5, 5)), tmp_path, "mask.png")
    black = saved(Image.new("RGB", (16, 16)), tmp_path, "black.png")
    assert image(run(task(folder, black, mask), tmp_path)).getbbox() is None
    with pytest.raises(EngineError, match="only black"):
        run(task(folder, saved(colorful((16, 16)), tmp_path), mask), tmp_path)


def test_a_mask_that_says_nothing_is_refused_before_anything_is_drawn(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    picture = saved(colorful((16, 16)), tmp_path)
    model = tiny_pipelines["stable_diffusion_3"]
    for mask, message in ((Image.new("L", (16, 16)), "black"), (Image.new("L", (8, 8)), "8 × 8")):
        events: list[Event] = []
        with pytest.raises(InvalidTask, match=message) as caught:
            task(model, picture, saved(mask, tmp_path, "m.png")).run(events.append, tmp_path)
        assert caught.value.field == "mask"
        assert drawing_steps(events) == []
    with pytest.raises(FileError, match=r"gone\.png"):
        run(task(model, picture, str(tmp_path / "gone.png")), tmp_path)


def test_a_model_that_cannot_repaint_says_so(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    files = (
        saved(colorful((16, 16)), tmp_path),
        saved(Image.new("L", (16, 16), 255), tmp_path, "m.png"),
    )
    with pytest.raises(InvalidTask, match="cannot repaint") as caught:
        run(task(tiny_pipelines["pixart"], *files), tmp_path)
    assert caught.value.field == "model"


def test_a_model_that_can_only_repaint_says_so(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(InvalidTask, match="only learned to repaint") as caught:
        run(TextToImage(prompt="a fox", model=str(tiny_pipelines["inpainting"])), tmp_path)
    assert caught.value.field == "model"
