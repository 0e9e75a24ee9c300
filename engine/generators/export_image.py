"""Saves a picture in the format another program wants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine import files, metadata
from engine.events import Progress, Report, Saved
from engine.gate.images import open_image
from engine.picture_files import FORMATS, SUFFIXES
from engine.picture_settings import says_by_model
from engine.task import Task, param


@dataclass(frozen=True)
class ExportImage(Task):
    """A copy as PNG, WebP or JPEG; what is transparent stays so, but in a JPEG it becomes white."""

    title: ClassVar[str] = "Export a picture"
    summary: ClassVar[str] = "Saves a picture as PNG, WebP or JPEG."

    image: str = param(
        label="Picture",
        help="The picture to export: PNG, JPEG or WebP.",
        kind="file",
        required=True,
    )
    file_format: str = param(
        "PNG",
        label="Format",
        help="PNG is read everywhere and loses nothing; WebP makes files a fraction as large and "
        "is what messengers want stickers in. JPEG is read everywhere too, loses a little, and "
        "makes white of what is transparent.",
        choices=FORMATS,
    )
    lossless: bool = param(
        True,
        label="Lossless",
        help="WebP that keeps every pixel as it is. Without it the file is smaller still and the "
        "quality below decides how much is lost. PNG is always lossless, JPEG never.",
    )
    quality: int = param(
        90,
        label="Quality",
        help="WebP and JPEG: lower makes smaller files with more blur; of a lossless WebP, higher "
        "only takes longer to find a smaller file.",
        minimum=1,
        maximum=100,
    )
    keep_settings: bool = param(
        True,
        label="Keep its settings inside",
        help="The file still tells the prompt and everything else it was drawn with. Without it "
        "only the mark remains that a model made it, where one did.",
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        path = files.new_path(out, Path(self.image).stem, SUFFIXES[self.file_format])
        report(Progress(0, 1, "exporting"))
        report(Saved(self.write(path)))

    def write(self, path: Path) -> Path:
        """Export to this path, with the ending of the format; raises FileError."""
        source = Path(self.image).expanduser()
        target = named_for(path, self.file_format)
        metadata.write_picture(
            target,
            open_image(source),
            metadata.source_of(source) if self.keep_settings else None,
            quality=self.quality,
            lossless=self.lossless,
            by_model=says_by_model(source),
        )
        return target


def named_for(path: Path, file_format: str) -> Path:
    """`path` with the ending of the format."""
    suffix = SUFFIXES[file_format]
    endings = (suffix, ".jpeg") if suffix == ".jpg" else (suffix,)
    return path if path.suffix.lower() in endings else path.with_name(path.name + suffix)
