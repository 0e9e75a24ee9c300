"""Stable Diffusion in one file: what it is, and that the folder it becomes draws the very same."""

from __future__ import annotations

import errno
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from original_layout import UNET, VAE, save_original, tensors_of
from PIL import Image
from published_models import pipeline
from safetensors.torch import load_file, save_file

from engine import files, folders, library
from engine.errors import Cancelled, FileError, ModelError
from engine.events import Event, ModelFacts, Progress, Saved
from engine.gate.checkpoint_file import CheckpointFile, is_pickle
from engine.gate.model_folder import check_pipeline
from engine.registry import task_class
from engine.single_file import checkpoint
from engine.single_file.clip_vocabulary import tokenizer_files

FAMILIES = {"sd1": "Stable Diffusion 1", "sd2": "Stable Diffusion 2", "sdxl": "Stable Diffusion XL"}
PUBLISHED = {
    "sd1": "dd0d17c940fbd3a9caaa5c0908f12bcc529c3920a6edcf30fe8eedab2d41b931",
    "sdxl": "e8b4f0d1a190ee22bad61a944b38814e1f2a07fcd7d7261a5d06512eba767fe3",
}
"""Of the names and shapes of sd1-ldm and sdxl-sgm as the package sd-mecha 1.1.8 lists them."""
WORDS = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
NOT_WEIGHTS = ("position_ids", "logit_scale", "betas")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    room = tmp_path_factory.mktemp("tokenizers")
    return {family: pipeline(family, small=True, tokenizers=room / family) for family in FAMILIES}


def add(path: Path, report: Any = None, **fields: object) -> list[Event]:
    events: list[Event] = []
    task = task_class("add_model").from_dict({"path": str(path), **fields})
    task.run(report or events.append, path.parent)
    return events


def draw(folder: Path, out: Path, **fields: object) -> np.ndarray[Any, Any]:
    given: dict[str, object] = {"prompt": "A photo of a CAT, 15 naïve owls!", "width": 64}
    given |= {"height": 64, "num_inference_steps": 3, "seed": 5, "negative_prompt": "blurry"}
    events: list[Event] = []
    task = task_class("text_to_image").from_dict({**given, "model": str(folder), **fields})
    task.run(events.append, out)
    (saved,) = [event.path for event in events if isinstance(event, Saved)]
    return np.asarray(Image.open(saved))


# ------------------------------------------------------------------ the published ones


@pytest.mark.parametrize("family", FAMILIES)
def test_the_published_ones_are_known_and_each_number_finds_its_place(family) -> None:
    with torch.device("meta"):
        original = tensors_of(pipeline(family, small=False))
    shapes = {name: tuple(tensor.shape) for name, tensor in original.items()}
    if family in PUBLISHED:
        weights = {n: s for n, s in shapes.items() if not n.endswith(NOT_WEIGHTS)}
        lines = "\n".join(f"{name} {list(shape)}" for name, shape in sorted(weights.items()))
        assert hashlib.sha256(lines.encode()).hexdigest() == PUBLISHED[family]
    file = CheckpointFile(
        Path("x"), shapes, {}, lambda name: torch.zeros(9), dict.fromkeys(shapes, 2)
    )
    found = checkpoint.look(file)  # refuses whatever is missing, left over or of another shape
    assert (found.layout.family, found.layout.missing) == (FAMILIES[family], ())
    millions = {"sd1": 1066, "sd2": 1290, "sdxl": 3469}
    assert round(found.parameters / 1e6) == millions[family]
    config = found.layout.part("unet").config
    assert config["attention_head_dim"] == {"sd1": 8, "sd2": [5, 10, 20, 20]}.get(
        family, [5, 10, 20]
    )


