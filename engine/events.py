"""What a run reports while it works: how far it is, what it has made, what it wants known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Progress:
    """How far a run is. `stage` says what it is doing now, in words a person understands."""

    step: int
    total: int | None
    stage: str = ""
    unit: str = ""
    """What is counted, where that is to be read otherwise: bytes."""


@dataclass(frozen=True)
class Preview:
    """A half-made image; `index` is its place in the batch."""

    image: Image.Image
    index: int = 0


@dataclass(frozen=True)
class FilmFrame:
    """A finished frame, small; `place` says where in the film it stands: 0 the first, 1 the last.

    They come in any order.
    """

    place: float
    image: Image.Image


@dataclass(frozen=True)
class Token:
    """Text that has just been generated."""

    text: str


@dataclass(frozen=True)
class Mended:
    """The whole text as it stands in the end, where that is not what its tokens made."""

    text: str


@dataclass(frozen=True)
class Metric:
    """Named numbers measured at a training step."""

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class SampleGrid:
    """A grid from fixed noise or a text from fixed prompts, already saved at `path`."""

    step: int
    path: Path


@dataclass(frozen=True)
class Saved:
    """A finished output file: an image, a text, a run folder, a checkpoint."""

    path: Path


@dataclass(frozen=True)
class Notice:
    """Something the person should know although the work goes on."""

    message: str


@dataclass(frozen=True)
class ContextUse:
    """How much of what a language model can read at once is taken, once a text is written."""

    tokens: int
    limit: int
    forgotten: int = 0
    """Messages from the beginning of a chat that the model was not shown any more."""


@dataclass(frozen=True)
class Candidate:
    """A token that a language model might go on with."""

    text: str
    probability: float
    """As the model has it."""
    chance: float
    """That it is chosen, by temperature and what is dropped; 0 where it is."""


@dataclass(frozen=True)
class Candidates:
    """The tokens a language model might go on with, the likeliest first."""

    tokens: tuple[Candidate, ...]


@dataclass(frozen=True)
class ComparedText:
    """What one of several models has written so far to one of several prompts, both from 0."""

    model: int
    prompt: int
    text: str


@dataclass(frozen=True)
class ComparedModel:
    """How one of several models did, once it has written everything."""

    model: int
    tokens_per_second: float
    perplexity: float | None = None
    bits_per_byte: float | None = None
    """Unlike perplexity it can be compared between models of different tokenizers."""


@dataclass(frozen=True)
class MemoryPlan:
    """A way to draw with a model, and the memory that it takes."""

    name: str
    """As the task calls it; two may be called alike, and differ in their size."""
    values: Mapping[str, str | int]
    """Fields of the task that make it so."""
    estimated: int
    """Bytes, from the files."""
    took: int = 0
    """Bytes that it took here the last time; 0 where it has not been tried."""
    lossless: bool = False
    """Whether the picture stays the same to the last bit."""

    @property
    def needs(self) -> int:
        return self.took or self.estimated


IMAGE_MODEL = "image model"
"""The kind of a model that draws."""


@dataclass(frozen=True)
class ModelFacts:
    """What a model is and needs, from its files; nothing of it has been loaded."""

    name: str
    kind: str
    """language model, image model, embedding model, LoRA or checkpoint (yet to be added)."""
    family: str
    """The architecture, as its files call it."""
    parameters: int
    on_disk: int
    """Bytes of its weights."""
    needs: int
    """Bytes of memory once it is loaded here."""
    free: int
    """Bytes of memory that were free when this was found out, where it would be loaded."""
    context_length: int = 0
    """Tokens that a language model reads at once; 0 where it does not say."""
    licence: str = ""
    trigger_words: tuple[str, ...] = ()
    """What a LoRA is called in prompts, as its maker says."""
    source: str = ""
    """The repository and the commit that it was fetched from."""
    becomes: str = ""
    """What it is turned into when it is added, where it cannot be used as it is."""
    plans: tuple[MemoryPlan, ...] = ()
    """Of an image model for the picture that was asked about: as it is, then those that take less;
    `needs` is then that of the plan that was asked about."""


@dataclass(frozen=True)
class ModelListed:
    """A model of this machine, with what it is, or why it cannot be used."""

    path: Path
    facts: ModelFacts | None
    problem: str = ""


@dataclass(frozen=True)
class HubFound:
    """A model of the Hugging Face Hub whose name has the words that were searched for."""

    repository: str
    licence: str
    gated: bool
    """Whether its licence must be accepted at its page first."""
    downloads: int
    purpose: str
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class HubModel:
    """What would be fetched of a model of the Hub, and whether there is room for it."""

    repository: str
    commit: str
    licence: str
    gated: bool
    kind: str
    """folder, gguf or lora."""
    name: str
    """Of the file or folder it becomes."""
    size: int
    """Bytes of all that is fetched."""
    kept: int
    """Bytes of it that are here already, from a fetch that was stopped."""
    free: int
    """Bytes that are free on the disk of the models."""
    here: bool
    """Whether this very commit is among the models."""
    choices: tuple[str, ...] = ()
    """The files of which one is the model, where there are several."""
    chosen: str = ""


Event = (
    Progress
    | Preview
    | FilmFrame
    | Token
    | Metric
    | SampleGrid
    | Saved
    | Notice
    | ContextUse
    | Candidates
    | Mended
    | ModelFacts
    | ModelListed
    | HubFound
    | HubModel
    | ComparedText
    | ComparedModel
)
Report = Callable[[Event], None]
"""`report(event)` tells the outside world; it raises Cancelled, once, when a stop was asked for."""
