"""A film in which the picture of one prompt becomes that of the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine import files, film_files, loras, metadata, picture_files, trained_models
from engine.drawing_task import Drawn
from engine.errors import Cancelled, InvalidTask
from engine.events import FilmFrame, Progress, Report, Saved
from engine.film_files import MP4, SUFFIXES, WEBM, Film
from engine.frame_places import BlendedFrames, FrameShelf, fill
from engine.generators.text_to_image import TextToImage
from engine.morphing import Transition
from engine.part_of_work import of_many
from engine.task import MAX_SEED, Task, param, same_param, with_default

MOST_PROMPTS = 24
MOST_FRAMES = 1200
SHOWN = (256, 256)
"""The largest that a frame is shown on the way."""
WORDS = ("negative_prompt", "style", "model", "loras")
STEPS = ("num_inference_steps", "guidance_scale", "scheduler")
SHARED = (*WORDS, *STEPS, "width", "height", "memory_plan")
"""Fields of the drawings that are the same for all of them."""


@dataclass(frozen=True)
class Morph(Task):
    """Each prompt's picture is the one that Text to image draws, and is kept as a picture too."""

    title: ClassVar[str] = "Morph between prompts"
    summary: ClassVar[str] = "Makes a film in which the picture of a prompt becomes the next one's."

    prompts: str = param(
        label="Prompts",
        help="Two or more, one on each line: the pictures that the film goes through.",
        kind="text",
        required=True,
    )
    negative_prompt: str = same_param(TextToImage, "negative_prompt")
    style: str = same_param(TextToImage, "style")
    model: str = same_param(TextToImage, "model")
    loras: str = same_param(TextToImage, "loras")
    seconds: float = param(
        3.0,
        label="Each change",
        help="How long the film takes from one prompt to the next.",
        minimum=0.2,
        maximum=60,
        unit="seconds",
    )
    back: bool = param(
        True,
        label="Back to the first",
        help="The last picture becomes the first again, so that the film has no end.",
    )
    fps: int = param(
        12,
        label="Frames a second",
        help="How smooth the film is.",
        minimum=1,
        maximum=60,
    )
    blended: int = param(
        1,
        label="Blended between",
        help="Between two frames that are drawn, so many are mixed of both: quick, and a little "
        "softer. 0 draws every frame.",
        minimum=0,
        maximum=7,
    )
    own_seeds: bool = param(
        False,
        label="A seed for each",
        help="Each prompt draws from a seed of its own, counted up: more changes. Otherwise all "
        "draw from the same, and what they have in common stays in its place.",
    )
    file_format: str = param(
        WEBM,
        label="Format",
        help="WebM (VP9) and MP4 play in video players and are small, but need the library av; "
        "GIF plays everywhere; WebP keeps more colours than GIF.",
        choices=(WEBM, MP4, *(name for name in SUFFIXES if name not in (WEBM, MP4))),
    )
    width: int = same_param(TextToImage, "width")
    height: int = same_param(TextToImage, "height")
    num_inference_steps: int = with_default(TextToImage, "num_inference_steps", 12)
    guidance_scale: float = same_param(TextToImage, "guidance_scale")
    scheduler: str = same_param(TextToImage, "scheduler")
    memory_plan: str = same_param(TextToImage, "memory_plan")
    seed: int = same_param(TextToImage, "seed")

    def __post_init__(self) -> None:
        super().__post_init__()
        count = len(self.asked())
        if not 2 <= count <= MOST_PROMPTS:
            raise InvalidTask(
                "prompts",
                f"There {'is one prompt' if count == 1 else f'are {count} prompts'}.",
                f"Write two to {MOST_PROMPTS}, one on each line.",
            )
        if (frames := self.count()) > MOST_FRAMES:
            raise InvalidTask(
                "seconds",
                f"The film would need {frames:,} drawings, more than {MOST_FRAMES:,}.",
                "Make it shorter, blend more frames, or show fewer a second.",
            )
        loras.parse(self.loras)

    def asked(self) -> list[str]:
        return [line.strip() for line in self.prompts.splitlines() if line.strip()]

    def between(self) -> int:
        """How many frames are drawn between two prompts."""
        return max(0, round(self.seconds * self.fps / (self.blended + 1)) - 1)

    def count(self) -> int:
        """How many pictures are drawn for the whole film."""
        prompts = len(self.asked())
        return prompts + (prompts - 1 + self.back) * self.between()

    def run(self, report: Report, out: Path) -> None:
        """Raises what Text to image does. What is there is kept as a film when it is stopped."""
        files.make_folder(out)
        film_files.check(self.file_format)
        pinned = dataclasses.replace(
            self, model=trained_models.pinned(self.model), loras=loras.pinned(self.loras)
        )
        pinned._make(report, out, f"{files.timestamp()}-morph")

    def _make(self, report: Report, out: Path, stem: str) -> None:
        shelf = FrameShelf()
        keys: list[Drawn] = []
        try:
            for key in self._keys(report):
                keys.append(key)
                path = files.new_path(out, f"{stem}-{len(keys)}", ".png")
                metadata.write_picture(path, key.image, key.record)
                report(Saved(path))
                self._put(shelf, float(len(keys) - 1), key.image, report)
            self._fill(shelf, keys, report)
        except Cancelled:
            if len(shelf) > 1:
                self._save(shelf, keys, report, out, stem)
            raise
        self._save(shelf, keys, report, out, stem)

    def _keys(self, report: Report) -> Iterator[Drawn]:
        """The picture of each prompt, as Text to image draws it."""
        for number, task in enumerate(self._drawings()):
            yield from task.draw(of_many(report, number, self.count(), "frame"))

    def _drawings(self) -> Iterator[TextToImage]:
        shared = {name: getattr(self, name) for name in SHARED}
        for number, prompt in enumerate(self.asked()):
            seed = (self.seed + number * self.own_seeds) % (MAX_SEED + 1)
            yield TextToImage(prompt=prompt, seed=seed, **shared)

    def _fill(self, shelf: FrameShelf, keys: list[Drawn], report: Report) -> None:
        if self.back:
            self._put(shelf, float(len(keys)), keys[0].image, report)
        ring = [*keys, keys[0]] if self.back else keys
        for start, (before, after) in enumerate(pairwise(ring)):
            transition = Transition(before.task, after.task, report)

            def draw(place: float, start: int = start, way: Transition = transition) -> Image.Image:
                number = len(shelf) - self.back
                return way.draw(place - start, of_many(report, number, self.count(), "frame"))

            for place, image in fill(shelf, float(start), self.between(), draw):
                self._show(place, image, report)

    def _put(self, shelf: FrameShelf, place: float, image: Image.Image, report: Report) -> None:
        shelf.put(place, image)
        self._show(place, image, report)

    def _show(self, place: float, image: Image.Image, report: Report) -> None:
        small = image.copy()
        small.thumbnail(SHOWN)
        report(FilmFrame(place / (len(self.asked()) - 1 + self.back), small))

    def _save(
        self, shelf: FrameShelf, keys: list[Drawn], report: Report, out: Path, stem: str
    ) -> None:
        frames = BlendedFrames(shelf, self.blended)
        # A film without an end would show its first frame twice.
        count = len(frames) - (1 if self.back and shelf.places[-1] == len(keys) else 0)

        def frame(number: int) -> Image.Image:
            report(Progress(number, count, "making the film"))
            return frames.frame(number)

        told = keys[0].record
        record = metadata.record_of(self, model_hash=told.model_hash, made_with=told.made_with)
        xmp = picture_files.xmp_packet(
            f"Atelier {metadata.version()}", {picture_files.KEYWORD: metadata.record_text(record)}
        )
        film = Film(count, frame, self.fps, self.back, xmp, 1 / self.fps if self.back else 1.0)
        path = files.new_path(out, stem, SUFFIXES[self.file_format])
        files.write_bytes(path, film_files.encode(self.file_format, film))
        report(Saved(path))
