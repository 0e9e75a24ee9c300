"""Models that put pictures into words, on transformers: those that chat about a picture, such as
SmolVLM or Qwen-VL, and those that only caption it, such as BLIP, GIT or Florence-2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import cache, device, memory
from engine.errors import ModelError
from engine.events import Progress, Report, Token
from engine.gate.transformers_folder import TransformersFolder, check_describer
from engine.language.chat import Chat
from engine.language.transformers_folder import UNREADABLE, chat_of, first_line, need

if TYPE_CHECKING:
    from PIL import Image

QUESTION = "Describe this picture in one or two sentences."
TASK_WORDS = {"florence2": "<DETAILED_CAPTION>"}
"""What stands for a question where a model was trained on such words, by the type of model."""


def load(path: Path, report: Report) -> Describer:
    """The model in the folder, kept warm; raises EngineError."""
    report(Progress(0, None, "checking the model"))
    folder = check_describer(path)
    report(Progress(0, None, "loading the model"))
    weighs = need(folder, device.best_dtype(device.best_device()).itemsize)
    return cache.loaded(("describer", path, folder.fingerprint), lambda: _open(folder), weighs)


class Describer:
    """A loaded model and what prepares its pictures."""

    def __init__(self, name: str, model: Any, processor: Any) -> None:
        self.name = name
        self._device = device.best_device()
        self._model = model.eval().to(self._device)
        self._processor = processor
        tokenizer = processor.tokenizer
        self._chat: Chat | None = chat_of(tokenizer, getattr(processor, "chat_template", None))

    @property
    def answers(self) -> bool:
        """Whether it takes any question; else it knows how to caption, and no more."""
        return self._chat is not None

    def describe(
        self, image: Image.Image, question: str, max_new_tokens: int, report: Report
    ) -> str:
        """The likeliest words for the picture, reported as Token; raises EngineError, Cancelled.

        `question` is empty for a plain description. One that only captions takes it for the
        beginning of its words.
        """
        import torch
        from transformers import StoppingCriteriaList

        inputs = self._inputs(image.convert("RGB"), question, report)
        given = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
        skipped = 0 if self._model.config.is_encoder_decoder else given

        def look_up(input_ids: Any, scores: Any, **_: Any) -> torch.Tensor:
            report(Progress(input_ids.shape[1] - skipped, max_new_tokens, "writing"))
            return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)

        report(Progress(0, max_new_tokens, "looking at the picture"))
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                stopping_criteria=StoppingCriteriaList([look_up]),
            )
        new_ids = output[0].tolist()
        if self._chat is not None:  # else what was given is the beginning of the caption
            new_ids = new_ids[skipped:]
        text: str = self._processor.tokenizer.decode(new_ids, skip_special_tokens=True)
        text = text.strip()
        report(Token(text))
        return text

    def _inputs(self, image: Image.Image, question: str, report: Report) -> Any:
        kind = self._model.config.model_type
        if self._chat is not None:
            report(Progress(0, None, "preparing the prompt"))
            text = self._chat.render_about_picture(question or QUESTION)
        else:
            text = question or TASK_WORDS.get(kind, "")
        options = {"text": text} if text else {}
        inputs = self._processor(images=[image], return_tensors="pt", **options)
        return inputs.to(self._device, dtype=self._model.dtype)


def _open(folder: TransformersFolder) -> Describer:
    from safetensors import SafetensorError
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import logging

    dtype = device.best_dtype(device.best_device())
    memory.require(need(folder, dtype.itemsize), f"{folder.path.name} needs")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device.configure_threads()
    own: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = AutoProcessor.from_pretrained(folder.path, **own)
        model = AutoModelForImageTextToText.from_pretrained(
            folder.path, dtype=dtype, use_safetensors=True, **own
        )
        return Describer(folder.path.name, model, processor)
    except (*UNREADABLE, SafetensorError) as error:
        raise ModelError(
            f"transformers cannot load {folder.path}: {first_line(error)}",
            "Copy or download the whole folder again, or choose another model.",
        ) from error
