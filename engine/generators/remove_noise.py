"""Removes noise: grain of a camera, the blocks and ripples of a JPEG. waifu2x, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from PIL import Image

from engine import cache, files, folders, metadata
from engine.events import Progress, Report, Saved
from engine.gate.images import open_image
from engine.picture_networks.ncnn_network import NcnnNetwork, load_ncnn
from engine.picture_networks.tiling import colors_only, run_tiled
from engine.picture_networks.transparency import with_hidden_colors, with_opacity_of
from engine.task import Task, param

LEVELS = ("light", "medium", "strong")
"""Each a network of its own."""


@dataclass(frozen=True)
class RemoveNoise(Task):
    """The same picture without its noise, as a PNG beside it; it stays as it is."""

    title: ClassVar[str] = "Remove noise"
    summary: ClassVar[str] = "Takes grain and the traces of compression out of a picture."

    image: str = param(
        label="Picture",
        help="The picture to clean: PNG, JPEG or WebP. Its size and what is transparent stay.",
        kind="file",
        required=True,
    )
    level: str = param(
        "medium",
        label="Noise",
        help="How much of it there is. Light takes away the blocks and ripples of a JPEG and "
        "leaves the rest alone; medium takes fine grain too and keeps skin, fur and leaves; strong "
        "takes coarse grain, makes flat colours flat, and paints fine texture over.",
        choices=LEVELS,
    )
    strength: float = param(
        100.0,
        label="Strength",
        help="How much of the cleaned picture is mixed into the noisy one; less leaves a little "
        "grain, which can look more natural.",
        minimum=0.0,
        maximum=100.0,
        unit="%",
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        source = Path(self.image).expanduser()
        image = open_image(source)
        report(Progress(0, None, "loading the network"))
        network = self._network()
        cleaned = self._cleaned(image, network, report)
        path = files.new_path(out, f"{source.stem}-clean", ".png")
        metadata.write_png(
            path,
            cleaned,
            self,
            model_hash=network.weights_hash,
            made_with=network.made_with() | {"network": f"{network.name} {self.level}"},
            source=metadata.source_of(source),
        )
        report(Saved(path))

    def _network(self) -> NcnnNetwork:
        folder = folders.RESOURCES / "models" / "waifu2x"
        return cache.loaded(("noise", self.level), lambda: load_ncnn(folder, self.level))

    def _cleaned(self, image: Image.Image, network: NcnnNetwork, report: Report) -> Image.Image:
        """At the network's scale, which is 2, then as small again: its mean has less noise."""
        noisy = with_hidden_colors(image)[..., :3]
        clean = run_tiled(network, noisy, report, "removing noise", scale=1, through=colors_only)
        mixed = Image.blend(Image.fromarray(noisy), Image.fromarray(clean), self.strength / 100)
        return with_opacity_of(image, mixed)