def test_clip_reads_as_it_was_published(tiny) -> None:
    vocabulary = json.loads(tokenizer_files()["vocab.json"])
    assert len(vocabulary) == 49408 and len(set(vocabulary.values())) == 49408
    assert tiny["sd1"].tokenizer("a photo of a cat").input_ids == [
        49406, 320, 1125, 539, 320, 2368, 49407,
    ]  # fmt: skip
    assert tiny["sd1"].tokenizer.pad_token_id == 49407
    assert tiny["sd2"].tokenizer.pad_token_id == 0


# ------------------------------------------------------------------ what is drawn


@pytest.mark.parametrize(
    "family",
    [
        pytest.param("sd1", marks=pytest.mark.slow),
        pytest.param("sd2", marks=pytest.mark.slow),
        "sdxl",
    ],
)
def test_the_folder_draws_the_very_same(family, tiny, tmp_path, monkeypatch) -> None:
    def no_network(*arguments: object) -> None:
        raise AssertionError("somebody asked for a network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    tiny[family].save_pretrained(tmp_path / "as it was")
    path = tmp_path / "my model.v2.safetensors"
    save_original(tiny[family], path, **{"modelspec.license": "Open RAIL++-M"})
    before = path.read_bytes()
    events = add(path)
    (target,) = [event.path for event in events if isinstance(event, Saved)]
    assert target == folders.models() / "my model.v2" and path.read_bytes() == before
    told = [event for event in events if isinstance(event, ModelFacts)]
    assert [each.kind for each in told] == ["checkpoint", "image model"]
    assert told[0].family == FAMILIES[family] and "folder of diffusers" in told[0].becomes
    assert [each.licence for each in told] == ["Open-RAIL++-M"] * 2
    assert told[0].parameters == told[1].parameters == check_pipeline(target).parameters
    assert target.name in library.image_models()
    expected = draw(tmp_path / "as it was", tmp_path / "out")
    assert expected.std() > 5
    assert np.array_equal(draw(target, tmp_path / "out"), expected)


def test_one_that_repaints_keeps_its_channels(tmp_path) -> None:
    pipe = pipeline("sd1", small=True, tokenizers=tmp_path / "t", in_channels=9)
    add(save_original(pipe, tmp_path / "paint.safetensors"))
    folder = folders.models() / "paint"
    assert check_pipeline(folder).class_name == "StableDiffusionInpaintPipeline"
    assert json.loads((folder / "unet" / "config.json").read_text())["in_channels"] == 9


def test_a_header_that_begins_as_a_pickle_does_is_none(tmp_path) -> None:
    for length in range(64):
        save_file({"a": torch.zeros(1)}, tmp_path / "x", {"said": "x" * 8 * length})
        assert not is_pickle(tmp_path / "x")


def test_half_precision_stays_so_and_means_are_left_out(tiny, tmp_path) -> None:
    tensors = {name: tensor.half() for name, tensor in tensors_of(tiny["sd1"]).items()}
    tensors |= {f"model_ema.{number}": torch.zeros(3) for number in range(200)}
    # as some of 2022 were saved
    tensors = {name.replace("transformer.text_model.", "transformer."): tensors[name].contiguous() for name in tensors}  # fmt: skip  # noqa: E501
    save_file(tensors, tmp_path / "half.safetensors")
    add(tmp_path / "half.safetensors")
    unet = load_file(folders.models() / "half" / "unet" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in unet.values()} == {torch.float16}
    assert torch.equal(unet["conv_in.weight"], tiny["sd1"].unet.conv_in.weight.half())


# ------------------------------------------------------------------ what it predicts


@pytest.mark.parametrize(
    ("family", "spread", "metadata", "asked", "expected"),
    [
        ("sd2", 0.01, {}, "auto", "epsilon"),
        ("sd2", 0.3, {}, "auto", "v_prediction"),
        ("sd2", 0.3, {"modelspec.prediction_type": "epsilon"}, "auto", "epsilon"),
        ("sd2", 0.3, {}, "epsilon", "epsilon"),
        ("sd1", 0.3, {}, "auto", "epsilon"),
        ("sdxl", 0.3, {"modelspec.prediction_type": "v"}, "auto", "v_prediction"),
    ],
)
def test_what_it_predicts(family, spread, metadata, asked, expected, tiny, tmp_path) -> None:
    tensors = with_spread(tiny[family], spread)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sizes = dict.fromkeys(shapes, 4)
    file = CheckpointFile(tmp_path, shapes, metadata, tensors.__getitem__, sizes)
    assert checkpoint.look(file, asked).prediction == expected


def with_spread(pipe: Any, spread: float) -> dict[str, torch.Tensor]:
    """The tensors of the pipeline, of which one norm varies so much."""
    tensors = {name: tensor.contiguous() for name, tensor in tensors_of(pipe).items()}
    name = max(name for name in tensors if name.endswith(".1.transformer_blocks.0.norm1.bias"))
    return tensors | {name: spread * torch.randn(tensors[name].shape).sign()}


@pytest.mark.slow
def test_velocity_is_drawn_as_such(tiny, tmp_path) -> None:
    save_file(with_spread(tiny["sd2"], 0.3), tmp_path / "v2.safetensors")
    tensors = {name: tensor.contiguous() for name, tensor in tensors_of(tiny["sdxl"]).items()}
    marks = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
    save_file(tensors | marks, tmp_path / "xl.safetensors")
    for name, size, zero_snr in (("v2", 96, False), ("xl", 128, True)):
        events = add(tmp_path / f"{name}.safetensors")
        assert "v_prediction" in next(e.becomes for e in events if isinstance(e, ModelFacts))
        folder = folders.models() / name
        scheduler = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
        assert scheduler["prediction_type"] == "v_prediction"
        assert scheduler.get("rescale_betas_zero_snr", False) is zero_snr
        assert json.loads((folder / "unet" / "config.json").read_text())["sample_size"] == size
        assert draw(folder, tmp_path / "out").shape == (64, 64, 3)


# ------------------------------------------------------------------ what is wrong


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (VAE, "without its VAE"),
        ("cond_stage_model", "without its text encoder"),
        (f"{UNET}output_blocks.1", "incomplete: .* tensors of its UNet"),
        (f"{UNET}input_blocks.0", "built unlike"),
        (f"{VAE}decoder.mid", "incomplete: .* tensors of its VAE"),
        (UNET, "holds no UNet"),
    ],
)
def test_what_is_missing_is_said(without, said, tiny, tmp_path) -> None:
    path = save_original(tiny["sd1"], tmp_path / "x.safetensors", without=without)
    with pytest.raises(ModelError, match=said):
        add(path)
    assert list(folders.models().glob("*")) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({f"{UNET}out.2.weight": (4, 32, 3, 3), f"{UNET}input_blocks.9.0.x": (2,)}, "numbers have"),
        ({f"{UNET}time_embed.0.weight": (7, 7)}, "time_embedding.linear_1.weight is"),
        ({"control_model.input_blocks.0.0.weight": (3,)}, "a ControlNet"),
        ({f"{UNET}input_blocks.0.0.weight": (32, 8, 3, 3)}, "InstructPix2Pix"),
        ({"conditioner.embedders.0.model.ln_final.weight": (3,)}, "a refiner"),
        ({f"{UNET}joint_blocks.0.context_block.adaLN_modulation.1.bias": (3,)}, "Diffusion 3"),
        ({"double_blocks.0.img_attn.norm.key_norm.scale": (3,)}, "is Flux in one file"),
        ({WORDS: (9, 64)}, "9 words"),
        ({"edm_mean": (1,)}, "EDM"),
        ({f"{UNET}input_blocks.1.0.out_layers.3.weight": (33, 32, 3, 3)}, "33 channels"),
        ({f"{VAE}encoder.mid.attn_1.q.weight": ()}, "VAE .* built unlike"),
    ],
)  # fmt: skip
def test_what_is_another_thing_is_said(changed, said, tiny, tmp_path) -> None:
    tensors = {name: tensor.contiguous() for name, tensor in tensors_of(tiny["sd1"]).items()}
    tensors |= {name: torch.zeros(shape) for name, shape in changed.items()}
    save_file(tensors, tmp_path / "x.safetensors")
    for way in ("add_model", "inspect_model"):
        field = "path" if way == "add_model" else "model"
        task = task_class(way).from_dict({field: str(tmp_path / "x.safetensors")})
        with pytest.raises(ModelError, match=said):
            task.run(lambda event: None, tmp_path)
    assert list(folders.models().glob("*")) == []


