"""Weights of 16 bits multiplied in 32: as exact as float32, and the same words."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_language_models as tiny
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.events import Event, Token
from engine.gate.transformers_folder import check_language_model
from engine.generators.text_generation import TextGeneration
from engine.language import loading, transformers_folder
from engine.models import half_weights

pytestmark = pytest.mark.skipif(
    not half_weights.is_possible(torch.device("cpu")), reason="this processor has no FBGEMM"
)
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@pytest.fixture(scope="module", params=DTYPES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is stored in 16 bits, as most are."""
    wide = tiny.save_folder(tmp_path_factory.mktemp("wide"))
    path = tmp_path_factory.mktemp(request.param)
    AutoModelForCausalLM.from_pretrained(wide, dtype=DTYPES[request.param]).save_pretrained(path)
    AutoTokenizer.from_pretrained(wide).save_pretrained(path)
    return path


@pytest.mark.parametrize("rows", [1, 7, 64])
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_gives_what_float32_gives_but_for_the_order_of_summing(rows, bias) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(576, 192, bias=bias).to(torch.bfloat16).float()
    x = torch.randn(2, rows, 576)
    with torch.inference_mode():
        exact = nn.functional.linear(
            x.double(), layer.weight.double(), layer.bias.double() if bias else None
        )
        packed = half_weights.PackedLinear(layer)(x)
    assert packed.shape == exact.shape and packed.dtype == torch.float32
    assert (packed - exact).abs().max() < 1e-5  # bfloat16 arithmetic errs by 1e-2 here


def test_only_weights_that_16_bits_hold_are_packed() -> None:
    torch.manual_seed(0)
    narrow = nn.Linear(64, 64).to(torch.bfloat16)
    wide = nn.Linear(64, 64)
    huge = nn.Linear(64, 64).to(torch.bfloat16)
    with torch.no_grad():
        huge.weight[0, 0] = 1e6  # more than float16 can say
    model = nn.Sequential(narrow, wide, huge)
    half_weights.pack(model)
    assert [type(layer) for layer in model] == [half_weights.PackedLinear, nn.Linear, nn.Linear]
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert model[2].weight[0, 0] == torch.tensor(1e6).bfloat16().float()


def test_the_greedy_text_is_that_of_plain_transformers(folder: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for prompt in ("The sea is", "A red fox", "fox fox fox", "and of the"):
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        plain = model.generate(ids, max_new_tokens=60, do_sample=False, pad_token_id=0)
        events: list[Event] = []
        TextGeneration(
            prompt=prompt, model=str(folder), do_sample=False, repetition_penalty=1.0,
            max_new_tokens=60,
        ).run(events.append, tmp_path)  # fmt: skip
        ours = "".join(event.text for event in events if isinstance(event, Token))
        told = tokenizer.decode(plain[0], skip_special_tokens=True)
        assert prompt + ours == told
    packed = loading.load(folder, False, lambda event: None)._model
    assert any(isinstance(each, half_weights.PackedLinear) for each in packed.modules())


def test_a_model_stored_in_32_bits_stays_so(tmp_path: Path) -> None:
    folder = tiny.save_folder(tmp_path / "wide")
    kept = loading.load(folder, False, lambda event: None)._model
    assert not any(isinstance(each, half_weights.PackedLinear) for each in kept.modules())


def test_the_need_counts_what_packing_makes_of_the_shapes(folder: Path) -> None:
    checked = check_language_model(folder)
    assert half_weights.packed_bytes((100, 576)) == 100 * 1024 * 2
    assert half_weights.packed_bytes((576,)) == 576 * 4
    assert transformers_folder.need_to_write(checked) > transformers_folder.LIBRARIES
