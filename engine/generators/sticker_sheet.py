"""Draws many stickers at once: each as a file of its own, and all of them on one sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine import files, library, metadata
from engine.drawing_task import Drawn
from engine.errors import InvalidTask
from engine.events import Event, Preview, Progress, Report, Saved
from engine.gate.images import MAXIMUM_PIXELS
from engine.generators.export_image import ExportImage
from engine.generators.make_sticker import MakeSticker
from engine.generators.remove_background import RemoveBackground
from engine.generators.text_to_image import TextToImage
from engine.picture_files import SUFFIXES
from engine.sheet import Sheet
from engine.task import Task, param, same_param, seed_param
from engine.upscaling import load_upscaler

MOST = 144
TRANSPARENT, WHITE = "transparent", "white"


@dataclass(frozen=True)
class StickerSheet(Task):
    """Every prompt drawn, cut out of its paper, enlarged four times and laid out in a grid.

    What is finished is kept when the rest is cancelled; the sheet is made when all are there.
    """

    title: ClassVar[str] = "Sticker sheet"
    summary: ClassVar[str] = "Draws many stickers at once and lays them out on a sheet."

    prompts: str = param(
        label="Prompts",
        help="What to draw: one prompt on each line, each becomes a sticker.",
        kind="text",
        required=True,
    )
    num_images_per_prompt: int = param(
        1,
        label="Of each",
        help="How many stickers to draw of each prompt; each has a seed of its own.",
        minimum=1,
        maximum=64,
    )
    model: str = same_param(TextToImage, "model")
    columns: int = param(
        0,
        label="Columns",
        help="Stickers in a row of the sheet. Automatic (0) makes it nearly square.",
        minimum=0,
        maximum=MOST,
        zero="automatic",
    )
    cell_size: int = param(
        512,
        label="Size on the sheet",
        help="The side of a sticker on the sheet; the stickers' own files keep their full size.",
        minimum=32,
        maximum=2048,
        unit="px",
    )
    margin: int = param(
        32,
        label="Margin",
        help="Empty space around each sticker on the sheet, for cutting or for looks.",
        minimum=0,
        maximum=512,
        unit="px",
    )
    background: str = param(
        TRANSPARENT,
        label="Sheet",
        help="What is between the stickers on the sheet. The stickers' own files are always "
        "transparent.",
        choices=(TRANSPARENT, WHITE),
    )
    file_format: str = same_param(ExportImage, "file_format")
    seed: int = seed_param()
    num_inference_steps: int = same_param(TextToImage, "num_inference_steps")
    guidance_scale: float = same_param(TextToImage, "guidance_scale")
    negative_prompt: str = param(
        "",
        label="Negative prompt",
        help="What to keep out of every sticker; it needs a guidance above 1.",
        kind="text",
        advanced=True,
    )
    enclosed: bool = same_param(RemoveBackground, "enclosed")
    tolerance: int = param(
        RemoveBackground.field("tolerance").default,
        label="Tolerance",
        help=RemoveBackground.field("tolerance").param.help,
        minimum=0,
        maximum=128,
        unit="of 255",
        advanced=True,
    )
    lossless: bool = param(
        True,
        label="Lossless WebP",
        help=ExportImage.field("lossless").param.help,
        advanced=True,
    )
    quality: int = param(
        90,
        label="Quality",
        help=ExportImage.field("quality").param.help,
        minimum=1,
        maximum=100,
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        prompts = self._prompts()
        sheet = self._sheet(len(prompts) * self.num_images_per_prompt)
        upscaler = load_upscaler(library.find_upscaler("drawings"), report)
        stem = files.timestamp()
        for place, drawn in enumerate(self._draw(prompts, sheet, report)):
            making = MakeSticker(
                image=f"{stem}-{drawn.task.seed}.png",
                upscaler=upscaler.name,
                tolerance=self.tolerance,
                enclosed=self.enclosed,
            )
            sticker = making.maker(upscaler).make(drawn.image, _beside(report, sheet, place))
            sheet.put(place, sticker)
            name = f"{stem}-{drawn.task.seed}-sticker"
            self._write(out, name, sticker, making.record(upscaler, drawn.record), report)
        report(Progress(sheet.count * 100, sheet.count * 100, "laying out the sheet"))
        self._write(out, f"{stem}-sheet", sheet.image, metadata.record_of(self), report)

    def _prompts(self) -> list[str]:
        return [line.strip() for line in self.prompts.splitlines() if line.strip()]

    def _sheet(self, count: int) -> Sheet:
        """Empty, of the right size; raises InvalidTask for one that is too large."""
        if count > MOST:
            raise InvalidTask(
                "num_images_per_prompt",
                f"That would be {count} stickers, more than the {MOST} a sheet can hold.",
                "Draw fewer of each, or use fewer prompts.",
            )
        color = (0, 0, 0, 0) if self.background == TRANSPARENT else (255, 255, 255, 255)
        sheet = Sheet(count, self.columns, self.cell_size, self.margin, color)
        if sheet.width * sheet.height > MAXIMUM_PIXELS:
            raise InvalidTask(
                "cell_size",
                f"The sheet would have {sheet.width} × {sheet.height} pixels, more than the "
                f"{MAXIMUM_PIXELS // 1_000_000} million allowed.",
                "Make the stickers smaller on the sheet, or draw fewer.",
            )
        return sheet

    def _draw(self, prompts: list[str], sheet: Sheet, report: Report) -> Iterator[Drawn]:
        """The drawings, each shown on the way in its place on the sheet."""
        each = self.num_images_per_prompt
        for number, prompt in enumerate(prompts):
            drawing = TextToImage(
                prompt=prompt,
                negative_prompt=self.negative_prompt,
                model=self.model,
                num_inference_steps=self.num_inference_steps,
                guidance_scale=self.guidance_scale,
                seed=self.seed,
                num_images_per_prompt=each,
            )
            yield from drawing.draw(_placed(report, sheet, number * each, each))

    def _write(
        self,
        out: Path,
        name: str,
        image: Image.Image,
        record: metadata.TaskRecord,
        report: Report,
    ) -> None:
        path = files.new_path(out, name, SUFFIXES[self.file_format])
        metadata.write_picture(path, image, record, quality=self.quality, lossless=self.lossless)
        report(Saved(path))


def _placed(report: Report, sheet: Sheet, first: int, many: int) -> Report:
    """Reports of `many` drawings of all: which sticker it is, and the sheet as it is so far."""

    def place(event: Event) -> None:
        if isinstance(event, Preview):
            event = Preview(sheet.preview(first + event.index, event.image))
        elif isinstance(event, Progress) and event.stage.startswith(("drawing", "finishing")):
            done = first + many * event.step / (event.total or 1)
            event = _progress(done, sheet, "drawing", min(int(done), first + many - 1))
        report(event)

    return place


def _beside(report: Report, sheet: Sheet, place: int) -> Report:
    """Reports of what is done with a finished drawing; the bar waits for it."""

    def tell(event: Event) -> None:
        if isinstance(event, Progress):
            event = _progress(place + 1, sheet, event.stage, place)
        report(event)

    return tell


def _progress(done: float, sheet: Sheet, stage: str, place: int) -> Progress:
    """Of the whole sheet, in hundredths of a sticker."""
    return Progress(round(done * 100), sheet.count * 100, f"{stage} {place + 1} of {sheet.count}")
