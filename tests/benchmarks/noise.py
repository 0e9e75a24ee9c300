"""How much nearer remove_noise brings noisy pictures to the clean ones: PSNR in dB, by level.

    python tests/benchmarks/noise.py PICTURE...

Clean pictures, the larger the slower. To each is added grain (Gaussian, deviation 10 and 25 of 255
levels) or the traces of a JPEG (quality 30); the last column is what the network does to a picture
that has no noise. Higher is nearer; +3 dB is half the error.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.events import Event, Saved
from engine.gate.images import open_image
from engine.generators.remove_noise import LEVELS, RemoveNoise

Pixels = NDArray[np.uint8]


def grain(deviation: float) -> Callable[[Pixels], Image.Image]:
    def add(pixels: Pixels) -> Image.Image:
        noise = np.random.default_rng(0).normal(0, deviation, pixels.shape)
        return Image.fromarray((pixels + noise).round().clip(0, 255).astype(np.uint8))

    return add


def jpeg(pixels: Pixels) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=30)
    return Image.open(stream).convert("RGB")


NOISES = {"grain 10": grain(10), "grain 25": grain(25), "JPEG 30": jpeg, "none": Image.fromarray}


def psnr(image: Image.Image, clean: Pixels) -> float:
    error = float(((np.asarray(image).astype(float) - clean) ** 2).mean())
    return 10 * np.log10(255**2 / error) if error else float("inf")


def cleaned(noisy: Image.Image, level: str) -> Image.Image:
    with tempfile.TemporaryDirectory() as name:
        noisy.save(Path(name) / "noisy.png")
        events: list[Event] = []
        task = RemoveNoise(image=str(Path(name) / "noisy.png"), level=level)
        task.run(events.append, Path(name))
        return open_image(next(event.path for event in events if isinstance(event, Saved)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path)
    pictures = [np.asarray(open_image(p).convert("RGB")) for p in parser.parse_args().pictures]
    print("| level | " + " | ".join(NOISES) + " |")
    for level in ("", *LEVELS):
        row = []
        for add in NOISES.values():
            noisy = [(clean, add(clean)) for clean in pictures]
            made = [psnr(cleaned(n, level) if level else n, clean) for clean, n in noisy]
            row.append(f"{statistics.mean(made):.1f}")
        print(f"| {level or 'as it is'} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
