"""The settings of a UNet of Stable Diffusion, read from the names and shapes of its tensors.

Rombach et al., 2112.10752; Podell et al., 2307.01952. Blocks are numbered through in such a file:
a level of the UNet ends where a block makes its input smaller (`op`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

MOST_BLOCKS = 64
MOST_DEPTH = 64
GROUPS = 32
"""Into which every norm of these networks divides the channels."""
HEAD = 64
"""Channels of an attention head since Stable Diffusion 2."""
HEADS = 8
"""Attention heads of Stable Diffusion 1, everywhere."""
SIZES_TOLD = 6
"""Numbers that an XL is told beside the text: its size, the cut and the size wanted."""


class Unlike(ValueError):
    """It is not built as these networks are."""


@dataclass(frozen=True)
class _Level:
    channels: int
    depths: tuple[int, ...]
    """Transformer blocks after each residual block; 0 where there is no attention."""


def config(shapes: Shapes, *, many_heads: bool) -> dict[str, Any]:
    """As diffusers writes it; raises Unlike. `many_heads`: as many as fit, else always 8."""
    levels = _levels(shapes)
    depths = [_same(level.depths) for level in levels]
    middle = _depth(shapes, "middle_block.1.")
    channels = [level.channels for level in levels]
    inside = [depth or 1 for depth in depths]
    if depths[-1] == 0:
        inside[-1] = middle or 1
    cross = shape_of(shapes, _first(shapes, ".attn2.to_k.weight"), 2)[1]
    linear = len(shapes[_first(shapes, ".1.proj_in.weight")]) == 2
    down = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths]
    up = ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)]
    return {
        "_class_name": "UNet2DConditionModel",
        "sample_size": None,
        "in_channels": shape_of(shapes, "input_blocks.0.0.weight", 4)[1],
        "out_channels": shape_of(shapes, "out.2.weight", 4)[0],
        "block_out_channels": channels,
        "layers_per_block": _same(tuple(len(level.depths) for level in levels)),
        "down_block_types": down,
        "mid_block_type": "UNetMidBlock2DCrossAttn",
        "up_block_types": up,
        "transformer_layers_per_block": inside if set(inside) != {1} else 1,
        "cross_attention_dim": cross,
        "attention_head_dim": [_heads(each) for each in channels] if many_heads else HEADS,
        "use_linear_projection": linear,
        "norm_num_groups": GROUPS,
        "norm_eps": 1e-05,
        "act_fn": "silu",
        "center_input_sample": False,
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "mid_block_scale_factor": 1,
    }


def told_sizes(shapes: Shapes, text_width: int) -> dict[str, Any]:
    """What an XL takes beside the text, whose summary is so wide; raises Unlike."""
    told = shape_of(shapes, "label_emb.0.0.weight", 2)[1]
    width, rest = divmod(told - text_width, SIZES_TOLD)
    if rest or width <= 0:
        raise Unlike(f"it is told {told} numbers beside the text")
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": width,
        "projection_class_embeddings_input_dim": told,
    }


def shape_of(shapes: Shapes, name: str, dimensions: int) -> tuple[int, ...]:
    """Of the tensor `name`; raises Unlike."""
    shape = shapes.get(name)
    if shape is None:
        raise Unlike(f"its {name} is missing")
    if len(shape) != dimensions or not all(shape):
        raise Unlike(f"its {name} is {'×'.join(map(str, shape)) or 'a single number'}")
    return shape


def grouped(channels: int) -> int:
    """Raises Unlike for a number of channels that a norm cannot divide."""
    if channels % GROUPS:
        raise Unlike(f"{channels} channels cannot be divided into {GROUPS} groups")
    return channels


def _levels(shapes: Shapes) -> list[_Level]:
    levels: list[_Level] = []
    depths: list[int] = []
    channels = 0
    for number in range(1, MOST_BLOCKS):
        block = f"input_blocks.{number}."
        if f"{block}0.op.weight" in shapes:
            levels.append(_Level(channels, tuple(depths)))
            depths = []
        elif f"{block}0.out_layers.3.weight" in shapes:
            channels = grouped(shape_of(shapes, f"{block}0.out_layers.3.weight", 4)[0])
            depths.append(_depth(shapes, f"{block}1."))
        else:
            break
    levels.append(_Level(channels, tuple(depths)))
    if not all(level.depths for level in levels):
        raise Unlike("a level of its UNet holds nothing")
    return levels


def _depth(shapes: Shapes, prefix: str) -> int:
    """How many transformer blocks follow each other there."""
    for depth in range(MOST_DEPTH):
        if f"{prefix}transformer_blocks.{depth}.attn2.to_k.weight" not in shapes:
            return depth
    raise Unlike("it has transformer blocks without end")


def _first(shapes: Shapes, ending: str) -> str:
    found = next((name for name in shapes if name.endswith(ending)), None)
    if found is None:
        raise Unlike("nothing in it listens to a text")
    return found


def _same(values: tuple[int, ...]) -> int:
    if len(set(values)) != 1:
        raise Unlike("parts of its UNet were left out, as in distilled models")
    return values[0]


def _heads(channels: int) -> int:
    if channels % HEAD:
        raise Unlike(f"{channels} channels cannot be divided into heads of {HEAD}")
    return channels // HEAD
