"""One image on its way: a pipeline is called, every step is seen, and bad numbers are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from engine.pipelines import LoadedPipeline
from engine.previews import LatentPreview
from engine.task import Preview, Progress, Report

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image


class Drawing:
    """One image on its way: calls the pipeline and reports every step."""

    def __init__(
        self,
        model: LoadedPipeline,
        arguments: Mapping[str, Any],
        report: Report,
        index: int = 0,
        count: int = 1,
    ) -> None:
        """`arguments` are the pipeline's own; this is image `index` of `count`."""
        self._pipe = model.pipe
        self._arguments = dict(arguments)
        self._report = report
        self._steps = int(arguments["num_inference_steps"])
        self._index = index
        self._count = count
        size = (arguments["width"], arguments["height"])
        self._preview = LatentPreview(model.pipe, model.folder.path, size)
        takes = model.call_parameters()
        if "callback_on_step_end" in takes:
            self._arguments["callback_on_step_end"] = self._on_step_end
        elif "callback" in takes:  # the older pipelines
            self._arguments["callback"] = self._after_step

    def draw(self, seed: int) -> Image.Image | None:
        """The finished image, or None where the model's own safety filter hid it."""
        import torch

        self._tell(0.0)
        generator = torch.Generator("cpu").manual_seed(seed)
        try:
            result = self._pipe(**self._arguments, generator=generator, output_type="np")
        except ValueError as error:  # how diffusers refuses settings it cannot combine
            raise EngineError(
                f"The model cannot draw with these settings: {error}",
                "Change the steps, the scheduler or the size.",
            ) from error
        finally:
            self._pipe.maybe_free_model_hooks()  # which the pipeline skips when it is stopped
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            return None
        return _to_image(result.images[0])

    def _on_step_end(
        self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        self._after_step(step, timestep, tensors["latents"])
        return tensors

    def _after_step(self, step: int, timestep: Any, latents: torch.Tensor) -> None:
        if not latents.isfinite().all():
            raise _not_a_number(f"at step {step + 1}")
        image = self._preview.image(latents, step)
        if image is not None:
            self._report(Preview(image, self._index))
        # Second-order schedulers take more steps than were asked for, and know how many.
        total = getattr(self._pipe, "num_timesteps", None) or self._steps
        self._tell((step + 1) / total)

    def _tell(self, done: float) -> None:
        """Report that this part of this image is done, in steps of the whole job."""
        verb = "drawing" if done < 1 else "finishing"
        which = f" {self._index + 1} of {self._count}" if self._count > 1 else ""
        step = self._index * self._steps + round(done * self._steps)
        self._report(Progress(step, self._count * self._steps, verb + which))


def _to_image(pixels: np.ndarray[Any, np.dtype[np.float32]]) -> Image.Image:
    """From H×W×3 in 0…1; a picture that came out as no numbers or all black is an error."""
    import numpy as np
    from PIL import Image

    if not np.isfinite(pixels).all():
        raise _not_a_number("when the finished latents were decoded")
    array = (pixels * 255).round().astype(np.uint8)
    if not array.any():
        raise EngineError(
            "The model drew only black.",
            "Its weights may be damaged or need more precision; try another seed or model.",
        )
    return Image.fromarray(array)


def _not_a_number(where: str) -> EngineError:
    return EngineError(
        f"The image stopped being numbers {where}.",
        "Try lower guidance, more steps or another scheduler; else the weights are damaged.",
    )
