"""A walk through what a GAN or a VAE can draw: between two seeds, and along directions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from PIL import Image

from engine import files, live_generator, metadata
from engine.events import Preview, Report, Saved
from engine.grid import image_grid
from engine.interpolation import between
from engine.live_generator import LiveGenerator
from engine.task import MAX_SEED, Task, param

if TYPE_CHECKING:
    import torch

DIRECTIONS = 4
FARTHEST = 4.0


def _direction(number: int) -> Any:
    return param(
        0.0,
        label=f"Direction {number}",
        help="How far to go along it, in either sense. Direction 1 changes the picture most; what "
        "each of them changes is up to what was learned.",
        minimum=-FARTHEST,
        maximum=FARTHEST,
    )


@dataclass(frozen=True)
class WalkLatents(Task):
    """One picture on the way. Position 0 is the picture of the first seed, as Draw has it."""

    title: ClassVar[str] = "Latent walk"
    summary: ClassVar[str] = "Draws what lies between the pictures of two seeds of a GAN or a VAE."

    run_folder: str = param(
        label="Training run",
        help="The folder of a run of a GAN or a VAE; it may still be going on.",
        kind="folder",
        required=True,
    )
    checkpoint: int = param(
        0,
        label="Checkpoint",
        help="The step of training whose weights draw. 0 takes the newest.",
        minimum=0,
        maximum=100_000_000,
        unit="step",
        zero="newest",
    )
    seed_from: int = param(
        1,
        label="From seed",
        help="The seed of the picture at the beginning of the way.",
        minimum=0,
        maximum=MAX_SEED,
    )
    seed_to: int = param(
        2,
        label="To seed",
        help="The seed of the picture at the end of the way.",
        minimum=0,
        maximum=MAX_SEED,
    )
    position: float = param(
        0.5,
        label="Position",
        help="Where on the way: 0 is the first picture, 1 the last.",
        minimum=0.0,
        maximum=1.0,
    )
    direction_1: float = _direction(1)
    direction_2: float = _direction(2)
    direction_3: float = _direction(3)
    direction_4: float = _direction(4)
    save: bool = param(
        True,
        label="Save",
        help="Write the picture as a file; without it, it is only shown.",
        advanced=True,
    )

    def run(self, report: Report, out: Path) -> None:
        generator = live_generator.load(Path(self.run_folder).expanduser(), self.checkpoint)
        image = self._draw(generator)
        report(Preview(image))
        if self.save:
            files.make_folder(out)
            stem = f"{files.timestamp()}-walk-{self.seed_from}-{self.seed_to}"
            path = files.new_path(out, stem, ".png")
            told = dataclasses.replace(self, checkpoint=generator.step)
            metadata.write_png(path, image, told)
            report(Saved(path))

    def _draw(self, generator: LiveGenerator) -> Image.Image:
        import torch

        from engine.models.gan import to_pixels

        with torch.inference_mode():
            pixels = to_pixels(generator.draw(self._noise(generator)))
        return image_grid(pixels, gap=0)

    def _noise(self, generator: LiveGenerator) -> torch.Tensor:
        import torch

        start, end = (
            torch.randn(1, generator.latent_dim, generator=torch.Generator().manual_seed(seed))
            for seed in (self.seed_from, self.seed_to)
        )
        noise = between(start, end, self.position)
        for number in range(min(DIRECTIONS, generator.latent_dim)):
            noise = noise + getattr(self, f"direction_{number + 1}") * generator.directions[number]
        return noise
