"""A run of train_diffusion as a program of torch and diffusers that makes the same steps."""

from __future__ import annotations

from typing import cast

from engine.data.crop import SIZES
from engine.run_programs.copied_source import Source, copied
from engine.run_programs.image_program import Lesson, image_program
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.trainers.train_diffusion import OBJECTIVES, TrainDiffusion
from engine.training import TrainingTask

_TRAINING = """\
config = PixelUnetConfig(SIZE, CHANNELS, {width}, CLASSES, {objective!r})
unet = PixelUnet(config).to(DEVICE)
average = copy.deepcopy(unet).eval().requires_grad_(False)  # which draws
optimizer = torch.optim.Adam(unet.parameters(), LEARNING_RATE, (0.9, 0.99), fused=True)
fixed_noise = torch.randn(50, *config.shape, generator=torch.Generator().manual_seed(SEED))


def precision():
    return torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled={half})


{changes}for step in range(1, {steps} + 1):
{change}    optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(1.0, step / max(1, {warmup}))
    times = drawn_times(torch.rand(BATCH_SIZE), config.objective).to(DEVICE)
    noise = torch.randn(BATCH_SIZE, *config.shape).to(DEVICE)
    dropped = torch.rand(BATCH_SIZE) < CLASS_DROPOUT
    chosen, kinds = batch(step), None
{labels}    with precision():
        found = loss(unet, pixels(chosen), noise, times, kinds)
    optimizer.zero_grad()
    found.backward()
{clip}    optimizer.step()

    follow(average, unet, step)
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {{found.item()}}", flush=True)

columns = min(10, len(CLASSES)) or 10
noise, kinds = fixed_noise[: columns * 5].to(DEVICE), None
if CLASSES:
    kinds = (torch.arange(len(noise)) % columns).to(DEVICE)
with torch.inference_mode(), precision():
    save(draw(average, noise, kinds, {sample_steps}, GUIDANCE), columns)
"""
_LABELS = """\
    kinds = torch.from_numpy(labels[chosen]).masked_fill(dropped, len(CLASSES)).to(DEVICE)
"""
_CLIP = """\
    torch.nn.utils.clip_grad_norm_(unet.parameters(), {limit})
"""


def diffusion_program(run: RecordedRun) -> str:
    """The whole program; raises EngineError for what run.json says wrong."""
    task = cast(TrainDiffusion, run.task)
    classes = run.words("classes")
    training = _TRAINING.format(
        width=run.number("width"),
        objective=task.objective,
        half=run.precision == "bfloat16",
        warmup=task.warmup_steps,
        labels=_LABELS if classes else "",
        clip=_CLIP.format(limit=task.grad_clip) if task.grad_clip else "",
        sample_steps=task.sample_steps,
        **vars(steered_lines(run.steering, _live)),
    )
    known = Source(frozenset(), f"SIZES = {SIZES!r}\nOBJECTIVES = {OBJECTIVES!r}")
    lesson = Lesson(
        what="diffusion model",
        libraries="PyTorch, diffusers, NumPy and Pillow",
        networks=[known, *(copied(f"models/{name}.py") for name in _NETWORKS)],
        constants={"EMA_DECAY": task.ema_decay, "CLASSES": classes, **_live(task)},
        training=training,
        classes=classes,
    )
    return image_program(run, lesson)


def _live(task: TrainingTask) -> Constants:
    task = cast(TrainDiffusion, task)
    return {
        "LEARNING_RATE": task.learning_rate,
        "CLASS_DROPOUT": task.class_dropout,
        "GUIDANCE": task.sample_guidance,
    }


_NETWORKS = ("pixel_unet", "pixel_diffusion")
