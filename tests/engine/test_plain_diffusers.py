"""The embedded model in plain diffusers: other pipelines, and a LoRA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import folders, library

MODEL = folders.RESOURCES / "models" / library.EMBEDDED_IMAGE_MODEL
STEPS = 2


def load(pipeline: str) -> Any:
    import diffusers

    pipe = getattr(diffusers, pipeline).from_pretrained(
        str(MODEL), text_encoder_3=None, tokenizer_3=None, local_files_only=True
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def picture() -> Image.Image:
    pixels = np.full((128, 128, 3), 255, np.uint8)
    pixels[32:96, 32:96] = (220, 40, 60)
    return Image.fromarray(pixels)


def draw(pipe: Any, **arguments: Any) -> np.ndarray[Any, Any]:
    import torch

    return np.asarray(
        pipe(
            prompt="red heart",
            image=picture(),
            num_inference_steps=4,
            strength=0.5,  # of four steps two are taken
            guidance_scale=2.0,
            max_sequence_length=0,
            generator=torch.Generator().manual_seed(1),
            output_type="np",
            **arguments,
        ).images[0]
    )


@pytest.mark.slow
def test_image_to_image_starts_from_the_picture() -> None:
    image = draw(load("StableDiffusion3Img2ImgPipeline"), height=128, width=128)
    assert image.shape == (128, 128, 3)
    assert np.isfinite(image).all()
    assert image.std() > 0.05
    difference = np.abs(image - np.asarray(picture()) / 255)
    assert difference[48:80, 48:80].mean() < 0.4, "what was red is still there"


@pytest.mark.slow
def test_inpainting_draws_inside_the_mask() -> None:
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (0, 0, 64, 128))
    pipe = load("StableDiffusion3InpaintPipeline")
    image = draw(pipe, mask_image=mask, height=128, width=128)
    assert image.shape == (128, 128, 3)
    assert np.isfinite(image).all()
    outside = np.abs(image - np.asarray(picture()) / 255)[:, 80:]
    assert outside.mean() < 0.15, "outside the mask it is the picture"


@pytest.mark.slow
def test_a_lora_of_the_transformer_learns() -> None:
    import torch

    peft = pytest.importorskip("peft")
    pipe = load("StableDiffusion3Pipeline")
    transformer = pipe.transformer
    transformer.requires_grad_(False)
    transformer.add_adapter(
        peft.LoraConfig(r=4, lora_alpha=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"])
    )
    trained = [p for p in transformer.parameters() if p.requires_grad]
    assert 0 < sum(p.numel() for p in trained) < 0.1 * transformer.num_parameters()
    with torch.no_grad():
        text, _, pooled, _ = pipe.encode_prompt(
            "red heart", None, None, max_sequence_length=0, do_classifier_free_guidance=False
        )
    torch.manual_seed(0)
    size = transformer.config.sample_size
    image, noise = torch.randn(2, 1, transformer.config.in_channels, size, size)
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    losses = []
    for _ in range(3):
        predicted = transformer(
            hidden_states=0.5 * noise + 0.5 * image,
            timestep=torch.tensor([500.0]),
            encoder_hidden_states=text,
            pooled_projections=pooled,
        ).sample
        loss = (predicted - (noise - image)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    pipe("red heart", num_inference_steps=STEPS, max_sequence_length=0, output_type="np")
