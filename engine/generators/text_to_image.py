"""Draws images from a prompt with any local diffusers pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine import files, library, metadata
from engine.drawing import Drawing
from engine.errors import EngineError, InvalidTask, OutOfMemory
from engine.pipelines import LoadedPipeline, load_text_to_image
from engine.schedulers import DEFAULT_SCHEDULER, SCHEDULERS
from engine.task import MAX_SEED, Notice, Report, Saved, Task, param, seed_param

if TYPE_CHECKING:
    from PIL import Image

MAXIMUM_SIZE = 4096
OWN_SIZE_HELP = "Automatic (0) is the size the model learned with, at which it draws best."


@dataclass(frozen=True)
class Drawn:
    """A finished image, the task that draws it alone, and what its file is to say."""

    task: TextToImage
    image: Image.Image
    record: metadata.TaskRecord


@dataclass(frozen=True)
class TextToImage(Task):
    """Images of one prompt, drawn one after the other, each from a seed of its own.

    Not in one batch: a batched product differs from a single one in the last bits, which the
    steps amplify. So image i is bit for bit the single image of seed + i, memory holds one image
    at a time, and what is finished is saved when the rest is cancelled.
    """

    title: ClassVar[str] = "Text to image"
    summary: ClassVar[str] = "Draws images from a prompt."

    prompt: str = param(label="Prompt", help="What to draw.", kind="prompt", required=True)
    negative_prompt: str = param(
        "",
        label="Negative prompt",
        help="What to keep out of the image; it needs a guidance above 1.",
        kind="text",
    )
    model: str = param(
        library.EMBEDDED_IMAGE_MODEL,
        label="Model",
        help="Which model draws: one of those here, or the path of a diffusers folder.",
        choices=library.image_models,
        editable=True,
        kind="model",
        required=True,
    )
    width: int = param(
        0,
        label="Width",
        help=f"Width of the image. {OWN_SIZE_HELP}",
        minimum=0,
        maximum=MAXIMUM_SIZE,
        multiple_of=8,
        unit="px",
        zero="automatic",
    )
    height: int = param(
        0,
        label="Height",
        help=f"Height of the image. {OWN_SIZE_HELP}",
        minimum=0,
        maximum=MAXIMUM_SIZE,
        multiple_of=8,
        unit="px",
        zero="automatic",
    )
    num_inference_steps: int = param(
        20,
        label="Steps",
        help="More steps give cleaner images up to a point, and take longer.",
        minimum=1,
        maximum=150,
    )
    guidance_scale: float = param(
        3.0,
        label="Guidance",
        help="Higher follows the prompt more closely, lower leaves more freedom; 1 is off. "
        "3 suits the embedded stickers, 5 to 8 most larger models.",
        minimum=0,
        maximum=30,
    )
    scheduler: str = param(
        DEFAULT_SCHEDULER,
        label="Scheduler",
        help="The rule by which noise becomes an image (others call it sampler).",
        choices=SCHEDULERS,
        advanced=True,
    )
    seed: int = seed_param()
    num_images_per_prompt: int = param(
        1,
        label="Images",
        help="How many images to draw; each has a seed of its own, counted up from the first.",
        minimum=1,
        maximum=64,
    )

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        stem = files.timestamp()
        for drawn in self.draw(report):
            path = files.new_path(out, f"{stem}-{drawn.task.seed}", ".png")
            metadata.write_picture(path, drawn.image, drawn.record)
            report(Saved(path))

    def draw(self, report: Report) -> Iterator[Drawn]:
        """The images one after the other, finished but not saved."""
        path = library.find(self.model)
        try:
            yield from self._draw_all(load_text_to_image(path, report), report)
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            raise OutOfMemory(
                f"{path.name} needs more memory than there is to draw this image.",
                "Choose a smaller size or model, or close other programs.",
            ) from error

    def _draw_all(self, model: LoadedPipeline, report: Report) -> Iterator[Drawn]:
        model.use_scheduler(self.scheduler)
        arguments = self._arguments(model)
        for message in _notices(self, model):
            report(Notice(message))
        hidden = 0
        for index, alone in enumerate(self.alone()):
            drawing = Drawing(model, arguments, report, index, self.num_images_per_prompt)
            image = drawing.draw(alone.seed)
            if image is None:
                hidden += 1
                report(Notice(f"The model's safety filter hid image {index + 1}."))
                continue
            record = metadata.record_of(
                alone, model_hash=model.weights_hash, made_with=model.made_with()
            )
            yield Drawn(alone, image, record)
        if hidden == self.num_images_per_prompt:
            raise EngineError(
                f"The safety filter of {model.name} hid every image.",
                "Try another prompt, another seed or another model.",
            )

    def alone(self) -> Iterator[TextToImage]:
        """The tasks that draw each of these images by itself."""
        for index in range(self.num_images_per_prompt):
            seed = (self.seed + index) % (MAX_SEED + 1)
            yield dataclasses.replace(self, seed=seed, num_images_per_prompt=1)

    def _arguments(self, model: LoadedPipeline) -> dict[str, Any]:
        """What this pipeline is called with; the names are diffusers' own."""
        width, height = _size(self, model)
        wanted = {
            "prompt": self.prompt,
            "width": width,
            "height": height,
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "use_resolution_binning": False,  # the size asked for, not one near it cropped
        }
        if self.negative_prompt:  # pipelines differ in what stands for none
            wanted["negative_prompt"] = self.negative_prompt
        taken = {name: wanted[name] for name in wanted if name in model.call_parameters()}
        return taken | model.text_length()


def _size(task: TextToImage, model: LoadedPipeline) -> tuple[int, int]:
    """Width and height in pixels; raises InvalidTask for what the pipeline cannot draw."""
    own_width, own_height = model.own_size()
    multiple = model.size_multiple()
    for name in ("width", "height"):
        value = getattr(task, name)
        if value % multiple:
            below = value // multiple * multiple
            raise InvalidTask(
                name,
                f"{name.capitalize()} is {value}, but this model draws multiples of {multiple}.",
                f"Choose {below or multiple}, {below + multiple}, or 0 for the model's own size.",
            )
    return task.width or own_width, task.height or own_height


def _notices(task: TextToImage, model: LoadedPipeline) -> Iterator[str]:
    """What the model will leave out of what was asked for."""
    if task.negative_prompt:
        if not model.takes_negative_prompt():
            yield f"{model.name} takes no negative prompt; it was left out."
        elif task.guidance_scale <= 1:
            yield "The negative prompt has no effect without guidance (above 1)."
    for field, text in (("prompt", task.prompt), ("negative prompt", task.negative_prompt)):
        cut = model.unread_part(text)
        if cut:
            yield f"The {field} is longer than {model.name} can read. It did not see: “{cut}”"


def _is_out_of_memory(error: Exception) -> bool:
    """torch's allocators: a class of its own for a GPU, only a text for the CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in str(error)
    )
