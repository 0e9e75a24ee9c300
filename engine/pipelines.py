"""Diffusers pipelines: a checked folder becomes a loaded pipeline, part by part, kept warm."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache as cache_result
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from engine import cache, device, measured_memory, memory, memory_plans, trained_models
from engine.errors import ModelError
from engine.events import Progress, Report
from engine.gate.model_folder import Component, PipelineFolder, check_pipeline, fingerprint
from engine.gate.weights import content_hash
from engine.libraries import importing, loading
from engine.memory_plans import AS_IT_IS, Savings
from engine.pipeline_kinds import (
    TEXT_TO_IMAGE,
    check_channels,
    component_class,
    pipeline_of_kind,
    text_class,
)
from engine.schedulers import make_scheduler

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline on its device, and what its folder said."""

    pipe: Any
    """diffusers.DiffusionPipeline"""
    folder: PipelineFolder
    weights_hash: str
    own_scheduler: Any
    """The scheduler the model came with, whatever `pipe.scheduler` is now."""
    saving: Savings = field(default_factory=Savings)
    """How it takes less memory."""
    held_before: int = 0
    """Bytes that this process held before it was loaded."""
    kinds: dict[str, LoadedPipeline] = field(default_factory=dict)
    """The same model as other pipelines, by kind; filled when one is asked for."""

    @property
    def name(self) -> str:
        return self.folder.path.name

    def of_kind(self, kind: str) -> LoadedPipeline:
        """The same parts as a pipeline that does `kind`; raises InvalidTask where there is none.

        It stays warm as long as the model does, so that going from one to the other is free.
        """
        check_channels(kind, self.pipe, self.name)
        if kind == TEXT_TO_IMAGE:
            return self
        if kind not in self.kinds:
            pipe = pipeline_of_kind(kind, self.pipe, self.name)
            self.kinds[kind] = replace(self, pipe=pipe, kinds={})
        return self.kinds[kind]

    def call_parameters(self) -> Mapping[str, inspect.Parameter]:
        """What the pipeline takes when it is called."""
        return _call_parameters(type(self.pipe))  # type: ignore[arg-type]  # a class is hashable

    def made_with(self) -> dict[str, str]:
        """What else the same picture needs, to the last bit."""
        import diffusers
        import torch

        return {
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            **self._precision,
            "threads": str(torch.get_num_threads()),
        }

    @cached_property
    def _precision(self) -> dict[str, str]:
        """The pipeline looks through all its parts for it."""
        dtype = str(self.pipe.dtype).removeprefix("torch.")
        return {"device": device.best_device().type, "dtype": dtype}

    def use_scheduler(self, name: str) -> None:
        """Give the pipeline a fresh scheduler; raises InvalidTask for one that does not suit."""
        self.pipe.scheduler = make_scheduler(name, self.own_scheduler, self.name)

    def own_size(self) -> tuple[int, int]:
        """Width and height in pixels that the model learned with."""
        denoiser = getattr(self.pipe, "unet", None) or self.pipe.transformer
        sample_size = getattr(self.pipe, "default_sample_size", None) or denoiser.config.sample_size
        height, width = (
            sample_size if isinstance(sample_size, (list, tuple)) else (sample_size,) * 2
        )
        return width * self._scale(), height * self._scale()

    def size_multiple(self) -> int:
        """A latent stands for a square of pixels, and a transformer looks at patches of latents."""
        if hasattr(self.pipe, "_pack_latents"):  # Flux and its heirs make patches beforehand
            return self._scale() * 2
        config = getattr(getattr(self.pipe, "transformer", None), "config", {})
        return self._scale() * int(config.get("patch_size") or 1)

    def longest_side(self) -> int | None:
        """The largest width and height in pixels that it has places for; None where any will do."""
        config = getattr(getattr(self.pipe, "transformer", None), "config", {})
        places = config.get("pos_embed_max_size")
        return int(places) * self.size_multiple() if places else None

    def latent_square(self) -> int:
        """The side, in pixels, of the square that one latent stands for."""
        return self._scale()

    def steps_run(self, steps: int, strength: float) -> int:
        """How many of `steps` the pipeline will run at this strength, by its own rule."""
        schedule = SimpleNamespace(timesteps=range(steps), order=1)
        asked = SimpleNamespace(scheduler=schedule)
        return int(type(self.pipe).get_timesteps(asked, steps, strength, None)[1])

    def _scale(self) -> int:
        return int(getattr(self.pipe, "vae_scale_factor", 8))

    def missing_shift(self) -> float:
        """What the finished latents lack before they are decoded: a slip in diffusers 0.42.

        Of all its inpainting pipelines that of Stable Diffusion 3 alone forgets the VAE's shift.
        """
        if type(self.pipe).__name__ != "StableDiffusion3InpaintPipeline":
            return 0.0
        config = self.pipe.vae.config
        return float(config.shift_factor * config.scaling_factor)

    def takes_negative_prompt(self) -> bool:
        """Models distilled with guidance (Flux) ignore it unless called with a true_cfg_scale."""
        takes = self.call_parameters()
        true_guidance = takes.get("true_cfg_scale")
        return "negative_prompt" in takes and (true_guidance is None or true_guidance.default > 1)

    def text_length(self) -> dict[str, int]:
        """An argument for models of the Stable Diffusion 3 kind that were made without T5.

        The pipeline would add 256 zeros in T5's place. A model whose text is only as wide as its
        two CLIPs never learned with those: without them it draws right, and faster.
        """
        if getattr(self.pipe, "text_encoder_3", self) is not None:
            return {}
        widths = [
            clip.config.hidden_size
            for clip in (self.pipe.text_encoder, self.pipe.text_encoder_2)
            if clip
        ]
        without_t5 = self.pipe.transformer.config.joint_attention_dim == sum(widths)
        return {"max_sequence_length": 0} if without_t5 else {}

    def unread_part(self, text: str) -> str:
        """The end of `text` that none of the model's tokenizers has room for."""
        longest = self.call_parameters().get("max_sequence_length")
        cuts = []
        for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
            tokenizer = getattr(self.pipe, name, None)
            if tokenizer is None:
                continue
            window = tokenizer.model_max_length
            if longest is not None and "CLIP" not in type(tokenizer).__name__:
                window = min(window, longest.default)
            tokens = tokenizer(text, verbose=False).input_ids
            if len(tokens) <= window:
                return ""
            end = tokens[window - 1 :]  # the last place in the window is the end token's
            cuts.append(tokenizer.decode(end, skip_special_tokens=True).strip())
        return min(cuts, key=len, default="")


