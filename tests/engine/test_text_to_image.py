"""Drawing with tiny real pipelines: seeds, previews, schedulers, stopping, and what goes wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from engine import cache, device, metadata
from engine.errors import (
    Cancelled,
    EngineError,
    FileError,
    InvalidTask,
    ModelError,
    OutOfMemory,
)
from engine.events import Event, Notice, Preview, Progress, Saved
from engine.generators.text_to_image import TextToImage
from engine.previews import LatentPreview
from engine.schedulers import FLOW_SCHEDULERS, NOISE_SCHEDULERS

PIPELINES = {
    "stable_diffusion": tiny_models.save_stable_diffusion,
    "stable_diffusion_3": tiny_models.save_stable_diffusion_3,
    "flux": tiny_models.save_flux,
    "pixart": tiny_models.save_pixart,
}
STEPS = 3
LONG = "🦊 " * 45_000  # thirteen characters each in the file


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("pipelines")
    return {name: save(room / name) for name, save in PIPELINES.items()}


@pytest.fixture
def sd(pipelines: dict[str, Path]) -> Path:
    return pipelines["stable_diffusion"]


@pytest.fixture
def sd3(pipelines: dict[str, Path]) -> Path:
    return pipelines["stable_diffusion_3"]


@pytest.fixture
def copy(pipelines: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A pipeline folder of the test's own, to be broken."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(pipelines[name], tmp_path / name))

    return make


def task(model: Path, **values: Any) -> TextToImage:
    defaults = {"prompt": "a red heart", "num_inference_steps": STEPS, "seed": 5}
    return TextToImage(model=str(model), **(defaults | values))


def run(task: TextToImage, out: Path) -> list[Event]:
    events: list[Event] = []
    task.run(events.append, out)
    return events


def of_kind(events: list[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def images(events: list[Event]) -> list[Image.Image]:
    return [Image.open(event.path).convert("RGB") for event in of_kind(events, Saved)]


def pixels(events: list[Event]) -> list[bytes]:
    return [image.tobytes() for image in images(events)]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("stable_diffusion", (16, 16)),
        ("stable_diffusion_3", (16, 16)),
        ("flux", (256, 256)),
        ("pixart", (16, 16)),
    ],
)
def test_draws_at_the_models_own_size_with_a_preview_each_step(
    pipelines: dict[str, Path], tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    events = run(task(pipelines[name]), tmp_path)

    (image,) = images(events)
    assert image.size == size
    assert len(np.unique(np.asarray(image))) > 10, "a flat picture"
    previews = of_kind(events, Preview)
    assert len(previews) >= STEPS
    assert {(preview.image.size, preview.image.mode) for preview in previews} == {(size, "RGB")}
    assert len({preview.image.tobytes() for preview in previews}) == len(previews)


@pytest.mark.parametrize("name", PIPELINES)
def test_bfloat16_is_used_where_the_processor_has_it_and_draws_alike(
    pipelines: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drawn = {}
    for native in (False, True):
        cache.clear()
        monkeypatch.setattr(device, "has_native_bfloat16", lambda native=native: native)
        events = run(task(pipelines[name], width=32, height=32), tmp_path)
        drawn[native] = np.asarray(images(events)[0], float)
        record = metadata.read_task(of_kind(events, Saved)[0].path)
        assert record is not None
        assert record.made_with["dtype"] == ("bfloat16" if native else "float32")
    cache.clear()
    difference = np.abs(drawn[True] - drawn[False]).mean()
    assert 0 < difference < 12


def test_a_preview_shows_the_expected_end_and_not_the_noise(sd3: Path) -> None:
    """On a straight path from noise to an image, every step after the first shows the image."""
    from diffusers import StableDiffusion3Pipeline

    pipe = StableDiffusion3Pipeline.from_pretrained(sd3, text_encoder_3=None, tokenizer_3=None)
    pipe.scheduler.set_timesteps(6)
    image, noise = torch.randn(2, 1, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    preview = LatentPreview(pipe, sd3, (16, 16))
    frames = [
        preview.image(sigma * noise + (1 - sigma) * image, step)
        for step, sigma in enumerate(pipe.scheduler.sigmas[1:])
    ]
    pixels = [np.asarray(frame, float) for frame in frames if frame]
    assert len(pixels) == 6
    assert all(np.abs(frame - pixels[-1]).max() <= 2 for frame in pixels[1:])
    assert np.abs(pixels[0] - pixels[-1]).mean() > 10


@pytest.mark.parametrize(
    ("projection", "works"),
    [
        ({"factors": [[0, 0, 0]] * 16, "bias": [1, 0, -1]}, True),
        ({"factors": [[0, 0, 0]] * 4, "bias": [1, 0, -1]}, True),  # of another VAE: no preview
        ({"factors": [[0, 0]] * 16, "bias": [1, 0]}, False),
        ({"factors": 7, "bias": []}, False),
        ([], False),
    ],
)
def test_a_model_may_bring_its_own_colours(
    copy: Callable[[str], Path], tmp_path: Path, projection: Any, works: bool
) -> None:
    folder = copy("stable_diffusion_3")
    (folder / "latent_rgb.json").write_text(json.dumps(projection))
    if not works:
        with pytest.raises(ModelError, match=r"latent_rgb\.json"):
            run(task(folder), tmp_path)
        return
    previews = of_kind(run(task(folder), tmp_path), Preview)
    own = len(projection["factors"]) == 16
    assert {preview.image.getpixel((3, 3)) for preview in previews} == (
        {(255, 127, 0)} if own else set()
    )


def test_a_model_made_without_t5_reads_no_zeros_in_its_place(
    copy: Callable[[str], Path], sd3: Path, tmp_path: Path
) -> None:
    """Its text is its two CLIPs' tokens, as in training; one made with T5 gets the zeros."""
    from diffusers import SD3Transformer2DModel, StableDiffusion3Pipeline

    def drawn(folder: Path, length: int) -> bytes:
        pipe = StableDiffusion3Pipeline.from_pretrained(
            folder, text_encoder_3=None, tokenizer_3=None, dtype=dtype
        )
        result = pipe(
            "a red heart",
            num_inference_steps=STEPS,
            guidance_scale=3.0,
            max_sequence_length=length,
            generator=torch.Generator().manual_seed(5),
        )
        return bytes(result.images[0].tobytes())

    dtype = torch.bfloat16 if device.has_native_bfloat16() else torch.float32
    assert pixels(run(task(sd3), tmp_path)) == [drawn(sd3, 0)]
    assert drawn(sd3, 0) != drawn(sd3, 256)
    wider = copy("stable_diffusion_3")
    config = SD3Transformer2DModel.load_config(wider / "transformer")
    torch.manual_seed(0)
    SD3Transformer2DModel.from_config({**config, "joint_attention_dim": 48}).save_pretrained(
        wider / "transformer"
    )
    assert pixels(run(task(wider), tmp_path)) == [drawn(wider, 256)]


