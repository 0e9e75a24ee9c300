"""What other programs write into pictures: restored as far as it can be, and the rest named."""

from __future__ import annotations

import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine import folders
from engine.errors import FileError
from engine.foreign_metadata import automatic1111, comfyui, invokeai
from engine.foreign_metadata.invokeai import weights_as_ours
from engine.generators.text_to_image import TextToImage
from engine.picture_settings import Settings, settings_in

A1111 = """\
portrait of a (cat:1.2), <lora:fluffy_v2:0.8> by the window
in soft light
Negative prompt: blurry, (bad:1.4)
second line
Steps: 30, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 2984712937, Size: 512x768, \
Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Denoising strength: 0.5, Clip skip: 2, \
Hires upscale: 2, Hires upscaler: Latent, Lora hashes: "fluffy_v2: 9c1d00ab, other: 12ab", \
ControlNet 0: "Module: canny, Model: control_v11p, Weight: 1", Version: v1.7.0"""

COMFY: dict[str, Any] = {
    "3": {
        "inputs": {
            "seed": 156680208,
            "steps": 25,
            "cfg": 6.5,
            "sampler_name": "euler_ancestral",
            "scheduler": "karras",
            "denoise": 1,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
        "class_type": "KSampler",
    },
    "4": {
        "inputs": {"ckpt_name": "SD1.5\\v1-5-pruned-emaonly.safetensors"},
        "class_type": "CheckpointLoaderSimple",
    },
    "5": {
        "inputs": {"width": 640, "height": 512, "batch_size": 1},
        "class_type": "EmptyLatentImage",
    },
    "6": {"inputs": {"text": "a bottle", "clip": ["10", 1]}, "class_type": "CLIPTextEncode"},
    "7": {"inputs": {"text": "watermark", "clip": ["10", 1]}, "class_type": "CLIPTextEncode"},
    "8": {"inputs": {"samples": ["3", 0], "vae": ["4", 2]}, "class_type": "VAEDecode"},
    "9": {
        "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]},
        "class_type": "SaveImage",
        "is_changed": [math.nan],
    },
    "10": {
        "inputs": {
            "lora_name": "fluffy.safetensors",
            "strength_model": 0.7,
            "strength_clip": 1,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
        "class_type": "LoraLoader",
    },
}

COMFY_FLUX: dict[str, Any] = {
    "13": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["25", 0],
            "guider": ["22", 0],
            "sampler": ["16", 0],
            "sigmas": ["17", 0],
            "latent_image": ["27", 0],
        },
    },
    "25": {"class_type": "RandomNoise", "inputs": {"noise_seed": 99}},
    "22": {"class_type": "BasicGuider", "inputs": {"model": ["12", 0], "conditioning": ["26", 0]}},
    "26": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["6", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["40", 0], "clip": ["11", 0]}},
    "40": {"class_type": "PrimitiveString", "inputs": {"value": "a fox in fog"}},
    "16": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "17": {
        "class_type": "BasicScheduler",
        "inputs": {"scheduler": "simple", "steps": 28, "denoise": 1.0, "model": ["12", 0]},
    },
    "12": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
    "11": {"class_type": "DualCLIPLoader", "inputs": {"type": "flux"}},
    "27": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 1024, "height": 1024}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["13", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
}

WORKFLOW = {
    "nodes": [
        {
            "id": 3,
            "type": "KSampler",
            "inputs": [
                {"name": "positive", "type": "CONDITIONING", "link": 4},
                {"name": "negative", "type": "CONDITIONING", "link": 6},
                {"name": "latent_image", "type": "LATENT", "link": 2},
            ],
            "widgets_values": [77, "randomize", 12, 4.5, "heun", "normal", 1],
        },
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [512, 256, 1]},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a lamp"]},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": ["dark"]},
    ],
    "links": [[2, 5, 0, 3, 3, "LATENT"], [4, 6, 0, 3, 1, "C"], [6, 7, 0, 3, 2, "C"]],
}

