"""Stable Diffusion pipelines of diffusers in one file, with the names it first came in.

Written from the networks as they were published (CompVis, Stability AI), not from the conversion
that the product uses: the two are told apart here on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

Named = dict[str, Tensor]

UNET, VAE = "model.diffusion_model.", "first_stage_model."
SD1_TEXT = "cond_stage_model.transformer."
SD2_TEXT = "cond_stage_model.model."
XL_TEXT, XL_TEXT_2 = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."


def tensors_of(pipe: Any) -> Named:
    """All of its tensors by their first names."""
    unet = pipe.unet
    named = {UNET + name: tensor for name, tensor in _unet(unet)}
    named |= {VAE + name: tensor for name, tensor in _vae(pipe.vae)}
    if getattr(pipe, "text_encoder_2", None) is not None:
        named |= dict(_clip(pipe.text_encoder, XL_TEXT))
        named |= dict(_open_clip(pipe.text_encoder_2, XL_TEXT_2))
        named[f"{XL_TEXT_2}logit_scale"] = _like(named, torch.tensor(4.6))
    elif unet.config.use_linear_projection:
        named |= dict(_open_clip(pipe.text_encoder, SD2_TEXT))
        named |= _last_layer(named)
    else:
        named |= dict(_clip(pipe.text_encoder, SD1_TEXT))
        named[f"{SD1_TEXT}text_model.embeddings.position_ids"] = torch.arange(77)[None]
    named["betas"] = torch.zeros(1000)
    return named


def save_original(pipe: Any, path: Path, without: str = "", **metadata: str) -> Path:
    """In one file at `path`, but for the tensors whose names begin with `without`."""
    kept = {
        name: tensor.contiguous()
        for name, tensor in tensors_of(pipe).items()
        if not (without and name.startswith(without))
    }
    save_file(kept, path, metadata or None)
    return path


def _like(named: Named, tensor: Tensor) -> Tensor:
    return tensor.to(next(iter(named.values())).device)


def _sub(module: nn.Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in module.state_dict().items():
        yield f"{prefix}.{name}", tensor


def _unet(unet: Any) -> Iterator[tuple[str, Tensor]]:
    yield from _sub(unet.time_embedding.linear_1, "time_embed.0")
    yield from _sub(unet.time_embedding.linear_2, "time_embed.2")
    if unet.config.addition_embed_type:
        yield from _sub(unet.add_embedding.linear_1, "label_emb.0.0")
        yield from _sub(unet.add_embedding.linear_2, "label_emb.0.2")
    yield from _sub(unet.conv_in, "input_blocks.0.0")
    number = 1
    for block in unet.down_blocks:
        for resnet, attention in _pairs(block):
            yield from _resnet(resnet, f"input_blocks.{number}.0")
            if attention is not None:
                yield from _sub(attention, f"input_blocks.{number}.1")
            number += 1
        if block.downsamplers:
            yield from _sub(block.downsamplers[0].conv, f"input_blocks.{number}.0.op")
            number += 1
    middle = unet.mid_block
    yield from _resnet(middle.resnets[0], "middle_block.0")
    yield from _sub(middle.attentions[0], "middle_block.1")
    yield from _resnet(middle.resnets[1], "middle_block.2")
    number = 0
    for block in unet.up_blocks:
        for resnet, attention in _pairs(block):
            yield from _resnet(resnet, f"output_blocks.{number}.0")
            if attention is not None:
                yield from _sub(attention, f"output_blocks.{number}.1")
            number += 1
        if block.upsamplers:
            place = 1 if not getattr(block, "attentions", None) else 2
            yield from _sub(block.upsamplers[0].conv, f"output_blocks.{number - 1}.{place}.conv")
    yield from _sub(unet.conv_norm_out, "out.0")
    yield from _sub(unet.conv_out, "out.2")


def _pairs(block: Any) -> Iterator[tuple[Any, Any]]:
    attentions = getattr(block, "attentions", None) or [None] * len(block.resnets)
    yield from zip(block.resnets, attentions, strict=True)


def _resnet(resnet: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    yield from _sub(resnet.norm1, f"{prefix}.in_layers.0")
    yield from _sub(resnet.conv1, f"{prefix}.in_layers.2")
    yield from _sub(resnet.time_emb_proj, f"{prefix}.emb_layers.1")
    yield from _sub(resnet.norm2, f"{prefix}.out_layers.0")
    yield from _sub(resnet.conv2, f"{prefix}.out_layers.3")
    if resnet.conv_shortcut is not None:
        yield from _sub(resnet.conv_shortcut, f"{prefix}.skip_connection")


def _vae(vae: Any) -> Iterator[tuple[str, Tensor]]:
    yield from _sub(vae.quant_conv, "quant_conv")
    yield from _sub(vae.post_quant_conv, "post_quant_conv")
    for side, half in (("encoder", vae.encoder), ("decoder", vae.decoder)):
        yield from _sub(half.conv_in, f"{side}.conv_in")
        yield from _sub(half.conv_norm_out, f"{side}.norm_out")
        yield from _sub(half.conv_out, f"{side}.conv_out")
        for number, resnet in enumerate(half.mid_block.resnets, 1):
            yield from _vae_resnet(resnet, f"{side}.mid.block_{number}")
        yield from _vae_attention(half.mid_block.attentions[0], f"{side}.mid.attn_1")
    for level, block in enumerate(vae.encoder.down_blocks):
        for number, resnet in enumerate(block.resnets):
            yield from _vae_resnet(resnet, f"encoder.down.{level}.block.{number}")
        if block.downsamplers:
            yield from _sub(block.downsamplers[0].conv, f"encoder.down.{level}.downsample.conv")
    # the decoder of 2021 counts its levels from the picture inwards
    for level, block in enumerate(reversed(vae.decoder.up_blocks)):
        for number, resnet in enumerate(block.resnets):
            yield from _vae_resnet(resnet, f"decoder.up.{level}.block.{number}")
        if block.upsamplers:
            yield from _sub(block.upsamplers[0].conv, f"decoder.up.{level}.upsample.conv")


def _vae_resnet(resnet: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name in ("norm1", "conv1", "norm2", "conv2"):
        yield from _sub(getattr(resnet, name), f"{prefix}.{name}")
    if resnet.conv_shortcut is not None:
        yield from _sub(resnet.conv_shortcut, f"{prefix}.nin_shortcut")


def _vae_attention(attention: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """There a kernel of one pixel, here a matrix."""
    yield from _sub(attention.group_norm, f"{prefix}.norm")
    parts = {"q": attention.to_q, "k": attention.to_k, "v": attention.to_v}
    for name, linear in (parts | {"proj_out": attention.to_out[0]}).items():
        yield f"{prefix}.{name}.weight", linear.weight.data[:, :, None, None]
        yield f"{prefix}.{name}.bias", linear.bias.data


def _clip(encoder: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    inside = getattr(encoder, "text_model", encoder)
    yield from _sub(inside, f"{prefix}text_model")


def _open_clip(encoder: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    inside = getattr(encoder, "text_model", encoder)
    yield f"{prefix}token_embedding.weight", inside.embeddings.token_embedding.weight.data
    yield f"{prefix}positional_embedding", inside.embeddings.position_embedding.weight.data
    yield from _sub(inside.final_layer_norm, f"{prefix}ln_final")
    for number, layer in enumerate(inside.encoder.layers):
        yield from _block(layer, f"{prefix}transformer.resblocks.{number}")
    if hasattr(encoder, "text_projection"):
        yield f"{prefix}text_projection", encoder.text_projection.weight.data.T


def _block(layer: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    parts = (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj)
    yield f"{prefix}.attn.in_proj_weight", torch.cat([part.weight.data for part in parts])
    yield f"{prefix}.attn.in_proj_bias", torch.cat([part.bias.data for part in parts])
    yield from _sub(layer.self_attn.out_proj, f"{prefix}.attn.out_proj")
    yield from _sub(layer.layer_norm1, f"{prefix}.ln_1")
    yield from _sub(layer.layer_norm2, f"{prefix}.ln_2")
    yield from _sub(layer.mlp.fc1, f"{prefix}.mlp.c_fc")
    yield from _sub(layer.mlp.fc2, f"{prefix}.mlp.c_proj")


def _last_layer(named: Named) -> Named:
    """Stable Diffusion 2 leaves it out, but its files hold it, and what would sum the text up."""
    start = f"{SD2_TEXT}transformer.resblocks."
    layers = [int(name.removeprefix(start).split(".")[0]) for name in named if start in name]
    last = f"{start}{max(layers)}."
    more = {
        name.replace(last, f"{start}{max(layers) + 1}."): tensor + 1
        for name, tensor in named.items()
        if name.startswith(last)
    }
    width = named[f"{SD2_TEXT}ln_final.weight"].shape[0]
    more[f"{SD2_TEXT}text_projection"] = _like(named, torch.ones(width, width))
    more[f"{SD2_TEXT}logit_scale"] = _like(named, torch.tensor(4.6))
    return more
