"""LoRAs on real tiny pipelines: the same picture as plain diffusers, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from tiny_loras import open_plain, save_kohya_lora, save_lora
from tiny_models import save_flux, save_stable_diffusion, save_stable_diffusion_3

from engine import folders, library, loras
from engine.device import best_device
from engine.errors import InvalidTask, ModelError
from engine.events import Event, Saved
from engine.gate.lora import check_lora
from engine.generators.image_to_image import ImageToImage
from engine.generators.text_to_image import TextToImage
from engine.loras import Wanted
from engine.metadata import read_task
from engine.pipelines import drawing_dtype
from engine.python_script import python_script

SAVE = {"sd": save_stable_diffusion, "sd3": save_stable_diffusion_3, "flux": save_flux}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("模型")
    return {name: save(room / name) for name, save in SAVE.items()}


def draw(model: Path, out: Path, wanted: str = "", **fields: object) -> tuple[bytes, Path]:
    events: list[Event] = []
    values = {"num_inference_steps": 3, "width": 16, "height": 16, "seed": 3} | fields
    task = TextToImage(prompt="a cat", model=str(model), loras=wanted, **values)  # type: ignore[arg-type]
    task.run(events.append, out)
    path = next(event.path for event in events if isinstance(event, Saved))
    return Image.open(path).convert("RGB").tobytes(), path


@pytest.mark.parametrize("kind", ["sd", "sd3", "flux"])
def test_it_draws_what_plain_diffusers_draws_and_leaves_nothing_behind(
    models, kind, tmp_path
) -> None:
    lora = save_lora(models[kind], tmp_path / "ink.safetensors")
    without, _ = draw(models[kind], tmp_path)
    weak, _ = draw(models[kind], tmp_path, f"{lora}: 0.5")
    strong, _ = draw(models[kind], tmp_path, str(lora))
    assert len({without, weak, strong}) == 3
    assert draw(models[kind], tmp_path)[0] == without
    pipe = open_plain(models[kind], drawing_dtype(best_device()))
    pipe.load_lora_weights(str(tmp_path), weight_name="ink.safetensors", adapter_name="ink")
    pipe.set_adapters(["ink"], [0.5])
    options = {"max_sequence_length": 0} if kind == "sd3" else {}
    image = pipe(
        "a cat", num_inference_steps=3, width=16, height=16, guidance_scale=3.0,
        generator=torch.Generator().manual_seed(3), **options,
    ).images[0]  # fmt: skip
    assert image.tobytes() == weak


def test_the_format_of_kohya_acts_alike(models, tmp_path) -> None:
    ours = save_lora(models["sd"], tmp_path / "ours.safetensors")
    theirs = save_kohya_lora(models["sd"], tmp_path / "theirs.safetensors")
    assert (
        draw(models["sd"], tmp_path, str(ours))[0] == draw(models["sd"], tmp_path, str(theirs))[0]
    )
    told = check_lora(theirs)
    assert told.base == "sd_v1" and told.trigger_words == ("inkwash", "brush")


def test_several_act_together_and_one_can_be_taken_away(models, tmp_path) -> None:
    first = save_lora(models["sd"], tmp_path / "first.safetensors", seed=1)
    second = save_lora(models["sd"], tmp_path / "second.safetensors", seed=2)
    alone = draw(models["sd"], tmp_path, f"{first}: 1")[0]
    both = draw(models["sd"], tmp_path, f"{first}: 1\n{second}: -0.5")[0]
    assert both != alone
    assert draw(models["sd"], tmp_path, f"{first}: 1")[0] == alone
    assert draw(models["sd"], tmp_path, f"{second}: -0.5\n{first}: 1")[0] == both


def test_they_act_on_pictures_that_are_begun_with_too(models, tmp_path) -> None:
    lora = save_lora(models["sd"], tmp_path / "ink.safetensors")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "red.png")
    drawn = []
    for wanted in ("", str(lora), ""):
        events: list[Event] = []
        ImageToImage(
            prompt="a cat", model=str(models["sd"]), image=str(tmp_path / "red.png"),
            loras=wanted, num_inference_steps=4, seed=1,
        ).run(events.append, tmp_path / "out")  # fmt: skip
        path = next(event.path for event in events if isinstance(event, Saved))
        drawn.append(Image.open(path).convert("RGB").tobytes())
    assert drawn[0] == drawn[2] != drawn[1]


def test_they_are_known_by_name_and_the_picture_says_which(models, tmp_path) -> None:
    save_lora(models["sd"], folders.loras() / "styles" / "ink.safetensors")
    assert library.loras() == ("styles/ink",)
    by_name, path = draw(models["sd"], tmp_path, "styles/ink: 0.5")
    record = read_task(path)
    assert record is not None and record.values["loras"] == "ink: 0.5"
    assert len(record.made_with["loras_sha256"]) == 64
    again, _ = draw(models["sd"], tmp_path, str(record.values["loras"]))
    assert again == by_name
    full = str(folders.loras() / "styles" / "ink.safetensors")
    _, path = draw(models["sd"], tmp_path, f"{full}: 0.5")
    record = read_task(path)
    assert record is not None and record.values["loras"] == "ink.safetensors: 0.5"


def test_a_copied_program_draws_the_same(models, tmp_path) -> None:
    for seed, name in enumerate(("ink", "brush")):
        save_lora(models["sd"], folders.loras() / f"{name}.safetensors", seed)
    drawn, path = draw(models["sd"], tmp_path, "ink: 0.5\nbrush: -1")
    record = read_task(path)
    assert record is not None
    script = python_script(record, models["sd"], (16, 16))
    assert script.count("load_lora_weights") == 2
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert Image.open(tmp_path / "image.png").convert("RGB").tobytes() == drawn


def test_one_of_another_model_is_refused_and_does_no_harm(models, tmp_path) -> None:
    without, _ = draw(models["sd"], tmp_path)
    for other in ("sd3", "flux"):
        lora = save_lora(models[other], tmp_path / f"{other}.safetensors")
        with pytest.raises(ModelError, match="made for another kind of model"):
            draw(models["sd"], tmp_path, str(lora))
        assert draw(models["sd"], tmp_path)[0] == without


def test_what_is_no_lora_is_named(models, tmp_path) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "weights.safetensors")
    save_file({"a.hada_w1_a": torch.zeros(2)}, tmp_path / "loha.safetensors")
    (tmp_path / "half.safetensors").write_bytes(b"\x40\0\0\0\0\0\0\0{")
    (tmp_path / "pickle.safetensors").write_bytes(b"PK\x03\x04 and more of it")
    for name, problem in (
        ("weights", "is no LoRA"),
        ("loha", "is a LoHa"),
        ("half", "cut short"),
        ("pickle", "pickle"),
    ):
        with pytest.raises(ModelError, match=problem):
            draw(models["sd"], tmp_path, str(tmp_path / f"{name}.safetensors"))
    with pytest.raises(ModelError, match="no LoRA named 'gone'"):
        draw(models["sd"], tmp_path, "gone: 1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("ink: 9", "weight of ink"), ("ink: nan", "weight of ink"), ("ink\nink: 1", "there twice")],
)
def test_nonsense_is_refused_in_the_form(text, problem) -> None:
    with pytest.raises(InvalidTask, match=problem) as caught:
        TextToImage(prompt="a cat", loras=text)
    assert caught.value.field == "loras"


NAMES = (
    st.text(
        st.characters(
            codec="utf-8", exclude_characters=":\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
        ),
        min_size=1,
    )
    .map(str.strip)
    .filter(bool)
)


@given(st.dictionaries(NAMES, st.floats(-4, 4).map(lambda x: round(x, 2)), max_size=5))
def test_what_is_told_is_read_again(weights) -> None:
    wanted = tuple(Wanted(name, weight) for name, weight in weights.items())
    assert loras.parse(loras.told(wanted)) == wanted


def test_a_path_of_windows_is_no_weight() -> None:
    assert loras.parse("C:\\models\\ink.safetensors") == (Wanted("C:\\models\\ink.safetensors"),)
