"""What drawing takes beside the weights: networks are walked with tensors that have no contents.

A tensor on torch's device `meta` has a shape and a type, and neither takes memory nor time. So the
real network of the real folder runs in a second, and what would be alive at once is counted.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.gate.model_folder import Component, PipelineFolder, read_config

if TYPE_CHECKING:
    import torch

Size = tuple[int, int]

CANNOT_WALK = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a network raises that takes other arguments than those known here."""

TEXT_TOKENS = 512
"""Of the longest text a pipeline here reads; CLIP reads 77."""

LEARNED_ALL = 128
"""Latents of a side that Flux and its heirs draw where nothing is asked; they name no size."""
FOUR_BLOCKS = range(4)

TILE = 256
"""Pixels of a side of the squares that a tiled VAE decodes one after the other."""


def needs_of_drawing(
    folder: PipelineFolder, size: Size, dtype: torch.dtype, tiled: bool
) -> int | None:
    """Bytes beside the weights, at `size` (width, height; 0 is the model's own), with guidance.

    None for a network that cannot be walked.
    """
    parts = {component.name: component for component in folder.components}
    denoiser = parts.get("unet") or parts.get("transformer")
    vae = parts.get("vae")
    if denoiser is None or vae is None:
        return None
    numbers = _walk(folder.path, folder.fingerprint, denoiser, vae, size, tiled)
    return None if numbers is None else numbers * dtype.itemsize


def drawn_size(folder: PipelineFolder, size: Size) -> Size:
    """`size` with the model's own for what is 0; as it is where the files do not tell."""
    parts = {component.name for component in folder.components}
    denoiser = "unet" if "unet" in parts else "transformer"
    if not {denoiser, "vae"} <= parts:
        return size
    config, vae = (read_config(folder.path / name / "config.json") for name in (denoiser, "vae"))
    return _size(config, _scale(vae), size)


