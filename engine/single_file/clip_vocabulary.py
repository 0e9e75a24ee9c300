"""CLIP's tokenizer as a folder of transformers, from the byte pairs that are bundled.

Radford et al., 2103.00020: 256 bytes as letters, the same at the end of a word, what pairs make
of them, and two marks. In the order of the pairs lies the number of each.
"""

from __future__ import annotations

import gzip
import json

from engine import folders

START, END = "<|startoftext|>", "<|endoftext|>"
WINDOW = 77


def tokenizer_files(*, pad: str = END) -> dict[str, bytes]:
    """By name. `pad` fills what a prompt leaves of the window; the OpenCLIPs use `!`."""
    text = gzip.decompress((folders.RESOURCES / "tokenizers/clip-merges.txt.gz").read_bytes())
    pairs = text.decode().splitlines()[1:]
    letters = _letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(pair.split()) for pair in pairs] + [START, END]
    vocabulary = {word: number for number, word in enumerate(words)}
    marks = {"bos_token": START, "eos_token": END, "pad_token": pad, "unk_token": END}
    settings = marks | {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": WINDOW,
        "add_prefix_space": False,
        "do_lower_case": True,
        "errors": "replace",
    }
    return {
        "vocab.json": json.dumps(vocabulary, ensure_ascii=False).encode(),
        "merges.txt": text,
        "tokenizer_config.json": json.dumps(settings, indent=2).encode(),
        "special_tokens_map.json": json.dumps(marks, indent=2).encode(),
    }


def _letters() -> list[str]:
    """One for each byte: itself where it can be seen, else one from further on in Unicode."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in seen]
    return [chr(byte) for byte in seen] + [chr(256 + number) for number in range(len(hidden))]
