"""The schedulers that Stable Diffusion was published with, and what a checkpoint predicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.single_file.layout import SD1, SD2, SDXL, Layout

AUTO, NOISE, VELOCITY = "auto", "epsilon", "v_prediction"
PREDICTIONS = (AUTO, NOISE, VELOCITY)

SAID = {"v": VELOCITY, "v_prediction": VELOCITY, "vpred": VELOCITY} | dict.fromkeys(
    ("epsilon", "eps"), NOISE
)
VELOCITY_SPREAD = 0.09
"""Above it lies how much the last norm of a Stable Diffusion 2 varies where it predicts velocity.

No tensor tells it: 2.0 and 2.1 for 512 and for 768 pixels have the same names and shapes. ComfyUI
has told them apart by this since 2022.
"""

_NOISE_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "trained_betas": None,
    "steps_offset": 1,
}


def said(names: Iterable[str], metadata: Mapping[str, str]) -> str:
    """What the file itself says that it predicts; empty where it says nothing."""
    if "v_pred" in names:
        return VELOCITY
    return SAID.get(metadata.get("modelspec.prediction_type", "").lower(), "")


def last_norm(names: Iterable[str]) -> str:
    """The tensor that tells what a Stable Diffusion 2 predicts; empty where there is none."""
    ending = ".1.transformer_blocks.0.norm1.bias"
    start = "model.diffusion_model.output_blocks."
    found = [name for name in names if name.startswith(start) and name.endswith(ending)]
    return max(found, key=lambda name: (len(name), name), default="")


def scheduler_config(layout: Layout, prediction: str, *, zero_snr: bool) -> dict[str, Any]:
    """As diffusers writes it. `zero_snr`: the last step of its noise is nothing but noise."""
    shared: dict[str, Any] = _NOISE_SCHEDULE | {"prediction_type": prediction}
    if zero_snr:
        shared |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    configs: dict[str, dict[str, Any]] = {
        SD1: {
            "_class_name": "PNDMScheduler",
            "skip_prk_steps": True,
            "set_alpha_to_one": False,
            "timestep_spacing": "leading",
        },
        SD2: {
            "_class_name": "DDIMScheduler",
            "clip_sample": False,
            "set_alpha_to_one": False,
            "timestep_spacing": "leading",
        },
        SDXL: {
            "_class_name": "EulerDiscreteScheduler",
            "interpolation_type": "linear",
            "timestep_spacing": "leading",
        },
    }
    config = configs[layout.family] | shared
    if zero_snr and config["_class_name"] == "PNDMScheduler":  # which cannot begin at pure noise
        config = configs[SD2] | shared
    return config


def sample_size(layout: Layout, prediction: str) -> int:
    """The side of the latents it learned with, which no tensor tells."""
    if layout.family == SDXL:
        return 128
    return 96 if layout.family == SD2 and prediction == VELOCITY else 64
