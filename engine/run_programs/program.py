"""The program for a run of any trainer, and a plain word where this version does not know it."""

from __future__ import annotations

from engine.errors import EngineError
from engine.run_programs.autoencoder_program import autoencoder_program
from engine.run_programs.diffusion_program import diffusion_program
from engine.run_programs.gan_program import gan_program
from engine.run_programs.language_program import finetuning_program, language_program
from engine.run_programs.lora_program import lora_program
from engine.run_programs.recorded import recorded
from engine.run_programs.text_to_image_program import text_to_image_program
from engine.run_programs.vae_program import vae_program
from engine.runs import RunFolder

PROGRAMS = {
    "train_gan": gan_program,
    "train_vae": vae_program,
    "train_diffusion": diffusion_program,
    "train_language_model": language_program,
    "finetune_language_model": finetuning_program,
    "train_lora": lora_program,
    "train_autoencoder": autoencoder_program,
    "train_text_to_image": text_to_image_program,
}
"""By the name of the trainer: what makes the program of a RecordedRun."""


def has_program(trainer: str) -> bool:
    """Whether runs of this trainer can be copied as a program."""
    return trainer in PROGRAMS


def run_program(run: RunFolder) -> str:
    """The program that repeats the run; raises EngineError where none can, and says why."""
    trainer = str(run.description().get("task", ""))
    if not has_program(trainer):
        raise EngineError(
            f"There is no program for runs of {trainer or 'an unknown trainer'}: this version of "
            "Atelier does not know it.",
            f"It knows {', '.join(PROGRAMS)}.",
        )
    return PROGRAMS[trainer](recorded(run))
