"""Runs that train or fine-tune a language model as programs of torch and transformers."""

from __future__ import annotations

from typing import cast

from engine import library
from engine.errors import EngineError
from engine.language import conversion
from engine.language_training import LanguageTraining, measured_tokens
from engine.run_programs.copied_source import Source, copied, header
from engine.run_programs.recorded import RecordedRun
from engine.run_programs.steering import Constants, steered_lines
from engine.run_programs.text_lines import text_lines
from engine.trainers.finetune_language_model import FinetuneLanguageModel
from engine.trainers.train_language_model import TrainLanguageModel
from engine.training import TrainingTask

_IMPORTS = """\
import math
import numpy as np
import torch
from dataclasses import asdict
from torch.nn import functional
"""
_PROGRAM = '''\
"""{what} as a run of Atelier did, with {libraries} alone.

On the same kind of processor, with the same torch and number of threads, the losses are those of
the run bit for bit{but}. The model is saved in the folder "model".
"""

{imports}

# The run was {name}, with torch {torch}.
{constants}
torch.set_num_threads({threads})
torch.manual_seed(SEED)

# ---------------------------------------------------------------------- text

{text}

# ---------------------------------------------------------------------- model

{model}


def encode(documents):
    """All of them as one row of tokens, an end between two."""
    row, end = [], tokenizer.eos_token_id
    for document in documents:
        if tokenizer.chat_template and document.messages:
            told = [asdict(message) for message in document.messages]
            written = tokenizer.apply_chat_template(told, tokenize=False)
            ids = tokenizer(written, add_special_tokens=False)["input_ids"]
        else:  # words such as <|endoftext|> in the text are a text like any other
            ids = tokenizer(document.text, split_special_tokens=True)["input_ids"]
        row += ids
        if end is not None and (not ids or ids[-1] != end):
            row.append(end)
    return np.array(row, np.int32)


# ---------------------------------------------------------------------- training

{helpers}


def is_validated(step):
    """Where the curves got a point, the first after each so many steps, and at the last."""
    before = (step - 1) // LOG_EVERY * LOG_EVERY
    logged = step == 1 or step % LOG_EVERY == 0
    return step == STEPS or (logged and step // VALIDATE_EVERY > before // VALIDATE_EVERY)


model = model.to(DEVICE).train()
blocks = TokenBlocks(encode(learned), BLOCK_SIZE, BATCH_SIZE * BATCHES, SEED)
measured_text = torch.from_numpy(encode(held_out))
parameters = {{n: p for n, p in model.named_parameters() if p.requires_grad}}
trained = list(parameters.values())
optimizer = _adam(trained, LEARNING_RATE, WEIGHT_DECAY)
best, best_loss, worse = {{}}, math.inf, 0
{changes}
for step in range(1, {steps} + 1):
{change}    optimizer.zero_grad()
    parts = torch.from_numpy(blocks.batch(step)).split(BATCH_SIZE)
    total = 0.0
    for rows in parts:
        rows = rows.to(DEVICE)
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits.float()
        loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten()) / len(parts)
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(trained, GRAD_CLIP or math.inf)
    for group in optimizer.param_groups:
        group["lr"] = LEARNING_RATE * factor(SCHEDULE, step, WARMUP_STEPS, STEPS)
    optimizer.step()
    if step in (1, STEPS) or step % LOG_EVERY == 0:
        print(f"step {{step}}: {{total}}", flush=True)

    if is_validated(step):
        found = measure(model, measured_text, BLOCK_SIZE, BLOCK_SIZE, most=MEASURED)
        print(f"after step {{step}}: val_loss {{found.loss}}", flush=True)
        worse += 1
        if found.loss < best_loss:
            best_loss, worse = found.loss, 0
            best = {{n: p.detach().clone() for n, p in parameters.items()}} if PATIENCE else {{}}
        if PATIENCE and worse >= PATIENCE{unless}:
            break

with torch.no_grad():
    for name, weight in best.items():
        parameters[name].copy_(weight)
{merge}model.save_pretrained("model")
tokenizer.save_pretrained("model")
'''
_SCRATCH = """\
{tokenizer}


{gpt}


tokenizer = train_tokenizer((document.text for document in learned), {kind!r}, {vocab_size})
config = SmallGptConfig(len(tokenizer), {shape}, tokenizer.eos_token_id)
model = build(config)
"""
_BASE = """\
BASE = {base!r}
tokenizer = AutoTokenizer.from_pretrained(BASE, local_files_only=True)
model = AutoModelForCausalLM.from_pretrained(
    BASE, dtype=torch.float32, local_files_only=True, use_safetensors=True
)
"""
_LORA = """\
lora = LoraConfig(
    task_type="CAUSAL_LM",
    base_model_name_or_path=BASE,
    r={r},
    lora_alpha={alpha},
    lora_dropout={dropout},
    target_modules="all-linear",
    fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
)
model = get_peft_model(model, lora)
"""