def test_progress_counts_the_steps_of_all_images(sd: Path, tmp_path: Path) -> None:
    events = run(task(sd, num_images_per_prompt=2), tmp_path)

    drawing = [p for p in of_kind(events, Progress) if "ing" in p.stage and " of 2" in p.stage]
    assert [p.step for p in drawing] == sorted(p.step for p in drawing)
    assert {p.total for p in drawing} == {2 * STEPS}
    assert drawing[0] == Progress(0, 2 * STEPS, "drawing 1 of 2")
    assert drawing[-1] == Progress(2 * STEPS, 2 * STEPS, "finishing 2 of 2")


@pytest.mark.parametrize("name", ["stable_diffusion", "stable_diffusion_3"])
def test_each_image_of_several_can_be_drawn_again_alone(
    pipelines: dict[str, Path], tmp_path: Path, name: str
) -> None:
    together = run(task(pipelines[name], num_images_per_prompt=3), tmp_path)

    assert [preview.index for preview in of_kind(together, Preview)] == sorted(
        preview.index for preview in of_kind(together, Preview)
    )
    assert len(set(pixels(together))) == 3
    for saved, drawn in zip(of_kind(together, Saved), pixels(together), strict=True):
        record = metadata.read_task(saved.path)
        assert record is not None
        again = TextToImage.from_dict({**record.values, "model": str(pipelines[name])})
        assert again.num_images_per_prompt == 1  # type: ignore[attr-defined]
        assert pixels(run(again, tmp_path)) == [drawn]  # type: ignore[arg-type]


