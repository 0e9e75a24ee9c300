"""The schedulers a person can choose, by name, and which of them suits which model."""

from __future__ import annotations

from typing import Any

from engine.errors import InvalidTask

DEFAULT_SCHEDULER = "default"

# For models that predict noise (or v, or the clean image) on a noise schedule …
NOISE_SCHEDULERS = {
    "euler": "EulerDiscreteScheduler",
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "pndm": "PNDMScheduler",
    "dpmsolver_multistep": "DPMSolverMultistepScheduler",
    "dpmsolver_singlestep": "DPMSolverSinglestepScheduler",
    "deis_multistep": "DEISMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "lcm": "LCMScheduler",
}
# … and for models that learned flow matching.
FLOW_SCHEDULERS = {
    "flow_match_euler": "FlowMatchEulerDiscreteScheduler",
    "flow_match_heun": "FlowMatchHeunDiscreteScheduler",
}
SCHEDULERS = (DEFAULT_SCHEDULER, *NOISE_SCHEDULERS, *FLOW_SCHEDULERS)


def make_scheduler(name: str, own: Any, model_name: str) -> Any:
    """A fresh scheduler for a model that came with `own`.

    Raises InvalidTask where the model learned otherwise: the result would be a bad picture.
    """
    import diffusers

    if name == DEFAULT_SCHEDULER:
        return type(own).from_config(own.config)
    flow = learned_flow_matching(own)
    suited = FLOW_SCHEDULERS if flow else NOISE_SCHEDULERS
    if name not in suited:
        learned = "flow matching" if flow else "a noise schedule"
        raise InvalidTask(
            "scheduler",
            f"{model_name} learned with {learned}, so the scheduler {name} cannot draw with it.",
            f"Choose one of: {', '.join((DEFAULT_SCHEDULER, *suited))}.",
        )
    return getattr(diffusers, suited[name]).from_config(own.config)


def learned_flow_matching(scheduler: Any) -> bool:
    config = scheduler.config
    return (
        type(scheduler).__name__.startswith("FlowMatch")
        or config.get("prediction_type") == "flow_prediction"
        or bool(config.get("use_flow_sigmas"))
    )
