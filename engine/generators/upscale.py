"""Enlarges a picture: Real-ESRGAN for drawings and for photographs, or weights of the person's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, library, metadata
from engine.events import Report, Saved
from engine.gate.images import open_image
from engine.task import Task, param
from engine.upscaling import load_upscaler

OWN_SCALE = "automatic"


@dataclass(frozen=True)
class Upscale(Task):
    """A larger picture, as a PNG beside it; it stays as it is."""

    title: ClassVar[str] = "Enlarge"
    summary: ClassVar[str] = "Makes a picture two or four times as wide and high."

    image: str = param(
        label="Picture",
        help="The picture to enlarge: PNG, JPEG or WebP. What is transparent stays so.",
        kind="file",
        required=True,
    )
    upscaler: str = param(
        "drawings",
        label="Upscaler",
        help="The network that enlarges. Drawings: clean lines and flat colours, in seconds; it "
        "turns the fine texture of a photograph into paint. Photographs: skin, fur and leaves stay "
        "what they are; it takes minutes. Or weights of your own (.safetensors, .pth): ESRGAN, "
        "SwinIR and others.",
        choices=library.upscalers,
        editable=True,
        kind="model",
        required=True,
    )
    scale: str = param(
        OWN_SCALE,
        label="Times",
        help="How many times as wide and high the picture becomes. The network always works at its "
        "own scale, which most often is 4, and that is what automatic means; for less its picture "
        "is made smaller again, and 1 only cleans.",
        choices=(OWN_SCALE, "1", "2", "4"),
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        source = Path(self.image).expanduser()
        image = open_image(source)
        upscaler = load_upscaler(library.find_upscaler(self.upscaler), report)
        scale = upscaler.checked(0 if self.scale == OWN_SCALE else int(self.scale))
        enlarged = upscaler.enlarge(image, report, scale)
        path = files.new_path(out, f"{source.stem}-x{scale}", ".png")
        metadata.write_png(
            path,
            enlarged,
            self,
            model_hash=upscaler.weights_hash,
            made_with=upscaler.made_with(),
            source=metadata.source_of(source),
        )
        report(Saved(path))
