"""A tokenizer learned from a text, for a model that learns from the same text."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

END = "<|endoftext|>"
UNKNOWN = "<|unknown|>"
LEAST_BYTES = 257  # all bytes and the end


def train_tokenizer(texts: Iterable[str], kind: str, vocab_size: int) -> PreTrainedTokenizerFast:
    """kind "bpe": byte pairs (Sennrich et al. 2016), which know any text; "characters": those that
    occur in `texts`, and one for all others.

    The same texts give the same tokenizer. Token 0 is END, which stands between two texts.
    """
    learned = _byte_pairs(texts, vocab_size) if kind == "bpe" else _characters(texts)
    return from_json(learned.to_str())


def from_json(text: str) -> PreTrainedTokenizerFast:
    """What `to_json` told."""
    tokenizer = Tokenizer.from_str(text)
    unknown = {"unk_token": UNKNOWN} if tokenizer.token_to_id(UNKNOWN) is not None else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        clean_up_tokenization_spaces=False,
        **unknown,
    )


def to_json(tokenizer: PreTrainedTokenizerFast) -> str:
    """Vocabulary and rules, for a checkpoint."""
    return tokenizer.backend_tokenizer.to_str()


def _byte_pairs(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _characters(texts: Iterable[str]) -> Tokenizer:
    found = sorted(set().union(*map(set, texts)))
    vocabulary = {token: number for number, token in enumerate([END, UNKNOWN, *found])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([END, UNKNOWN])
    return tokenizer
