"""Plans that take less memory: what they keep of the picture, what they need, the second try."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from drawn import image, images, of_kind, run
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_loras import open_plain, save_lora

from engine import (
    cache,
    fitting,
    folders,
    measured_memory,
    memory_plans,
    metadata,
    picture_memory,
    second_try,
)
from engine.errors import OutOfMemory
from engine.events import Event, Notice, Preview, Progress, Saved
from engine.gate.model_folder import check_pipeline
from engine.generators.inpaint import Inpaint
from engine.generators.text_to_image import TextToImage
from engine.memory_plans import AS_IT_IS, EIGHT_BIT, NARROW, OFFLOAD, PLANS, SEQUENTIAL, TILED
from engine.pipelines import load_text_to_image

FAMILIES = ("stable_diffusion", "stable_diffusion_3", "flux", "pixart")


@pytest.fixture(scope="session")
def in_16_bits(
    tiny_pipelines: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """As most models are published."""
    room = tmp_path_factory.mktemp("in_16_bits")
    for name in FAMILIES:
        open_plain(tiny_pipelines[name], torch.float16).save_pretrained(room / name)
    return {name: room / name for name in FAMILIES}


@pytest.fixture(autouse=True)
def computing_in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on most CPUs; some compute in 16. What comes and goes is no more than tiny models are."""
    cache.clear()
    monkeypatch.setattr(memory_plans, "WIDENED", 0)
    monkeypatch.setattr(memory_plans, "OF_THE_WIDENED", 0)
    monkeypatch.setattr(second_try, "CLEARLY_LESS", 1)
    monkeypatch.setattr("engine.device.has_native_bfloat16", lambda: False)


def task(model: Path, plan: str = AS_IT_IS, **values: Any) -> TextToImage:
    defaults = {"prompt": "a fox", "num_inference_steps": 2, "seed": 5, "width": 32, "height": 32}
    return TextToImage(model=str(model), memory_plan=plan, **(defaults | values))


def drawn(task: TextToImage, out: Path) -> np.ndarray[Any, Any]:
    return np.asarray(image(run(task, out)).convert("RGB"), dtype=float)


# ------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_that_came_in_16_bits_draws_the_same_kept_in_16(
    in_16_bits: dict[str, Path], family: str, tmp_path: Path
) -> None:
    whole = drawn(task(in_16_bits[family]), tmp_path)
    assert np.array_equal(drawn(task(in_16_bits[family], NARROW), tmp_path), whole)


def test_loras_act_on_weights_that_are_kept_narrow(
    in_16_bits: dict[str, Path], tiny_pipelines: dict[str, Path], tmp_path: Path
) -> None:
    model = in_16_bits["stable_diffusion"]
    lora = save_lora(tiny_pipelines["stable_diffusion"], tmp_path / "ink.safetensors")
    without, whole = drawn(task(model), tmp_path), drawn(task(model, loras=str(lora)), tmp_path)
    assert not np.array_equal(whole, without)
    assert np.array_equal(drawn(task(model, NARROW, loras=str(lora)), tmp_path), whole)
    assert 0 < abs(drawn(task(model, EIGHT_BIT, loras=str(lora)), tmp_path) - whole).mean() < 8
    assert np.array_equal(drawn(task(model, NARROW), tmp_path), without)


def test_8_bits_and_squares_change_the_picture_a_little(
    in_16_bits: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_memory, "TILE", 16)
    model = in_16_bits["stable_diffusion"]
    whole = drawn(task(model), tmp_path)
    for plan in (TILED, EIGHT_BIT):
        other = drawn(task(model, plan), tmp_path)
        assert 0 < abs(other - whole).mean() < 20
        whole = other


def test_the_picture_says_by_which_plan_it_was_drawn(
    in_16_bits: dict[str, Path], tmp_path: Path
) -> None:
    (saved,) = of_kind(run(task(in_16_bits["flux"], EIGHT_BIT), tmp_path), Saved)
    record = metadata.read_task(saved.path)
    assert record is not None and record.values["memory_plan"] == EIGHT_BIT
    assert record.made_with["dtype"] == "float32"


# ------------------------------------------------------------------- what it needs


