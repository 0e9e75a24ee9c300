"""A run of train_autoencoder as a program of torch and diffusers that makes the same steps."""

from __future__ import annotations

from typing import cast

from engine.run_programs.captioned_lines import captioned_lines
from engine.run_programs.copied_source import copied
from engine.run_programs.picture_program import (
    ALONE,
    PictureLesson,
    picture_program,
    precision_lines,
)
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.trainers.autoencoder_learner import GRADIENT_CLIP, WARMUP_STEPS
from engine.trainers.train_autoencoder import TrainAutoencoder
from engine.training import TrainingTask

_TRAINING = """\
{data}
autoencoder = build(AutoencoderConfig({channels}, {width})).to(DEVICE)
average = copy.deepcopy(autoencoder).eval().requires_grad_(False)  # which is used in the end
optimizer = torch.optim.AdamW(
    autoencoder.parameters(), LEARNING_RATE, betas=(0.9, 0.99), weight_decay=1e-4, fused=True
)
batches = Batches(len(images), BATCH_SIZE, SEED)


def rate(step):
    \"\"\"A short warm-up, then half a cosine down to 3 %.\"\"\"
    fall = 0.5 * (1 + math.cos(math.pi * step / STEPS))
    return min(1.0, step / {warmup}) * (0.03 + 0.97 * fall)


def crops(step):
    \"\"\"Random squares (N, 3, CROP, CROP) of the pictures, half of the batches mirrored.\"\"\"
    chosen = batches.indices(step)
    corners = torch.randint(images.shape[1] - CROP + 1, (len(chosen), 2)).tolist()
    found = [
        images[index, top : top + CROP, left : left + CROP]
        for index, (top, left) in zip(chosen, corners)
    ]
    pictures = to_tensor(torch.from_numpy(np.stack(found)))
    if torch.rand(()) < 0.5:
        pictures = pictures.flip(-1)
    return pictures.to(DEVICE, memory_format=torch.channels_last)


{changes}for step in range(1, {steps} + 1):
{change}    optimizer.param_groups[0]["lr"] = LEARNING_RATE * rate(step)
    pictures = crops(step)
    with torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled=HALF):
        found = loss(autoencoder, pictures)
    optimizer.zero_grad()
    found.backward()
    torch.nn.utils.clip_grad_norm_(autoencoder.parameters(), {clip})
    optimizer.step()
    update_average(average, autoencoder, min(EMA_DECAY, step / (step + 10)))
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {{found.item()}}", flush=True)

average.save_pretrained("autoencoder")
"""


def autoencoder_program(run: RecordedRun) -> str:
    """The whole program; raises EngineError for what run.json says wrong."""
    task = cast(TrainAutoencoder, run.task)
    training = _TRAINING.format(
        data=captioned_lines(run.sha256, str(task.image_size), need_captions=False),
        channels=task.latent_channels,
        width=task.width,
        warmup=WARMUP_STEPS,
        clip=GRADIENT_CLIP,
        **vars(steered_lines(run.steering, _live)),
    )
    lesson = PictureLesson(
        what="an autoencoder",
        dataset=task.dataset,
        libraries="PyTorch, diffusers, NumPy and Pillow",
        end='The autoencoder is saved in the folder "autoencoder".',
        sources=[
            precision_lines(task.precision),
            ALONE,
            copied("models/tiny_autoencoder.py"),
            copied("models/gan.py", ["update_average"]),
        ],
        constants={
            "CROP": min(task.crop_size, task.image_size),
            "EMA_DECAY": task.ema_decay,
            **_live(task),
        },
        training=training,
        imports=("import copy", "import math"),
    )
    return picture_program(run, lesson)


def _live(task: TrainingTask) -> Constants:
    return {"LEARNING_RATE": cast(TrainAutoencoder, task).learning_rate}