INVOKE = {
    "app_version": "4.2.9",
    "generation_mode": "txt2img",
    "positive_prompt": "a (stone bridge)1.3 over water++, misty",
    "negative_prompt": "people",
    "width": 768,
    "height": 512,
    "seed": 356120443,
    "rand_device": "cpu",
    "cfg_scale": 7.5,
    "steps": 50,
    "scheduler": "dpmpp_2m_k",
    "clip_skip": 0,
    "model": {"key": "1", "hash": "blake3:ab", "name": "Dreamy", "base": "sd-1", "type": "main"},
    "controlnets": [],
    "loras": [{"model": {"name": "fluffy", "base": "sd-1"}, "weight": 0.75}],
    "vae": {"name": "sd-vae-ft-mse"},
}

INVOKE_OLD = {
    "model": "stable diffusion",
    "model_weights": "stable-diffusion-1.5",
    "app_id": "invoke-ai/InvokeAI",
    "app_version": "2.2.4",
    "image": {
        "prompt": [{"prompt": "a castle [fog, people] at dusk", "weight": 1}],
        "steps": 40,
        "cfg_scale": 8,
        "threshold": 0,
        "height": 512,
        "width": 640,
        "seed": 1234,
        "type": "txt2img",
        "sampler": "k_euler_a",
        "variations": [],
        "postprocessing": None,
    },
}


def png(path: Path, **texts: str) -> Path:
    chunks = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        chunks.add_text(keyword.replace("_dash_", "-"), text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=chunks)
    return path


def told(path: Path) -> Settings:
    settings = settings_in(path)
    assert settings is not None
    return settings


def model(name: str) -> None:
    folder = folders.models() / name
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")


def test_automatic1111(tmp_path: Path) -> None:
    model("v1-5-pruned-emaonly")
    settings = told(png(tmp_path / "a.png", parameters=A1111))
    assert settings.program == "AUTOMATIC1111"
    assert settings.values == {
        "prompt": "portrait of a (cat:1.2), by the window\nin soft light",
        "negative_prompt": "blurry, (bad:1.4)\nsecond line",
        "num_inference_steps": 30,
        "scheduler": "dpmsolver_multistep",
        "guidance_scale": 7.5,
        "seed": 2984712937,
        "width": 512,
        "height": 768,
        "model": "v1-5-pruned-emaonly",
    }
    assert settings.left_out == (
        "LoRA fluffy_v2 (0.8)",
        "noise schedule karras",
        "hires fix (Hires upscale 2, Hires upscaler Latent)",
        "Denoising strength 0.5",
        "Clip skip 2",
        "ControlNet 0 Module: canny, Model: control_v11p, Weight: 1",
    )
    assert TextToImage(**settings.values).seed == 2984712937


def test_the_same_text_in_a_jpeg_and_a_webp(tmp_path: Path) -> None:
    expected = told(png(tmp_path / "a.png", parameters=A1111)).values
    for order in ("utf-16-be", "utf-16-le"):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode(order)
        for ending in ("jpg", "webp"):
            Image.new("RGB", (8, 8)).save(tmp_path / f"a.{ending}", exif=exif)
            assert told(tmp_path / f"a.{ending}").values == expected
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + A1111.encode()
    Image.new("RGB", (8, 8)).save(tmp_path / "b.jpg", exif=exif)
    assert told(tmp_path / "b.jpg").values == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a cat", {"prompt": "a cat", "negative_prompt": ""}),
        ("", {"negative_prompt": ""}),
        ("a: b\nc: d", {"prompt": "a: b\nc: d", "negative_prompt": ""}),
        ("Steps: 5, Seed: 3", {"negative_prompt": "", "num_inference_steps": 5, "seed": 3}),
        (
            "x\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 1",
            {
                "prompt": "x",
                "negative_prompt": "",
                "num_inference_steps": 20,
                "scheduler": "euler_ancestral",
                "guidance_scale": 7,
                "seed": 1,
            },
        ),
        (
            "Negative prompt: y\nSteps: 1, Sampler: Euler, CFG scale: 1, Distilled CFG Scale: 3.5",
            {
                "negative_prompt": "y",
                "num_inference_steps": 1,
                "scheduler": "flow_match_euler",
                "guidance_scale": 3.5,
            },
        ),
    ],
)
def test_other_texts_of_automatic1111(tmp_path: Path, text: str, values: dict[str, Any]) -> None:
    assert told(png(tmp_path / "a.png", parameters=text)).values == values


