"""What lies between the pictures of two prompts: their meanings mixed, and their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import library, loras
from engine.drawing import Drawing
from engine.drawing_task import DrawingTask
from engine.errors import EngineError
from engine.events import Report
from engine.interpolation import between
from engine.pipelines import LoadedPipeline, load_text_to_image
from engine.prompts.embedding import prompt_states

if TYPE_CHECKING:
    import torch
    from PIL import Image


class Transition:
    """From one drawing to another that differs in its words and its seed alone.

    Both are as they are drawn: styles and wildcards are words already. The states of the text go in
    a straight line, the noise along the sphere on which noise lies (Shoemake 1985; White 2016,
    arXiv:1609.04468). Schedulers that add noise on the way take it from the first seed.
    """

    def __init__(self, before: DrawingTask, after: DrawingTask, report: Report) -> None:
        """Raises InvalidTask for models whose prompts cannot be mixed."""
        import torch

        self._task, self._seeds = before, (before.seed, after.seed)
        self._model = load_text_to_image(library.find(before.model), report, before.memory_plan)
        loras.use(self._model, loras.parse(before.loras), report)
        self._model.use_scheduler(before.scheduler)
        self._arguments = before.arguments(self._model, **self._size())
        for words in ("prompt", "negative_prompt"):
            self._arguments.pop(words, None)
        with torch.no_grad():
            self._before, self._after = (
                prompt_states(self._model, task.prompt, task.negative_prompt)
                for task in (before, after)
            )

    def draw(self, part: float, report: Report) -> Image.Image:
        """`part` is how far it is from the one to the other, 0…1."""
        import torch

        states = {
            name: torch.lerp(self._before[name], self._after[name], part) for name in self._before
        }
        arguments = self._arguments | states
        if self._seeds[0] != self._seeds[1]:
            arguments["latents"] = self._noise(part, states["prompt_embeds"].dtype)
        steps = self._task.num_inference_steps
        drawing = Drawing(self._model, report, self._seeds[0], steps)
        image = drawing.call(arguments, (arguments["width"], arguments["height"]), steps)
        if image is None:
            raise EngineError(
                f"The safety filter of {self._model.name} hid a frame.", "Try another seed."
            )
        return image

    def _size(self) -> dict[str, int]:
        width, height = self._model.own_size()
        values: dict[str, Any] = self._task.to_dict()
        return {"width": values["width"] or width, "height": values["height"] or height}

    def _noise(self, part: float, dtype: torch.dtype) -> torch.Tensor:
        """As the pipeline would make it of either seed, where `part` is 0 or 1."""
        import torch

        size, square = self._size(), self._model.latent_square()
        shape = (1, _channels(self._model), size["height"] // square, size["width"] // square)
        before, after = (
            torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed), dtype=dtype)
            for seed in self._seeds
        )
        mixed = between(before.float(), after.float(), part).to(dtype)
        return mixed.to(self._model.pipe._execution_device)


def _channels(model: LoadedPipeline) -> int:
    denoiser = getattr(model.pipe, "unet", None) or model.pipe.transformer
    return int(denoiser.config.in_channels)
