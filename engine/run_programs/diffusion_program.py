"""A run of train_diffusion as a program of torch and diffusers that makes the same steps."""

from __future__ import annotations

from typing import cast

from engine.data.crop import SIZES
from engine.run_programs.copied_source import Source, copied
from engine.run_programs.image_program import Lesson, image_program
from engine.run_programs.recorded import RecordedRun
from engine.trainers.train_diffusion import OBJECTIVES, TrainDiffusion

_TRAINING = """\
config = PixelUnetConfig(SIZE, CHANNELS, {width}, CLASSES, {objective!r})
unet = PixelUnet(config).to(DEVICE)
average = copy.deepcopy(unet).eval().requires_grad_(False)  # which draws
optimizer = torch.optim.Adam(unet.parameters(), {learning_rate}, (0.9, 0.99), fused=True)
fixed_noise = torch.randn(50, *config.shape, generator=torch.Generator().manual_seed(SEED))


def precision():
    return torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled={half})


for step in range(1, STEPS + 1):
    optimizer.param_groups[0]["lr"] = {learning_rate} * min(1.0, step / max(1, {warmup}))
    times = drawn_times(torch.rand(BATCH_SIZE), config.objective).to(DEVICE)
    noise = torch.randn(BATCH_SIZE, *config.shape).to(DEVICE)
    dropped = torch.rand(BATCH_SIZE) < {class_dropout}
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
    save(draw(average, noise, kinds, {sample_steps}, {sample_guidance}), columns)
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
        learning_rate=task.learning_rate,
        half=run.precision == "bfloat16",
        warmup=task.warmup_steps,
        class_dropout=task.class_dropout,
        labels=_LABELS if classes else "",
        clip=_CLIP.format(limit=task.grad_clip) if task.grad_clip else "",
        sample_steps=task.sample_steps,
        sample_guidance=task.sample_guidance,
    )
    known = Source(frozenset(), f"SIZES = {SIZES!r}\nOBJECTIVES = {OBJECTIVES!r}")
    lesson = Lesson(
        what="diffusion model",
        libraries="PyTorch, diffusers, NumPy and Pillow",
        networks=[known, *(copied(f"models/{name}.py") for name in _NETWORKS)],
        constants={"EMA_DECAY": task.ema_decay, "CLASSES": classes},
        training=training,
        classes=classes,
    )
    return image_program(run, lesson)


_NETWORKS = ("pixel_unet", "pixel_diffusion")
