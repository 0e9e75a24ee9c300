"""A run of train_text_to_image as a program of torch, diffusers and transformers.

What the steps learn from is copied from the engine word for word; the steps are those of
engine/trainers/text_to_image_learner.py.
"""

from __future__ import annotations

from typing import cast

from engine.run_programs.captioned_lines import captioned_lines
from engine.run_programs.copied_source import Source, alone, copied
from engine.run_programs.picture_program import (
    ALONE,
    PictureLesson,
    picture_program,
    precision_lines,
)
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.run_programs.text_to_image_models import autoencoder_lines, model_lines
from engine.trainers import text_to_image_learner as learner
from engine.trainers.train_text_to_image import TrainTextToImage
from engine.training import TrainingTask

_TRAINING = '''\
{data}
{autoencoder}

def half():
    return torch.autocast(torch.device(DEVICE).type, torch.bfloat16, enabled=HALF)


@torch.inference_mode()
def encoded_images():
    """Latents (N, C, H/8, W/8), scaled as the pipeline does."""
    config, rows = autoencoder.config, []
    for part in torch.from_numpy(images).split(32):
        pictures = to_tensor(part).to(DEVICE, memory_format=torch.channels_last)
        rows.append(autoencoder.encode(pictures).latents.float().cpu())
    return (torch.cat(rows) - config.shift_factor) * config.scaling_factor


with half():
    latents = encoded_images()
lessons = CaptionLessons(told, SimpleNamespace(text_teacher={teacher!r}, seed=SEED), None)
{model}
caption_ids = torch.tensor(token_ids(tokenizer, lessons.captions))
empty_ids = torch.tensor(token_ids(tokenizer, [""]))
average = copy.deepcopy(model).eval().requires_grad_(False)  # which draws
coarse_ones = coarse_pictures(latents)
heads = CaptionHeads(config.text_width, config.latent_channels, lessons.teacher_width).to(DEVICE)
of_words = [*model.text_encoder.named_parameters(), *heads.named_parameters()]
text_optimizer = MuonAdamW(of_words, LEARNING_RATE)
optimizer = MuonAdamW(model.transformer.named_parameters(), LEARNING_RATE)
batches = Batches(len(images), BATCH_SIZE, SEED)


def rate_at(step, steps):
    """Rises over the warm-up, stays, then falls in a line to a fiftieth at the last of `steps`."""
    warm = min(1.0, step / max(1, {warmup}))
    late = max(0.0, step / steps - {decay_from}) / (1 - {decay_from})
    return LEARNING_RATE * warm * (1 - 0.98 * min(1.0, late))


def batch(step):
    """Which pictures, and which caption of each, drawn at random."""
    pictures = torch.from_numpy(batches.indices(step))
    chances = torch.rand(len(pictures)).tolist()
    captions = [
        lessons.of_picture[picture][int(chance * len(lessons.of_picture[picture]))]
        for picture, chance in zip(pictures.tolist(), chances)
    ]
    return pictures, torch.tensor(captions)


def drawn_words(count):
    """Words of the teacher, their ids, those of the nearest captions, and how near these are."""
    words = torch.randint(len(lessons.words), (count,))
    spoken = [lessons.words[index] for index in words.tolist()]
    near, likeness = (found[words] for found in lessons.nearest)
    return words, torch.tensor(token_ids(tokenizer, spoken)), caption_ids[near], likeness


def text_step(step):
    """The text encoder alone learns what captions look like."""
    lessons.ask_teacher()
    found = [batch({text_batches} * step - part) for part in range({text_batches})]
    coarse = torch.cat([coarse_ones[pictures] for pictures, _ in found]).to(DEVICE)
    captions = torch.cat([captions for _, captions in found])
    ids, meanings, nearest = caption_ids[captions], lessons.meanings(captions), None
    if meanings is not None:
        words, spoken, near, likeness = drawn_words(len(captions))
        likeness = torch.cat((torch.zeros(len(captions)), likeness))
        nearest = torch.cat((ids, near)).to(DEVICE), likeness.to(DEVICE)
        ids = torch.cat((ids, spoken))
        meanings = torch.cat((meanings, lessons.word_meanings(words))).to(DEVICE)
    with half():
        loss = caption_loss(model, heads, ids.to(DEVICE), coarse, meanings, nearest)
    text_optimizer.step(loss, rate_at(step, TEXT_STEPS))
    average.text_encoder.load_state_dict(model.text_encoder.state_dict())
    return loss


def padding():
    """Empty tokens for each picture: as many as the pipeline adds, or none, or in between."""
    between = {padding} ** torch.rand(BATCH_SIZE)
    kind = torch.rand(BATCH_SIZE)
    found = torch.where(kind < 0.4, torch.tensor(float({padding})), between)
    return torch.where(kind > 0.6, torch.tensor(0.0), found)


def straying():
    """How far words in no caption are from the captions of their meaning, which move."""
    _, ids, near, likeness = drawn_words(BATCH_SIZE)
    said = model.encode(ids.to(DEVICE))
    return settling_loss(model, said, near.to(DEVICE), likeness.to(DEVICE))


def draw_step(step):
    """The transformer learns to draw, and the text encoder along with it, if at all."""
    done = step - TEXT_STEPS
    rate = rate_at(done, STEPS - TEXT_STEPS)
    if TEXT_LEARNING:
        lessons.ask_teacher()
    indices, captions = batch(step)
    dropped = torch.rand(len(indices), 1) < CAPTION_DROPOUT
    ids = torch.where(dropped, empty_ids, caption_ids[captions]).to(DEVICE)
    some, counts = latents[indices].to(DEVICE), padding().to(DEVICE)
    with half():
        with torch.set_grad_enabled(TEXT_LEARNING > 0):
            text = model.encode(ids)
        loss = flow_matching_loss(model, some, text, counts, {noise_mean})
        whole = loss + straying() if TEXT_LEARNING and lessons.words else loss
    optimizers = [(optimizer, rate), (text_optimizer, TEXT_LEARNING * rate)]
    descend(whole, optimizers[: 2 if TEXT_LEARNING else 1])
    update_average(average, model, min(EMA_DECAY, done / (done + 10)))
    return loss


{changes}for step in range(1, {steps} + 1):
{change}    loss = text_step(step) if step <= TEXT_STEPS else draw_step(step)
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {{loss.item()}}", flush=True)

build_pipeline(copy.deepcopy(average), tokenizer, autoencoder).save_pretrained("model")
'''
_IMPORTS = (
    "import copy",
    "from types import SimpleNamespace",
    "from safetensors.torch import load_file",
    "from torch.nn import functional as F",
    "from transformers import CLIPTokenizer",
)
_PIPELINE = ("STAND_IN_WIDTH", "TEXT_INPUTS", "build_pipeline", "_widened", "_stand_in")
_READ_PIPELINE = ("_config_of", "_narrowed")
_PACKED = ("REDUCTION", "MAX_NOISE", "AutoencoderConfig", "build", "to_tensor")
_NO_MODEL = '''\
class ModelError(Exception):
    """A model that cannot be used."""'''


