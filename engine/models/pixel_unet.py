"""A UNet that denoises small images pixel by pixel, of a size that a CPU can train.

The UNet is that of DDPM (Ho et al. 2020, 2006.11239) as diffusers has it. It sees squares of 2×2
pixels as one place with four times the channels (as PixelUnshuffle lays them), which costs a
quarter and loses nothing. So 28, 32 and 64 pixels become 14, 16 and 32 places, halved once or
twice: no size needs padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import UNet2DModel
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from engine.data.crop import SIZES

PATCH = 2  # pixels, in each direction, to a place of the UNet
GROUPS = 8  # of the group norms
MAX_WIDTH = 1024
OBJECTIVES = ("flow_matching", "ddpm")


@dataclass(frozen=True)
class PixelUnetConfig:
    """`width` is the number of features at the largest map; `classes` are names, or none.

    `objective` says what the output means: see engine/models/pixel_diffusion.py.
    """

    image_size: int
    channels: int
    width: int
    classes: tuple[str, ...]
    objective: str

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot be built."""
        limits = {"channels": (1, 4), "width": (GROUPS, MAX_WIDTH)}
        for name, (least, most) in limits.items():
            number = getattr(self, name)
            if not isinstance(number, int) or not least <= number <= most:
                raise ValueError(f"{name} is {number!r}")
        if self.width % GROUPS:
            raise ValueError(f"width is {self.width}, no multiple of {GROUPS}")
        if not all(isinstance(name, str) for name in self.classes):
            raise ValueError("classes are not all names")
        if self.image_size not in SIZES or self.objective not in OBJECTIVES:
            raise ValueError(f"{self.objective!r} with images of {self.image_size} pixels")

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def features(self) -> tuple[int, ...]:
        """Features from the largest map to the smallest: 7, or 8 places wide."""
        return (self.width, 2 * self.width, 2 * self.width)[: 3 if self.image_size == 64 else 2]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image: (channels, height, width)."""
        return (self.channels, self.image_size, self.image_size)


class PixelUnet(nn.Module):
    """Noisy images (N, C, H, W), timesteps (N,) in 0…1000 and classes (N,) to (N, C, H, W).

    Class `num_classes` is the empty one: an image of any kind.
    """

    def __init__(self, config: PixelUnetConfig) -> None:
        super().__init__()
        self.config = config
        levels, channels = len(config.features), config.channels * PATCH**2
        self.unet = UNet2DModel(
            sample_size=config.image_size // PATCH,
            in_channels=channels,
            out_channels=channels,
            layers_per_block=1,
            block_out_channels=config.features,
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            norm_num_groups=GROUPS,
            attention_head_dim=config.width,  # at the smallest map: two heads
            num_class_embeds=config.num_classes + 1 if config.num_classes else None,
        )
        # The first prediction is nothing at all, which no early step has to unlearn.
        nn.init.zeros_(self.unet.conv_out.weight)

    def forward(self, images: Tensor, timesteps: Tensor, classes: Tensor | None = None) -> Tensor:
        # Convolutions are much faster with the channels last; the weights follow by themselves.
        places = F.pixel_unshuffle(images, PATCH).contiguous(memory_format=torch.channels_last)
        return F.pixel_shuffle(self.unet(places, timesteps, classes).sample, PATCH)

    def guided(
        self, images: Tensor, timestep: Tensor, classes: Tensor | None, guidance_scale: float
    ) -> Tensor:
        """Classifier-free guidance (Ho & Salimans 2022, 2207.12598), in one pass for both.

        A scale of 1 is the class alone, more leads further away from what any image could be.
        """
        timesteps = timestep.expand(len(images))
        if classes is None or guidance_scale == 1:
            return self(images, timesteps, classes)
        anything = torch.full_like(classes, self.config.num_classes)
        both = self(images.repeat(2, 1, 1, 1), timesteps.repeat(2), torch.cat((classes, anything)))
        of_class, of_any = both.chunk(2)
        return of_any + guidance_scale * (of_class - of_any)
