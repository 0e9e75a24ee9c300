"""A run of train_vae as a program of plain PyTorch that makes the same steps, bit for bit."""

from __future__ import annotations

from typing import cast

from engine.data.crop import SIZES
from engine.run_programs.copied_source import Source, copied
from engine.run_programs.image_program import Lesson, image_program
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.trainers.train_vae import TrainVae
from engine.training import TrainingTask

_TRAINING = """\
vae = Vae(VaeConfig({shape})).to(DEVICE)
average = copy.deepcopy(vae).eval().requires_grad_(False)  # which draws
optimizer = torch.optim.Adam(vae.parameters(), LEARNING_RATE, fused=True)
fixed_noise = torch.randn(60, LATENT_DIM, generator=torch.Generator().manual_seed(SEED))
{changes}
for step in range(1, {steps} + 1):
{change}    seen, noise = pixels(batch(step)), torch.randn(BATCH_SIZE, LATENT_DIM).to(DEVICE)
    with torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled={half}):
        logits, encoded = vae(seen, noise)
    kl = kl_divergence(encoded)
    loss = reconstruction_loss(logits, seen) + beta_at(step, BETA, {warmup}) * kl
    optimizer.zero_grad()
    (loss / images[0].size).backward()  # for each pixel value: one learning rate suits all sizes
    optimizer.step()

    follow(average, vae, step)
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {{loss.item()}} {{kl.item()}}", flush=True)

with torch.inference_mode():
    save(average.draw(fixed_noise.to(DEVICE)), columns=10)
"""
_CHANGE = """\
    optimizer.param_groups[0]["lr"] = LEARNING_RATE
"""


def vae_program(run: RecordedRun) -> str:
    """The whole program; raises EngineError for what run.json says wrong."""
    task = cast(TrainVae, run.task)
    shape = [run.number(name) for name in ("image_size", "channels", "latent_dim", "width")]
    training = _TRAINING.format(
        shape=", ".join(map(str, shape)),
        half=run.precision == "bfloat16",
        warmup=task.beta_warmup_steps,
        **vars(steered_lines(run.steering, _live, _CHANGE)),
    )
    lesson = Lesson(
        what="β-VAE",
        libraries="PyTorch, NumPy and Pillow",
        networks=[Source(frozenset(), f"SIZES = {SIZES!r}"), copied("models/vae.py")],
        constants={"LATENT_DIM": task.latent_dim, "EMA_DECAY": task.ema_decay, **_live(task)},
        training=training,
    )
    return image_program(run, lesson)


def _live(task: TrainingTask) -> Constants:
    task = cast(TrainVae, task)
    return {"LEARNING_RATE": task.learning_rate, "BETA": task.beta}
