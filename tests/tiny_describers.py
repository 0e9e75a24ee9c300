"""Tiny real models that look at pictures: one that captions and one that chats."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image

QUESTION = "Describe this picture in one or two sentences."
ANSWERS = {"red": "a red square", "blue": "this one ."}
CAPTIONS = {"red": "a red square", "blue": "blue water"}
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %} :{% endif %}"
)


def picture(color: str, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.new("RGB", size, color)


def save_captioner(folder: Path) -> Path:
    """A BLIP that tells red pictures from blue ones."""
    model, processor = _captioner()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@cache
def _captioner() -> tuple[Any, Any]:
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessorPil,
        BlipProcessor,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]"]
    words += sorted({word for text in CAPTIONS.values() for word in text.split()})
    tokenizer = BertTokenizerFast(
        vocab={word: n for n, word in enumerate(words)}, additional_special_tokens=["[DEC]"]
    )
    images = BlipImageProcessorPil(size={"height": 32, "width": 32})
    processor = BlipProcessor(images, tokenizer)
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1}
    small |= {"num_attention_heads": 2}
    text = small | {
        "vocab_size": len(words), "encoder_hidden_size": 32, "max_position_embeddings": 64,
        "bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    }  # fmt: skip
    config = BlipConfig(
        text_config=text, vision_config=small | {"image_size": 32, "patch_size": 16}
    )
    model = BlipForConditionalGeneration(config)
    _learn_by_heart(model, processor)
    return model.eval(), processor


def _learn_by_heart(model: Any, processor: Any) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    pixels = processor.image_processor(
        [picture(color) for color in CAPTIONS], return_tensors="pt"
    ).pixel_values
    ids = processor.tokenizer(list(CAPTIONS.values()), padding=True, return_tensors="pt")
    ids["input_ids"][:, 0] = 5
    labels = ids["input_ids"].masked_fill(ids["attention_mask"] == 0, -100)
    for _ in range(80):
        loss = model(
            pixel_values=pixels,
            input_ids=ids["input_ids"],
            attention_mask=ids["attention_mask"],
            labels=labels,
        ).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def save_chatter(folder: Path) -> Path:
    """An Idefics3, as SmolVLM is one, that answers one question about two pictures."""
    model, processor = _chatter()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@cache
def _chatter() -> tuple[Any, Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3Processor,
        PreTrainedTokenizerFast,
    )

    special = ["<pad>", "<unk>", "<image>", "<fake_token_around_image>", "<global-img>"]
    special += ["<end_of_utterance>"]
    words = [*special, *dict.fromkeys(f"{QUESTION[:-1]} . : a red square one".split())]
    tokenizer = Tokenizer(
        models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>",
        eos_token="<end_of_utterance>", additional_special_tokens=special[2:],
    )  # fmt: skip
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
    )
    processor = Idefics3Processor(images, fast, image_seq_len=4, chat_template=TEMPLATE)
    torch.manual_seed(0)
    config = Idefics3Config(
        image_token_id=2, scale_factor=1, pad_token_id=0,
        vision_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
                       "num_attention_heads": 2, "image_size": 32, "patch_size": 16},
        text_config={"model_type": "llama", "vocab_size": len(words), "hidden_size": 16,
                     "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
                     "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": None,
                     "eos_token_id": 5},
    )  # fmt: skip
    model = Idefics3ForConditionalGeneration(config)
    _learn_to_answer(model, processor)
    return model.eval(), processor


def _learn_to_answer(model: Any, processor: Any) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    asked = f"<image>{QUESTION} : "
    rows = [
        processor(images=[picture(color)], text=f"{asked}{text} <end_of_utterance>",
                  return_tensors="pt")
        for color, text in ANSWERS.items()
    ]  # fmt: skip
    for step in range(100):
        row = rows[step % len(rows)]
        labels = row["input_ids"].clone()
        labels[:, :-4] = -100
        model(**row, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
