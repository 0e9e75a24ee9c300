"""Frames as the bytes of a GIF, an animated WebP, an MP4 or a WebM, and what the file tells of
itself.

A frame is made when its turn comes, so that a long film never has to fit into memory as pictures.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from PIL import Image

from engine.errors import EngineError

if TYPE_CHECKING:
    import av

GIF, WEBP, MP4, WEBM = "GIF", "WebP", "MP4", "WebM"
SUFFIXES = {GIF: ".gif", WEBP: ".webp", MP4: ".mp4", WEBM: ".webm"}
HOLD = 1.5  # seconds for which the last frame stands
ENCODERS = {MP4: ("libx264", "libopenh264", "mpeg4"), WEBM: ("libvpx-vp9", "libvpx")}
"""The first that the library has; that of MPEG-4 is always there, and larger for the same quality.

VP9 and VP8 are free of royalties; of H.264 that is not so everywhere.
"""
QUALITY = {
    "libx264": {"crf": "18", "preset": "medium"},
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
}
"""What keeps the frames as they are to the eye; other encoders get so many bits instead."""
BIT_RATE = 4_000_000

XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""The name of the box in which an MP4 keeps XMP (ISO 16684-3)."""
XMP_BLOCK = b"\x21\xff\x0bXMP DataXMP"
XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
"""What ends the XMP in a GIF for readers that know nothing of it (ISO 16684-3)."""


@dataclass(frozen=True)
class Film:
    """How many frames there are and how they are shown; `xmp` is what the file says of itself."""

    count: int
    frame: Callable[[int], Image.Image]
    fps: int
    loop: bool
    xmp: str
    last_stands: float = HOLD
    """Seconds."""

    @property
    def hold(self) -> int:
        """For how many frames the last one stands."""
        return 1 + round(self.last_stands * self.fps)


def check(file_format: str) -> None:
    """Raises EngineError where the library that this format needs is not there."""
    if file_format in ENCODERS and find_spec("av") is None:
        raise EngineError(
            f"{file_format} needs the library av, which is not installed.",
            "Install it with: pip install 'atelier[video]'. Or choose GIF or WebP.",
        )


def encode(file_format: str, film: Film) -> bytes:
    """The whole file; raises EngineError where `check` does."""
    check(file_format)
    if file_format == MP4:
        return _mp4(film)
    if file_format == WEBM:
        return _video(WEBM, film)
    return _webp(film) if file_format == WEBP else _gif(film)


class _Reel(Image.Image):
    """The film as Pillow knows an animation: a picture that becomes another with `seek`."""

    def __init__(self, film: Film) -> None:
        super().__init__()
        self._film = film
        self._place = -1
        self.n_frames = film.count
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        if frame != self._place:
            shown = self._film.frame(frame)
            self.im, self._mode, self._size = shown.im, shown.mode, shown.size
            self._place = frame

    def tell(self) -> int:
        return self._place

    def durations(self, shortest: int, unit: int) -> list[int]:
        """Milliseconds of each frame, in whole units."""
        usual = max(shortest, round(1000 / self._film.fps / unit) * unit)
        return [usual] * (self.n_frames - 1) + [usual * self._film.hold]


def _gif(film: Film) -> bytes:
    stream = io.BytesIO()
    reel = _Reel(film)
    again: dict[str, Any] = {"loop": 0} if film.loop else {}
    # It counts in hundredths of a second, and viewers slow down what is shorter than two.
    reel.save(stream, "GIF", save_all=True, duration=reel.durations(20, 10), **again)
    data = stream.getvalue()
    colors = 3 * 2 ** ((data[10] & 7) + 1) if data[10] & 0x80 else 0
    place = 13 + colors  # after the header and its palette
    return data[:place] + XMP_BLOCK + film.xmp.encode() + XMP_TRAILER + data[place:]


def _webp(film: Film) -> bytes:
    stream = io.BytesIO()
    reel = _Reel(film)
    reel.save(
        stream,
        "WEBP",
        save_all=True,
        duration=reel.durations(1, 1),
        loop=0 if film.loop else 1,
        quality=90,
        method=4,
        xmp=film.xmp.encode(),
    )
    return stream.getvalue()


def _mp4(film: Film) -> bytes:
    box = XMP_BOX + film.xmp.encode()
    return _video(MP4, film) + struct.pack(">I", 8 + len(box)) + b"uuid" + box


def _video(file_format: str, film: Film) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=file_format.lower()) as container:
        if file_format == WEBM:
            container.metadata["XMP"] = film.xmp
        stream = _stream(container, file_format, film)
        for number in [*range(film.count), *[film.count - 1] * (film.hold - 1)]:
            for packet in stream.encode(av.VideoFrame.from_image(_even(film.frame(number)))):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return file.getvalue()


def _stream(container: Any, file_format: str, film: Film) -> av.VideoStream:
    """What every player can show; it takes even sizes only."""
    import av

    encoder = next(name for name in ENCODERS[file_format] if name in av.codecs_available)
    stream = container.add_stream(encoder, rate=film.fps)
    stream.width, stream.height = _even(film.frame(0)).size
    stream.pix_fmt = "yuv420p"
    if encoder in QUALITY:
        stream.options = QUALITY[encoder]
    else:
        stream.bit_rate = BIT_RATE
    return stream


def _even(frame: Image.Image) -> Image.Image:
    width, height = (length + length % 2 for length in frame.size)
    if (width, height) == frame.size:
        return frame
    larger = Image.new("RGB", (width, height))
    larger.paste(frame)
    return larger