def language_program(run: RecordedRun) -> str:
    """Of a run that began from nothing; raises EngineError for what run.json says wrong."""
    task = cast(TrainLanguageModel, run.task)
    tokenizer, gpt = copied("models/text_tokenizer.py"), copied("models/small_gpt.py")
    numbers = (task.block_size, task.num_layers, task.num_heads, task.width, task.dropout)
    model = _SCRATCH.format(
        tokenizer=tokenizer.code,
        gpt=gpt.code,
        kind=task.tokenizer,
        vocab_size=task.vocab_size,
        shape=", ".join(map(repr, numbers)),
    )
    source = Source(tokenizer.imports | gpt.imports, model)
    return _program(run, "Trains a language model", "PyTorch, transformers and NumPy", source)


def finetuning_program(run: RecordedRun) -> str:
    """Of a run that began with a model of this machine; raises EngineError where that is gone."""
    task = cast(FinetuneLanguageModel, run.task)
    code = _BASE.format(base=_base(run, task))
    imports = {
        "from transformers import AutoModelForCausalLM",
        "from transformers import AutoTokenizer",
    }
    libraries = "PyTorch, transformers and NumPy"
    if task.method == "lora":
        code += _LORA.format(r=task.lora_r, alpha=task.lora_alpha, dropout=task.lora_dropout)
        imports |= {
            "from peft import LoraConfig",
            "from peft import get_peft_model",
            "from transformers.pytorch_utils import Conv1D",
        }
        libraries = "PyTorch, transformers, peft and NumPy"
    source = Source(frozenset(imports), code)
    return _program(run, "Fine-tunes a language model", libraries, source)


def _base(run: RecordedRun, task: FinetuneLanguageModel) -> str:
    """The folder of the model that it began with, for transformers; of a GGUF the conversion."""
    path = library.find(task.model)
    if path.is_dir():
        return str(path)
    folder = conversion.place(path, run.base_sha256)
    if not run.base_sha256 or not folder.is_dir():
        raise EngineError(
            f"{path.name} was converted for transformers to learn, and the conversion is gone.",
            "Fine-tune the model once more, a single step will do: that converts it again.",
        )
    return str(folder)


def _program(run: RecordedRun, what: str, libraries: str, model: Source) -> str:
    task = cast(LanguageTraining, run.task)
    text = text_lines(task.dataset, run.sha256)
    helpers = [
        copied("data/batches.py"),
        copied("data/token_blocks.py"),
        copied("schedules.py", ["factor"]),
        copied("trainers/language_learner.py", ["_adam"]),
        copied("language/perplexity.py"),
    ]
    taken = [line for source in (text, model, *helpers) for line in source.imports]
    began_again = tuple(sorted(run.steering.resumed_after)) if task.patience else ()
    rounding = f", but for rounding: it ran on {run.processes} processes"
    return _PROGRAM.format(
        what=what,
        libraries=libraries,
        but=rounding if run.processes > 1 else "",
        imports=header([*_IMPORTS.splitlines(), "from torch import Tensor", *taken]),
        name=repr(run.name),
        torch=repr(run.torch),
        constants=_constants(run, task),
        threads=run.threads,
        text=text.code,
        model=model.code.rstrip("\n"),
        merge="model = model.merge_and_unload()\n" if "get_peft_model" in model.code else "",
        helpers="\n\n\n".join(source.code for source in helpers),
        unless=f" and step not in {began_again}" if began_again else "",
        **vars(steered_lines(run.steering, _live)),
    )


def _live(task: TrainingTask) -> Constants:
    return {"LEARNING_RATE": cast(LanguageTraining, task).rate}


def _constants(run: RecordedRun, task: LanguageTraining) -> str:
    values = {
        "SEED": task.seed,
        "STEPS": task.max_steps,
        "BATCH_SIZE": task.batch_size,
        "BATCHES": task.gradient_accumulation_steps,
        "BLOCK_SIZE": run.number("block_size"),
        **_live(task),
        "SCHEDULE": task.schedule,
        "WARMUP_STEPS": task.warmup_steps,
        "WEIGHT_DECAY": task.weight_decay,
        "GRAD_CLIP": task.grad_clip,
        "LOG_EVERY": task.log_every,
        "VALIDATE_EVERY": task.validate_every,
        "MEASURED": measured_tokens(task, run.number("block_size")),
        "PATIENCE": task.patience,
        "DEVICE": run.device,
    }
    return "".join(f"{name} = {value!r}\n" for name, value in values.items())