def tile_sizes(class_name: str, config: Mapping[str, Any]) -> Size | None:
    """Pixels and latents of a side of the squares that such a VAE can work on; None for others.

    AutoencoderTiny of diffusers 0.42 takes it that a latent stands for 8 pixels, always.
    """
    scale = _scale(config)
    can = class_name == "AutoencoderKL" or (class_name == "AutoencoderTiny" and scale == 8)
    return (TILE, TILE // scale) if can else None


def tile(vae: Any) -> None:
    """Let `vae` work on squares, one after the other, where it can."""
    if sizes := tile_sizes(type(vae).__name__, vae.config):
        vae.enable_tiling()
        vae.tile_sample_min_size, vae.tile_latent_min_size = sizes


@lru_cache(maxsize=64)
def _walk(
    path: Path,
    fingerprint: str,
    denoiser: Component,
    vae: Component,
    size: Size,
    tiled: bool,
) -> int | None:
    """How many numbers are alive at once."""
    try:
        network = _network(path, denoiser)
        decoder = _network(path, vae)
        scale = _scale(decoder.config)
        width, height = (side // scale for side in _size(network.config, scale, size))
        if tiled:
            tile(decoder)
        with _counting(network) as denoising:
            _denoise(network, width, height)
        with _counting(decoder) as decoding:
            channels = int(decoder.config.latent_channels)
            decoder.decode(_empty(1, channels, height, width), return_dict=False)
    except CANNOT_WALK:
        return None
    return max(denoising.most, decoding.most)


def _network(path: Path, component: Component) -> Any:
    import diffusers
    import torch

    its_class = getattr(diffusers, component.class_name)
    config = read_config(path / component.name / "config.json")
    with torch.device("meta"):
        return its_class.from_config(config).eval()


def _size(denoiser: Mapping[str, Any], scale: int, size: Size) -> Size:
    own = denoiser.get("sample_size") or LEARNED_ALL
    height, width = own if isinstance(own, (list, tuple)) else (own, own)
    return size[0] or width * scale, size[1] or height * scale


def _scale(vae: Mapping[str, Any]) -> int:
    """Pixels to a latent, each way."""
    blocks = vae.get("decoder_block_out_channels") or vae.get("block_out_channels") or FOUR_BLOCKS
    return int(2 ** (len(blocks) - 1))


def _empty(*shape: int) -> torch.Tensor:
    import torch

    return torch.empty(*shape, device="meta")


def _denoise(network: Any, width: int, height: int) -> None:
    """One step for a picture with and one without its prompt, as guidance takes it."""
    config = network.config
    name = type(network).__name__
    wide = config.get("joint_attention_dim") or config.get("cross_attention_dim")
    if "caption_channels" in config:
        wide = config["caption_channels"]
    batch = 1 if name.startswith("Flux") else 2
    latents = _empty(batch, int(config.in_channels), height, width)
    text = _empty(batch, TEXT_TOKENS if "Transformer" in name else 77, int(wide))
    given: dict[str, Any] = {"hidden_states": latents, "timestep": _empty(batch)}
    if "UNet" in name:
        given["sample"] = given.pop("hidden_states")
        given |= _told_sizes(config, batch)
    if "pooled_projection_dim" in config:
        given["pooled_projections"] = _empty(batch, config.pooled_projection_dim)
    if name.startswith("Flux"):
        given |= _packed(config, width, height)
    if name.startswith("PixArt"):
        given["added_cond_kwargs"] = {
            "resolution": _empty(batch, 2),
            "aspect_ratio": _empty(batch, 1),
        }
    network(**given, encoder_hidden_states=text, return_dict=False)


def _told_sizes(config: Mapping[str, Any], batch: int) -> dict[str, Any]:
    """What a UNet of Stable Diffusion XL is told of the picture's size, beside the text."""
    if config.get("addition_embed_type") != "text_time":
        return {}
    told = 6 * int(config["addition_time_embed_dim"])
    pooled = int(config["projection_class_embeddings_input_dim"]) - told
    conditions = {"text_embeds": _empty(batch, pooled)}
    return {"added_cond_kwargs": conditions | {"time_ids": _empty(batch, 6)}}


def _packed(config: Mapping[str, Any], width: int, height: int) -> Any:
    """Latents as Flux has them: squares of two by two in a row, each with its place."""
    places = (width // 2) * (height // 2)
    given = {
        "hidden_states": _empty(1, places, int(config["in_channels"])),
        "img_ids": _empty(places, 3),
        "txt_ids": _empty(TEXT_TOKENS, 3),
    }
    return given | ({"guidance": _empty(1)} if config["guidance_embeds"] else {})


class _Count:
    """Bytes of the tensors that are alive, and the most of them so far."""

    def __init__(self, known: set[int]) -> None:
        """What is `known` is not counted, nor are other looks at it."""
        self.most = self._alive = 0
        self._known = known

    def see(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._known:
            return
        self._known.add(key)
        numbers = storage.nbytes() // 4  # it is walked in float32
        self._alive += numbers
        self.most = max(self.most, self._alive)
        weakref.finalize(storage, self._forget, key, numbers)

    def _forget(self, key: int, numbers: int) -> None:
        self._known.discard(key)
        self._alive -= numbers


@contextmanager
def _counting(network: Any) -> Iterator[_Count]:
    """Counts what a network makes beside its weights.

    Attention never holds all that it compares at once, as is so on the CPU.
    """
    import torch
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_iter

    weights = (*network.parameters(), *network.buffers())
    count = _Count({tensor.untyped_storage()._cdata for tensor in weights})

    class Seen(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):  # type: ignore[no-untyped-def]
            made = func(*args, **(kwargs or {}))
            for each in tree_iter(made):
                if isinstance(each, torch.Tensor):
                    count.see(each)
            return made

    class InPieces(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):  # type: ignore[no-untyped-def]
            if func is functional.scaled_dot_product_attention:
                query, _, value = (*args, *(kwargs or {}).values())[:3]
                return query.new_empty((*query.shape[:-1], value.shape[-1]))
            return func(*args, **(kwargs or {}))

    with torch.no_grad(), InPieces(), Seen():
        yield count
