"""Documents as one long row of tokens, an end between two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.jsonl import Document
from engine.errors import DatasetError
from engine.events import Progress, Report
from engine.language.transformers_folder import chat_of


def encode(tokenizer: Any, documents: Sequence[Document], report: Report) -> NDArray[np.int32]:
    """Tokens (N,) of all documents, N > 1, each with the tokenizer's own habits at its beginning
    and its end token after it; raises DatasetError."""
    rows = list(_rows(tokenizer, documents, report))
    tokens = np.concatenate(rows) if rows else np.empty(0, np.int32)
    if len(tokens) < 2:
        raise DatasetError("The text has no tokens for this model.", "Choose another text.")
    return tokens


def _rows(
    tokenizer: Any, documents: Sequence[Document], report: Report
) -> Iterator[NDArray[np.int32]]:
    end = tokenizer.eos_token_id
    rendered = _rendered(tokenizer, documents)
    for number, document in enumerate(documents):
        report(Progress(number, len(documents), "reading the text as tokens"))
        if rendered and document.messages:
            ids = tokenizer(next(rendered), add_special_tokens=False)["input_ids"]
        else:  # words such as <|endoftext|> in the text are a text like any other
            ids = tokenizer(document.text, split_special_tokens=True)["input_ids"]
        if end is not None and (not ids or ids[-1] != end):
            ids.append(end)
        yield np.array(ids, np.int32)


def _rendered(tokenizer: Any, documents: Sequence[Document]) -> Iterator[str] | None:
    """The conversations as the model's own chat template writes them, where it has one."""
    chat = chat_of(tokenizer)
    if chat is None:
        return None
    told = [[asdict(message) for message in each.messages] for each in documents if each.messages]
    return chat.render_all(told)