def test_the_same_seed_draws_the_same_after_a_fresh_load(sd: Path, tmp_path: Path) -> None:
    first = pixels(run(task(sd), tmp_path))
    cache.clear()
    assert pixels(run(task(sd), tmp_path)) == first
    assert pixels(run(task(sd, seed=6), tmp_path)) != first


def test_seeds_count_past_the_largest(sd: Path, tmp_path: Path) -> None:
    events = run(task(sd, seed=2**32 - 1, num_images_per_prompt=2), tmp_path)
    records = [metadata.read_task(saved.path) for saved in of_kind(events, Saved)]
    assert [record.values["seed"] for record in records if record] == [2**32 - 1, 0]


def test_width_and_height_are_those_asked_for(sd3: Path, tmp_path: Path) -> None:
    (image,) = images(run(task(sd3, width=32, height=24), tmp_path))
    assert image.size == (32, 24)
    (image,) = images(run(task(sd3, width=32), tmp_path))
    assert image.size == (32, 16)


def test_a_size_the_model_cannot_draw_is_refused(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = copy("stable_diffusion_3")
    config = json.loads((folder / "transformer/config.json").read_text())
    (folder / "transformer/config.json").write_text(json.dumps({**config, "patch_size": 2}))
    with pytest.raises(InvalidTask, match="multiple") as caught:
        task(folder, width=20)  # the form's own check
    assert caught.value.field == "width"

    # A deeper VAE stands for larger squares: 2 × 2³ = 16 pixels.
    vae = json.loads((folder / "vae/config.json").read_text())
    deeper = {key: 4 * [8] for key in ("encoder_block_out_channels", "decoder_block_out_channels")}
    blocks = {"num_encoder_blocks": [1, 1, 1, 1], "num_decoder_blocks": [1, 1, 1, 1]}
    from diffusers import AutoencoderTiny

    plain = {key: value for key, value in vae.items() if key in ("latent_channels",)}
    AutoencoderTiny(**plain, **deeper, **blocks).save_pretrained(folder / "vae")
    with pytest.raises(InvalidTask, match="multiples of 16") as caught:
        run(task(folder, width=24), tmp_path)
    assert caught.value.field == "width"
    assert "16, 32" in caught.value.hint


@pytest.mark.parametrize("scheduler", NOISE_SCHEDULERS)
def test_every_noise_scheduler_draws(sd: Path, tmp_path: Path, scheduler: str) -> None:
    events = run(task(sd, scheduler=scheduler, num_inference_steps=4), tmp_path)
    assert len(np.unique(np.asarray(images(events)[0]))) > 10
    assert len(of_kind(events, Preview)) >= 4


@pytest.mark.parametrize("scheduler", FLOW_SCHEDULERS)
def test_every_flow_scheduler_draws(sd3: Path, tmp_path: Path, scheduler: str) -> None:
    events = run(task(sd3, scheduler=scheduler, num_inference_steps=4), tmp_path)
    assert len(np.unique(np.asarray(images(events)[0]))) > 10


def test_settings_that_diffusers_refuses_are_a_clear_error(sd: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="60") as caught:
        run(task(sd, scheduler="lcm", num_inference_steps=60), tmp_path)
    assert "steps" in caught.value.hint


def test_the_models_own_scheduler_is_back_afterwards(sd: Path, tmp_path: Path) -> None:
    own = pixels(run(task(sd), tmp_path))
    assert pixels(run(task(sd, scheduler="euler"), tmp_path)) != own
    assert pixels(run(task(sd), tmp_path)) == own


@pytest.mark.parametrize(
    ("name", "scheduler"),
    [("stable_diffusion_3", "ddim"), ("stable_diffusion", "flow_match_euler")],
)
def test_a_scheduler_the_model_did_not_learn_with_is_refused(
    pipelines: dict[str, Path], tmp_path: Path, name: str, scheduler: str
) -> None:
    with pytest.raises(InvalidTask, match="learned with") as caught:
        run(task(pipelines[name], scheduler=scheduler), tmp_path)
    assert caught.value.field == "scheduler"
    assert scheduler not in caught.value.hint


@pytest.mark.parametrize("stage", ["loading model: unet", "drawing", "drawing 2", "finishing"])
def test_a_stop_leaves_nothing_half_written_and_the_model_usable(
    copy: Callable[[str], Path], tmp_path: Path, stage: str
) -> None:
    folder, out = copy("stable_diffusion"), tmp_path / "out"
    wanted = stage.removesuffix(" 2")
    seen = 0

    def stop(event: Event) -> None:
        nonlocal seen
        if isinstance(event, Progress) and event.stage.startswith(wanted):
            seen += 1
            if seen > (2 if stage.endswith("2") else 0):
                raise Cancelled

    with pytest.raises(Cancelled):
        task(folder).run(stop, out)
    assert list(out.iterdir()) == []
    after = pixels(run(task(folder), out))
    cache.clear()
    assert pixels(run(task(folder), out)) == after


def test_what_was_finished_before_a_stop_is_kept(sd: Path, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Preview) and event.index == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        task(sd, num_images_per_prompt=2).run(stop, tmp_path)
    (path,) = tmp_path.iterdir()
    assert Image.open(path).convert("RGB").tobytes() == pixels(run(task(sd), tmp_path))[0]


def damage(file: Path, name: str, value: float) -> None:
    weights = load_file(file)
    key = next(key for key in weights if key.endswith(name))
    weights[key] = torch.full_like(weights[key], value)
    save_file(weights, file, metadata={"format": "pt"})


def test_numbers_that_are_none_are_an_error_naming_the_step(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    folder, out = copy("stable_diffusion"), tmp_path / "out"
    damage(folder / "unet/diffusion_pytorch_model.safetensors", "conv_out.bias", float("nan"))
    with pytest.raises(EngineError, match="at step 1"):
        run(task(folder), out)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(("value", "message"), [(float("nan"), "decoded"), (-1e4, "only black")])
def test_a_broken_decoder_never_saves_black(
    copy: Callable[[str], Path], tmp_path: Path, value: float, message: str
) -> None:
    folder, out = copy("stable_diffusion"), tmp_path / "out"
    file = folder / "vae/diffusion_pytorch_model.safetensors"
    damage(file, "decoder.conv_out.bias", value)
    with pytest.raises(EngineError, match=message):
        run(task(folder), out)
    assert list(out.iterdir()) == []


def test_what_the_models_safety_filter_hides_is_said_and_not_saved(tmp_path: Path) -> None:
    folder = tiny_models.save_prudish_stable_diffusion(tmp_path / "prudish")
    events: list[Event] = []
    with pytest.raises(EngineError, match="hid every image"):
        task(folder, num_images_per_prompt=2).run(events.append, tmp_path / "out")
    hidden = [notice.message for notice in of_kind(events, Notice)]
    assert [message[-8:] for message in hidden] == ["image 1.", "image 2."]
    assert list((tmp_path / "out").iterdir()) == []


def notices(task: TextToImage, out: Path) -> str:
    return "\n".join(notice.message for notice in of_kind(run(task, out), Notice))


def test_a_negative_prompt_that_is_not_heard_is_said(
    pipelines: dict[str, Path], tmp_path: Path
) -> None:
    sd, flux = pipelines["stable_diffusion"], pipelines["flux"]
    assert "no negative prompt" in notices(
        task(flux, negative_prompt="blue", width=32, height=32), tmp_path
    )
    quiet = task(sd, negative_prompt="blue", guidance_scale=1)
    assert "no effect without guidance" in notices(quiet, tmp_path)
    heard = task(sd, negative_prompt="blue")
    assert notices(heard, tmp_path) == ""
    assert pixels(run(heard, tmp_path)) != pixels(run(task(sd), tmp_path))


def test_the_part_of_a_prompt_that_is_not_read_is_shown(
    pipelines: dict[str, Path], tmp_path: Path
) -> None:
    small = {"width": 32, "height": 32}
    prompt = "a" * 75 + "xyz"  # one token a letter, 77 with the two ends
    for name in ("stable_diffusion", "stable_diffusion_3"):
        assert "“xyz”" in notices(task(pipelines[name], prompt=prompt), tmp_path)
        assert notices(task(pipelines[name], prompt=prompt[:75]), tmp_path) == ""
    assert notices(task(pipelines["flux"], prompt=prompt, **small), tmp_path) == "", (
        "T5 reads 512 tokens"
    )
    assert "xyz”" in notices(task(pipelines["pixart"], prompt="a" * 300 + "xyz"), tmp_path)


def test_a_pipeline_made_for_pictures_draws_from_text_too(
    copy: Callable[[str], Path], sd: Path, tmp_path: Path
) -> None:
    folder = copy("stable_diffusion")
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = "StableDiffusionInpaintPipeline"
    (folder / "model_index.json").write_text(json.dumps(index))
    assert pixels(run(task(folder), tmp_path)) == pixels(run(task(sd), tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("_class_name", "PipelineOfTomorrowPipeline", "do not have"),
        ("_class_name", "DDPMPipeline", "does not draw from text"),
        ("unet", ["diffusers", "UNetOfTomorrowModel"], "do not have"),
        ("scheduler", ["diffusers", "NoSuchScheduler"], "do not have"),
        ("vae", ["transformers", "CLIPVisionModel"], "config.json"),
    ],
)
def test_a_folder_for_other_libraries_is_a_clear_error(
    copy: Callable[[str], Path], tmp_path: Path, key: str, value: Any, message: str
) -> None:
    folder = copy("stable_diffusion")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, key: value}))
    if key == "vae":
        (folder / "vae/config.json").unlink()
    with pytest.raises(ModelError, match=message):
        run(task(folder), tmp_path)


