"""Generate in Create: what it means now, what it reads, what comes back and where it belongs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QRect, QTimer, Signal
from PySide6.QtGui import QImage

from engine import folders, inputs
from engine.errors import EngineError, FileError
from engine.metadata import TaskRecord, read_task
from engine.task import Task
from engine.worker import Job
from studio import images
from studio.background import Background
from studio.canvas.document import Document
from studio.canvas.selection import Selection
from studio.drawing import Drawing
from studio.image_reader import read_picture
from studio.requests import Meaning, Scene, task_values
from studio.scenes import Origins, marked, mask_picture, scene_of
from studio.staging import Place, Result, Staging

SETTLE = 150
"""Milliseconds after the last change of the picture until it is looked at again."""

Tasks = Mapping[Meaning, type[Task]]
Files = dict[str, Path] | EngineError


@dataclass(frozen=True)
class _Sent:
    """Where what a job makes belongs."""

    document: Document
    place: Place


class Generating(QObject):
    """From the canvas to the engine and back to the staging; a person may paint all the while."""

    meaning_changed = Signal()
    arrived = Signal(object, str)  # the Path of a result, and its prompt
    remembered = Signal(object)  # the TaskRecord of a result
    refused = Signal(object)  # EngineError: nothing was sent

    def __init__(
        self, tasks: Tasks, staging: Staging, drawing: Drawing, origins: Origins, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._staging = staging
        self._drawing = drawing
        self._origins = origins
        self._sent: dict[int, _Sent] = {}
        self._places: dict[int, Place] = {}  # of those that have ended too: they may be retried
        self.results: dict[Path, Result] = {}
        """What has come back in this session, and where it belongs."""
        self._quiet: set[int] = set()
        self._reading: set[int] = set()
        self._background = Background(self)
        self._scene = Scene(self.document.rect)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE)
        self._timer.timeout.connect(self.look)
        self.strength = 1.0
        document = self.document
        for signal in (document.changed, document.layers_changed, document.selection_changed):
            signal.connect(self._timer.start)
        staging.changed.connect(self._timer.start)
        drawing.previewed.connect(self._preview)
        drawing.saved.connect(self._read_result)
        drawing.ended.connect(self._end)

    @property
    def document(self) -> Document:
        return self._staging.document

    @property
    def meaning(self) -> Meaning:
        """What Generate does to what is on the canvas now."""
        return self._scene.meaning(self.strength)

    @property
    def has_picture(self) -> bool:
        return not self._scene.picture.isEmpty()

    def look(self) -> None:
        """See what is there; a result over an empty canvas is what the next one goes on from."""
        self._timer.stop()
        shown = self._staging.image
        if self.document.is_empty and self._staging.path and not shown.isNull():
            self._scene = Scene(shown.rect(), shown.rect())
        else:
            self._scene = scene_of(self.document)
        self.meaning_changed.emit()

    def set_strength(self, strength: float) -> None:
        self.strength = strength
        self.meaning_changed.emit()

    # ------------------------------------------------------------------ sending

    def settle(self) -> None:
        """A result over an empty canvas becomes its first layer, once it is worked on."""
        if self.document.is_empty and self._staging.path:
            self._staging.accept()
            self.look()

    def generate(self, form: Mapping[str, Any]) -> None:
        """Ask for what Generate means now; raises InvalidTask for what the form says."""
        self.look()
        meaning = self.meaning
        draws = self._tasks[meaning]
        if meaning is Meaning.CREATE:
            values = task_values(draws, meaning, self._scene, form, self.strength, {})
            self._send(draws.from_dict(values), Place())
            return
        self.settle()
        scene, strength = self._scene, self.strength
        names = ["image", *(["mask"] if meaning is Meaning.FILL else [])]
        pending = {name: Path("pending") for name in names}
        task = draws.from_dict(task_values(draws, meaning, scene, form, strength, pending))
        selection = marked(self.document) if meaning is Meaning.FILL else None
        place = Place(scene.target(meaning), selection, self.document.frame)
        self._with_inputs(
            scene.source(meaning),
            selection,
            lambda files: self._send(dataclasses.replace(task, **_texts(files)), place),
        )

    def work(self, task: type[Task], values: Mapping[str, Any], path: Path | None = None) -> None:
        """Hand the picture at `path`, or what is on the canvas, to a task that makes another."""
        if path is None:
            self.with_picture(lambda path: self.work(task, values, path))
        else:
            self._send(task.from_dict({**values, "image": str(path)}), Place())

    def known_path(self) -> Path | None:
        """The file of what is on the canvas, unless it has been worked on since."""
        return self._staging.path or self._origins.path_of(self.document)

    def with_picture(self, then: Callable[[Path], None]) -> None:
        """Call `then` with a file of what is on the canvas."""
        known = self.known_path()
        if known is not None:
            then(known)
        else:
            self._with_inputs(self.document.rect, None, lambda files: then(files["image"]))

    def again(self, job: Job) -> None:
        """Send the same once more."""
        self._send(job.task, self._places.get(job.id, Place()))

    def _with_inputs(
        self, rect: QRect, selection: Selection | None, then: Callable[[dict[str, Path]], None]
    ) -> None:
        """Write what is in `rect` off the GUI thread, then go on."""
        picture = self.document.composite(rect)
        whole = rect == self.document.rect
        origin = self._origins.path_of(self.document) if whole else None
        mask = mask_picture(selection, rect) if selection else None

        def go_on(files: Files) -> None:
            if isinstance(files, EngineError):
                self.refused.emit(files)
            else:
                then(files)

        self._background.run(lambda: _write_inputs(picture, origin, mask), go_on)

    def _send(self, task: Task, place: Place) -> None:
        job = self._drawing.start(task, folders.outputs())
        self._sent[job.id] = _Sent(self.document, place)
        self._places[job.id] = place

    # ------------------------------------------------------------------ what comes back

    def forget_places(self) -> None:
        """Another picture is on the canvas: what belonged to a part of the last has no place."""
        self._sent = {id: sent for id, sent in self._sent.items() if not sent.place.rect}
        self.results.clear()

    def hide_previews(self) -> None:
        """What is half made is not shown any more: the person paints where it would be."""
        self._quiet |= set(self._sent)
        self._staging.hide_preview()

    def _preview(self, job: Job, image: QImage) -> None:
        sent = self._sent.get(job.id)
        if sent and sent.document is self.document and job.id not in self._quiet:
            self._staging.show_preview(_as_large_as_asked(image, job.task), sent.place)

    def _read_result(self, job: Job, path: Path) -> None:
        prompt = str(job.task.to_dict().get("prompt", ""))
        self.arrived.emit(path, prompt)
        sent = self._sent.get(job.id)
        if sent is None:
            return
        self._quiet.discard(job.id)
        self._reading.add(job.id)

        def show(read: tuple[Path, QImage | FileError, TaskRecord | None]) -> None:
            _, image, record = read
            self._reading.discard(job.id)
            if record is not None:
                self.remembered.emit(record)
            if isinstance(image, FileError):
                self.refused.emit(image)
            elif sent.document is self.document:
                name = prompt or job.task.title
                self.results[path] = Result(path, sent.place, record, name)
                self._staging.offer(self.results[path], image)

        self._background.run(lambda: _read_all(path), show)

    def _end(self, job: Job) -> None:
        """A half-made picture gives way to the result that is on its way, or to the last one."""
        self._sent.pop(job.id, None)
        self._quiet.discard(job.id)
        if job.id not in self._reading:
            self._staging.hide_preview()


def _texts(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: str(path) for name, path in files.items()}


def _write_inputs(picture: QImage, origin: Path | None, mask: QImage | None) -> Files:
    try:
        kept = inputs.keep_file(origin) if origin else inputs.keep_picture(images.to_pil(picture))
        if mask is None:
            return {"image": kept}
        return {"image": kept, "mask": inputs.keep_picture(images.to_pil(mask).convert("L"))}
    except EngineError as error:
        return error


def _read_all(path: Path) -> tuple[Path, QImage | FileError, TaskRecord | None]:
    return *read_picture(path), record_in_file(path)


def record_in_file(path: Path) -> TaskRecord | None:
    """How the picture was made; None also for what cannot be read: it can still be shown."""
    try:
        return read_task(path)
    except FileError:
        return None


def _as_large_as_asked(preview: QImage, task: Task) -> QImage:
    """The half-made picture in the size of the finished one, where the task says it."""
    asked = task.to_dict()
    width, height = int(asked.get("width", 0)), int(asked.get("height", 0))
    return images.resized(preview, width or preview.width(), height or preview.height())
