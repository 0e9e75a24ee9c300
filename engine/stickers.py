"""A drawing on paper becomes a sticker: cut out, then enlarged."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from engine.cutout import cut_out
from engine.events import Progress, Report
from engine.upscaling import Upscaler


@dataclass(frozen=True)
class StickerMaker:
    """Cuts first: at the model's own size the paper is clean, and an upscaler blurs its noise."""

    upscaler: Upscaler
    tolerance: int
    gap: int
    enclosed: bool

    def make(self, drawing: Image.Image, report: Report) -> Image.Image:
        """The sticker, RGBA, of a drawing on paper of one colour."""
        report(Progress(0, None, "cutting out"))
        cut = cut_out(drawing, tolerance=self.tolerance, gap=self.gap, enclosed=self.enclosed)
        return self.upscaler.enlarge(cut, report)
