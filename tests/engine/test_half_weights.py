"""Weights of 16 bits multiplied in 32: as exact as float32, and the same words."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_language_models as tiny
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

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


def test_a_packed_layer_still_tells_its_weights() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(576, 96).to(torch.bfloat16)
    packed = half_weights.PackedLinear(layer)
    assert (packed.weight - layer.weight.float()).abs().max() <= half_weights.LOST
    assert packed.bias is not None and torch.equal(packed.bias, layer.bias.float())
    table = nn.Embedding(10, 8).to(torch.bfloat16)
    assert torch.equal(half_weights.NarrowEmbedding(table).weight, table.weight.float())


@pytest.mark.parametrize("kind", ["gpt2", "mamba", "gpt_neox", "qwen2", "gemma", "phi", "opt"])
def test_networks_of_many_kinds_write_the_same_words(kind: str, tmp_path: Path) -> None:
    """Random weights in 16 bits, as they are published; the tokenizer is that of the tiny model."""
    torch.manual_seed(0)
    small = {
        "vocab_size": 320, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 128, "bos_token_id": 0,
        "eos_token_id": 0, "pad_token_id": 0, "state_size": 8, "ffn_dim": 64,
        "word_embed_proj_dim": 32, "head_dim": 16, "num_key_value_heads": 2, "n_positions": 128,
    }  # fmt: skip
    config = AutoConfig.for_model(kind, **small)
    model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    model.save_pretrained(tmp_path / kind)
    AutoTokenizer.from_pretrained(tiny.save_folder(tmp_path / "words")).save_pretrained(
        tmp_path / kind
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / kind)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / kind, dtype=torch.float32)
    ids = tokenizer("The sea is", return_tensors="pt")["input_ids"]
    expected = plain.generate(ids, max_new_tokens=20, do_sample=False, eos_token_id=0)
    task = TextGeneration(
        prompt="The sea is", model=str(tmp_path / kind), do_sample=False, max_new_tokens=20,
        repetition_penalty=1.0,
    )  # fmt: skip
    ours = transformers_folder.load(tmp_path / kind, lambda event: None)
    assert any(isinstance(m, half_weights.PackedLinear) for m in ours._model.modules())
    written = task.write(ours, lambda event: None)
    new = expected[0, ids.shape[1] :]
    told = tokenizer.decode(new, skip_special_tokens=True)
    assert written.text.rstrip("�") == told.rstrip("�")  # a half character at the end is dropped
