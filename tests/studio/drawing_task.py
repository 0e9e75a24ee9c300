"""A real task in the shape of text_to_image that needs no model: one colour for each seed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine import files, metadata
from engine.errors import ModelError
from engine.events import Preview, Progress, Report, Saved
from engine.prompts.evaluation import style_param
from engine.task import Task, param, seed_param

STEPS = 4


@dataclass(frozen=True)
class Paint(Task):
    """Paints `width` by 16 pixels in a colour made from the seed; the prompt "fail" fails."""

    title = "Paint"
    summary = "Paints."

    prompt: str = param(label="Prompt", help="What to draw.", kind="prompt", required=True)
    negative_prompt: str = param("", label="Negative prompt", help="What not.", kind="text")
    style: str = style_param()
    model: str = param(
        "brush", label="Model", help="Who.", kind="model", choices=("brush", "pen"), editable=True
    )
    width: int = param(32, label="Width", help="Wide.", minimum=16, maximum=512, multiple_of=16)
    pause: float = param(0.0, label="Pause", help="Seconds a step.", minimum=0, maximum=10)
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        report(Progress(0, None, "loading the model"))
        if self.prompt == "fail":
            raise ModelError("The model is broken.", "Choose another one.")
        color = (self.seed % 251, self.seed // 251 % 251, 7)
        for step in range(STEPS):
            report(Preview(Image.new("RGB", (self.width // 8, 2), color)))
            report(Progress(step + 1, STEPS, "drawing"))
            time.sleep(self.pause)
        path = files.new_path(out, f"paint-{self.seed}", ".png")
        metadata.write_png(path, Image.new("RGB", (self.width, 16), color), self)
        report(Saved(path))
