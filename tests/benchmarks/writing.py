"""Writing with a language model: the first word, and tokens a CPU second beside the bare libraries.

    python -m tests.benchmarks.writing [--rounds 5] [--tokens 200]

Needs the starter pack (`python -m engine fetch_pack`). One thread; both sides in one process, with
the same weights, prompt and greedy decoding, taking turns; a pair's number is their ratio, printed
are the median of the pairs and their range. Bare llama.cpp gives its text in one piece and looks
nothing up; plain transformers is `generate` in float32. The first word is timed on the clock, from
the moment a job is handed to the engine until its first token is in the window's process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("ATELIER_THREADS", "1")

from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from engine import device, library
from engine.events import Event, Token
from engine.gate.gguf import read_header
from engine.language import conversion, llama_cpp, transformers_folder
from engine.language.model import Written
from engine.process import Standby
from engine.registry import task_class
from engine.task import Task
from engine.worker import Engine, Job
from engine.writing_task import WritingTask

device.prepare_environment()

PROSE = "Write a story about a lighthouse keeper who finds a letter in the sand."
REPEATED = (
    "Write the numbers from one to forty in words, one per line, each with 'Number: ' before it."
)
HISTORY = " ".join(f"In the year {1800 + n} the harbour had {n % 9 + 2} boats." for n in range(100))

Turn = Callable[[], int]
"""Writes, and says how many tokens."""


def ignore(event: Event) -> None:
    pass


def writing(prompt: str, tokens: int) -> WritingTask:
    made = task_class("text_generation").from_dict(
        {"prompt": prompt, "max_new_tokens": tokens, "do_sample": False}
        | {"repetition_penalty": 1.0, "seed": 1}
    )
    assert isinstance(made, WritingTask)
    return made


def compare(name: str, ours: Turn, theirs: Turn, rounds: int) -> None:
    for turn in (ours, theirs):
        turn()  # warm
    ratios, speeds = [], []
    for _ in range(rounds):
        rates = [_rate(ours), _rate(theirs)]
        ratios.append(rates[0] / rates[1])
        speeds.append(rates[0])
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    speed = statistics.median(speeds)
    print(f"{name:44}{middle:6.2f} × ({low:.2f} to {high:.2f}), {speed:.0f} tokens a CPU second")


def _rate(turn: Turn) -> float:
    began = time.process_time()
    tokens = turn()
    return tokens / (time.process_time() - began)


# ------------------------------------------------------------------ llama.cpp


def bare_llama_cpp(path: Path) -> Any:
    """A server as ours is, without looking up what comes again."""
    return llama_cpp.start_server(read_header(path), llama_cpp.CONTEXT, looks_up=False)


def gguf_turns(server: Any, path: Path, task: WritingTask) -> tuple[Turn, Turn]:
    model = llama_cpp.load(read_header(path), ignore)
    whole = task.whole_prompt(model, ignore)
    body = {"prompt": whole, "max_tokens": task.max_new_tokens, "temperature": 0.0}
    body |= {"stream": False, "cache_prompt": False}

    def theirs() -> int:
        answers: list[Mapping[str, Any]] = []
        server.handle_completions(body, answers.append)
        return int(answers[-1]["usage"]["completion_tokens"])

    return lambda: task.write(model, ignore).new_tokens, theirs


# ------------------------------------------------------------------ transformers


def folder_turns(folder: Path, task: WritingTask) -> tuple[Turn, Turn]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    ours = transformers_folder.load(folder, ignore)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.eos_token_id
    )
    whole = task.whole_prompt(ours, ignore)
    ids = tokenizer(whole, return_tensors="pt", add_special_tokens=False)["input_ids"]
    texts: dict[str, str] = {}

    def theirs() -> int:
        with torch.inference_mode():
            output = plain.generate(ids, max_new_tokens=task.max_new_tokens, do_sample=False)
        new = output[0, ids.shape[1] :]
        texts["theirs"] = tokenizer.decode(new, skip_special_tokens=True)
        return len(new)

    def mine() -> int:
        written: Written = task.write(ours, ignore)
        texts["ours"] = written.text
        assert "theirs" not in texts or texts["theirs"] == written.text
        return written.new_tokens

    return mine, theirs


# ------------------------------------------------------------------ the first word


def first_word(engine: Engine, task: Task, out: Path) -> float:
    """Seconds until the first token."""
    job = Job(task, out)
    heard: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, Token) and not heard:
            heard.append(time.perf_counter())

    job.reported.connect(hear)
    began = time.perf_counter()
    engine.submit(job)
    while not job.state.ended:
        QTest.qWait(1)
    if not heard:
        raise SystemExit(f"no word came: {job.error}")
    return heard[0] - began


def answering(question: str, history: list[dict[str, str]]) -> Task:
    fields = {"prompt": question, "history": json.dumps(history), "max_new_tokens": 16}
    return task_class("chat_answer").from_dict(fields | {"do_sample": False, "seed": 1})


def first_words(rounds: int) -> None:
    QCoreApplication.instance() or QCoreApplication(sys.argv)
    standby = Standby()
    engine = Engine("benchmark", standby)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        first_word(engine, writing(PROSE, 8), out)  # loads the model
        short = [first_word(engine, writing(PROSE, 8), out) for _ in range(rounds)]
        told = [
            {"role": "user", "content": HISTORY},
            {"role": "assistant", "content": "I have read it."},
        ]
        cold = first_word(engine, answering("How many boats were there in 1810?", told), out)
        warm = [
            first_word(engine, answering(f"And in {1811 + n}?", told), out) for n in range(rounds)
        ]
    engine.close()
    standby.close()
    for name, taken in (("first word in Write", short), ("… in a chat of 1,900 tokens", warm)):
        print(f"{name:44}{statistics.median(taken):6.2f} s, at most {max(taken):.2f} s")
    print(f"{'… read for the first time':44}{cold:6.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=200)
    options = parser.parse_args()
    device.configure_threads()
    path = library.find(library.STARTER_TEXT_MODEL)
    server = bare_llama_cpp(path)
    prose, repeated = writing(PROSE, options.tokens), writing(REPEATED, options.tokens)
    compare("GGUF, against bare llama.cpp", *gguf_turns(server, path, prose), options.rounds)
    compare("… where words come again", *gguf_turns(server, path, repeated), options.rounds)
    folder = conversion.converted(read_header(path), ignore)
    compare(
        "folder, against generate of transformers", *folder_turns(folder, prose), options.rounds
    )
    first_words(options.rounds)


if __name__ == "__main__":
    main()