@cache_result
def _call_parameters(pipeline_class: type) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(pipeline_class.__call__).parameters


def load_text_to_image(path: Path, report: Report, plan: str = AS_IT_IS) -> LoadedPipeline:
    """The text-to-image pipeline in the folder `path`, on the best device, by a memory plan.

    Raises ModelError and OutOfMemory. Each part is a step, so that a stop is quick.
    """
    report(Progress(0, None, "loading model"))
    with importing():
        device.configure_threads()
    trained_models.prepare(path, report)
    key = _key(path, fingerprint(path), plan)
    if cache.holds(key):  # what is warm has passed the gate
        return cache.kept(key)  # type: ignore[no-any-return]
    folder = check_pipeline(path)
    target = device.best_device()
    dtype = drawing_dtype(target)
    saving = memory_plans.savings(plan, target.type, dtype.itemsize)
    weighs = memory_plans.weights_need(folder, saving, dtype)
    return cache.loaded(
        key, lambda: _load(folder, report, saving), weighs, lambda: memory.free_on(target)
    )


def is_alone(folder: PipelineFolder, plan: str) -> bool:
    """Whether this process holds this model by this plan and no other."""
    return cache.holds_only(_key(folder.path, folder.fingerprint, plan))


def _key(path: Path, fingerprint: str, plan: str) -> tuple[str, ...]:
    return ("text_to_image", str(path), fingerprint, plan)


def load_alone(folder: PipelineFolder, report: Report) -> LoadedPipeline:
    """A pipeline that nobody else uses, to be changed; raises ModelError and OutOfMemory."""
    with importing():
        device.configure_threads()
    return _load(folder, report, Savings())


def _load(folder: PipelineFolder, report: Report, saving: Savings) -> LoadedPipeline:
    total = len(folder.components) + 1
    report(Progress(0, total, "loading the libraries"))
    with importing():
        import diffusers
        import torch

        report(Progress(0, total, "loading the libraries"))
        pipeline_class = text_class(folder)
        classes = [component_class(folder, component) for component in folder.components]
    target = device.best_device()
    dtype = drawing_dtype(target)
    needed = memory_plans.weights_need(folder, saving, dtype)
    memory.require(needed, f"{folder.path.name} needs", free=memory.free_on(target))
    held_before = measured_memory.held(target)
    parts: dict[str, Any] = dict.fromkeys(folder.absent)
    for step, (component, its_class) in enumerate(zip(folder.components, classes, strict=True)):
        report(Progress(step, total, f"loading model: {component.name.replace('_', ' ')}"))
        with loading():
            parts[component.name] = _load_component(folder, component, its_class, dtype, saving)
    report(Progress(total - 1, total, "loading model: putting it together"))
    diffusers.utils.logging.disable_progress_bar()
    pipe = pipeline_class.from_pretrained(str(folder.path), local_files_only=True, **parts)
    pipe.set_progress_bar_config(disable=True)
    memory_plans.place(pipe, saving, target)
    for part in parts.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    weights_hash = content_hash(folder.weights)
    if fingerprint(folder.path) != folder.fingerprint:
        raise ModelError(f"{folder.path} was changed while it was loaded.", "Try again.")
    return LoadedPipeline(pipe, folder, weights_hash, pipe.scheduler, saving, held_before)


def drawing_dtype(target: torch.device) -> torch.dtype:
    """What a pipeline computes in on this device."""
    import torch

    if target.type == "cpu" and device.has_native_bfloat16():
        return torch.bfloat16
    return device.best_dtype(target)


def _load_component(
    folder: PipelineFolder, component: Component, its_class: Any, dtype: Any, saving: Savings
) -> Any:
    import torch

    path = str(folder.path / component.name)
    if component.kind != "model":
        return its_class.from_pretrained(path, local_files_only=True)
    part = its_class.from_pretrained(
        path,
        local_files_only=True,
        use_safetensors=True,
        variant=component.variant,
        # diffusers and transformers call it alike since 0.38 and 4.56
        dtype=getattr(torch, memory_plans.read_as(component)) if saving.narrow else dtype,
    )
    if saving.narrow:
        memory_plans.narrow(part, component, saving, dtype)
    return part
