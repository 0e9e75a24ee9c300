"""One image on its way: a pipeline is called, every step is seen, and bad numbers are errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError
from engine.events import Preview, Progress, Report
from engine.pipelines import LoadedPipeline
from engine.previews import LatentPreview

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image


class Drawing:
    """One image on its way: calls the pipeline, once or more often, and reports every step."""

    def __init__(
        self,
        model: LoadedPipeline,
        report: Report,
        seed: int,
        steps: int,
        index: int = 0,
        count: int = 1,
    ) -> None:
        """`steps` are those of all calls together; this is image `index` of `count`."""
        import torch

        self._model = model
        self._report = report
        self._generator = torch.Generator("cpu").manual_seed(seed)
        self._steps = steps
        self._done = 0
        self._index = index
        self._count = count

    def call(
        self,
        arguments: Mapping[str, Any],
        size: tuple[int, int],
        steps: int,
        shown: Callable[[Image.Image], Image.Image] | None = None,
    ) -> Image.Image | None:
        """The finished picture of `size`, or None where the model's own safety filter hid it.

        `arguments` are the pipeline's own, of which `steps` will be run; `shown` makes of a
        half-made picture the one to be seen. All calls draw from one stream of random numbers.
        """
        preview = LatentPreview(self._model.pipe, self._model.folder.path, size)
        call = _Call(
            self._model,
            steps,
            self._told(steps),
            lambda latents, step: self._show(preview.image(latents, step), shown),
        )
        image = call.draw(arguments, self._generator)
        self._done += steps
        return image

    def _show(
        self, image: Image.Image | None, shown: Callable[[Image.Image], Image.Image] | None
    ) -> None:
        if image is not None:
            self._report(Preview(shown(image) if shown else image, self._index))

    def _told(self, steps: int) -> Callable[[float], None]:
        """What reports how much of a call is done, in steps of the whole job."""
        which = f" {self._index + 1} of {self._count}" if self._count > 1 else ""
        before = self._index * self._steps + self._done

        def tell(part: float) -> None:
            last = part >= 1 and self._done + steps >= self._steps
            stage = ("finishing" if last else "drawing") + which
            step = before + round(part * steps)
            self._report(Progress(step, self._count * self._steps, stage))

        return tell


class _Call:
    """One call of a pipeline."""

    def __init__(
        self,
        model: LoadedPipeline,
        steps: int,
        tell: Callable[[float], None],
        show: Callable[[torch.Tensor, int], None],
    ) -> None:
        """`tell` hears which part of `steps` is done, `show` sees the latents after each."""
        self._model = model
        self._steps = steps
        self._tell = tell
        self._show = show

    def draw(self, arguments: Mapping[str, Any], generator: torch.Generator) -> Image.Image | None:
        self._tell(0.0)
        pipe = self._model.pipe
        try:
            result = pipe(**arguments, **self._callback(), generator=generator, output_type="np")
        except ValueError as error:  # how diffusers refuses settings it cannot combine
            raise EngineError(
                f"The model cannot draw with these settings: {error}",
                "Change the steps, the scheduler or the size.",
            ) from error
        finally:
            pipe.maybe_free_model_hooks()  # which the pipeline skips when it is stopped
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            return None
        given = arguments.get("image")
        return _to_image(result.images[0], black=given is not None and given.getbbox() is None)

    def _callback(self) -> dict[str, Any]:
        takes = self._model.call_parameters()
        if "callback_on_step_end" in takes:
            return {"callback_on_step_end": self._on_step_end}
        if "callback" in takes:  # the older pipelines
            return {"callback": self._after_step}
        return {}

    def _on_step_end(
        self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        self._after_step(step, timestep, tensors["latents"])
        if step + 1 == self._total() and (shift := self._model.missing_shift()):
            tensors["latents"] = tensors["latents"] + shift
        return tensors

    def _after_step(self, step: int, timestep: Any, latents: torch.Tensor) -> None:
        if not latents.float().sum().isfinite():  # quicker than to look at each
            raise _not_a_number(f"at step {step + 1}")
        self._show(latents, step)
        self._tell((step + 1) / self._total())

    def _total(self) -> int:
        """Second-order schedulers take more steps than were asked for, and know how many."""
        return getattr(self._model.pipe, "num_timesteps", None) or self._steps


def _to_image(pixels: np.ndarray[Any, np.dtype[np.float32]], *, black: bool) -> Image.Image:
    """From H×W×3 in 0…1; a picture that came out as no numbers is an error.

    So is one all black, unless it may be `black`.
    """
    import numpy as np
    from PIL import Image

    if not np.isfinite(pixels).all():
        raise _not_a_number("when the finished latents were decoded")
    array = (pixels * 255).round().astype(np.uint8)
    if not array.any() and not black:
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
