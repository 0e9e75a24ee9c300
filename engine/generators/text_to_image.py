"""Draws images from a prompt with any local diffusers pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from engine.drawing_task import DrawingTask, Plan
from engine.pipelines import LoadedPipeline
from engine.sizes import check_multiples, size_param

OWN_SIZE_HELP = "Automatic (0) is the size the model learned with, at which it draws best."


@dataclass(frozen=True)
class TextToImage(DrawingTask):
    """Images from words alone."""

    title: ClassVar[str] = "Text to image"
    summary: ClassVar[str] = "Draws images from a prompt."

    width: int = size_param("Width", f"Width of the image. {OWN_SIZE_HELP}")
    height: int = size_param("Height", f"Height of the image. {OWN_SIZE_HELP}")

    def plan(self, model: LoadedPipeline) -> Plan:
        check_multiples(model, self.width, self.height)
        own_width, own_height = model.own_size()
        size = self.width or own_width, self.height or own_height
        steps = self.num_inference_steps
        arguments = self.arguments(model, width=size[0], height=size[1])
        return Plan(lambda drawing: drawing.call(arguments, size, steps), steps)