def test_what_is_out_of_our_range_is_named(tmp_path: Path) -> None:
    text = "x\nSteps: 900, Seed: -5, Size: 9999x513, CFG scale: nan, Sampler: DPM++ 3M SDE"
    settings = told(png(tmp_path / "a.png", parameters=text))
    assert settings.values == {"prompt": "x", "negative_prompt": ""}
    assert set(settings.left_out) == {
        "sampler DPM++ 3M SDE",
        "Steps 900",
        "Seed -5",
        "Width 9999",
        "Height 513",
        "Guidance nan",
    }


def test_comfyui(tmp_path: Path) -> None:
    model("v1-5-pruned-emaonly")
    settings = told(png(tmp_path / "a.png", prompt=json.dumps(COMFY), workflow="{}"))
    assert settings.program == "ComfyUI"
    assert settings.values == {
        "prompt": "a bottle",
        "negative_prompt": "watermark",
        "seed": 156680208,
        "num_inference_steps": 25,
        "guidance_scale": 6.5,
        "scheduler": "euler_ancestral",
        "width": 640,
        "height": 512,
        "model": "v1-5-pruned-emaonly",
    }
    assert settings.left_out == ("noise schedule karras", "LoRA fluffy (0.7)")


def test_a_comfyui_graph_of_many_small_nodes(tmp_path: Path) -> None:
    settings = told(png(tmp_path / "a.png", prompt=json.dumps(COMFY_FLUX)))
    assert settings.values == {
        "prompt": "a fox in fog",
        "negative_prompt": "",
        "seed": 99,
        "num_inference_steps": 28,
        "guidance_scale": 3.5,
        "scheduler": "flow_match_euler",
        "width": 1024,
        "height": 1024,
    }
    assert settings.left_out == ("Model flux1-dev.safetensors",)


def test_of_several_passes_the_first_is_restored(tmp_path: Path) -> None:
    second = {**COMFY["3"]["inputs"], "denoise": 0.5, "steps": 9, "latent_image": ["11", 0]}
    graph = {
        **COMFY,
        "8": {"inputs": {"samples": ["12", 0]}, "class_type": "VAEDecode"},
        "11": {"inputs": {"samples": ["3", 0]}, "class_type": "LatentUpscale"},
        "12": {"inputs": second, "class_type": "KSampler"},
    }
    settings = told(png(tmp_path / "a.png", prompt=json.dumps(graph)))
    assert settings.values["num_inference_steps"] == 25
    assert "1 more passes over the picture (hires fix)" in settings.left_out
    assert "upscaling" in settings.left_out


def test_a_comfyui_workflow_alone_and_in_a_webp(tmp_path: Path) -> None:
    settings = told(png(tmp_path / "a.png", workflow=json.dumps(WORKFLOW)))
    assert settings.values == {
        "prompt": "a lamp",
        "negative_prompt": "dark",
        "seed": 77,
        "num_inference_steps": 12,
        "guidance_scale": 4.5,
        "scheduler": "heun",
        "width": 512,
        "height": 256,
    }
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(COMFY)
    exif[0x010F] = "workflow:{}"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp", exif=exif)
    assert told(tmp_path / "a.webp").values["seed"] == 156680208


def test_a_comfyui_graph_that_draws_nothing_is_none(tmp_path: Path) -> None:
    assert settings_in(png(tmp_path / "a.png", prompt="{}")) is None
    loads = {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}
    assert settings_in(png(tmp_path / "b.png", prompt=json.dumps(loads))) is None


