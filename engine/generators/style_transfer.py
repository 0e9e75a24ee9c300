"""Paints a picture again: in a named style, or as any painting is painted. On the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine import files, metadata
from engine.events import Progress, Report, Saved
from engine.gate.images import open_image
from engine.picture_networks.painter import STYLES, Painter, load_any, load_named
from engine.picture_networks.transparency import with_hidden_colors, with_opacity_of
from engine.task import Task, param

LEAST, MOST = 384, 1024
"""Pixels of the longer side where strokes are neither coarse blots nor fine hatching."""


@dataclass(frozen=True)
class StyleTransfer(Task):
    """The same picture, painted, as a PNG beside it; it stays as it is."""

    title: ClassVar[str] = "Paint in a style"
    summary: ClassVar[str] = "Paints a picture again, in a named style or that of any painting."

    image: str = param(
        label="Picture",
        help="The picture to paint: PNG, JPEG or WebP. Its size and what is transparent stay.",
        kind="file",
        required=True,
    )
    style: str = param(
        "blue swirls",
        label="Style",
        help="How it is painted. The names say what the pictures look like.",
        choices=STYLES,
    )
    style_image: str = param(
        "",
        label="Painting",
        help="Paint as this picture is painted, instead of the style above: its colours and "
        "strokes. The square in its middle counts; paintings with clear strokes do best.",
        kind="file",
    )
    strength: float = param(
        100.0,
        label="Strength",
        help="How much of the painting is mixed into the picture.",
        minimum=0.0,
        maximum=100.0,
        unit="%",
    )
    keep_colors: bool = param(
        False,
        label="Keep the colours",
        help="Take the strokes only: light and dark are painted, the colours are the picture's.",
    )
    detail: int = param(
        0,
        label="Detail",
        help="The longer side at which it is painted: less makes strokes broader, more makes them "
        "finer and keeps small things. The picture is as large as before either way.",
        minimum=0,
        maximum=2048,
        unit="px",
        zero="automatic",
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        source = Path(self.image).expanduser()
        image = open_image(source)
        picture = Image.fromarray(with_hidden_colors(image)[..., :3])
        painted, painter = self._painted(self._sized(picture), report)
        report(Progress(1, 2, "finishing"))
        result = with_opacity_of(image, self._mixed(picture, painted))
        path = files.new_path(out, f"{source.stem}-{self._word()}", ".png")
        metadata.write_png(
            path,
            result,
            self,
            model_hash=painter.weights_hash,
            made_with=painter.made_with(),
            source=metadata.source_of(source),
        )
        report(Saved(path))

    def _painted(self, picture: Image.Image, report: Report) -> tuple[Image.Image, Painter]:
        if not self.style_image:
            named = load_named(report)
            report(Progress(0, 2, "painting"))
            return named.paint(picture, self.style), named
        painting = open_image(Path(self.style_image).expanduser())
        painter = load_any(report)
        report(Progress(0, 2, "looking at the painting"))
        style = painter.style_of(Image.fromarray(with_hidden_colors(painting)[..., :3]))
        report(Progress(0, 2, "painting"))
        return painter.paint(picture, style), painter

    def _sized(self, picture: Image.Image) -> Image.Image:
        """As large as it is painted."""
        longer = max(picture.size)
        factor = (self.detail or min(max(longer, LEAST), MOST)) / longer
        width, height = (max(1, round(side * factor)) for side in picture.size)
        return picture.resize((width, height), Image.Resampling.LANCZOS)

    def _mixed(self, picture: Image.Image, painted: Image.Image) -> Image.Image:
        painted = painted.resize(picture.size, Image.Resampling.LANCZOS)
        if self.keep_colors:
            light = painted.convert("YCbCr").getchannel("Y")
            colors = picture.convert("YCbCr").split()[1:]
            painted = Image.merge("YCbCr", (light, *colors)).convert("RGB")
        return Image.blend(picture, painted, self.strength / 100)

    def _word(self) -> str:
        """What the file is called after."""
        return "painted" if self.style_image else self.style.replace(" ", "-")
