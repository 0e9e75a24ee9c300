"""Drawing from a picture with tiny real pipelines: as diffusers does, at its proportions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn import colorful, drawing_steps, image, of_kind, pixels, run, saved
from PIL import Image

from engine import cache, device, metadata
from engine.errors import Cancelled, FileError, InvalidTask
from engine.events import Event, Preview, Progress, Saved
from engine.generators.image_to_image import ImageToImage
from engine.generators.text_to_image import TextToImage
from engine.pipelines import load_text_to_image
from engine.schedulers import FLOW_SCHEDULERS, NOISE_SCHEDULERS

STEPS = 5


def task(model: Path, picture: str, **values: Any) -> ImageToImage:
    defaults = {"prompt": "a red heart", "num_inference_steps": STEPS, "seed": 5}
    return ImageToImage(model=str(model), image=picture, **(defaults | values))


@pytest.fixture
def picture(tmp_path: Path) -> str:
    return saved(colorful((16, 16)), tmp_path)


@pytest.mark.parametrize(
    ("name", "pipeline", "size"),
    [
        ("stable_diffusion", "StableDiffusionImg2ImgPipeline", 16),
        ("stable_diffusion_3", "StableDiffusion3Img2ImgPipeline", 16),
        ("flux", "FluxImg2ImgPipeline", 32),
    ],
)
def test_it_draws_what_diffusers_draws(
    tiny_pipelines: dict[str, Path], tmp_path: Path, name: str, pipeline: str, size: int
) -> None:
    import diffusers

    given = colorful((size, size))
    events = run(
        task(tiny_pipelines[name], saved(given, tmp_path), strength=0.5, width=size, height=size),
        tmp_path,
    )
    dtype = torch.bfloat16 if device.has_native_bfloat16() else torch.float32
    absent = {"text_encoder_3": None, "tokenizer_3": None} if name.endswith("_3") else {}
    pipe = getattr(diffusers, pipeline).from_pretrained(tiny_pipelines[name], dtype=dtype, **absent)
    own = {} if name == "stable_diffusion" else {"width": size, "height": size}
    own |= {"max_sequence_length": 0} if absent else {}
    drawn = pipe(
        prompt="a red heart",
        image=given,
        strength=0.5,
        num_inference_steps=STEPS,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(5),
        **own,
    ).images[0]
    assert image(events).tobytes() == drawn.tobytes()
    assert len(of_kind(events, Preview)) == pipe.num_timesteps


@pytest.mark.parametrize(
    ("given", "asked", "size"),
    [
        ((40, 20), {}, (24, 12)),  # the area of 16 × 16, in multiples of 4
        ((20, 40), {}, (12, 24)),
        ((1, 1), {}, (16, 16)),
        ((400, 4), {}, (64, 4)),  # no slimmer than four times the model's side
        ((40, 20), {"width": 32}, (32, 16)),
        ((40, 20), {"height": 32}, (64, 32)),
        ((40, 20), {"width": 16, "height": 24}, (16, 24)),
    ],
)
def test_the_size_is_the_pictures_unless_another_is_asked_for(
    tiny_pipelines: dict[str, Path],
    tmp_path: Path,
    given: tuple[int, int],
    asked: dict[str, int],
    size: tuple[int, int],
) -> None:
    path = saved(colorful(given), tmp_path)
    events = run(task(tiny_pipelines["stable_diffusion_3"], path, **asked), tmp_path)
    assert image(events).size == size
    assert {preview.image.size for preview in of_kind(events, Preview)} == {size}


def test_little_strength_stays_near_the_picture(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str
) -> None:
    drawn = {
        strength: np.asarray(
            image(
                run(
                    task(
                        tiny_pipelines["stable_diffusion"],
                        picture,
                        strength=strength,
                        num_inference_steps=20,
                    ),
                    tmp_path,
                )
            ),
            float,
        )
        for strength in (0.05, 0.2, 1.0)
    }
    near, far = (np.abs(drawn[0.05] - drawn[other]).mean() for other in (0.2, 1.0))
    assert 0 < near < far


@pytest.mark.parametrize(
    ("name", "strength", "steps"),
    [
        ("stable_diffusion", 0.5, 2),
        ("stable_diffusion_3", 0.5, 3),
        ("stable_diffusion", 1.0, 5),
        ("stable_diffusion_3", 0.01, 1),
    ],
)
def test_the_steps_are_those_that_diffusers_runs(
    tiny_pipelines: dict[str, Path],
    tmp_path: Path,
    picture: str,
    name: str,
    strength: float,
    steps: int,
) -> None:
    events = run(
        task(tiny_pipelines[name], picture, strength=strength, scheduler="default"), tmp_path
    )
    told = drawing_steps(events)
    assert {progress.total for progress in told} == {steps}
    assert told[0].step == 0
    assert told[-1].step == steps


def test_a_strength_that_leaves_no_step_is_refused(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str
) -> None:
    events: list[Event] = []
    with pytest.raises(InvalidTask, match="none of 5 steps") as caught:
        task(tiny_pipelines["stable_diffusion"], picture, strength=0.1).run(events.append, tmp_path)
    assert caught.value.field == "strength"
    assert "0.2" in caught.value.hint
    assert drawing_steps(events) == []


@pytest.mark.parametrize("scheduler", NOISE_SCHEDULERS)
def test_every_noise_scheduler_draws(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str, scheduler: str
) -> None:
    model = tiny_pipelines["stable_diffusion"]
    events = run(task(model, picture, scheduler=scheduler), tmp_path)
    assert len(np.unique(np.asarray(image(events)))) > 10
    assert drawing_steps(events)[-1].step == drawing_steps(events)[-1].total


@pytest.mark.parametrize("scheduler", FLOW_SCHEDULERS)
def test_every_flow_scheduler_draws(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str, scheduler: str
) -> None:
    model = tiny_pipelines["stable_diffusion_3"]
    events = run(task(model, picture, scheduler=scheduler), tmp_path)
    assert len(np.unique(np.asarray(image(events)))) > 10


def test_what_is_transparent_is_white_and_a_turned_picture_upright(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = tiny_pipelines["stable_diffusion_3"]
    seen = colorful((24, 12))
    seen.paste("white", (0, 0, 12, 12))
    through = seen.convert("RGBA")
    through.paste((0, 200, 0, 0), (0, 0, 12, 12))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    turned = seen.transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "turned.png", exif=exif)
    expected = pixels(run(task(model, saved(seen, tmp_path, "seen.png")), tmp_path))
    assert pixels(run(task(model, saved(through, tmp_path, "rgba.png")), tmp_path)) == expected
    assert pixels(run(task(model, str(tmp_path / "turned.png")), tmp_path)) == expected


def test_the_record_tells_of_the_picture_and_how_it_was_made(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = tiny_pipelines["stable_diffusion_3"]
    first = TextToImage(prompt="a fox", model=str(model), num_inference_steps=1, seed=8)
    (source,) = of_kind(run(first, tmp_path), Saved)
    (refined,) = of_kind(run(task(model, str(source.path)), tmp_path), Saved)

    record = metadata.read_task(refined.path)
    assert record is not None
    assert (record.name, record.values["image"]) == ("image_to_image", source.path.name)
    assert str(tmp_path).encode() not in refined.path.read_bytes()
    assert len(record.model_hash) == 64
    assert record.source is not None
    assert (record.source.values["prompt"], record.source.values["seed"]) == ("a fox", 8)
    with Image.open(refined.path) as file:
        assert file.info["parameters"].startswith("a red heart\n"), "what others read"


def test_each_image_of_several_can_be_drawn_again_alone(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str
) -> None:
    model = tiny_pipelines["stable_diffusion"]  # whose VAE draws random numbers as well
    together = pixels(run(task(model, picture, num_images_per_prompt=3), tmp_path))
    assert len(set(together)) == 3
    assert pixels(run(task(model, picture, seed=7), tmp_path)) == together[2:]


def test_going_from_task_to_task_loads_nothing_twice(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str
) -> None:
    model = tiny_pipelines["stable_diffusion_3"]
    cache.clear()
    first = TextToImage(prompt="a fox", model=str(model), num_inference_steps=1, seed=8)
    before = pixels(run(first, tmp_path))
    parts = load_text_to_image(model, lambda event: None)
    events = run(task(model, picture), tmp_path)
    assert [p.stage for p in of_kind(events, Progress)].count("loading model") == 1
    assert not any("text encoder" in p.stage for p in of_kind(events, Progress))
    other = parts.of_kind("image_to_image")
    assert other is parts.of_kind("image_to_image")
    for name in ("transformer", "vae", "text_encoder", "tokenizer"):
        assert getattr(other.pipe, name) is getattr(parts.pipe, name)
    assert pixels(run(first, tmp_path)) == before


def test_a_stop_leaves_nothing_behind(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Preview):
            raise Cancelled

    model, out = tiny_pipelines["stable_diffusion"], tmp_path / "out"
    expected = pixels(run(task(model, picture), tmp_path))
    with pytest.raises(Cancelled):
        task(model, picture).run(stop, out)
    assert list(out.iterdir()) == []
    assert pixels(run(task(model, picture), out)) == expected


@pytest.mark.parametrize("name", ["pixart", "inpainting"])
def test_a_model_that_cannot_begin_with_a_picture_says_so(
    tiny_pipelines: dict[str, Path], tmp_path: Path, picture: str, name: str
) -> None:
    with pytest.raises(InvalidTask, match=r"cannot start from a picture|only learned") as caught:
        run(task(tiny_pipelines[name], picture), tmp_path)
    assert caught.value.field == "model"
    assert caught.value.hint


def test_what_is_no_picture_is_a_clear_error(
    tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "no.png").write_text("no picture")
    for name, message in (("no.png", "not a readable picture"), ("gone.png", "no picture at")):
        with pytest.raises(FileError, match=message):
            run(task(tiny_pipelines["stable_diffusion"], str(tmp_path / name)), tmp_path)