def test_invokeai(tmp_path: Path) -> None:
    model("dreamy")
    settings = told(png(tmp_path / "a.png", invokeai_metadata=json.dumps(INVOKE)))
    assert settings.program == "InvokeAI"
    assert settings.values == {
        "prompt": "a (stone bridge:1.3) over (water:1.21), misty",
        "negative_prompt": "people",
        "num_inference_steps": 50,
        "guidance_scale": 7.5,
        "scheduler": "dpmsolver_multistep",
        "seed": 356120443,
        "width": 768,
        "height": 512,
        "model": "dreamy",
    }
    assert settings.left_out == (
        "noise schedule karras",
        "LoRA fluffy (0.75)",
        "VAE sd-vae-ft-mse",
    )


def test_invokeai_before_version_3(tmp_path: Path) -> None:
    settings = told(png(tmp_path / "a.png", sd_dash_metadata=json.dumps(INVOKE_OLD)))
    assert settings.values == {
        "prompt": "a castle  at dusk",
        "negative_prompt": "fog, people",
        "num_inference_steps": 40,
        "guidance_scale": 8,
        "scheduler": "euler_ancestral",
        "seed": 1234,
        "width": 640,
        "height": 512,
    }
    assert settings.left_out == ("Model stable-diffusion-1.5",)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("a cat", "a cat"),
        ("cat+", "(cat:1.1)"),
        ("cat--, dog", "(cat:0.826), dog"),
        ("(a b)0.5", "(a b:0.5)"),
        ("(a b)-", "(a b:0.909)"),
        ("well-lit 16-9", "well-lit 16-9"),
    ],
)
def test_weights_of_invokeai(theirs: str, ours: str) -> None:
    assert weights_as_ours(theirs) == ours


# ------------------------------------------------------------------ hostile

MAD = [
    "{",
    "[]",
    "[" * 200_000,
    '{"a":' * 100_000,
    '{"1": 5, "1": 6}',
    '{"1": {"class_type": 7, "inputs": {"latent_image": ["1", 0], "positive": 3}}}',
    json.dumps({str(n): {"class_type": "KSampler", "inputs": {}} for n in range(3_000)}),
    "9" * 5_000,
    "null",
    '"text"',
]


@pytest.mark.parametrize("keyword", ["prompt", "workflow", "invokeai_metadata", "sd_dash_metadata"])
@pytest.mark.parametrize("text", MAD, ids=lambda text: text[:20])
def test_mad_metadata_is_nothing_or_a_clear_error(tmp_path: Path, keyword: str, text: str) -> None:
    path = png(tmp_path / "odd.png", **{keyword: text})
    try:
        settings = settings_in(path)
    except FileError as error:
        assert "odd.png" in error.message and error.hint
        return
    assert settings is None or "seed" not in settings.values


