"""Writes a training run as event files, so that TensorBoard can open it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from engine import event_files, files
from engine.errors import FileError
from engine.events import Notice, Progress, Report, Saved
from engine.gate.images import read_size
from engine.runs import MetricLine, MetricsTail, RunFolder
from engine.task import Task, param
from engine.timelapse import chosen

STAGE = "writing the events"


@dataclass(frozen=True)
class ExportTensorboard(Task):
    """The curves by their names, the sample grids as images, what run.json says as text."""

    title: ClassVar[str] = "Export for TensorBoard"
    summary: ClassVar[str] = "Writes the curves and samples of a run as TensorBoard reads them."

    run_folder: str = param(
        label="Training run",
        help="The folder of the run to export; it may still be going on.",
        kind="folder",
        required=True,
    )
    max_images: int = param(
        100,
        label="Most images",
        help="How many sample grids to put in, evenly over the run; 0 leaves them out. TensorBoard "
        "shows ten of them unless it is told to show more.",
        minimum=0,
        maximum=10_000,
    )

    def run(self, report: Report, out: Path) -> None:
        run = RunFolder(Path(self.run_folder).expanduser())
        description = run.description()
        lines, _ = MetricsTail(run).read()
        began = lines[0].time if lines else run.path.stat().st_mtime
        events = [
            (began, event_files.version_event(began)),
            (began, event_files.text_event(began, 0, "run", _as_markdown(description))),
            *_curves(lines),
            *self._images(run, began, report),
        ]
        folder = out / run.path.resolve().name
        files.make_folder(folder)
        # The name tells TensorBoard when it began. Once more, the same file is replaced.
        path = folder / f"events.out.tfevents.{int(began)}.atelier"
        files.write_stream(path, lambda stream: _write(stream, events, report))
        report(Progress(len(events), len(events), STAGE))
        report(Saved(path))

    def _images(
        self, run: RunFolder, began: float, report: Report
    ) -> Iterator[tuple[float, bytes]]:
        samples = [(step, path) for step, path in run.samples() if path.suffix == ".png"]
        left_out = 0
        for step, path in chosen(samples, self.max_images) if self.max_images else ():
            try:
                read_size(path)
                png, time = path.read_bytes(), path.stat().st_mtime
                yield time, event_files.image_event(time, step, "samples", png)
            except (FileError, OSError):
                left_out += 1
        if left_out:
            report(Notice(f"{left_out} sample grids cannot be read and were left out."))


def _curves(lines: list[MetricLine]) -> Iterator[tuple[float, bytes]]:
    for line in lines:
        values = {name: value for name, value in line.values.items() if math.isfinite(value)}
        if values:
            yield line.time, event_files.scalars_event(line.time, line.step, values)
        if line.event:
            yield line.time, event_files.text_event(line.time, line.step, "events", line.event)


def _as_markdown(description: dict[str, object]) -> str:
    text = json.dumps(description, indent=2, ensure_ascii=False)
    return "\n".join(f"    {line}" for line in text.splitlines())


def _write(stream: BinaryIO, events: list[tuple[float, bytes]], report: Report) -> None:
    for number, (_, event) in enumerate(events):
        report(Progress(number, len(events), STAGE))
        stream.write(event_files.record(event))
