"""The sample grids of a run as frames of a film: chosen evenly, enlarged, named by their step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from engine.errors import FileError
from engine.gate.images import open_image, read_size

Samples = Sequence[tuple[int, Path]]

TEXT_SIZE = 14  # pixels, at the least
PAPER, INK = (24, 25, 29), (231, 232, 236)


def chosen(samples: Samples, most: int) -> list[tuple[int, Path]]:
    """At most so many, evenly over the run; the first and the last are always among them."""
    if len(samples) <= most:
        return list(samples)
    if most == 1:
        return [samples[-1]]
    last = len(samples) - 1
    return [samples[round(place * last / (most - 1))] for place in range(most)]


class Frames:
    """The frames by number, each read when it is asked for; all have the size of the first.

    Pictures that cannot be used are left out and named in `left_out`. One that turns out to be
    damaged only when it is read shows the picture before it once more.
    """

    def __init__(self, samples: Samples, scale: int, show_step: bool) -> None:
        self.left_out: list[str] = []
        self._scale = scale
        self._show_step = show_step
        self._samples = list(self._usable(samples))
        self._last: Image.Image | None = None

    def __len__(self) -> int:
        return len(self._samples)

    def frame(self, number: int) -> Image.Image:
        step, path = self._samples[number]
        try:
            picture = open_image(path).convert("RGB")
        except FileError as error:
            self.left_out.append(error.message)
            if self._last is None:
                raise
            picture = self._last
        self._last = picture
        return self._framed(picture, step)

    def _usable(self, samples: Samples) -> Iterator[tuple[int, Path]]:
        first: tuple[int, int] | None = None
        for step, path in samples:
            try:
                size = read_size(path)
            except FileError as error:
                self.left_out.append(error.message)
                continue
            first = first or size
            if size == first:
                yield step, path
            else:
                self.left_out.append(f"{path} has {size[0]}×{size[1]} pixels.")

    def _framed(self, image: Image.Image, step: int) -> Image.Image:
        large = image.resize(
            (image.width * self._scale, image.height * self._scale), Image.Resampling.NEAREST
        )
        if not self._show_step:
            return large
        text_size = max(TEXT_SIZE, large.width // 36)
        bar = 2 * text_size
        framed = Image.new("RGB", (large.width, large.height + bar), PAPER)
        framed.paste(large)
        ImageDraw.Draw(framed).text(
            (large.width / 2, large.height + bar / 2),
            f"Step {step:,}",
            INK,
            ImageFont.load_default(text_size),
            anchor="mm",
        )
        return framed