def text_to_image_program(run: RecordedRun) -> str:
    """The whole program; raises EngineError where a model that it needs is gone."""
    task = cast(TrainTextToImage, run.task)
    training = _TRAINING.format(
        data=captioned_lines(run.sha256, str(task.image_size), need_captions=True),
        autoencoder=autoencoder_lines(run, task),
        model=model_lines(task),
        teacher=task.text_teacher,
        warmup=task.warmup_steps,
        decay_from=learner.DECAY_FROM,
        text_batches=learner.TEXT_BATCHES,
        padding=learner.PIPELINE_PADDING,
        noise_mean=task.noise_mean,
        **vars(steered_lines(run.steering, _live)),
    )
    lesson = PictureLesson(
        what="a text-to-image model",
        dataset=task.dataset,
        libraries="PyTorch, diffusers, transformers, NumPy and Pillow",
        end='The model is saved in the folder "model".',
        sources=_sources(task),
        constants={
            "TEXT_STEPS": 0 if task.base_model else task.text_steps,
            "EMA_DECAY": task.ema_decay,
            **_live(task),
        },
        training=training,
        imports=_IMPORTS,
    )
    return picture_program(run, lesson)


def _sources(task: TrainTextToImage) -> list[Source]:
    """The networks, and what teaches them."""
    teacher = [Source(frozenset(), _NO_MODEL), copied("models/word_teacher.py")]
    pipeline = _PIPELINE + (_READ_PIPELINE if task.base_model else ())
    native = [] if task.precision == "auto" else [copied("device.py", ["has_native_bfloat16"])]
    sources = [
        precision_lines(task.precision),
        *native,
        ALONE,
        copied("models/tiny_autoencoder.py", _PACKED),
        copied("models/padded_attention.py"),
        copied("models/flow_transformer.py"),
        copied("models/pipeline_folder.py", pipeline),
        copied("models/caption_tokenizer.py"),
        copied("models/caption_pretraining.py"),
        copied("models/gan.py", ["update_average"]),
        copied("trainers/muon.py"),
        *(teacher if task.text_teacher else []),
        copied("trainers/caption_lessons.py"),
    ]
    return [alone(source) for source in sources]


def _live(task: TrainingTask) -> Constants:
    drawing = cast(TrainTextToImage, task)
    return {
        "LEARNING_RATE": drawing.learning_rate,
        "TEXT_LEARNING": drawing.text_learning,
        "CAPTION_DROPOUT": drawing.caption_dropout,
    }
