"""The settings of the VAE of a Stable Diffusion, read from the names and shapes of its tensors."""

from __future__ import annotations

from typing import Any

from engine.single_file.unet_shapes import GROUPS, Shapes, Unlike, grouped, shape_of

SCALE, XL_SCALE = 0.18215, 0.13025
"""What latents are multiplied by, so that they vary by one; published, and in no tensor."""
MOST_LEVELS = 12
MOST_LAYERS = 32


def config(shapes: Shapes, *, xl: bool) -> dict[str, Any]:
    """As diffusers writes it; raises Unlike."""
    channels = []
    for level in range(MOST_LEVELS):
        name = f"encoder.down.{level}.block.0.conv1.weight"
        if name not in shapes:
            break
        channels.append(grouped(shape_of(shapes, name, 4)[0]))
    layers = next(
        layer
        for layer in range(MOST_LAYERS)
        if f"encoder.down.0.block.{layer}.conv1.weight" not in shapes
    )
    if not channels:
        raise Unlike("its VAE has no encoder")
    return {
        "_class_name": "AutoencoderKL",
        "in_channels": shape_of(shapes, "encoder.conv_in.weight", 4)[1],
        "out_channels": shape_of(shapes, "decoder.conv_out.weight", 4)[0],
        "latent_channels": shape_of(shapes, "decoder.conv_in.weight", 4)[1],
        "block_out_channels": channels,
        "layers_per_block": layers,
        "down_block_types": ["DownEncoderBlock2D"] * len(channels),
        "up_block_types": ["UpDecoderBlock2D"] * len(channels),
        "norm_num_groups": GROUPS,
        "act_fn": "silu",
        "sample_size": 1024 if xl else 512,
        "scaling_factor": XL_SCALE if xl else SCALE,
        "force_upcast": xl,
        "use_quant_conv": "quant_conv.weight" in shapes,
        "use_post_quant_conv": "post_quant_conv.weight" in shapes,
    }
