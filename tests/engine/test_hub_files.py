"""Which files of a repository are taken, from listings as the Hub gives them."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidTask, ModelError
from engine.hub_files import HubFile, Plan, files_of, plan

PIPELINE = json.dumps(
    {
        "_class_name": "StableDiffusionXLPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "image_encoder": [None, None],
        "force_zeros_for_empty_prompt": True,
    }
)


def planned(*names: str, index: str | None = None, file: str = "", precision: str = "half") -> Plan:
    files = [HubFile(name, 10, "a" * 64, "b" * 40) for name in names]
    return plan("somebody/model", files, index, file, precision)


def taken(*names: str, **options: str) -> set[str]:
    return {each.name for each in planned(*names, **options).files}


def test_of_a_pipeline_the_parts_that_it_names() -> None:
    wanted = {
        "model_index.json",
        "README.md",
        "LICENSE.md",
        "scheduler/scheduler_config.json",
        "tokenizer/merges.txt",
        "tokenizer/vocab.json",
        "tokenizer/tokenizer_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "unet/config.json",
        "unet/diffusion_pytorch_model.fp16.safetensors",
    }
    others = {
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "unet/openvino_model.xml",
        "unet/model.onnx",
        "text_encoder/flax_model.msgpack",
        "image_encoder/model.safetensors",
        "vae_decoder/config.json",
        "vae_decoder/model.safetensors",
        "sd_xl_base_1.0.safetensors",
        "pipeline.py",
        "comparison.png",
    }
    assert taken(*wanted, *others, index=PIPELINE) == wanted


def test_weights_in_pieces_come_with_their_index() -> None:
    half = {
        "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model.fp16-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.fp16.json",
    }
    full = {
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
    }
    names = {"model_index.json", *half, *full}
    assert taken(*names, index=PIPELINE) == {"model_index.json", *half}
    assert taken(*names, index=PIPELINE, precision="full") == {"model_index.json", *full}


def test_of_a_language_model_no_weights_twice() -> None:
    wanted = {
        *("config.json", "generation_config.json", "README.md", "LICENSE"),
        *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "chat_template.jinja"),
        *("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
        "model.safetensors.index.json",
    }
    others = {
        *("consolidated.safetensors", "pytorch_model.bin", "params.json", "modeling.py"),
        *("onnx/model.onnx", "runs/events.out", "eval.json", ".gitattributes"),
    }
    assert taken(*wanted, *others) == wanted
    order = [each.name.endswith(".safetensors") for each in planned(*wanted).files]
    assert order == sorted(order), "what is wrong with a model shows before its weights come"


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("m-f16.gguf", "m-q8_0.gguf", "m-q4_k_m.gguf"), "m-q4_k_m.gguf"),
        (("m.Q8_0.gguf", "m.IQ1_S.gguf"), "m.Q8_0.gguf"),
        (("gguf/only.gguf",), "gguf/only.gguf"),
    ],
)
def test_of_many_quantisations_one_of_middling_size(names, first) -> None:
    chosen = planned("README.md", *names)
    assert (chosen.kind, chosen.chosen, set(chosen.choices)) == ("gguf", first, set(names))
    assert {each.name for each in chosen.files} == {first}


def test_a_folder_is_preferred_but_a_file_can_be_asked_for() -> None:
    names = ("config.json", "model.safetensors", "m-q4_0.gguf")
    assert taken(*names) == {"config.json", "model.safetensors"}
    assert taken(*names, file="m-q4_0.gguf") == {"m-q4_0.gguf"}
    with pytest.raises(InvalidTask):
        taken(*names, file="model.safetensors")


def test_a_checkpoint_in_one_file_is_no_lora() -> None:
    files = [HubFile("sd15.safetensors", 4_000_000_000, "a" * 64, "b" * 40)]
    with pytest.raises(ModelError, match="too large for a LoRA"):
        plan("somebody/model", files, None, "", "half")


NAMES = st.lists(
    st.sampled_from(["..", ".", "", "unet", "C:", "~", ".hidden"]) | st.text(max_size=8), max_size=4
)
LAST = st.sampled_from(["model.gguf", "config.json", "model.safetensors"])


@given(st.lists(st.tuples(NAMES, LAST, st.sampled_from(["/", "\\"])), max_size=6), st.booleans())
def test_no_name_leads_out_of_the_folder(parts, pipeline) -> None:
    listed = [
        {"name": separator.join([*names, last]), "size": 1, "sha256": None, "blob": "b" * 40}
        for names, last, separator in parts
    ]
    try:
        found = plan("a/b", files_of({"files": listed}), PIPELINE if pipeline else None, "", "half")
    except ModelError:
        return
    for each in found.files:
        windows, posix = PureWindowsPath(each.name), PurePosixPath(each.name)
        assert not windows.drive and not windows.root and not posix.root
        assert ".." not in windows.parts and len(windows.parts) <= 4
        assert all(not part.startswith(".") for part in posix.parts)
