"""One empty token with a weight does exactly what many empty tokens do."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention_processor import JointAttnProcessor2_0

from engine.models.flow_transformer import FlowConfig, FlowTransformer

CONFIG = FlowConfig(
    latent_size=4, latent_channels=4, vocab_size=20, width=64, text_width=64, num_layers=2
)


@pytest.mark.parametrize("count", [0, 1, 5, 256])
def test_one_token_stands_for_many(count: int) -> None:
    torch.manual_seed(0)
    model = FlowTransformer(CONFIG).eval()
    latents, sigmas = torch.randn(2, 4, 4, 4), torch.tensor([0.2, 0.9])
    with torch.no_grad():
        text = model.encode(torch.randint(2, 20, (2, CONFIG.max_tokens)))
        weighted = model(latents, sigmas, text, torch.tensor([float(count)] * 2))
        model.transformer.set_attn_processor(JointAttnProcessor2_0())
        states, pooled = text
        many = model.transformer(
            latents,
            encoder_hidden_states=torch.cat((states, torch.zeros(2, count, 64)), dim=1),
            pooled_projections=pooled,
            timestep=sigmas * 1000,
        ).sample
    torch.testing.assert_close(weighted, many, rtol=1e-4, atol=1e-5)


def test_each_picture_of_a_batch_has_its_own_count() -> None:
    torch.manual_seed(0)
    model = FlowTransformer(CONFIG).eval()
    latents, sigmas = torch.randn(1, 4, 4, 4).expand(2, -1, -1, -1), torch.tensor([0.5, 0.5])
    with torch.no_grad():
        text = model.encode(torch.full((2, CONFIG.max_tokens), 3))
        none, many = model(latents, sigmas, text, torch.tensor([0.0, 256.0]))
    assert not torch.allclose(none, many)
