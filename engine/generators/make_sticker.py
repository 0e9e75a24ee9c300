"""Makes a sticker of a drawing: the paper becomes transparent, the drawing four times as large."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, library, metadata
from engine.events import Report, Saved
from engine.gate.images import open_image
from engine.generators.remove_background import RemoveBackground
from engine.generators.upscale import Upscale
from engine.stickers import StickerMaker
from engine.task import Task, same_param
from engine.upscaling import Upscaler, load_upscaler


@dataclass(frozen=True)
class MakeSticker(Task):
    """The drawing cut out and enlarged, as a PNG beside it; it stays as it is."""

    title: ClassVar[str] = "Make a sticker"
    summary: ClassVar[str] = "Cuts a drawing out of its paper and enlarges it four times."

    image: str = same_param(RemoveBackground, "image")
    upscaler: str = same_param(Upscale, "upscaler")
    tolerance: int = same_param(RemoveBackground, "tolerance")
    gap: int = same_param(RemoveBackground, "gap")
    enclosed: bool = same_param(RemoveBackground, "enclosed")

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        source = Path(self.image).expanduser()
        drawing = open_image(source)
        upscaler = load_upscaler(library.find_upscaler(self.upscaler), report)
        sticker = self.maker(upscaler).make(drawing, report)
        path = files.new_path(out, f"{source.stem}-sticker", ".png")
        record = self.record(upscaler, metadata.source_of(source))
        metadata.write_picture(path, sticker, record)
        report(Saved(path))

    def maker(self, upscaler: Upscaler) -> StickerMaker:
        return StickerMaker(upscaler, self.tolerance, self.gap, self.enclosed)

    def record(self, upscaler: Upscaler, source: metadata.TaskRecord | None) -> metadata.TaskRecord:
        """What the file of the sticker says."""
        return metadata.record_of(
            self,
            model_hash=upscaler.weights_hash,
            made_with=upscaler.made_with(),
            source=source,
        )
