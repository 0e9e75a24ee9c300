"""What a weight does to a tiny real model, what wildcards draw, and how tokens are counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from engine import library, metadata
from engine.errors import EngineError
from engine.events import Event, Notice, Saved
from engine.generators.text_to_image import TextToImage
from engine.picture_settings import settings_in
from engine.pipelines import LoadedPipeline, load_text_to_image
from engine.prompts.embedding import can_weigh, prompt_arguments, prompt_notices, token_weights
from engine.prompts.length import load_counter
from engine.prompts.weights import parse

NAMES = ("stable_diffusion", "stable_diffusion_3")


@pytest.fixture(scope="module")
def folders_of(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    room = tmp_path_factory.mktemp("pipelines")
    names = (*NAMES, "flux")
    return {name: getattr(tiny_models, f"save_{name}")(room / name) for name in names}


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest, folders_of: dict[str, Path]) -> LoadedPipeline:
    return load_text_to_image(folders_of[request.param], lambda event: None)


def embeds(model: LoadedPipeline, prompt: str, negative: str = "") -> dict[str, torch.Tensor]:
    return prompt_arguments(model, prompt, negative)


def read(model: LoadedPipeline, prompt: str) -> torch.Tensor:
    """What the pipeline itself makes of a prompt without weights."""
    nothing_but_a_weight_elsewhere = embeds(model, prompt, "(z:2)")
    return nothing_but_a_weight_elsewhere["prompt_embeds"]


def run(task: TextToImage, out: Path) -> list[Event]:
    events: list[Event] = []
    task.run(events.append, out)
    return events


def paths(events: list[Event]) -> list[Path]:
    return [event.path for event in events if isinstance(event, Saved)]


def said(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, Notice))


def test_without_a_weight_the_pipeline_is_called_as_ever(model: LoadedPipeline) -> None:
    assert embeds(model, "a red cat", "bad") == {"prompt": "a red cat", "negative_prompt": "bad"}
    assert embeds(model, "a red cat") == {"prompt": "a red cat"}
    assert embeds(model, r"a \(red\) (cat:1.0)", "") == {"prompt": "a (red) cat"}


def test_a_weight_moves_the_states_of_its_words_and_of_no_other(model: LoadedPipeline) -> None:
    plain = read(model, "a red cat")
    empty = read(model, "")
    heavy = embeds(model, "a (red:1.5) cat")["prompt_embeds"]
    # start, a, r e d, c a t: a token a letter
    changed = (heavy - plain).abs().sum((0, 2)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [2, 3, 4]
    plain, empty, heavy = (states[:, 2:5].float() for states in (plain, empty, heavy))
    # bfloat16 has three digits where the processor has it.
    torch.testing.assert_close(heavy - empty, 1.5 * (plain - empty), atol=0.02, rtol=0.05)
    light = embeds(model, "a (red:0) cat")["prompt_embeds"]
    torch.testing.assert_close(light[:, 2:5].float(), empty)


def test_the_negative_prompt_is_weighed_by_itself(model: LoadedPipeline) -> None:
    both = embeds(model, "a cat", "(bad:1.5)")
    plain = embeds(model, "a (cat:1.5)", "bad")
    assert torch.equal(both["prompt_embeds"], read(model, "a cat"))
    assert not torch.equal(both["negative_prompt_embeds"], plain["negative_prompt_embeds"])


def test_weights_stand_by_their_tokens_to_the_end_of_the_window(model: LoadedPipeline) -> None:
    weights = token_weights(model, parse(r"\(a\) (bb:2)" + " c" * 100))
    assert len(weights) == 77
    assert weights[:8].count(2) == 2
    assert weights[-1] == 1


def test_what_holds_the_whole_text_is_weakened_with_all_of_its_words(model: LoadedPipeline) -> None:
    for prompt, weight in (("(a cat:0.5)", 0.5), ("(a:0.5) cat", 1), ("(a cat:2)", 1), ("", 1)):
        weights = token_weights(model, parse(prompt))
        assert (weights[0], weights[-1]) == (1, weight)


def test_a_weight_changes_the_picture_and_goes_round(
    folders_of: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders_of["stable_diffusion_3"]
    drawn = {}
    for prompt in ("a red cat", "a (red:1.8) cat", "a (red:1) cat"):
        task = TextToImage(prompt=prompt, model=str(folder), num_inference_steps=2, seed=1)
        [path] = paths(run(task, tmp_path))
        drawn[prompt] = Image.open(path).tobytes()
        record = metadata.read_task(path)
        assert record is not None and record.values["prompt"] == prompt
        assert record.written == {}
    assert drawn["a red cat"] == drawn["a (red:1) cat"]
    assert drawn["a red cat"] != drawn["a (red:1.8) cat"]


def test_a_model_that_cannot_weigh_says_so_and_reads_the_words(folders_of: dict[str, Path]) -> None:
    flux = load_text_to_image(folders_of["flux"], lambda event: None)
    assert not can_weigh(flux)
    assert embeds(flux, "a (red:1.5) cat")["prompt"] == "a red cat"
    [notice] = prompt_notices(flux, "a (red:1.5) cat", "bad")
    assert "takes no weights" in notice and "prompt were left out" in notice
    assert list(prompt_notices(flux, r"a \(red\) cat", "")) == []


def test_every_image_draws_its_own_wildcards_and_says_what_was_drawn(
    folders_of: dict[str, Path], tmp_path: Path
) -> None:
    written = {"prompt": "{ab|cd|ef|gh} __color__", "negative_prompt": "{x|y}"}
    task = TextToImage(
        **written,
        model=str(folders_of["stable_diffusion"]),
        num_inference_steps=1,
        seed=4,
        num_images_per_prompt=3,
    )
    first, *others = paths(run(task, tmp_path))
    records = [metadata.read_task(path) for path in (first, *others)]
    prompts = [str(record.values["prompt"]) for record in records if record]
    assert len(set(prompts)) > 1 and not any(set("{}_") & set(prompt) for prompt in prompts)
    assert all(record and record.written == written for record in records)
    with Image.open(first) as image:
        assert image.text["parameters"].startswith(prompts[0] + "\n")
        assert "Prompt as written: {ab|cd|ef|gh} __color__" in image.text["parameters"]
    record = records[0]
    assert record is not None
    again = record.task().to_dict() | {"model": str(folders_of["stable_diffusion"])}
    [path] = paths(run(TextToImage(**again), tmp_path / "again"))
    assert Image.open(path).tobytes() == Image.open(first).tobytes()
    shown = settings_in(first)
    assert shown is not None and shown.values["prompt"] == written["prompt"]


def test_a_style_is_drawn_and_told_whole(folders_of: dict[str, Path], tmp_path: Path) -> None:
    values = {"model": str(folders_of["stable_diffusion"]), "num_inference_steps": 1, "seed": 1}
    [styled] = paths(run(TextToImage(prompt="fox", style="night", **values), tmp_path))
    record = metadata.read_task(styled)
    assert record is not None
    assert record.values["prompt"] == "fox at night, moonlight, deep shadows"
    assert record.values["style"] == ""
    assert record.written == {"prompt": "fox", "negative_prompt": "", "style": "night"}
    whole = TextToImage(prompt=str(record.values["prompt"]), negative_prompt="daylight", **values)
    [plain] = paths(run(whole, tmp_path))
    assert Image.open(plain).tobytes() == Image.open(styled).tobytes()


@pytest.mark.parametrize("field", ["prompt", "negative_prompt", "style"])
def test_what_is_not_there_is_named_before_anything_is_drawn(
    folders_of: dict[str, Path], tmp_path: Path, field: str
) -> None:
    told = {"prompt": "a", field: "__nothing__"}
    task = TextToImage(**told, model=str(folders_of["stable_diffusion"]))
    with pytest.raises(EngineError, match="__nothing__"):
        run(task, tmp_path)
    assert not list(tmp_path.glob("*.png"))


# ------------------------------------------------------------------ counting


@pytest.fixture(scope="module")
def theirs() -> Iterator[Any]:
    from transformers import CLIPTokenizer

    yield CLIPTokenizer.from_pretrained(library.find("stickers") / "tokenizer")


@given(text=st.text(alphabet="a red heart 3d,. ÄÖ😀数\n", max_size=60))
@example(text="333ÄÄÄ😀trd")  # cut at that place and read alone, it would be more tokens
@settings(max_examples=60)
def test_tokens_are_counted_as_the_model_counts_them(theirs: Any, text: str) -> None:
    counter = load_counter_once("stickers")
    read = theirs(text, verbose=False, return_offsets_mapping=True)
    length = counter.length(text)
    assert length.used == len(read.input_ids) - 2
    assert length.room == theirs.model_max_length - 2
    fits = len(read.input_ids) <= theirs.model_max_length
    # The place of the start takes one, so that of the end is where the first unseen token stood.
    first_unseen = len(text) if fits else read.offset_mapping[theirs.model_max_length - 1][0]
    assert length.seen == first_unseen


def load_counter_once(model: str) -> Any:
    if model not in _counters:
        _counters[model] = load_counter(model)
    return _counters[model]


_counters: dict[str, Any] = {}


def test_old_folders_with_vocabulary_and_merges_count_the_same(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(library.find("stickers"), tmp_path / "old"))
    for part in ("tokenizer", "tokenizer_2"):
        path = folder / part / "tokenizer.json"
        told = json.loads(path.read_text())["model"]
        path.unlink()
        (folder / part / "vocab.json").write_text(json.dumps(told["vocab"]))
        lines = [" ".join(pair) if isinstance(pair, list) else pair for pair in told["merges"]]
        (folder / part / "merges.txt").write_text("#version: 0.2\n" + "\n".join(lines) + "\n")
    old, new = load_counter(str(folder)), load_counter("stickers")
    assert old is not None and new is not None
    for text in ("a red heart", "Ünïcode 😀 3d, x" * 3, "", "it's (a:1.2) cat's"):
        assert old.length(text) == new.length(text)


def test_what_one_tokenizer_has_room_for_the_model_sees(folders_of: dict[str, Path]) -> None:
    counter = load_counter(str(folders_of["flux"]))
    assert counter is not None
    length = counter.length("ab" * 100)
    assert (length.seen, length.room) == (200, 511)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"version": "1.0"}', "\xff"])
def test_a_tokenizer_that_cannot_be_read_counts_nothing(tmp_path: Path, content: str) -> None:
    folder = Path(shutil.copytree(library.find("stickers"), tmp_path / "odd"))
    (folder / "tokenizer" / "tokenizer.json").write_text(content, encoding="latin-1")
    assert load_counter(str(folder)) is None
    assert load_counter("no such model") is None
