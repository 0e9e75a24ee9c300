"""Fine-tuning of tiny real models, all weights and LoRA: exact, usable, and the base untouched."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import tiny_language_models as tiny
import torch
from small_language_runs import (
    CADENCE,
    assert_same_run,
    cancel_at,
    events,
    measured,
    save_text,
    texts,
)

from engine import checkpoints, folders, library
from engine.errors import Cancelled, FileError, InvalidTask, ModelError, OutOfMemory
from engine.events import Event, Saved
from engine.gate.transformers_folder import check_language_model
from engine.generators.export_language_model import ExportLanguageModel
from engine.generators.perplexity import Perplexity
from engine.generators.sample_language_model import SampleLanguageModel
from engine.generators.text_generation import TextGeneration
from engine.runs import RunFolder
from engine.trainers.finetune_language_model import FinetuneLanguageModel
from engine.trainers.train_language_model import TrainLanguageModel

SMALL: dict[str, Any] = {
    "block_size": 32, "batch_size": 4, "max_steps": 8, "warmup_steps": 1, "seed": 5,
    "sample_prompts": "One", **CADENCE,
}  # fmt: skip
RATES = {"lora": 3e-2, "full": 3e-3}


def ignore(event: Event) -> None:
    pass


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def base(room: Path) -> Path:
    return tiny.save_folder(room / "base")


@pytest.fixture(scope="module")
def text(room: Path) -> str:
    return save_text(room)


@pytest.fixture(scope="module")
def runs(base: Path, text: str, room: Path) -> dict[str, Path]:
    """One undisturbed run of each method, and one from nothing."""
    found = {}
    for method in RATES:
        found[method] = room / method
        tuned(base, text, method).run(ignore, found[method])
    found["scratch"] = room / "scratch"
    TrainLanguageModel(
        dataset=text, num_layers=1, num_heads=2, width=16, vocab_size=280, **SMALL
    ).run(ignore, found["scratch"])
    return found


def tuned(base: Path, text: str, method: str, **fields: Any) -> FinetuneLanguageModel:
    values = SMALL | {"learning_rate": RATES[method]} | fields
    return FinetuneLanguageModel(dataset=text, model=str(base), method=method, **values)


def newest(run: Path) -> Path:
    return RunFolder(run).checkpoints()[-1][1]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def run_task(task: Any, out: Path) -> list[Path]:
    told: list[Event] = []
    task.run(told.append, out)
    return [event.path for event in told if isinstance(event, Saved)]


@pytest.mark.parametrize("method", RATES)
def test_it_learns_the_text(runs: dict[str, Path], method: str) -> None:
    values = dict(measured(runs[method]))
    assert values[8]["val_loss"] < values[2]["val_loss"] - 0.1
    assert values[8]["perplexity"] == pytest.approx(2.718281828 ** values[8]["val_loss"])
    assert all(text.startswith("One") for text in texts(runs[method]).values())
    described = RunFolder(runs[method]).description()
    whole = described["parameters"]["trained"] == described["parameters"]["all"]
    assert whole == (method == "full")
    assert set(described["base"]["sha256"]) == {"model.safetensors"}


@pytest.mark.parametrize("method", RATES)
@pytest.mark.parametrize("step", [3, 6])
def test_resume_is_exact(
    base: Path, text: str, runs: dict[str, Path], tmp_path: Path, method: str, step: int
) -> None:
    task = tuned(base, text, method)
    with pytest.raises(Cancelled):
        task.run(cancel_at(step), tmp_path / "run")
    dataclasses.replace(task, resume=True).run(ignore, tmp_path / "run")
    assert_same_run(runs[method], tmp_path / "run")


def test_a_lora_leaves_the_weights_of_the_model_as_they_are(
    base: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import load_file

    from engine.trainers import language_learner

    learners = []
    real = language_learner.LanguageLearner.__init__

    def remember(self: Any, *args: Any, **kwargs: Any) -> None:
        learners.append(self)
        real(self, *args, **kwargs)

    monkeypatch.setattr(language_learner.LanguageLearner, "__init__", remember)
    before = contents(base)
    tuned(base, text, "lora").run(ignore, tmp_path / "run")
    assert contents(base) == before
    stored = load_file(base / "model.safetensors")
    moved = learners[0].model.get_base_model().state_dict()
    for name, tensor in stored.items():
        theirs = moved.get(name, moved.get(name.replace(".weight", ".base_layer.weight")))
        assert theirs is not None and theirs.equal(tensor), name
    assert any(name.endswith("lora_B.default.weight") and t.any() for name, t in moved.items())


def test_a_checkpoint_of_a_lora_is_an_adapter_of_peft(
    base: Path, text: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    path = newest(runs["lora"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft uses what transformers gives up
        theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), str(path))
    ids = torch.arange(1, 40)[None]
    run_task(
        ExportLanguageModel(run_folder=str(runs["lora"]), model_name="merged", weights="last"),
        tmp_path,
    )
    ours = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    with torch.no_grad():
        assert ours(ids).logits.allclose(theirs.eval()(input_ids=ids).logits, atol=1e-4)
        plain = AutoModelForCausalLM.from_pretrained(base)(ids).logits
    assert not ours(ids).logits.allclose(plain, atol=1e-2), "the LoRA must have learned something"


@pytest.mark.parametrize("name", ["lora", "full", "scratch"])
def test_an_exported_run_is_a_plain_model_that_write_knows(
    runs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    (folder,) = run_task(
        ExportLanguageModel(run_folder=str(runs[name]), model_name="mine"), tmp_path
    )
    check_language_model(folder)
    assert not list(folder.glob("adapter*"))
    sampled = {"max_new_tokens": 20, "do_sample": False}
    (written, _) = run_task(
        TextGeneration(prompt="One", model=str(folder), repetition_penalty=1.0, **sampled), tmp_path
    )
    (ours, record) = run_task(
        SampleLanguageModel(run_folder=str(runs[name]), prompt="One", **sampled), tmp_path
    )
    assert written.read_text() == ours.read_text() != "One"
    told = json.loads(record.read_text())
    assert (told["step"], told["weights"], told["fields"]["checkpoint"]) == (8, "best", 8)
    with pytest.raises(FileError, match="there already"):
        run_task(ExportLanguageModel(run_folder=str(runs[name]), model_name="mine"), tmp_path)


@pytest.mark.parametrize("name", ["lora", "full", "scratch"])
def test_a_run_of_the_data_folder_is_a_model_in_write_by_its_name(
    runs: dict[str, Path], home: Path, tmp_path: Path, name: str
) -> None:
    folders.runs().mkdir(parents=True)
    (folders.runs() / name).symlink_to(runs[name])
    assert library.text_models()[-1] == name
    fields = {"max_new_tokens": 12, "do_sample": False}
    written = []
    for model in (name, f"{name}@8"):
        task = TextGeneration(prompt="One", model=model, repetition_penalty=1.0, **fields)
        text, record = run_task(task, tmp_path)
        written.append(text.read_text())
        assert list(json.loads(record.read_text())["sha256"]) == ["best.safetensors"]
    sampled = SampleLanguageModel(run_folder=str(runs[name]), prompt="One", **fields)
    assert written == 2 * [run_task(sampled, tmp_path)[0].read_text()]
    with pytest.raises(ModelError, match="no complete checkpoint of step 7"):
        run_task(TextGeneration(prompt="One", model=f"{name}@7"), tmp_path)


def test_a_run_begins_by_itself_and_any_checkpoint_writes(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    fields = {"run_folder": str(runs["scratch"]), "max_new_tokens": 12, "seed": 3}
    first = run_task(SampleLanguageModel(checkpoint=4, weights="last", **fields), tmp_path)[0]
    again = run_task(SampleLanguageModel(checkpoint=4, weights="last", **fields), tmp_path)[0]
    assert first.read_text() == again.read_text() and "step-4" in first.name
    with pytest.raises(ModelError, match="no complete checkpoint of step 5"):
        run_task(SampleLanguageModel(checkpoint=5, **fields), tmp_path)
    (newest(runs["scratch"]) / "manifest.json").rename(tmp_path / "manifest.json")
    try:
        older = run_task(SampleLanguageModel(**fields), tmp_path)[0]
    finally:
        (tmp_path / "manifest.json").rename(runs["scratch"] / "checkpoints/step-8/manifest.json")
    assert "step-4" in older.name


def test_the_perplexity_of_a_run_is_what_its_training_said(
    runs: dict[str, Path], text: str, tmp_path: Path
) -> None:
    for name in ("lora", "full", "scratch"):
        (path,) = run_task(
            Perplexity(text=text, model=str(runs[name]), part="held out", context=32, stride=32),
            tmp_path,
        )
        told = json.loads(path.read_text())
        best = min(v["perplexity"] for _, v in measured(runs[name]) if "perplexity" in v)
        assert told["perplexity"] == pytest.approx(best, rel=1e-4)
        assert (told["context"], told["stride"], told["weights"]) == (32, 32, "best")
        bits = told["loss"] / 0.6931471805599453 * told["tokens"] / told["bytes"]
        assert told["bits_per_byte"] == pytest.approx(bits)


def test_perplexity_names_what_was_measured(base: Path, tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text(tiny.SENTENCES[0])
    (tmp_path / "strange.txt").write_text("Zebras zigzag; quartz jinxes vex my proud box.")
    found = {}
    for name in ("known", "strange"):
        task = Perplexity(text=str(tmp_path / f"{name}.txt"), model=str(base))
        found[name] = json.loads(run_task(task, tmp_path)[0].read_text())
    assert found["known"]["perplexity"] < 1.5 < 50 < found["strange"]["perplexity"]
    assert (found["known"]["context"], found["known"]["stride"]) == (tiny.CONTEXT, 128)
    with pytest.raises(InvalidTask, match="gaps") as caught:
        Perplexity(text="x", model=str(base), context=10, stride=11)
    assert caught.value.field == "stride"


def test_a_gguf_learns_too(text: str, room: Path, tmp_path: Path) -> None:
    gguf = tiny.save_gguf(room / "tiny.gguf")
    task = tuned(gguf, text, "lora", max_steps=2)
    task.run(ignore, tmp_path / "run")
    assert set(RunFolder(tmp_path / "run").description()["base"]["sha256"]) == {"tiny.gguf"}
    sample = SampleLanguageModel(run_folder=str(tmp_path / "run"), prompt="One", max_new_tokens=4)
    assert run_task(sample, tmp_path)[0].read_text().startswith("One")


def test_a_gpt_2_takes_a_lora(runs: dict[str, Path], text: str, tmp_path: Path) -> None:
    """Its layers keep their weights the other way round."""
    tuned(newest(runs["scratch"]), text, "lora", max_steps=2, block_size=16).run(
        ignore, tmp_path / "run"
    )
    assert checkpoints.has_entry(newest(tmp_path / "run"), "adapter_model")


def test_early_stopping(base: Path, text: str, tmp_path: Path) -> None:
    wild = {"learning_rate": 1.0, "schedule": "constant", "patience": 2, "max_steps": 60}
    tuned(base, text, "lora", **wild).run(ignore, tmp_path / "run")
    assert any("stopped early" in event for _, event in events(tmp_path / "run"))


def test_a_base_that_was_exchanged_is_refused(text: str, tmp_path: Path) -> None:
    own = tiny.save_folder(tmp_path / "own")
    tuned(own, text, "lora", max_steps=2).run(ignore, tmp_path / "run")
    data = bytearray((own / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (own / "model.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match="not the model that run was trained on"):
        run_task(SampleLanguageModel(run_folder=str(tmp_path / "run")), tmp_path)


def test_what_cannot_be_done_is_said_before_it_is_tried(
    base: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelError, match="no model named"):
        FinetuneLanguageModel(dataset=text, model="nobody").run(ignore, tmp_path / "a")
    with pytest.raises(ModelError, match="starter pack"):
        FinetuneLanguageModel(dataset=text).run(ignore, tmp_path / "b")
    monkeypatch.setattr("engine.memory.free_memory", lambda: 700_000)
    with pytest.raises(OutOfMemory, match="at least") as caught:
        tuned(base, text, "full").run(ignore, tmp_path / "c")
    assert "lora" in caught.value.hint
    assert not RunFolder(tmp_path / "a").exists
    for name in ("../up", ".hidden", "a/b"):
        with pytest.raises(InvalidTask):
            ExportLanguageModel(run_folder="x", model_name=name)
