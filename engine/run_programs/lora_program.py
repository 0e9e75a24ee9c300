"""A run of train_lora as a program of torch, diffusers and peft that makes the same steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engine.errors import EngineError
from engine.pipeline_kinds import TEXT_TO_IMAGE, class_name_for
from engine.run_programs.captioned_lines import captioned_lines
from engine.run_programs.copied_source import copied
from engine.run_programs.picture_program import PictureLesson, base_folder, picture_program
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.trainers.lora_learner import CLIP, ENCODED_AT_ONCE, TARGETS
from engine.trainers.train_lora import TrainLora
from engine.training import TrainingTask


@dataclass(frozen=True)
class _Family:
    """As engine/trainers/lora_families.py has it: the bodies of two functions, and their needs."""

    part: str
    read: str
    loss: str
    imports: tuple[str, ...] = ()
    before: str = ""


_READ_CLIP = """\
    embeds, _ = pipe.encode_prompt(texts, DEVICE, 1, False)
    return {"encoder_hidden_states": embeds}
"""
_READ_TWO_CLIPS = """\
    embeds, _, pooled, _ = pipe.encode_prompt(
        texts, device=DEVICE, do_classifier_free_guidance=False
    )
    return {"encoder_hidden_states": embeds, "text_embeds": pooled}
"""
_READ_SD3 = """\
    embeds, _, pooled, _ = pipe.encode_prompt(
        texts, None, None, do_classifier_free_guidance=False, **length
    )
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}
"""
_LENGTH = """\
length = {}  # a model as wide as its two CLIPs has never seen what stands in the place of T5
if pipe.text_encoder_3 is None:
    widths = [clip.config.hidden_size for clip in (pipe.text_encoder, pipe.text_encoder_2) if clip]
    if pipe.transformer.config.joint_attention_dim == sum(widths):
        length = {"max_sequence_length": 0}
"""
_NOISE = """\
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(latents),)).to(DEVICE)
    noise = torch.randn(latents.shape).to(latents)
    noisy = scheduler.add_noise(latents, noise, times)
{added}    predicted = pipe.unet(noisy, times, {words}).sample
    wanted = {{"epsilon": noise, "sample": latents}}.get(scheduler.config.prediction_type)
    if wanted is None:
        wanted = scheduler.get_velocity(latents, noise, times)
    return functional.mse_loss(predicted.float(), wanted.float())
"""
_ADDED = """\
    height, width = (side * pipe.vae_scale_factor for side in latents.shape[2:])
    ids = torch.tensor([[height, width, 0, 0, height, width]]).repeat(len(latents), 1)
    states = words["encoder_hidden_states"]
    added = {"text_embeds": words["text_embeds"], "time_ids": ids.to(latents)}
"""
_FLOW = """\
    shift = float(pipe.scheduler.config.shift)
    sigmas = torch.randn(len(latents)).sigmoid()
    sigmas = (shift * sigmas / (1 + (shift - 1) * sigmas)).to(latents)
    noise = torch.randn(latents.shape).to(latents)
    part = sigmas.view(-1, 1, 1, 1)
    predicted = pipe.transformer(
        hidden_states=(1 - part) * latents + part * noise,
        timestep=sigmas * pipe.scheduler.config.num_train_timesteps,
        **words,
    ).sample
    return functional.mse_loss(predicted.float(), (noise - latents).float())
