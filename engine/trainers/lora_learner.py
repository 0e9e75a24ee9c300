"""The steps of a LoRA: what `train_lora` brings to the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from engine import distributed
from engine.checkpoints import State
from engine.data.batches import Batches
from engine.data.captioned_images import CaptionedImages, sample_prompts
from engine.events import Progress, Report
from engine.grid import image_grid
from engine.pipelines import LoadedPipeline
from engine.trainers.image_learner import set_learning_rate, update
from engine.trainers.lora_families import Words, family_of

if TYPE_CHECKING:
    from torch import Tensor

    from engine.trainers.train_lora import TrainLora

SAMPLES = 4  # images in a grid
SAMPLE_STEPS, GUIDANCE = 20, 3.0  # as Create begins with
ENTRY = "lora"  # of a checkpoint: a file that any program with LoRAs reads
CLIP = 1.0
TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj")
ENCODED_AT_ONCE = 8


class LoraLearner:
    """The pipeline, which rests, and the low-rank layers on its denoiser, which learn."""

    def __init__(
        self, task: TrainLora, model: LoadedPipeline, data: CaptionedImages, report: Report
    ) -> None:
        import torch

        self.task, self.model, self.data = task, model, data
        self.family = family_of(model)
        self.captions = [_captions(task.trigger, told) for told in data.captions]
        self.prompts = sample_prompts(task.sample_prompts, self.captions, SAMPLES)
        with torch.inference_mode():
            self.latents = self._encode_images(report)
            self.words, self.numbers = self._read_captions(report)
        self.denoiser = getattr(model.pipe, self.family.part)
        self._add_layers()
        self.learned = [p for p in self.denoiser.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.learned, task.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )
        self.batches = Batches(len(data), task.batch_size, task.seed)

    def description(self) -> Mapping[str, Any]:
        folder = self.model.folder
        return {
            "dataset": {
                "name": self.data.name,
                "images": len(self.data),
                "sha256": self.data.sha256(),
            },
            "base": {"name": self.task.base_model, "sha256": self.model.weights_hash},
            "model": {"model": folder.class_name, "rank": self.task.rank},
            "sample_prompts": self.prompts,
            "device": str(self.model.pipe.device),
            "parameters": {"lora": sum(each.numel() for each in self.learned)},
        }

    def step(self, step: int) -> Mapping[str, float]:
        import torch

        chosen = self.batches.indices(step)
        chances = torch.rand(len(chosen), 2)
        rows = [
            self.numbers[_caption(self.captions[index], float(chance[0]))]
            if float(chance[1]) >= self.task.caption_dropout
            else self.numbers[""]
            for index, chance in zip(chosen.tolist(), chances, strict=True)
        ]
        latents = distributed.share(self.latents[torch.from_numpy(chosen)])
        of_batch = distributed.share(torch.tensor(rows))
        device = self.model.pipe.device
        words = {name: rows[of_batch].to(device) for name, rows in self.words.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=self._is_half()):
            loss = self.family.loss(self.model, latents.to(device), words)
        norm = update(self.denoiser, self.optimizer, loss, CLIP)
        return {"loss": loss.item(), "gradient_norm": float(norm)}

    def change(self, task: TrainLora) -> None:
        """See `engine.learner.Changeable`."""
        self.task = task
        set_learning_rate(self.optimizer, task.learning_rate)

    def sample(self) -> Image.Image:
        """Drawn as Create draws, each prompt from a seed of its own."""
        import torch

        pipe, drawn = self.model.pipe, []
        self.model.use_scheduler("default")
        for number, prompt in enumerate(self.prompts):
            generator = torch.Generator("cpu").manual_seed(self.task.seed + number)
            options: dict[str, Any] = {"guidance_scale": GUIDANCE, **self.model.text_length()}
            side = self.data.images.shape[1]
            if "width" in self.model.call_parameters():
                options |= {"width": side, "height": side}
            with torch.inference_mode(), torch.random.fork_rng(devices=[]):
                image = pipe(
                    prompt, num_inference_steps=SAMPLE_STEPS, generator=generator,
                    output_type="np", **options,
                ).images[0]  # fmt: skip
            drawn.append((image * 255).round().astype(np.uint8))
        return image_grid(np.stack(drawn))

    def state(self) -> State:
        from peft import get_peft_model_state_dict

        part = self.family.part
        layers = get_peft_model_state_dict(self.denoiser, adapter_name=ENTRY)
        return {
            ENTRY: {f"{part}.{name}": tensor for name, tensor in layers.items()},
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state(self, state: State) -> None:
        from peft import set_peft_model_state_dict

        prefix = f"{self.family.part}."
        layers = {name.removeprefix(prefix): each for name, each in state[ENTRY].items()}
        set_peft_model_state_dict(self.denoiser, layers, adapter_name=ENTRY)
        self.optimizer.load_state_dict(state["optimizer"])

    # ------------------------------------------------------------------ before the steps

    def _add_layers(self) -> None:
        from peft import LoraConfig

        for name in ("vae", "text_encoder", "text_encoder_2", "text_encoder_3", self.family.part):
            if (part := getattr(self.model.pipe, name, None)) is not None:
                part.requires_grad_(False)
        config = LoraConfig(
            r=self.task.rank,
            lora_alpha=self.task.rank,
            target_modules=list(TARGETS),
            init_lora_weights="gaussian",
        )
        self.denoiser.add_adapter(config, adapter_name=ENTRY)
        for parameter in self.denoiser.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()

    def _is_half(self) -> bool:
        import torch

        return bool(self.model.pipe.dtype == torch.bfloat16)

    def _encode_images(self, report: Report) -> Tensor:
        """Latents (N, C, H, W) as the denoiser sees them."""
        import torch

        vae = self.model.pipe.vae
        rows = []
        for start in range(0, len(self.data), ENCODED_AT_ONCE):
            report(Progress(start, len(self.data), "encoding the pictures"))
            part = self.data.images[start : start + ENCODED_AT_ONCE]
            pixels = torch.from_numpy(part).permute(0, 3, 1, 2).to(vae.device, vae.dtype)
            found = vae.encode(pixels / 127.5 - 1)
            raw = found.latents if hasattr(found, "latents") else found.latent_dist.mode()
            shift = getattr(vae.config, "shift_factor", None) or 0.0
            rows.append(((raw - shift) * vae.config.scaling_factor).cpu())
        return torch.cat(rows).clone()

    def _read_captions(self, report: Report) -> tuple[Words, dict[str, int]]:
        """What the text encoders make of every caption and of none, and the row of each."""
        import torch

        told = list(dict.fromkeys(["", *(text for own in self.captions for text in own)]))
        parts = []
        for start in range(0, len(told), ENCODED_AT_ONCE):
            report(Progress(start, len(told), "reading the captions"))
            parts.append(self.family.read(self.model, told[start : start + ENCODED_AT_ONCE]))
        words = {name: torch.cat([part[name].cpu() for part in parts]) for name in parts[0]}
        return words, {text: row for row, text in enumerate(told)}


def _captions(trigger: str, told: tuple[str, ...]) -> tuple[str, ...]:
    name = " ".join(trigger.split())
    if not told:
        return (name,)
    return tuple(f"{name}, {text}" if name else text for text in told)


def _caption(own: tuple[str, ...], chance: float) -> str:
    return own[int(chance * len(own))]