def test_one_that_is_cut_short_says_how_much_is_there(tiny, tmp_path) -> None:
    path = save_original(tiny["sd1"], tmp_path / "x.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"cut short: the file is [\d.]+ of [\d.]+ MB"):
        add(path)


def test_a_stop_and_a_full_disk_leave_nothing(tiny, tmp_path, monkeypatch) -> None:
    path = save_original(tiny["sd1"], tmp_path / "x.safetensors")

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "writing vae":
            raise Cancelled

    with pytest.raises(Cancelled):
        add(path, stop)
    assert list(folders.models().iterdir()) == []
    syncs = 0

    def full(*arguments: object) -> None:
        nonlocal syncs
        syncs += 1
        if syncs > 4:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(FileError, match="No space left"):
            add(path)
    assert list(folders.models().iterdir()) == []
    assert not any(p.name.startswith(files.TEMPORARY_PREFIX) for p in folders.models().iterdir())


# ------------------------------------------------------------------ what comes from elsewhere


@pytest.mark.slow
def test_a_missing_part_comes_from_another_model(tiny, tmp_path) -> None:
    tiny["sd1"].save_pretrained(tmp_path / "whole")
    tiny["sdxl"].save_pretrained(tmp_path / "xl")
    for without, name in ((VAE, "no vae"), ("cond_stage_model", "no text")):
        path = save_original(tiny["sd1"], tmp_path / f"{name}.safetensors", without=without)
        if without == VAE:
            with pytest.raises(ModelError, match="belongs to another family"):
                add(path, missing_from=str(tmp_path / "xl"))
        add(path, missing_from=str(tmp_path / "whole"))
        drawn = draw(folders.models() / name, tmp_path / "out")
        assert np.array_equal(drawn, draw(tmp_path / "whole", tmp_path / "out"))


def test_a_vae_of_its_own_file_takes_the_place(tiny, tmp_path) -> None:
    path = save_original(tiny["sd1"], tmp_path / "fox.safetensors", without=VAE)
    tensors = {
        name.removeprefix(VAE): tensor + 1
        for name, tensor in tensors_of(tiny["sd1"]).items()
        if name.startswith(VAE)
    }
    beside = {"loss.logvar": torch.zeros(1), "model_ema.decay": torch.zeros(1)}
    save_file(tensors | beside, tmp_path / "vae.safetensors")
    with pytest.raises(ModelError, match="is a VAE alone"):
        add(tmp_path / "vae.safetensors")
    for wrong in (path, tmp_path / "none.safetensors"):
        with pytest.raises(ModelError):
            add(path, vae=str(wrong))
    torch.save({"state_dict": tensors | beside}, tmp_path / "vae.pt")
    with pytest.raises(ModelError, match=r"vae\.pt is a pickle"):
        add(path, vae=str(tmp_path / "vae.pt"))
    for name in ("vae.safetensors", "vae.pt"):
        add(path, vae=str(tmp_path / name), read_pickles=True)
        folder = folders.models() / "fox"
        vae = load_file(folder / "vae" / "diffusion_pytorch_model.safetensors")
        assert torch.equal(vae["decoder.conv_in.weight"], tensors["decoder.conv_in.weight"])
        assert name in (folder / "README.md").read_text()
        files.remove_folder(folder)
