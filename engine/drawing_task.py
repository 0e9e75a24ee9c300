"""What the tasks that draw have in common: the fields, one seed an image, notices, records."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from engine import (
    device,
    files,
    library,
    loras,
    measured_memory,
    metadata,
    second_try,
    trained_models,
)
from engine.drawing import Drawing
from engine.errors import EngineError, InvalidTask, OutOfMemory, is_out_of_memory
from engine.events import Notice, Report, Saved
from engine.libraries import importing
from engine.loras import lora_param
from engine.memory_plans import plan_param
from engine.pipeline_kinds import INPAINT, TEXT_TO_IMAGE
from engine.pipelines import LoadedPipeline, is_alone, load_text_to_image
from engine.prompts.embedding import prompt_arguments, prompt_notices
from engine.prompts.evaluation import evaluated, style_param
from engine.schedulers import DEFAULT_SCHEDULER, SCHEDULERS
from engine.task import MAX_SEED, Field, Task, param, seed_param

if TYPE_CHECKING:
    from PIL import Image

FIRST = ("prompt", "negative_prompt", "style", "model", "loras")


def strength_param(default: float) -> Any:
    """How much of the picture is drawn over, for tasks that begin with one."""
    return param(
        default,
        label="Strength",
        help="How far the image goes from the picture: little keeps shapes and colours, 1 draws "
        "something new. Only this part of the steps is run.",
        minimum=0.01,
        maximum=1,
    )


@dataclass(frozen=True)
class Drawn:
    """A finished image, the task that draws it alone, and what its file is to say."""

    task: DrawingTask
    image: Image.Image
    record: metadata.TaskRecord


@dataclass(frozen=True)
class Plan:
    """What is the same for every image of a task."""

    draw: Callable[[Drawing], Image.Image | None]
    """The finished image; None where the model's own safety filter hid it."""
    steps: int
    """Of one image, in all calls of the pipeline."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """What the record must say besides the fields, for the same image."""
    source: metadata.TaskRecord | None = None
    """How the picture was made that the image is made from."""


@dataclass(frozen=True)
class DrawingTask(Task):
    """Images of one prompt, drawn one after the other, each from a seed of its own.

    Not in one batch: a batched product differs from a single one in the last bits, which the
    steps amplify. So image i is bit for bit the single image of seed + i, memory holds one image
    at a time, and what is finished is saved when the rest is cancelled.
    """

    kind: ClassVar[str] = TEXT_TO_IMAGE
    """Of the pipeline."""

    prompt: str = param(label="Prompt", help="What to draw.", kind="prompt", required=True)
    negative_prompt: str = param(
        "",
        label="Negative prompt",
        help="What to keep out of the image; it needs a guidance above 1.",
        kind="text",
    )
    style: str = style_param()
    model: str = param(
        library.EMBEDDED_IMAGE_MODEL,
        label="Model",
        help="Which model draws: one of those here, or the path of a diffusers folder.",
        choices=library.image_models,
        editable=True,
        kind="model",
        required=True,
    )
    loras: str = lora_param()
    num_inference_steps: int = param(
        20,
        label="Steps",
        help="More steps give cleaner images up to a point, and take longer. With the embedded "
        "model 10 are drawn 1.9 times as fast as 20 and look the same (PSNR 43 dB), 6 are drawn "
        "2.8 times as fast and differ a little (34 dB).",
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
    memory_plan: str = plan_param()
    seed: int = seed_param()
    num_images_per_prompt: int = param(
        1,
        label="Images",
        help="How many images to draw; each has a seed of its own, counted up from the first.",
        minimum=1,
        maximum=64,
    )

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        """What to draw and with which model, then what only this task has, then the rest."""
        shared = {field.name for field in dataclasses.fields(DrawingTask)}
        every = super().fields()
        first = [field for field in every if field.name in FIRST]
        own = [field for field in every if field.name not in shared]
        return (*first, *own, *(f for f in every if f.name in shared and f.name not in FIRST))

    def __post_init__(self) -> None:
        super().__post_init__()
        loras.parse(self.loras)

    @abstractmethod
    def plan(self, model: LoadedPipeline) -> Plan:
        """How each image is drawn; raises InvalidTask and FileError for what cannot be.

        `model` is the pipeline of this task's kind.
        """

    def run(self, report: Report, out: Path) -> None:
        files.make_folder(out)
        stem = files.timestamp()
        for drawn in self.draw(report):
            path = files.new_path(out, f"{stem}-{drawn.task.seed}", ".png")
            metadata.write_picture(path, drawn.image, drawn.record)
            report(Saved(path))

    def draw(self, report: Report) -> Iterator[Drawn]:
        """The images one after the other, finished but not saved."""
        pinned = dataclasses.replace(
            self, model=trained_models.pinned(self.model), loras=loras.pinned(self.loras)
        )
        yield from second_try.drawn(pinned, report)

    def draw_once(self, report: Report, made_with: Mapping[str, str]) -> Iterator[Drawn]:
        """Them without a second try; raises OutOfMemory. `made_with` is said of each."""
        path = library.find(self.model)
        try:
            with importing():
                target = device.best_device()
            with measured_memory.Watch(target) as watch:
                loaded = load_text_to_image(path, report, self.memory_plan)
                said = {**made_with, **loras.use(loaded, loras.parse(self.loras), report)}
                for drawn in self._draw_all(loaded.of_kind(self.kind), said, report):
                    if self.kind != INPAINT:  # which draws a part, at a size of its own
                        self._remember(loaded, drawn.image.size, watch)
                    yield drawn
        except (MemoryError, RuntimeError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemory(
                f"{path.name} needs more memory than there is to draw this image.",
                "Choose a smaller size or model, or close other programs.",
            ) from error

    def _remember(
        self, model: LoadedPipeline, size: tuple[int, int], watch: measured_memory.Watch
    ) -> None:
        """What it took, where nothing else was in memory that came or went in between."""
        if is_alone(model.folder, self.memory_plan):
            target = device.best_device()
            key = measured_memory.key_of(model.folder.fingerprint, self.memory_plan, size, target)
            measured_memory.remember(key, watch.most - model.held_before)

    def _draw_all(
        self, model: LoadedPipeline, said: Mapping[str, str], report: Report
    ) -> Iterator[Drawn]:
        model.use_scheduler(self.scheduler)
        made_with = {**model.made_with(), **said}
        hidden = 0
        for index, (alone, written, plan) in enumerate(self._planned(model, report)):
            record = metadata.record_of(  # before the work: it may be too long
                alone,
                model_hash=model.weights_hash,
                made_with={**made_with, **plan.made_with},
                source=plan.source,
                written=written,
            )
            drawing = Drawing(
                model, report, alone.seed, plan.steps, index, self.num_images_per_prompt
            )
            image = plan.draw(drawing)
            if image is None:
                hidden += 1
                report(Notice(f"The model's safety filter hid image {index + 1}."))
                continue
            yield Drawn(alone, image, record)
        if hidden == self.num_images_per_prompt:
            raise EngineError(
                f"The safety filter of {model.name} hid every image.",
                "Try another prompt, another seed or another model.",
            )

    def _planned(
        self, model: LoadedPipeline, report: Report
    ) -> Iterator[tuple[Self, Mapping[str, metadata.Value], Plan]]:
        """For each image the task as it is drawn, what was written otherwise, and its plan."""
        before: tuple[str, str] | None = None
        for alone in self.alone():
            whole, written = evaluated(alone)
            prompts = whole.prompt, whole.negative_prompt
            if prompts != before:  # wildcards give each image its own
                plan, before = whole.plan(model), prompts
                for message in whole._notices(model):
                    report(Notice(message))
            yield whole, written, plan

    def alone(self) -> Iterator[Self]:
        """The tasks that draw each of these images by itself."""
        for index in range(self.num_images_per_prompt):
            seed = (self.seed + index) % (MAX_SEED + 1)
            yield dataclasses.replace(self, seed=seed, num_images_per_prompt=1)

    def arguments(self, model: LoadedPipeline, **of_task: Any) -> dict[str, Any]:
        """What this pipeline is called with; the names are diffusers' own."""
        wanted = {
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "use_resolution_binning": False,  # the size asked for, not one near it cropped
            **of_task,
        }
        prompts = prompt_arguments(model, self.prompt, self.negative_prompt)
        taken = {name: wanted[name] for name in wanted if name in model.call_parameters()}
        return prompts | taken | model.text_length()

    def steps_run(self, model: LoadedPipeline, strength: float) -> int:
        """How many of the steps are run at this strength; raises InvalidTask where it is none."""
        steps = model.steps_run(self.num_inference_steps, strength)
        if steps < 1:
            raise InvalidTask(
                "strength",
                f"At strength {strength:g} none of {self.num_inference_steps} steps is left.",
                f"Raise it to {1 / self.num_inference_steps:.3g} or more, or take more steps.",
            )
        return steps

    def _notices(self, model: LoadedPipeline) -> Iterator[str]:
        """What the model will leave out of what was asked for."""
        if self.negative_prompt:
            if not model.takes_negative_prompt():
                yield f"{model.name} takes no negative prompt; it was left out."
            elif self.guidance_scale <= 1:
                yield "The negative prompt has no effect without guidance (above 1)."
        yield from prompt_notices(model, self.prompt, self.negative_prompt)