"""
_SCHEDULER = "scheduler = DDPMScheduler.from_config(pipe.scheduler.config)\n"
_DDPM = ("from diffusers import DDPMScheduler",)
_FAMILIES = {
    "StableDiffusion3Pipeline": _Family("transformer", _READ_SD3, _FLOW, (), _LENGTH),
    "StableDiffusionXLPipeline": _Family(
        "unet",
        _READ_TWO_CLIPS,
        _NOISE.format(added=_ADDED, words="encoder_hidden_states=states, added_cond_kwargs=added"),
        _DDPM,
        _SCHEDULER,
    ),
    "StableDiffusionPipeline": _Family(
        "unet", _READ_CLIP, _NOISE.format(added="", words="**words"), _DDPM, _SCHEDULER
    ),
}
"""By the class of the pipeline."""
_TRAINING = '''\
torch_device = torch.device(DEVICE)
native = DEVICE == "cpu" and has_native_bfloat16()
dtype = torch.bfloat16 if native else best_dtype(torch_device)
index = json.loads((Path(BASE) / "model_index.json").read_text(encoding="utf-8"))
idle = ("safety_checker", "feature_extractor", "image_encoder")
absent = {{name: None for name, of in index.items() if of == [None, None] or name in idle}}
pipe = DiffusionPipeline.from_pretrained(
    BASE, dtype=dtype, local_files_only=True, use_safetensors=True{variant}, **absent
).to(DEVICE)
denoiser = pipe.{part}
{before}{size}

{data}
captions = [_captions({trigger!r}, own) for own in told]


@torch.inference_mode()
def encoded_images():
    """Latents (N, C, H, W) as the denoiser sees them."""
    vae, rows = pipe.vae, []
    for start in range(0, len(images), {at_once}):
        part = images[start : start + {at_once}]
        pixels = torch.from_numpy(part).permute(0, 3, 1, 2).to(vae.device, vae.dtype)
        found = vae.encode(pixels / 127.5 - 1)
        raw = found.latents if hasattr(found, "latents") else found.latent_dist.mode()
        shift = getattr(vae.config, "shift_factor", None) or 0.0
        rows.append(((raw - shift) * vae.config.scaling_factor).cpu())
    return torch.cat(rows)


@torch.inference_mode()
def read(texts):
    """What the denoiser takes of some texts, a row for each."""
{read}

def loss(latents, words):
    """Of latents (N, C, H, W) with a row of words for each."""
{loss}

all_latents = encoded_images()
texts = list(dict.fromkeys(["", *(text for own in captions for text in own)]))
rows = {{text: row for row, text in enumerate(texts)}}
parts = [read(texts[start : start + {at_once}]) for start in range(0, len(texts), {at_once})]
all_words = {{name: torch.cat([part[name].cpu() for part in parts]) for name in parts[0]}}

for part in pipe.components.values():
    if isinstance(part, torch.nn.Module):
        part.requires_grad_(False)
denoiser.add_adapter(
    LoraConfig(
        r={rank},
        lora_alpha={rank},
        target_modules={targets},
        init_lora_weights="gaussian",
    ),
    adapter_name="lora",
)
learned = [p for p in denoiser.parameters() if p.requires_grad]
for parameter in learned:
    parameter.data = parameter.data.float()
optimizer = torch.optim.AdamW(learned, LEARNING_RATE, betas=(0.9, 0.99), weight_decay=0.0)
batches = Batches(len(images), BATCH_SIZE, SEED)

{changes}for step in range(1, {steps} + 1):
{change}    chosen = batches.indices(step)
    chances = torch.rand(len(chosen), 2)
    told_now = [
        _caption(captions[index], float(which)) if float(kept) >= CAPTION_DROPOUT else ""
        for index, (which, kept) in zip(chosen.tolist(), chances)
    ]
    of_batch = torch.tensor([rows[text] for text in told_now])
    words = {{name: each[of_batch].to(DEVICE) for name, each in all_words.items()}}
    latents = all_latents[torch.from_numpy(chosen)].to(DEVICE)
    with torch.autocast(torch_device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
        found = loss(latents, words)
    optimizer.zero_grad()
    found.backward()
    torch.nn.utils.clip_grad_norm_(learned, {clip})
    optimizer.step()
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {{found.item()}}", flush=True)

layers = get_peft_model_state_dict(denoiser, adapter_name="lora")
pipe.save_lora_weights("lora", {part}_lora_layers=layers)
'''
_CHANGE = """\
    optimizer.param_groups[0]["lr"] = LEARNING_RATE
"""
_OWN_SIZE = """\
own_size = getattr(pipe, "default_sample_size", None) or denoiser.config.sample_size
size = max(own_size) if isinstance(own_size, (list, tuple)) else own_size
size *= pipe.vae_scale_factor
"""


def lora_program(run: RecordedRun) -> str:
    """The whole program; raises EngineError where the model is gone or of another kind."""
    task = cast(TrainLora, run.task)
    family = _FAMILIES.get(class_name_for(TEXT_TO_IMAGE, run.architecture))
    if family is None:
        raise EngineError(
            f"There is no program for a LoRA of a {run.architecture or 'model of unknown kind'}.",
            "There is one for Stable Diffusion 1, 2, XL and 3.",
        )
    base = base_folder(task.base_model)
    need_captions = not task.trigger.strip()
    training = _TRAINING.format(
        variant=_variant(base / family.part),
        part=family.part,
        before=family.before,
        size=_OWN_SIZE.rstrip("\n") if not task.image_size else f"size = {task.image_size}",
        data=captioned_lines(run.sha256, "size", need_captions=need_captions).rstrip("\n"),
        trigger=task.trigger,
        at_once=ENCODED_AT_ONCE,
        read=family.read,
        loss=family.loss,
        rank=task.rank,
        targets=list(TARGETS),
        clip=CLIP,
        **vars(steered_lines(run.steering, _live, _CHANGE)),
    )
    lesson = PictureLesson(
        what="a LoRA",
        dataset=task.dataset,
        libraries="PyTorch, diffusers, peft, NumPy and Pillow",
        end='The LoRA is saved in the folder "lora".',
        sources=[
            copied("device.py", ["best_dtype", "has_native_bfloat16"]),
            copied("trainers/lora_learner.py", ["_captions", "_caption"]),
        ],
        constants={"BASE": str(base), **_live(task)},
        training=training,
        imports=(
            "import json",
            "from diffusers import DiffusionPipeline",
            "from peft import LoraConfig",
            "from peft import get_peft_model_state_dict",
            "from torch.nn import functional",
            *family.imports,
        ),
    )
    return picture_program(run, lesson)


def _variant(folder: Path) -> str:
    """An argument for folders that hold their weights in half precision only."""
    stem = "diffusion_pytorch_model"
    plain = (f"{stem}.safetensors", f"{stem}.safetensors.index.json")
    others = sorted(folder.glob(f"{stem}.*.safetensors"))
    if any((folder / name).is_file() for name in plain) or not others:
        return ""
    return f", variant={others[0].name.split('.')[1]!r}"


def _live(task: TrainingTask) -> Constants:
    lora = cast(TrainLora, task)
    return {"LEARNING_RATE": lora.learning_rate, "CAPTION_DROPOUT": lora.caption_dropout}
