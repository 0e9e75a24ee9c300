"""Texts as vectors, by any local encoder of transformers: texts about the same thing lie close.

Mean pooling over the tokens and unit length, as Sentence-BERT (Reimers & Gurevych, 1908.10084).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import cache, device
from engine.errors import ModelError
from engine.events import Progress, Report
from engine.gate.transformers_folder import TransformersFolder, check_encoder
from engine.language.transformers_folder import UNREADABLE, first_line

BATCH = 32
LONGEST = 256  # tokens of a text that are read: what all-MiniLM-L6-v2 was trained with


class Encoder:
    """A loaded model."""

    def __init__(self, folder: TransformersFolder, model: Any, tokenizer: Any) -> None:
        self.fingerprint = folder.fingerprint
        self._device = device.best_device()
        self._model = model.eval().to(self._device)
        self._tokenizer = tokenizer

    def embed(self, texts: Sequence[str], report: Report) -> NDArray[np.float32]:
        """Vectors (N, D) of unit length, in the order of the texts; reports Progress."""
        import torch

        order = sorted(range(len(texts)), key=lambda n: len(texts[n]))  # alike lengths pad least
        rows: list[Any] = [None] * len(texts)
        for start in range(0, len(order), BATCH):
            report(Progress(start, len(order), "learning what the files are about"))
            part = order[start : start + BATCH]
            with torch.inference_mode():
                vectors = self._vectors([texts[n] for n in part])
            for n, vector in zip(part, vectors, strict=True):
                rows[n] = vector
        return np.stack(rows).astype(np.float32)

    def _vectors(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        ).to(self._device)
        hidden = self._model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        unit: NDArray[np.float32] = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return unit


def load(path: Path, report: Report) -> Encoder:
    """The encoder in the folder, kept warm; raises ModelError."""
    report(Progress(0, None, "loading the model that finds passages"))
    folder = check_encoder(path)
    return cache.loaded(("encoder", path, folder.fingerprint), lambda: _open(folder))


def _open(folder: TransformersFolder) -> Encoder:
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device.configure_threads()
    try:
        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder.path, **options)
        model = AutoModel.from_pretrained(folder.path, use_safetensors=True, **options)
    except (*UNREADABLE, SafetensorError) as error:
        raise ModelError(
            f"transformers cannot load {folder.path}: {first_line(error)}",
            "Copy or download the whole folder again, or choose another model.",
        ) from error
    return Encoder(folder, model, tokenizer)
