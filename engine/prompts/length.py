"""How much of a prompt a model reads, counted by its own tokenizers without torch."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import library
from engine.errors import ModelError
from engine.gate import json_text
from engine.prompts.weights import parse, plain_text
from engine.prompts.wildcards import has_wildcards

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PARTS = ("tokenizer", "tokenizer_2", "tokenizer_3")
LARGEST_FILE = 100_000_000
LONGEST_WINDOW = 100_000
"""Tokens; a tokenizer without a limit tells an absurd one."""

# How much of T5's window these pipelines use, unless told otherwise when they are called.
_T5_WINDOWS = {
    "StableDiffusion3Pipeline": 256,
    "FluxPipeline": 512,
    "PixArtSigmaPipeline": 300,
    "PixArtAlphaPipeline": 120,
}


@dataclass(frozen=True)
class Length:
    """Of a prompt, in tokens."""

    used: int
    room: int
    seen: int
    """How many characters of the prompt, as it was typed, the model reads."""
    exact: bool = True
    """False where wildcards stand in it, whose length only the draw decides."""


@dataclass(frozen=True)
class _Counter:
    tokenizer: Tokenizer
    room: int
    """Tokens, without those for the start and the end."""


class TokenCounter:
    """The tokenizers of one model; what one of them has room for, the model reads."""

    def __init__(self, counters: list[_Counter]) -> None:
        self._counters = counters

    def length(self, prompt: str, before: str = "", after: str = "") -> Length:
        """Of `prompt` with what a style puts before and after it, of which only `used` tells."""
        whole = self._whole_length(before + prompt + after)
        seen = min(max(whole.seen - len(before), 0), len(prompt))
        return replace(whole, seen=seen)

    def _whole_length(self, prompt: str) -> Length:
        pieces = parse(prompt)
        places = [
            piece.start + len(piece.raw) - len(piece.text) + offset
            for piece in pieces
            for offset in range(len(piece.text))
        ]
        text = plain_text(pieces)
        exact = not has_wildcards(prompt)
        lengths = [self._length(counter, text, places, len(prompt)) for counter in self._counters]
        used, room, seen = max(lengths, key=lambda length: (length[2], length[1]))
        return Length(used, room, seen if exact else len(prompt), exact)

    @staticmethod
    def _length(counter: _Counter, text: str, places: list[int], end: int) -> tuple[int, int, int]:
        """Tokens used, room for them, and how many characters of the typed prompt are read."""
        encoded = counter.tokenizer.encode(text, add_special_tokens=False)
        used = len(encoded.ids)
        if used <= counter.room:
            return used, counter.room, end
        first_unseen = encoded.offsets[counter.room][0]
        return used, counter.room, places[first_unseen] if first_unseen < len(places) else end


def load_counter(model: str) -> TokenCounter | None:
    """For the image model `model`; None where one of its tokenizers cannot be read.

    Takes a tenth of a second: not for the GUI thread.
    """
    try:
        folder = library.find(model)
        index = json_text.parse((folder / "model_index.json").read_bytes(), finite=False)
        names = [name for name in PARTS if isinstance(index, dict) and _is_there(index.get(name))]
        counters = [_read(folder / name, str(index.get("_class_name"))) for name in names]
    except (OSError, ValueError, ModelError):
        return None
    return TokenCounter(counters) if counters else None


def _is_there(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], str)


def _read(folder: Path, pipeline: str) -> _Counter:
    """Raises OSError and ValueError."""
    config = json_text.parse(_bytes(folder / "tokenizer_config.json"), finite=False)
    if not isinstance(config, dict):
        raise ValueError("its settings are no object")
    window = config.get("model_max_length")
    if isinstance(window, bool) or not isinstance(window, (int, float)) or window <= 0:
        raise ValueError("it tells no length")
    if "CLIP" not in str(config.get("tokenizer_class")):
        window = min(window, _T5_WINDOWS.get(pipeline, window))
    if window > LONGEST_WINDOW:
        raise ValueError("it has no limit")
    path = folder / "tokenizer.json"
    tokenizer = _tokenizer(_bytes(path).decode()) if path.is_file() else _from_merges(folder)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return _Counter(tokenizer, int(window) - tokenizer.num_special_tokens_to_add(False))


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path} is too large")
    return path.read_bytes()


def _tokenizer(text: str) -> Tokenizer:
    """Raises ValueError."""
    from tokenizers import Tokenizer

    # tokenizers raises Exception itself, which a future holds without a handler for everything.
    with ThreadPoolExecutor(1) as thread:
        built = thread.submit(Tokenizer.from_str, text)
    if built.exception() is not None:
        raise ValueError(f"it is no tokenizer: {built.exception()}")
    return built.result()


def _from_merges(folder: Path) -> Tokenizer:
    """CLIP's, of the days before tokenizer.json: its byte pairs and nothing else."""
    vocab = json_text.parse(_bytes(folder / "vocab.json"))
    lines = _bytes(folder / "merges.txt").decode().splitlines()
    merges = [line.split() for line in lines if line and not line.startswith("#version")]
    if not isinstance(vocab, dict):
        raise ValueError("its vocabulary is no object")
    return _tokenizer(json.dumps(_clip(vocab, merges)))


def _clip(vocab: dict[str, Any], merges: list[list[str]]) -> dict[str, Any]:
    """What CLIP's tokenizer is, in the form of tokenizer.json."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    split = {"Regex": rf"<\|startoftext\|>|<\|endoftext\|>|{words}"}
    return {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": split, "behavior": "Removed", "invert": True},
                {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": True,
                    "use_regex": True,
                },
            ],
        },
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [end, vocab.get(end, 1)],
            "cls": [start, vocab.get(start, 0)],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "model": {
            "type": "BPE",
            "unk_token": end,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": vocab,
            "merges": merges,
        },
    }
