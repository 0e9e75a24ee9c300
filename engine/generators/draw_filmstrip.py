"""Draws one prompt from one seed with every checkpoint of a run: how it learned, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine import files, metadata, trained_models
from engine.drawing_task import Drawn
from engine.errors import ModelError
from engine.events import Report, Saved
from engine.filmstrip import filmstrip
from engine.generators.text_to_image import TextToImage
from engine.part_of_work import of_many
from engine.runs import RunFolder
from engine.task import Task, param, same_param, seed_param


@dataclass(frozen=True)
class DrawFilmstrip(Task):
    """Each picture as a file of its own, and all of them in one strip, the oldest first."""

    title: ClassVar[str] = "Filmstrip"
    summary: ClassVar[str] = "Draws the same prompt and seed with every checkpoint of a run."

    model: str = param(
        label="Training run",
        help="A text-to-image run, by its name; it may still be going on.",
        choices=lambda: tuple(trained_models.names()),
        editable=True,
        kind="model",
        required=True,
    )
    prompt: str = same_param(TextToImage, "prompt")
    num_inference_steps: int = same_param(TextToImage, "num_inference_steps")
    guidance_scale: float = same_param(TextToImage, "guidance_scale")
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        stem = files.timestamp()
        run = self._run()
        steps = [step for step, _ in run.checkpoints()]
        images: list[Image.Image] = []
        for number, step in enumerate(steps):
            model = f"{run.path.name}@{step}"
            for drawn in self._drawn(model, of_many(report, number, len(steps), "checkpoint")):
                path = files.new_path(out, f"{stem}-{self.seed}-step-{step}", ".png")
                metadata.write_picture(path, drawn.image, drawn.record)
                images.append(drawn.image)
                report(Saved(path))
        strip = filmstrip(images, [f"step {step:,}" for step in steps])
        path = files.new_path(out, f"{stem}-{self.seed}-filmstrip", ".png")
        metadata.write_picture(path, strip, metadata.record_of(self))
        report(Saved(path))

    def _run(self) -> RunFolder:
        run = trained_models.run_of(self.model)
        if run is None or not run.checkpoints():
            raise ModelError(
                f"{self.model} is no text-to-image run with a checkpoint.",
                "Choose such a run of yours, or train it longer.",
            )
        return run

    def _drawn(self, model: str, report: Report) -> Iterator[Drawn]:
        drawing = TextToImage(
            prompt=self.prompt,
            model=model,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            seed=self.seed,
        )
        yield from drawing.draw(report)
