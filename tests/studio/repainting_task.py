"""A real task in the shape of inpaint that needs no model: fills the mask with one colour."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine import files, metadata
from engine.events import Preview, Progress, Report, Saved
from engine.gate.images import open_image
from engine.masks import feathered, open_mask
from engine.task import Task, param, seed_param


@dataclass(frozen=True, kw_only=True)
class Repaint(Task):
    """Without a mask all of the picture is painted over."""

    title = "Repaint"
    summary = "Paints over."

    prompt: str = param("", label="Prompt", help="What to draw.", kind="prompt")
    image: str = param(label="Picture", help="Over what.", kind="file", required=True)
    mask: str = param("", label="Mask", help="Where.", kind="file")
    strength: float = param(1.0, label="Strength", help="How much.", minimum=0, maximum=1)
    feather: int = param(0, label="Feather", help="How soft.", minimum=0, maximum=99)
    left: int = param(0, label="Left", help="How far.", minimum=0, maximum=999)
    right: int = param(0, label="Right", help="How far.", minimum=0, maximum=999)
    pause: float = param(0.0, label="Pause", help="Seconds.", minimum=0, maximum=10)
    seed: int = seed_param()

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        before = open_image(Path(self.image)).convert("RGB")
        size = (self.left + before.width + self.right, before.height)
        color = (self.seed % 251, 99, 7)
        after = Image.new("RGB", size, color)
        if self.mask:
            mask = feathered(open_mask(Path(self.mask), before.size), self.feather)
            after = Image.composite(after, before, mask)
        elif self.left or self.right:
            after.paste(before, (self.left, 0))
        report(Preview(after.resize((8, 8))))
        report(Progress(1, 2, "drawing"))
        time.sleep(self.pause)
        report(Progress(2, 2, "drawing"))
        path = files.new_path(out, f"repaint-{self.seed}", ".png")
        metadata.write_png(path, after, self, source=metadata.source_of(Path(self.image)))
        report(Saved(path))
