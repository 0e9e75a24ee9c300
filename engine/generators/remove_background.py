"""Makes the paper around a drawing transparent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, metadata
from engine.cutout import cut_out
from engine.events import Progress, Report, Saved
from engine.gate.images import open_image
from engine.task import Task, param


@dataclass(frozen=True)
class RemoveBackground(Task):
    """Takes away paper of one colour from the borders inwards; photographs need another tool."""

    title: ClassVar[str] = "Make the background transparent"
    summary: ClassVar[str] = "Cuts a drawing out of the paper it is on."

    image: str = param(
        label="Picture",
        help="A drawing on paper of one colour, white or another: the colour along the borders is "
        "taken away as far as it reaches. White inside an outline stays (eyes, a white rabbit); "
        "a white shape without an outline goes with the paper. It cannot cut out of a photograph.",
        kind="file",
        required=True,
    )
    tolerance: int = param(
        5,
        label="Tolerance",
        help="How much the paper may vary. Higher also takes shadows and stains, and in the end "
        "pale parts of the drawing.",
        minimum=0,
        maximum=128,
        unit="of 255",
    )
    gap: int = param(
        1,
        label="Close gaps",
        help="Through openings in an outline up to twice as wide as this the paper is not followed "
        "inside. Higher saves a white drawing with a broken outline, and leaves more in corners.",
        minimum=0,
        maximum=64,
        unit="px",
        advanced=True,
    )
    enclosed: bool = param(
        False,
        label="Enclosed paper too",
        help="Also takes paper inside the drawing, as in the rings of scissors. White eyes and "
        "highlights then become transparent as well.",
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        source = Path(self.image).expanduser()
        report(Progress(0, 1, "cutting out"))
        cut = cut_out(
            open_image(source), tolerance=self.tolerance, gap=self.gap, enclosed=self.enclosed
        )
        report(Progress(1, 1, "cutting out"))
        path = files.new_path(out, f"{source.stem}-cut", ".png")
        metadata.write_png(path, cut, self, source=metadata.source_of(source))
        report(Saved(path))
