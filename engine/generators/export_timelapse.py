"""Makes a film of a training run: its sample grids one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine import files, film_files, metadata, picture_files
from engine.errors import DatasetError
from engine.events import Notice, Progress, Report, Saved
from engine.film_files import GIF, SUFFIXES, Film
from engine.runs import RunFolder
from engine.task import Task, param
from engine.timelapse import Frames, chosen

NAMED = 3  # pictures that a notice lists
LONGEST = 2000  # frames


@dataclass(frozen=True)
class ExportTimelapse(Task):
    """GIF plays everywhere, WebP is smaller and finer, MP4 the smallest for a long run."""

    title: ClassVar[str] = "Export a timelapse"
    summary: ClassVar[str] = "Makes a GIF, WebP or MP4 of how the samples of a run came to be."

    run_folder: str = param(
        label="Training run",
        help="The folder of the run whose sample grids become the film; it may still be going on.",
        kind="folder",
        required=True,
    )
    file_format: str = param(
        GIF,
        label="Format",
        help="GIF plays everywhere; WebP keeps more colours in a smaller file; MP4 is smallest and "
        "plays in every video player, but needs the library av.",
        choices=tuple(SUFFIXES),
    )
    fps: int = param(
        12,
        label="Frames a second",
        help="How fast the run goes by. More frames a second make a shorter film.",
        minimum=1,
        maximum=50,
    )
    max_frames: int = param(
        240,
        label="Most frames",
        help="A longer run is thinned out evenly to so many frames; the first and the last stay.",
        minimum=2,
        maximum=LONGEST,
    )
    loop: bool = param(
        True,
        label="Begin again",
        help="Whether GIF and WebP begin again at their end, without end. An MP4 leaves it to the "
        "player.",
    )
    show_step: bool = param(
        True,
        label="Name the steps",
        help="A line under each frame says at which step of the training it was drawn.",
    )
    scale: int = param(
        2,
        label="Enlarge",
        help="How many pixels wide each pixel of a sample becomes; samples of 28 pixels are small.",
        minimum=1,
        maximum=8,
        unit="×",
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        film_files.check(self.file_format)
        run = RunFolder(Path(self.run_folder).expanduser())
        frames = self._frames(run)
        data = film_files.encode(self.file_format, self._film(frames, report))
        stem = f"{run.path.resolve().name}-timelapse"
        path = files.new_path(out, stem, SUFFIXES[self.file_format])
        files.write_bytes(path, data)
        report(Progress(len(frames), len(frames), "making the film"))
        _tell(frames.left_out, report)
        report(Saved(path))

    def _frames(self, run: RunFolder) -> Frames:
        run.description()  # raises where there is no run
        samples = [(step, path) for step, path in run.samples() if path.suffix == ".png"]
        frames = Frames(chosen(samples, self.max_frames), self.scale, self.show_step)
        if len(frames) == 0:
            raise DatasetError(
                f"There are no sample grids in {run.path}{' that can be read' if samples else ''}.",
                "Let it train until the first samples are there.",
            )
        return frames

    def _film(self, frames: Frames, report: Report) -> Film:
        def frame(number: int) -> Image.Image:
            report(Progress(number, len(frames), "making the film"))
            return frames.frame(number)

        program = f"Atelier {metadata.version()}"
        texts = {picture_files.KEYWORD: metadata.record_text(metadata.record_of(self))}
        xmp = picture_files.xmp_packet(program, texts)
        return Film(len(frames), frame, self.fps, self.loop, xmp)


def _tell(left_out: list[str], report: Report) -> None:
    if left_out:
        more = f" And {len(left_out) - NAMED} more." if len(left_out) > NAMED else ""
        report(Notice(f"Left out: {' '.join(left_out[:NAMED])}{more}"))
