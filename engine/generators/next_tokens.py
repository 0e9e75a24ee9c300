"""Tells what a language model would go on with at one place of a text, and how likely each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from engine import files, metadata
from engine.events import Candidate, Candidates, Report, Saved
from engine.generators.text_generation import TextGeneration
from engine.task import Task, param, same_param

COUNT = 200
"""Tokens that are looked at; what is less likely counts for nothing."""
TOLD = 40


@dataclass(frozen=True)
class NextTokens(Task):
    """The choice that a model has, before the penalties for repetition."""

    title: ClassVar[str] = "Next words"
    summary: ClassVar[str] = "Tells how likely each next word is to a language model."

    prompt: str = same_param(TextGeneration, "prompt")
    written: str = param(
        "",
        label="Written so far",
        help="What the model has written after the prompt, up to the place in question.",
        kind="text",
    )
    system_prompt: str = same_param(TextGeneration, "system_prompt")
    model: str = same_param(TextGeneration, "model")
    apply_chat_template: bool = same_param(TextGeneration, "apply_chat_template")
    do_sample: bool = same_param(TextGeneration, "do_sample")
    temperature: float = same_param(TextGeneration, "temperature")
    top_k: int = same_param(TextGeneration, "top_k")
    top_p: float = same_param(TextGeneration, "top_p")
    min_p: float = same_param(TextGeneration, "min_p")
    save: bool = param(
        True, label="Save", help="Writes NAME.json with the words and their probabilities."
    )

    def run(self, report: Report, out: Path) -> None:
        """Raises ModelError, InvalidTask (a text that is too long), OutOfMemory, FileError."""
        from engine.language import loading

        own = self.to_dict()
        asked = {name: own[name] for name in own if name not in ("written", "save")}
        writing = TextGeneration(**asked)
        model = loading.load(writing.find_model(), False, report)
        whole = writing.whole_prompt(model, report) + self.written
        found = model.next_tokens(whole.encode("utf-8", "replace").decode(), COUNT)
        chosen = self.chances([probability for _, probability in found])
        tokens = tuple(
            Candidate(text, probability, chance)
            for (text, probability), chance in list(zip(found, chosen, strict=True))[:TOLD]
        )
        report(Candidates(tokens))
        if self.save:
            self._save(tokens, report, out)

    def chances(self, probabilities: Sequence[float]) -> list[float]:
        """How likely each token is to be chosen, of probabilities from high to low, in the order
        of transformers: temperature, top k, top p, min p."""
        if not self.do_sample:
            return [float(place == 0) for place in range(len(probabilities))]
        warmed = _normal([p ** (1 / self.temperature) for p in probabilities])
        warmed = _normal([p * (not self.top_k or n < self.top_k) for n, p in enumerate(warmed)])
        before = [sum(warmed[:place]) for place in range(len(warmed))]
        warmed = _normal(
            [
                p * (b < self.top_p or n == 0)
                for n, (p, b) in enumerate(zip(warmed, before, strict=True))
            ]
        )
        least = self.min_p * max(warmed, default=0.0)
        return _normal([p * (p >= least) for p in warmed])

    def _save(self, tokens: Sequence[Candidate], report: Report, out: Path) -> None:
        files.make_folder(out)
        record: dict[str, Any] = {
            "task": self.name(),
            "fields": self.to_dict() | {"model": metadata.bare_name(self.model)},
            "tokens": [asdict(each) for each in tokens],
        }
        path = files.new_path(out, f"next-{files.timestamp()}", ".json")
        files.write_json(path, record)
        report(Saved(path))


def _normal(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights] if total else list(weights)