@pytest.mark.parametrize("plan", [AS_IT_IS, NARROW])
@pytest.mark.parametrize("family", ["stable_diffusion", "pixart"])
def test_the_weights_take_what_is_said(in_16_bits: dict[str, Path], family: str, plan: str) -> None:
    folder = check_pipeline(in_16_bits[family])
    model = load_text_to_image(folder.path, lambda event: None, plan)
    parts = [part for part in model.pipe.components.values() if isinstance(part, torch.nn.Module)]
    held = sum(tensor.nbytes for part in parts for tensor in part.parameters())
    said = memory_plans.weights_need(folder, model.saving, torch.float32)
    assert said == pytest.approx(held, rel=0.05)


def test_squares_need_less_than_the_whole_and_smaller_pictures_less_again(
    tiny_pipelines: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_memory, "TILE", 32)
    folder = check_pipeline(tiny_pipelines["pixart"])
    needs = {
        (side, tiled): picture_memory.needs_of_drawing(folder, (side, side), torch.float32, tiled)
        for side, tiled in [(64, False), (128, False), (128, True)]
    }
    known = {key: value for key, value in needs.items() if value is not None}
    assert len(known) == 3
    assert known[64, False] * 3.5 < known[128, False] < known[64, False] * 4.5
    assert known[128, True] < 0.9 * known[128, False]


