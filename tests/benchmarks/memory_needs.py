"""What is said of a model's memory before it is loaded, against what it takes once it has written.

    python -m tests.benchmarks.memory_needs [MODEL …]

Each model in a process of its own; the figure is the growth of its resident memory from the moment
torch is there to the end of a text of 100 tokens. Without names: the starter pack (fetch it first:
`python -m engine fetch_pack`), and the same model as a folder.
"""

from __future__ import annotations

import subprocess
import sys

from engine import device, library, model_facts
from engine.events import Event
from engine.gate.gguf import read_header
from engine.language import conversion, loading
from engine.registry import task_class
from engine.writing_task import WritingTask

MEASURE = "--measure"


def ignore(event: Event) -> None:
    pass


def measure(name: str) -> None:
    """Print needed and taken bytes."""
    import psutil
    import torch

    torch.ones(1)
    facts = model_facts.facts_of(name, ignore)
    process = psutil.Process()
    before = process.memory_info().rss
    task = task_class("text_generation").from_dict(
        {"prompt": "Tell a story.", "model": name, "max_new_tokens": 100, "seed": 1}
    )
    assert isinstance(task, WritingTask)
    task.write(loading.load(task.find_model(), False, ignore), ignore)
    print(facts.needs, process.memory_info().rss - before)


def main() -> None:
    names = sys.argv[1:]
    if not names:
        path = library.find(library.STARTER_TEXT_MODEL)
        names = [str(path), str(conversion.converted(read_header(path), ignore))]
    print(f"{'model':44}{'said':>10}{'taken':>10}")
    for name in names:
        command = [sys.executable, "-m", "tests.benchmarks.memory_needs", MEASURE, name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        said, taken = (int(each) / 1e6 for each in told.split())
        print(f"{name[-42:]:44}{said:7.0f} MB{taken:7.0f} MB   {said / taken:.2f} ×")


if __name__ == "__main__":
    device.prepare_environment()
    device.configure_threads()
    measure(sys.argv[2]) if sys.argv[1:2] == [MEASURE] else main()