def test_a_folder_exchanged_while_it_loads_is_not_used(
    copy: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = copy("stable_diffusion")

    def exchange(event: Event) -> None:
        if isinstance(event, Progress) and "vae" in event.stage:
            damage(folder / "vae/diffusion_pytorch_model.safetensors", "conv_out.bias", 1.0)

    with pytest.raises(ModelError, match="changed while it was loaded"):
        task(folder).run(exchange, tmp_path)
    assert images(run(task(folder), tmp_path)), "as it is now, it is loaded and used"


def test_a_changed_folder_is_loaded_anew(copy: Callable[[str], Path], tmp_path: Path) -> None:
    folder = copy("stable_diffusion")
    before = pixels(run(task(folder), tmp_path))
    damage(folder / "vae/diffusion_pytorch_model.safetensors", "decoder.conv_out.bias", 0.3)
    assert pixels(run(task(folder), tmp_path)) != before


def test_a_model_too_large_for_this_machine_is_refused_before_it_is_loaded(
    sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr("engine.memory.free_memory", lambda: 1000)
    with pytest.raises(OutOfMemory, match="needs"):
        run(task(sd), tmp_path)


def test_memory_that_runs_out_while_drawing_says_what_to_do(sd: Path, tmp_path: Path) -> None:
    def greedy(event: Event) -> None:
        if isinstance(event, Preview):
            torch.empty(2**50)  # torch's own allocator refuses

    with pytest.raises(OutOfMemory, match="memory") as caught:
        task(sd).run(greedy, tmp_path)
    assert "smaller" in caught.value.hint


def test_a_missing_model_or_a_bad_folder_for_results_is_a_clear_error(
    sd: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no model"):
        run(task(tmp_path / "nowhere"), tmp_path)
    (tmp_path / "file").touch()
    events: list[Event] = []
    with pytest.raises(FileError, match="file"):
        task(sd).run(events.append, tmp_path / "file" / "out")
    assert events == [], "said at once, and not after the work"


def test_settings_too_long_for_a_picture_are_refused_before_it_is_drawn(
    sd: Path, tmp_path: Path
) -> None:
    events: list[Event] = []
    with pytest.raises(InvalidTask, match="prompt is too long"):
        task(sd, prompt=LONG, negative_prompt=LONG).run(events.append, tmp_path)
    assert not of_kind(events, Preview)
    assert not list(tmp_path.iterdir())


def test_the_picture_tells_nothing_of_this_machine(sd: Path, tmp_path: Path) -> None:
    (saved,) = of_kind(run(task(sd), tmp_path), Saved)
    assert str(sd.parent).encode() not in saved.path.read_bytes()
    record = metadata.read_task(saved.path)
    assert record is not None
    assert record.values["model"] == sd.name
    assert len(record.model_hash) == 64
    assert record.made_with["device"] == "cpu"
