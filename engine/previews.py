"""Half-made latents as a picture: one small matrix instead of the VAE, so nearly free."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from engine.errors import ModelError
from engine.gate import json_text

if TYPE_CHECKING:
    import torch

Rows = tuple[tuple[float, float, float], ...]

# Fitted on the VAEs' own latents by the authors of InvokeAI and ComfyUI; keyed by the number of
# latent channels and the VAE's scaling factor. Rows: channels; columns: red, green, blue in -1…1.
KNOWN: dict[tuple[int, float], tuple[Rows, tuple[float, float, float]]] = {
    (4, 0.18215): (  # Stable Diffusion 1 and 2
        (
            (0.3444, 0.1385, 0.0670),
            (0.1247, 0.4027, 0.1494),
            (-0.3192, 0.2513, 0.2103),
            (-0.1307, -0.1874, -0.7445),
        ),
        (0.0, 0.0, 0.0),
    ),
    (4, 0.13025): (  # Stable Diffusion XL
        (
            (0.3651, 0.4232, 0.4341),
            (-0.2533, -0.0042, 0.1068),
            (0.1076, 0.1111, -0.0362),
            (-0.3165, -0.2492, -0.2188),
        ),
        (0.1084, -0.0175, -0.0011),
    ),
    (16, 1.5305): (  # Stable Diffusion 3
        (
            (-0.0922, -0.0175, 0.0749),
            (0.0311, 0.0633, 0.0954),
            (0.1994, 0.0927, 0.0458),
            (0.0856, 0.0339, 0.0902),
            (0.0587, 0.0272, -0.0496),
            (-0.0006, 0.1104, 0.0309),
            (0.0978, 0.0306, 0.0427),
            (-0.0042, 0.1038, 0.1358),
            (-0.0194, 0.0020, 0.0669),
            (-0.0488, 0.0130, -0.0268),
            (0.0922, 0.0988, 0.0951),
            (-0.0278, 0.0524, -0.0542),
            (0.0332, 0.0456, 0.0895),
            (-0.0069, -0.0030, -0.0810),
            (-0.0596, -0.0465, -0.0293),
            (-0.1448, -0.1463, -0.1189),
        ),
        (0.2394, 0.2135, 0.1925),
    ),
    (16, 0.3611): (  # Flux
        (
            (-0.0346, 0.0244, 0.0681),
            (0.0034, 0.0210, 0.0687),
            (0.0275, -0.0668, -0.0433),
            (-0.0174, 0.0160, 0.0617),
            (0.0859, 0.0721, 0.0329),
            (0.0004, 0.0383, 0.0115),
            (0.0405, 0.0861, 0.0915),
            (-0.0236, -0.0185, -0.0259),
            (-0.0245, 0.0250, 0.1180),
            (0.1008, 0.0755, -0.0421),
            (-0.0515, 0.0201, 0.0011),
            (0.0428, -0.0012, -0.0036),
            (0.0817, 0.0765, 0.0749),
            (-0.1264, -0.0522, -0.1103),
            (-0.0280, -0.0881, -0.0499),
            (-0.1262, -0.0982, -0.0778),
        ),
        (-0.0329, -0.0718, -0.0851),
    ),
}

# Whose step is x + (σ' - σ)·d, so that d, and with it the clean image, follows from two latents.
EULER_STEPS = ("FlowMatchEulerDiscreteScheduler", "EulerDiscreteScheduler")


class LatentPreview:
    """Pictures of one image's latents, step by step."""

    def __init__(self, pipe: Any, folder: Path, size: tuple[int, int]) -> None:
        """`size`: width and height of the finished image; `folder`: the pipeline's."""
        self.pipe = pipe
        self.size = size
        self._projection = _projection(pipe, folder)
        self._previous: torch.Tensor | None = None

    def image(self, latents: torch.Tensor, step: int) -> Image.Image | None:
        """The picture so far from `latents` (1,C,H,W, or packed as Flux does) after `step`.

        None for latents of a VAE whose projection nobody has fitted.
        """
        if self._projection is None:
            return None
        latents = self._unpacked(latents.detach().float().cpu())
        factors, bias = self._projection
        if latents.ndim != 4 or latents.shape[1] != factors.shape[0]:
            return None
        rgb = self._clean(latents, step)[0].permute(1, 2, 0) @ factors + bias
        pixels = ((rgb + 1) * 127.5).clamp(0, 255).byte().numpy()
        return Image.fromarray(pixels).resize(self.size, Image.Resampling.BICUBIC)

    def _unpacked(self, latents: torch.Tensor) -> torch.Tensor:
        unpack = getattr(self.pipe, "_unpack_latents", None)
        if latents.ndim != 3 or unpack is None:
            return latents
        width, height = self.size
        unpacked: torch.Tensor = unpack(latents, height, width, self.pipe.vae_scale_factor)
        return unpacked

    def _clean(self, latents: torch.Tensor, step: int) -> torch.Tensor:
        """What the model takes the finished latents to be, where the scheduler lets us know."""
        previous, self._previous = self._previous, latents
        scheduler = self.pipe.scheduler
        if previous is None or type(scheduler).__name__ not in EULER_STEPS:
            return latents
        step += scheduler.begin_index or 0  # what starts from a picture begins further on
        before, now = float(scheduler.sigmas[step]), float(scheduler.sigmas[step + 1])
        return latents - now * (latents - previous) / (now - before)


def _projection(pipe: Any, folder: Path) -> tuple[torch.Tensor, torch.Tensor] | None:
    import torch

    own = folder / "latent_rgb.json"
    if own.is_file():
        rows, bias = _read_projection(own)
    else:
        config = getattr(getattr(pipe, "vae", None), "config", {})
        key = (config.get("latent_channels", 0), config.get("scaling_factor", 0.0))
        if key not in KNOWN:
            return None
        rows, bias = KNOWN[key]
    return torch.tensor(rows), torch.tensor(bias)


def _read_projection(path: Path) -> tuple[Rows, tuple[float, float, float]]:
    """`{"factors": C×3, "bias": 3}`, into red, green and blue in -1…1; raises ModelError."""
    try:
        stored = json_text.parse(path.read_bytes())
        rows = tuple(_triple(row) for row in stored["factors"])
        return rows, _triple(stored["bias"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{path} is not a projection from latents to colours.", str(error)
        ) from error


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = map(float, values)
    return red, green, blue