def test_a_graph_that_goes_in_circles_has_an_end(tmp_path: Path) -> None:
    inputs = {"latent_image": ["1", 0], "positive": ["2", 0], "model": ["1", 0], "steps": ["3", 0]}
    graph = {
        "1": {"class_type": "KSampler", "inputs": inputs},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": ["2", 0], "clip": ["1", 0]}},
        "3": {"class_type": "Number", "inputs": {"value": ["3", 0]}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
    }
    assert told(png(tmp_path / "a.png", prompt=json.dumps(graph))).left_out == ("Prompt",)


def test_a_large_graph_is_walked_at_once() -> None:
    def node(number: int) -> dict[str, Any]:
        links = {f"i{n}": [str((number * 7 + n) % 1900), 0] for n in range(100)}
        kind = "KSampler" if number % 2 else "SaveImage"
        return {"class_type": kind, "inputs": {**links, "latent_image": [str(number - 1), 0]}}

    graph = {str(number): node(number) for number in range(1900)}
    found = comfyui.read({"prompt": json.dumps(graph)})
    assert found is not None


def test_a_text_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    path = png(tmp_path / "bomb.png")
    data = path.read_bytes()
    packed = zlib.compress(b"a" * 30_000_000)
    for body in (b"parameters\0\0" + packed, b"parameters\0\1\0\0\0" + packed):
        kind = b"zTXt" if body[11] == 0 else b"iTXt"
        path.write_bytes(data[:33] + chunk(kind, body) + data[33:])
        with pytest.raises(FileError, match=r"bomb\.png"):
            settings_in(path)


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", r"\\server\share\y", "C:", "nul\0"])
def test_a_model_named_by_a_stranger_is_only_a_name(tmp_path: Path, name: str) -> None:
    text = json.dumps({"positive_prompt": "a", "model": {"name": name}})
    settings = told(png(tmp_path / "a.png", invokeai_metadata=text))
    assert "model" not in settings.values
    assert not any("\0" in left for left in settings.left_out)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.lists(st.sampled_from(["1", "2", "3", 1, 0]), min_size=2, max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
comfy_inputs = st.dictionaries(
    st.sampled_from(
        [
            "seed",
            "steps",
            "cfg",
            "positive",
            "negative",
            "text",
            "latent_image",
            "sampler_name",
            "scheduler",
            "denoise",
            "ckpt_name",
            "lora_name",
            "width",
            "guider",
            "model",
        ]
    ),
    values,
)
comfy_nodes = st.fixed_dictionaries(
    {
        "class_type": st.sampled_from(["KSampler", "SaveImage", "Empty", "X"]) | values,
        "inputs": comfy_inputs | values,
    }
)
invoke = st.dictionaries(
    st.sampled_from([*INVOKE, *INVOKE_OLD, "image", "prompt", "sampler", "strength", "hires_fix"]),
    values,
)


@given(st.dictionaries(st.sampled_from(["1", "2", "3", "4"]), comfy_nodes))
def test_any_graph_is_read_or_a_value_error(graph: dict[str, Any]) -> None:
    comfyui.read({"prompt": json.dumps(graph)})


@given(values | st.fixed_dictionaries({"nodes": values, "links": values}))
def test_any_workflow_is_read_or_a_value_error(workflow: Any) -> None:
    try:
        comfyui.read({"workflow": json.dumps(workflow)})
    except ValueError:
        return


@given(invoke, st.sampled_from(["invokeai_metadata", "sd-metadata"]))
def test_any_invokeai_metadata_is_read_or_a_value_error(metadata: Any, keyword: str) -> None:
    try:
        invokeai.read({keyword: json.dumps(metadata)})
    except ValueError:
        return


@given(st.text() | st.lists(st.sampled_from(A1111.split(" "))).map(" ".join))
def test_any_text_is_read_as_parameters(text: str) -> None:
    found = automatic1111.read({"parameters": text})
    assert found is not None
    assert len(found.left_out) <= 30


@pytest.mark.parametrize(
    ("file", "texts", "acting"),
    [
        ("fluffy_v2", {"parameters": A1111}, "styles/fluffy_v2: 0.8"),
        ("fluffy", {"prompt": json.dumps(COMFY), "workflow": "{}"}, "styles/fluffy: 0.7"),
        ("fluffy", {"invokeai_metadata": json.dumps(INVOKE)}, "styles/fluffy: 0.75"),
    ],
)
def test_a_lora_that_is_here_acts_again(file, texts, acting, tmp_path: Path) -> None:
    (folders.loras() / "styles").mkdir(parents=True)
    (folders.loras() / "styles" / f"{file}.safetensors").write_bytes(b"")
    settings = told(png(tmp_path / "a.png", **texts))
    assert settings.values["loras"] == acting
    assert not any("LoRA" in name for name in settings.left_out)


@pytest.mark.parametrize("weight", ["9", "nan", "0.5:0.3", "", "x"])
def test_of_a_lora_that_is_here_a_weight_that_cannot_be_is_named(weight, tmp_path: Path) -> None:
    folders.loras().mkdir(parents=True)
    (folders.loras() / "fluffy.safetensors").write_bytes(b"")
    text = f"a cat <lora:fluffy:{weight}>\nSteps: 20, Sampler: Euler, Seed: 1, Size: 512x512"
    settings = told(png(tmp_path / "a.png", parameters=text))
    if weight == "":
        assert settings.values["loras"] == "fluffy: 1"
    else:
        assert "loras" not in settings.values and any("fluffy" in n for n in settings.left_out)