def test_networks_that_are_not_known_have_no_plans(
    tiny_pipelines: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(*args: Any) -> None:
        raise TypeError("it takes sound")

    picture_memory._walk.cache_clear()
    monkeypatch.setattr(picture_memory, "_denoise", strange)
    folder = check_pipeline(tiny_pipelines["flux"])
    assert fitting.plans_of(folder, (64, 64), True) == ()
    picture_memory._walk.cache_clear()


def test_the_plans_go_from_mild_to_strong_and_each_needs_less(
    in_16_bits: dict[str, Path],
) -> None:
    folder = check_pipeline(in_16_bits["pixart"])
    plans = fitting.plans_of(folder, (256, 256), True)
    assert plans[0].name == AS_IT_IS and plans[0].lossless
    needs = [plan.estimated for plan in plans]
    assert needs == sorted(needs, reverse=True) and len(set(needs)) == len(needs)
    assert OFFLOAD not in [plan.name for plan in plans], "a CPU has nothing to offload"
    assert plans[-1].values["width"] == 64 and not plans[-1].lossless
    assert not any("width" in plan.values for plan in fitting.plans_of(folder, (256, 256), False))


def test_a_graphics_card_holds_one_part_at_a_time() -> None:
    found = [memory_plans.savings(plan, "cuda", 2) for plan in PLANS]
    assert [saving.offload for saving in found] == ["", "", "model", "model", "model", "sequential"]
    assert [saving.narrow for saving in found] == [False] * 4 + [True] * 2
    assert not any(memory_plans.savings(plan, "cpu", 4).offload for plan in PLANS)


def test_what_it_took_is_remembered_and_told(in_16_bits: dict[str, Path], tmp_path: Path) -> None:
    folder = check_pipeline(in_16_bits["stable_diffusion"])
    assert fitting.plans_of(folder, (32, 32), False)[0].took == 0
    run(task(folder.path), tmp_path)
    told = fitting.plans_of(folder, (32, 32), False)[0]
    assert 0 < told.took == told.needs < 500_000_000
    assert fitting.plans_of(folder, (64, 64), False)[0].took == 0, "another size is another thing"
    (folders.cache() / measured_memory.RECORD).write_text('{"x": ')
    assert fitting.plans_of(folder, (32, 32), False)[0].took == 0, "a broken file is forgotten"


@settings(max_examples=20)
@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_whatever_is_remembered_is_a_number_of_bytes(value: object) -> None:
    measured_memory.remember("key", value)  # type: ignore[arg-type]
    taken = measured_memory.taken_before("key")
    assert taken == (value if type(value) is int and value > 0 else 0)


# ------------------------------------------------------------------- when it runs out


def greedy(times: int, events: list[Event], at: int = 0) -> Callable[[Event], None]:
    """A report during which torch's own allocator refuses, so many times."""
    left = [times]

    def report(event: Event) -> None:
        events.append(event)
        if isinstance(event, Preview) and event.index >= at and left[0]:
            left[0] -= 1
            torch.empty(2**50)

    return report


def starts(events: list[Event]) -> int:
    return sum(p.step == 0 and p.stage == "loading model" for p in of_kind(events, Progress))


def test_what_did_not_fit_is_drawn_once_more_by_the_next_plan(
    in_16_bits: dict[str, Path], tmp_path: Path
) -> None:
    model = in_16_bits["stable_diffusion"]
    events: list[Event] = []
    asked = task(model)
    asked.run(greedy(1, events), tmp_path)
    (notice,) = of_kind(events, Notice)
    assert "did not fit as it is; it is drawn with" in notice.message
    (saved,) = of_kind(events, Saved)
    record = metadata.read_task(saved.path)
    assert record is not None and record.made_with["did_not_fit"] == AS_IT_IS
    plan = str(record.values["memory_plan"])
    assert plan in PLANS[1:]
    again = task(model, plan, width=record.values["width"], height=record.values["height"])
    assert np.array_equal(drawn(again, tmp_path), np.asarray(image(events).convert("RGB")))


def test_images_that_were_finished_stay_and_the_rest_follows(
    in_16_bits: dict[str, Path], tmp_path: Path
) -> None:
    events: list[Event] = []
    several = task(in_16_bits["flux"], num_images_per_prompt=3)
    several.run(greedy(1, events, at=1), tmp_path)
    records = [metadata.read_task(saved.path) for saved in of_kind(events, Saved)]
    found = [(r.values["seed"], r.values["memory_plan"] != AS_IT_IS) for r in records if r]
    assert found == [(5, False), (6, True), (7, True)]


def test_it_is_tried_twice_and_never_again(in_16_bits: dict[str, Path], tmp_path: Path) -> None:
    events: list[Event] = []
    with pytest.raises(OutOfMemory, match=r"fits neither as it is nor .*GB are free") as caught:
        task(in_16_bits["flux"]).run(greedy(99, events), tmp_path)
    assert starts(events) == 2 and not images(events)
    assert "smaller size or model" in caught.value.hint
    assert cache.is_empty(), "the next try has what there is"


def test_a_part_that_is_drawn_anew_is_not_made_smaller(
    in_16_bits: dict[str, Path], tmp_path: Path
) -> None:
    from drawn import colorful, saved
    from PIL import Image

    picture = saved(colorful((32, 32)), tmp_path)
    mask = saved(Image.new("L", (32, 32), 255), tmp_path, "mask.png")
    model = str(in_16_bits["stable_diffusion"])
    task = Inpaint(prompt="a fox", model=model, image=picture, mask=mask, num_inference_steps=1)
    events: list[Event] = []
    with pytest.raises(OutOfMemory):
        task.run(greedy(99, events), tmp_path)
    assert starts(events) <= 2


LIMITED = """
import resource, sys, torch
from pathlib import Path
from engine import measured_memory, picture_memory
from engine.events import Notice
from engine.generators.text_to_image import TextToImage

def task(side):
    return TextToImage(prompt="a", model=sys.argv[1], seed=1, num_inference_steps=1,
                       width=side, height=side)

task(64).run(lambda event: None, Path(sys.argv[2]))  # every library is there
import psutil
limit = psutil.Process().memory_info().vms + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
tell = lambda event: print(event.message) if isinstance(event, Notice) else None
task(int(sys.argv[4])).run(tell, Path(sys.argv[2]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limits of memory there")
@pytest.mark.parametrize(("side", "room", "fits"), [(1024, 500, True), (512, 20, False)])
def test_a_process_that_may_not_take_more(side: int, room: int, fits: bool, tmp_path: Path) -> None:
    """The limit of the system, met by the real allocator in the midst of the real VAE."""
    from diffusers import AutoencoderKL

    wide = (32, 32, 32, 32)
    vae = AutoencoderKL(
        block_out_channels=wide,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        mid_block_add_attention=False,
    )
    model = tiny_models.save_stable_diffusion(tmp_path / "model", vae=vae)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            LIMITED,
            str(model),
            str(tmp_path),
            str(room * 1_000_000),
            str(side),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    if fits:
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("model did not fit as it is; it is drawn ")
    else:
        assert "engine.errors.OutOfMemory" in done.stderr, done.stderr
        assert done.stdout.count("did not fit") <= 1


def test_offload_is_asked_of_diffusers_where_there_is_a_card() -> None:
    asked: list[str] = []

    class Pipe:
        def enable_model_cpu_offload(self, device: object) -> None:
            asked.append("model")

        def enable_sequential_cpu_offload(self, device: object) -> None:
            asked.append("sequential")

        def to(self, device: object) -> None:
            asked.append("to")

    for plan in (AS_IT_IS, OFFLOAD, SEQUENTIAL):
        saving = memory_plans.savings(plan, "cuda", 2)
        untiled = memory_plans.Savings(offload=saving.offload)
        memory_plans.place(Pipe(), untiled, torch.device("cuda"))
    assert asked == ["to", "model", "sequential"]
