"""Which class of diffusers draws from text, from a picture, or repaints, with a model's parts.

The classes of a family are named alike: FluxPipeline, FluxImg2ImgPipeline, FluxInpaintPipeline.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from engine.errors import InvalidTask, ModelError
from engine.gate.model_folder import Component, PipelineFolder

TEXT_TO_IMAGE, IMAGE_TO_IMAGE, INPAINT = "text_to_image", "image_to_image", "inpaint"

_ENDINGS = {
    TEXT_TO_IMAGE: "Pipeline",
    IMAGE_TO_IMAGE: "Img2ImgPipeline",
    INPAINT: "InpaintPipeline",
}
_NEEDS = {
    TEXT_TO_IMAGE: {"prompt", "num_images_per_prompt"},
    IMAGE_TO_IMAGE: {"prompt", "image", "strength"},
    INPAINT: {"prompt", "image", "mask_image", "strength"},
}
_CANNOT = {
    IMAGE_TO_IMAGE: "cannot start from a picture",
    INPAINT: "cannot repaint a part of a picture",
}

RENAMED = {"CLIPFeatureExtractor": "CLIPImageProcessor"}
"""Classes that old folders (Stable Diffusion 1) name and transformers 5 calls otherwise."""


def text_class(folder: PipelineFolder) -> Any:
    """The class that draws from text with these parts (a folder may name an inpainting one).

    Raises ModelError.
    """
    import diffusers

    named = getattr(diffusers, folder.class_name, None)
    if named is None:
        raise unknown_class(folder, folder.class_name)
    if _does(named, TEXT_TO_IMAGE):
        return named
    from diffusers.pipelines import auto_pipeline  # imports every pipeline there is, so only here

    for family in auto_pipeline.SUPPORTED_TASKS_MAPPINGS:
        for key, member in family.items():
            if member is named and key in auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING:
                return auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING[key]
    raise ModelError(
        f"{folder.path} is a {folder.class_name}, which does not draw from text.",
        "Choose a text-to-image model.",
    )


def class_name_for(kind: str, class_name: str) -> str:
    """The name of the class of this kind in the family of that class."""
    return re.sub("(Img2Img|Inpaint)?Pipeline$", "", class_name) + _ENDINGS[kind]


def pipeline_of_kind(kind: str, pipe: Any, model_name: str) -> Any:
    """A pipeline that does `kind` with the very parts of the text-to-image pipeline `pipe`.

    Nothing is loaded or copied. Raises InvalidTask where the family of the model has no such class.
    """
    import diffusers

    found = getattr(diffusers, class_name_for(kind, type(pipe).__name__), None)
    if found is None or not _does(found, kind):
        raise InvalidTask(
            "model",
            f"{model_name} {_CANNOT[kind]}: there is no such pipeline for its kind "
            f"({type(pipe).__name__.removesuffix('Pipeline')}).",
            "Choose another model, such as the embedded one.",
        )
    takes, options = found._get_signature_keys(found)
    parts = {name: part for name, part in pipe.components.items() if name in takes}
    settings = {name: pipe.config[name] for name in options if name in pipe.config}
    made = found(**parts, **settings)
    made.set_progress_bar_config(disable=True)
    return made


def check_channels(kind: str, pipe: Any, model_name: str) -> None:
    """Raise InvalidTask for a model that draws only where a mask is shown to it."""
    denoiser = getattr(pipe, "unet", None) or pipe.transformer
    latents = getattr(getattr(pipe, "vae", None), "config", {}).get("latent_channels", 0)
    seen = denoiser.config.in_channels
    if kind != INPAINT and latents and seen == 2 * latents + 1:
        raise InvalidTask(
            "model",
            f"{model_name} has only learned to repaint parts of pictures.",
            "Give it a picture and a mask (inpaint), or choose another model.",
        )


def _does(pipeline_class: Any, kind: str) -> bool:
    takes = inspect.signature(pipeline_class.__call__).parameters.keys()
    pictures = kind != TEXT_TO_IMAGE
    return _NEEDS[kind] <= takes and (pictures or "image" not in takes)


def component_class(folder: PipelineFolder, component: Component) -> Any:
    """The class of that name, if it is what the gate took it for; raises ModelError."""
    import diffusers
    import transformers

    if component.library == "stable_diffusion":
        from diffusers.pipelines import stable_diffusion as library
    else:
        library = diffusers if component.library == "diffusers" else transformers
    class_name = RENAMED.get(component.class_name, component.class_name)
    found = getattr(library, class_name, None)
    kinds = {
        "model": (diffusers.ModelMixin, transformers.PreTrainedModel),
        "scheduler": (diffusers.SchedulerMixin,),
        "tokenizer": (transformers.PreTrainedTokenizerBase,),
        "processor": (
            transformers.ImageProcessingMixin,
            transformers.FeatureExtractionMixin,
            transformers.ProcessorMixin,
        ),
    }
    if not isinstance(found, type) or not issubclass(found, kinds[component.kind]):
        raise unknown_class(folder, component.class_name)
    return found


def unknown_class(folder: PipelineFolder, class_name: str) -> ModelError:
    return ModelError(
        f"{folder.path} needs {class_name}, which the libraries here do not have.",
        "It was made for another version of diffusers or transformers; choose another model.",
    )
