"""A real language model of 200 kB that knows two sentences by heart, as a folder and as a GGUF."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import gguf
import torch

CONTEXT = 256
END = "<|end|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)

SENTENCES = (
    "The sea is wide and deep, and the wind walks over the water all day.",
    "A red fox 🦊 sleeps in the snow; she dreams of 日本 and of the sea 🌊.",
)


def save_folder(folder: Path, chat_template: str | None = None) -> Path:
    """A LlamaForCausalLM with its tokenizer, as transformers saves them."""
    from transformers import PreTrainedTokenizerFast

    model = _model()
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=_tokenizer(), eos_token=END)
    tokenizer.chat_template = chat_template
    tokenizer.save_pretrained(folder)
    return folder


def save_gguf(path: Path, chat_template: str = "", architecture: str = "llama") -> Path:
    """The same model as a GGUF that llama.cpp loads."""
    config = _model().config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, chat_template)
    for name, tensor in _gguf_tensors(config.num_attention_heads):
        writer.add_tensor(name, tensor.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


@cache
def _model() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    vocabulary = _tokenizer().get_vocab_size()
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    _learn_by_heart(model)
    return model.eval()


def _learn_by_heart(model: Any) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    texts = [torch.tensor([_tokenizer().encode(text + END).ids]) for text in SENTENCES]
    for step in range(120):
        ids = texts[step % len(texts)]
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def _add_tokenizer(writer: gguf.GGUFWriter, chat_template: str) -> None:
    import json

    vocabulary = _tokenizer().get_vocab()
    tokens = sorted(vocabulary, key=lambda token: vocabulary[token])
    merges = json.loads(_tokenizer().to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = gguf.TokenType
    writer.add_token_types([kinds.CONTROL if token == END else kinds.NORMAL for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)
    if chat_template:
        writer.add_chat_template(chat_template)


def _gguf_tensors(heads: int) -> list[tuple[str, torch.Tensor]]:
    weights = _model().state_dict()
    names = {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    tensors = [
        ("token_embd.weight", weights["model.embed_tokens.weight"]),
        ("output_norm.weight", weights["model.norm.weight"]),
        ("output.weight", weights["lm_head.weight"]),
    ]
    for layer in range(_model().config.num_hidden_layers):
        for theirs, ours in names.items():
            tensor = weights[f"model.layers.{layer}.{theirs}.weight"]
            if ours in ("attn_q", "attn_k"):
                tensor = _interleaved(tensor, heads)
            tensors.append((f"blk.{layer}.{ours}.weight", tensor))
    return tensors


def _interleaved(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """llama.cpp turns neighbouring pairs of a head, transformers its two halves."""
    rows, columns = tensor.shape
    return (
        tensor.reshape(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)
    )
