"""Enlarges a picture: Real-ESRGAN, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, library, metadata
from engine.gate.images import open_image
from engine.task import Report, Saved, Task, param
from engine.upscaling import load_upscaler


@dataclass(frozen=True)
class Upscale(Task):
    """The picture four times as wide and high, as a PNG beside it; it stays as it is."""

    title: ClassVar[str] = "Enlarge ×4"
    summary: ClassVar[str] = "Makes a picture four times as wide and high."

    image: str = param(
        label="Picture",
        help="The picture to enlarge: PNG, JPEG or WebP. What is transparent stays so.",
        kind="file",
        required=True,
    )
    upscaler: str = param(
        library.EMBEDDED_UPSCALER,
        label="Upscaler",
        help="Which network enlarges. realesr-animevideov3 is for drawings: it makes clean lines "
        "and flat colours, and turns the fine texture of photographs into paint.",
        choices=library.upscalers,
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        source = Path(self.image).expanduser()
        image = open_image(source)
        upscaler = load_upscaler(library.find(self.upscaler), report)
        enlarged = upscaler.enlarge(image, report)
        path = files.new_path(out, f"{source.stem}-x{upscaler.scale}", ".png")
        metadata.write_png(
            path,
            enlarged,
            self,
            model_hash=upscaler.weights_hash,
            made_with=upscaler.made_with(),
            source=metadata.source_of(source),
        )
        report(Saved(path))
