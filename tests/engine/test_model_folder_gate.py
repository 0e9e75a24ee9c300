"""The gate for model folders: nothing in them runs, and what is missing is named."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from engine.errors import ModelError
from engine.gate.model_folder import check_pipeline, fingerprint
from engine.gate.transformers_folder import check_language_model

PARTS = {
    "unet": ("diffusers", "UNet2DConditionModel"),
    "vae": ("diffusers", "AutoencoderKL"),
    "text_encoder": ("transformers", "CLIPTextModel"),
    "tokenizer": ("transformers", "CLIPTokenizer"),
    "scheduler": ("diffusers", "DDIMScheduler"),
    "feature_extractor": ("transformers", "CLIPImageProcessor"),
}
FILES = {"tokenizer": "tokenizer.json", "scheduler": "scheduler_config.json"}


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_weights(path: Path, count: int = 3) -> None:
    save_file({"weight": torch.zeros(count)}, path)


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """A folder as the gate sees it: the right files, with nothing much in them."""
    folder = tmp_path / "数据 model"
    index: dict[str, Any] = {name: list(part) for name, part in PARTS.items()}
    index |= {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        "safety_checker": [None, None],
        "requires_safety_checker": False,
    }
    write_json(folder / "model_index.json", index)
    for name in PARTS:
        write_json(folder / name / FILES.get(name, "config.json"), {"lambda_min_clipped": -(10**9)})
    write_json(folder / "feature_extractor/preprocessor_config.json", {})
    write_weights(folder / "unet/diffusion_pytorch_model.safetensors")
    write_weights(folder / "vae/diffusion_pytorch_model.safetensors")
    write_weights(folder / "text_encoder/model.safetensors")
    return folder


@pytest.fixture
def language_model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    write_json(folder / "config.json", {"architectures": ["GPT2LMHeadModel"]})
    write_json(folder / "tokenizer.json", {})
    write_weights(folder / "model.safetensors")
    return folder


def change_index(folder: Path, **values: Any) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    write_json(folder / "model_index.json", index | values)


def test_a_whole_pipeline_passes(pipeline: Path) -> None:
    folder = check_pipeline(pipeline)
    assert folder.class_name == "StableDiffusionPipeline"
    assert {part.name: part.kind for part in folder.components} == {
        "unet": "model",
        "vae": "model",
        "text_encoder": "model",
        "tokenizer": "tokenizer",
        "scheduler": "scheduler",
        "feature_extractor": "processor",
    }
    assert folder.absent == ("safety_checker",)
    assert folder.parameters == 9
    assert len(folder.weights) == 3


def test_the_safety_checker_of_stable_diffusion_may_come_along(pipeline: Path) -> None:
    change_index(pipeline, safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"])
    write_json(pipeline / "safety_checker/config.json", {})
    write_weights(pipeline / "safety_checker/model.safetensors")
    assert "safety_checker" in {part.name for part in check_pipeline(pipeline).components}


def test_weights_in_several_files_and_in_half_precision(pipeline: Path) -> None:
    (pipeline / "unet/diffusion_pytorch_model.safetensors").unlink()
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    write_json(pipeline / "unet/diffusion_pytorch_model.safetensors.index.json", index)
    write_weights(pipeline / "unet/part-1.safetensors")
    with pytest.raises(ModelError, match=r"part-2\.safetensors is missing"):
        check_pipeline(pipeline)
    write_weights(pipeline / "unet/part-2.safetensors", 5)
    half = pipeline / "vae/diffusion_pytorch_model.fp16.safetensors"
    (pipeline / "vae/diffusion_pytorch_model.safetensors").rename(half)

    folder = check_pipeline(pipeline)

    assert folder.parameters == 3 + 5 + 3 + 3
    assert {part.name: part.variant for part in folder.components if part.variant} == {
        "vae": "fp16"
    }


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("model_index.json", "has no model_index.json"),
        ("unet/config.json", "config.json"),
        ("unet/diffusion_pytorch_model.safetensors", "weights"),
        ("tokenizer/tokenizer.json", "tokenizer"),
        ("scheduler/scheduler_config.json", "scheduler_config.json"),
        ("feature_extractor/preprocessor_config.json", "preprocessor_config.json"),
    ],
)
def test_a_missing_file_is_named(pipeline: Path, missing: str, message: str) -> None:
    (pipeline / missing).unlink()
    with pytest.raises(ModelError, match=message) as caught:
        check_pipeline(pipeline)
    assert str(pipeline) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("part", PARTS)
def test_a_missing_part_is_named(pipeline: Path, part: str) -> None:
    for file in (pipeline / part).iterdir():
        file.unlink()
    (pipeline / part).rmdir()
    with pytest.raises(ModelError, match=f"its part '{part}' is missing"):
        check_pipeline(pipeline)


def test_a_truncated_part_says_how_much_is_there(pipeline: Path) -> None:
    file = pipeline / "vae/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ModelError, match=r"vae.*cut short"):
        check_pipeline(pipeline)


# ------------------------------------------------------------------- what others have tried


def plant(path: Path, marker: Path) -> None:
    """A program that would leave a trace, at its most harmless."""
    path.write_text(f"open({str(marker)!r}, 'w')\nclass Trap: pass\nclass TrapPipeline: pass\n")


MALICIOUS_COMPONENTS: list[Any] = [
    ["os", "system"],
    ["posix", "system"],
    ["builtins", "exec"],
    ["trap", "Trap"],
    ["diffusers_modules.local.trap", "Trap"],
    ["diffusers", "os"],
    ["diffusers", "utils.dynamic_modules_utils.get_class_from_dynamic_module"],
    ["diffusers", "StableDiffusionPipeline"],
    ["diffusers.utils", "UNet2DConditionModel"],
    ["transformers", "pipeline"],
    ["transformers", "UNet2DConditionModel\n"],
    ["onnxruntime.training", "ORTModule"],
    ["diffusers", "OnnxRuntimeModel", "more"],
    ["diffusers", None],
    [None, "UNet2DConditionModel"],
    ["diffusers", ["UNet2DConditionModel"]],
    [],
    "UNet2DConditionModel",
    {"diffusers": "UNet2DConditionModel"},
]


@pytest.mark.parametrize("component", MALICIOUS_COMPONENTS, ids=str)
def test_a_component_from_elsewhere_is_refused(
    pipeline: Path, tmp_path: Path, component: Any
) -> None:
    change_index(pipeline, unet=component)
    before = set(sys.modules)
    with pytest.raises(ModelError, match=r"model_index\.json"):
        check_pipeline(pipeline)
    assert set(sys.modules) == before, "something was imported"


@pytest.mark.parametrize("name", ["../unet", "/etc", "a/b", "unet.x", "UNET", ""])
def test_a_component_with_a_path_for_a_name_is_refused(pipeline: Path, name: str) -> None:
    change_index(pipeline, **{name: ["diffusers", "UNet2DConditionModel"]})
    with pytest.raises(ModelError, match=r"model_index\.json"):
        check_pipeline(pipeline)


@pytest.mark.parametrize(
    ("part", "other"),
    [("scheduler", "unet"), ("unet", "scheduler"), ("tokenizer", "unet"), ("vae", "tokenizer")],
)
def test_a_part_of_another_kind_is_refused(pipeline: Path, part: str, other: str) -> None:
    change_index(pipeline, **{part: list(PARTS[other])})
    with pytest.raises(ModelError, match=f"unknown as its '{part}'"):
        check_pipeline(pipeline)


@pytest.mark.parametrize(
    "class_name", ["Trap", ["pipeline", "TrapPipeline"], "os.system", "trapPipeline", None, 7, ""]
)
def test_a_pipeline_of_its_own_is_refused(pipeline: Path, class_name: Any) -> None:
    change_index(pipeline, _class_name=class_name)
    with pytest.raises(ModelError, match="names no pipeline"):
        check_pipeline(pipeline)


@pytest.mark.parametrize(
    "place", ["pipeline.py", "unet/diffusers.py", "unet/trap.py", "unet/trap.so", "vae/x.pyc"]
)
def test_a_program_in_the_folder_is_refused(pipeline: Path, tmp_path: Path, place: str) -> None:
    plant(pipeline / place, tmp_path / "marker")
    with pytest.raises(ModelError, match="program of its own"):
        check_pipeline(pipeline)
    assert not (tmp_path / "marker").exists()


FORBIDDEN: list[dict[str, Any]] = [
    {"auto_map": {"AutoModel": "trap.Trap"}},
    {"trust_remote_code": True},
    {"custom_pipeline": "someone/trap"},
    {"_attn_implementation_internal": "someone/trap"},
    {"_attn_implementation": "someone/trap"},
    {"attn_implementation": "someone/trap"},
    {"text_config": {"layers": [{"auto_map": {"AutoConfig": "trap--Trap"}}]}},
]


@pytest.mark.parametrize("config", FORBIDDEN, ids=str)
@pytest.mark.parametrize(
    "place",
    [
        "unet/config.json",
        "text_encoder/config.json",
        "tokenizer/tokenizer_config.json",
        "scheduler/scheduler_config.json",
        "feature_extractor/preprocessor_config.json",
        "text_encoder/generation_config.json",
    ],
)
def test_settings_that_fetch_code_are_refused(
    pipeline: Path, place: str, config: dict[str, Any]
) -> None:
    write_json(pipeline / place, config)
    with pytest.raises(ModelError, match="run code from elsewhere"):
        check_pipeline(pipeline)


def test_settings_that_only_look_like_it_pass(pipeline: Path) -> None:
    harmless = {"_attn_implementation_autoset": True, "auto_map": None, "trust_remote_code": False}
    write_json(pipeline / "text_encoder/config.json", harmless)
    check_pipeline(pipeline)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"a": 1, "a": 2}', "[" * 100_000, '{"a":' * 100_000, "\udcff"]
)
@pytest.mark.parametrize("place", ["model_index.json", "unet/config.json"])
def test_settings_that_cannot_be_read_are_named(pipeline: Path, place: str, text: str) -> None:
    (pipeline / place).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError, match=Path(place).name):
        check_pipeline(pipeline)


def test_settings_of_an_absurd_size_are_not_read(pipeline: Path) -> None:
    (pipeline / "unet/config.json").write_text(json.dumps({"a": "b" * 5_000_000}))
    with pytest.raises(ModelError, match="too large"):
        check_pipeline(pipeline)


@pytest.mark.parametrize("depth", range(100, 1100, 200))
def test_code_is_found_at_any_depth_that_can_be_read(pipeline: Path, depth: int) -> None:
    hidden = '{"a":' * depth + '{"auto_map": 1}' + "}" * depth
    (pipeline / "unet/config.json").write_text(hidden)
    with pytest.raises(ModelError, match=r"auto_map|nested too deeply"):
        check_pipeline(pipeline)


def test_quantised_weights_are_said_to_be_too_much(pipeline: Path) -> None:
    write_json(pipeline / "text_encoder/config.json", {"quantization_config": {"bits": 4}})
    with pytest.raises(ModelError, match="quantised"):
        check_pipeline(pipeline)


class Marker:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "model.ckpt", "x.pt", "x.PTH"])
@pytest.mark.parametrize("check", [check_pipeline, check_language_model])
def test_pickled_weights_are_refused_with_a_way_on(
    pipeline: Path,
    language_model: Path,
    tmp_path: Path,
    name: str,
    check: Callable[[Path], Any],
) -> None:
    folder, part = {
        check_pipeline: (pipeline, "unet"),
        check_language_model: (language_model, "."),
    }[check]
    (file,) = (folder / part).glob("*.safetensors")
    file.unlink()
    torch.save(Marker(tmp_path / "marker"), folder / part / name)
    with pytest.raises(ModelError, match="is a pickle file") as caught:
        check(folder)
    assert name in caught.value.message
    assert "safetensors" in caught.value.hint
    (folder / part / name).rename(file)
    with pytest.raises(ModelError, match="is a pickle file"):
        check(folder)
    file.write_bytes(pickle.dumps(Marker(tmp_path / "marker")))
    with pytest.raises(ModelError):
        check(folder)
    assert not (tmp_path / "marker").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_to_everywhere_are_not_followed_far(pipeline: Path) -> None:
    (pipeline / "loop").symlink_to(pipeline)
    (pipeline / "root").symlink_to("/")
    check_pipeline(pipeline)


def test_the_fingerprint_notices_every_exchange(pipeline: Path) -> None:
    first = fingerprint(pipeline)
    assert fingerprint(pipeline) == first
    file = pipeline / "unet/diffusion_pytorch_model.safetensors"
    status = file.stat()
    other = file.with_name("other")
    other.write_bytes(bytes(status.st_size))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(other, file)
    assert fingerprint(pipeline) != first


# ------------------------------------------------------------------- language models


def test_a_whole_language_model_passes(language_model: Path) -> None:
    assert check_language_model(language_model).parameters == 3


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "has no config.json"),
        ("tokenizer.json", "tokenizer"),
        ("model.safetensors", "weights"),
    ],
)
def test_a_missing_file_of_a_language_model_is_named(
    language_model: Path, missing: str, message: str
) -> None:
    (language_model / missing).unlink()
    with pytest.raises(ModelError, match=message):
        check_language_model(language_model)


@pytest.mark.parametrize("config", FORBIDDEN, ids=str)
@pytest.mark.parametrize("place", ["config.json", "tokenizer_config.json"])
def test_a_language_model_that_fetches_code_is_refused(
    language_model: Path, place: str, config: dict[str, Any]
) -> None:
    write_json(language_model / place, {"architectures": ["GPT2LMHeadModel"], **config})
    with pytest.raises(ModelError, match="run code from elsewhere"):
        check_language_model(language_model)


def test_other_kinds_of_models_are_called_by_their_name(language_model: Path) -> None:
    write_json(language_model / "config.json", {"architectures": ["CLIPTextModel"]})
    with pytest.raises(ModelError, match="CLIPTextModel, which does not continue text"):
        check_language_model(language_model)
    write_json(language_model / "config.json", {})
    (language_model / "model.safetensors").unlink()
    write_json(language_model / "adapter_config.json", {})
    with pytest.raises(ModelError, match="LoRA"):
        check_language_model(language_model)


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="single file"):
        check_pipeline(tmp_path / "file")
    with pytest.raises(ModelError, match="does not exist"):
        check_language_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="names no model"):
        write_json(tmp_path / "empty/model_index.json", {"_class_name": "EmptyPipeline"})
        check_pipeline(tmp_path / "empty")
