"""The lines of a program that make what a text-to-image training begins with."""

from __future__ import annotations

from engine import library
from engine.errors import EngineError
from engine.run_programs.picture_program import base_folder
from engine.run_programs.recorded import RecordedRun
from engine.runs import RunFolder
from engine.trainers.first_model import MAX_TOKENS
from engine.trainers.train_text_to_image import TrainTextToImage

_FROM_RUN = """\
autoencoder = build(AutoencoderConfig({shape}))
autoencoder.load_state_dict(load_file({weights!r}))
autoencoder = autoencoder.eval().to(DEVICE)
"""
_FROM_FOLDER = """\
autoencoder = AutoencoderTiny.from_pretrained(
    {folder!r}, local_files_only=True, use_safetensors=True
)
autoencoder = autoencoder.float().eval().to(DEVICE)
"""
_UNLEARNED = """\
config = FlowConfig(
    latent_size=latents.shape[-1],
    latent_channels=latents.shape[1],
    vocab_size={vocab_size},
    width={width},
    text_width={text_width},
    num_layers={num_layers},
    text_layers={text_layers},
    max_tokens={max_tokens},
)
tokenizer = train_tokenizer(lessons.texts(), {vocab_size}, {max_tokens})
model = FlowTransformer(config).to(DEVICE)
"""
_KNOWN = """\
transformer = SD3Transformer2DModel.from_pretrained(
    {folder!r}, subfolder="transformer", local_files_only=True, use_safetensors=True
).float()
text_encoder = CLIPTextModelWithProjection.from_pretrained(
    {folder!r}, subfolder="text_encoder", local_files_only=True, use_safetensors=True
).float()
tokenizer = CLIPTokenizer.from_pretrained({folder!r}, subfolder="tokenizer", local_files_only=True)
config = _config_of(transformer, text_encoder)
model = FlowTransformer(config)
model.transformer.load_state_dict(_narrowed(transformer.state_dict()))
model.text_encoder.load_state_dict(text_encoder.state_dict())
model = model.to(DEVICE)
"""


def autoencoder_lines(run: RecordedRun, task: TrainTextToImage) -> str:
    """Lines that make the `autoencoder`; raises EngineError where it is gone.

    The run that it came from may have gone on since: the run itself has kept it as it was.
    """
    path = library.find(task.base_model or task.autoencoder)
    if not (path / "run.json").is_file():
        return _FROM_FOLDER.format(folder=str(path / "vae"))
    kept = RunFolder(run.folder).checkpoints()
    told = RunFolder(path).description().get("model")
    shape = [told.get(name) for name in ("latent_channels", "width")] if told else []
    if not kept or not shape or not all(type(number) is int for number in shape):
        raise EngineError(
            f"The autoencoder of {run.name} is not there any more.",
            "Choose a run that has a checkpoint.",
        )
    weights = kept[-1][1] / "autoencoder.safetensors"
    return _FROM_RUN.format(shape=", ".join(map(str, shape)), weights=str(weights))


def model_lines(task: TrainTextToImage) -> str:
    """Lines that make `model`, its `config` and its `tokenizer`; raises EngineError."""
    if task.base_model:
        return _KNOWN.format(folder=str(base_folder(task.base_model)))
    return _UNLEARNED.format(
        vocab_size=task.vocab_size,
        width=task.width,
        text_width=task.text_width,
        num_layers=task.num_layers,
        text_layers=task.text_layers,
        max_tokens=MAX_TOKENS,
    )
