"""The steps of a language model: what its trainers bring to the training loop."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import device, distributed, schedules
from engine.checkpoints import State
from engine.data.token_blocks import TokenBlocks
from engine.events import Notice, Report
from engine.language import model_files, perplexity
from engine.language.sampling import sample_texts
from engine.language.tokens import encode
from engine.language.transformers_folder import context_of
from engine.language_training import measured_tokens

if TYPE_CHECKING:
    from torch import Tensor

    from engine.data.text_corpus import TextCorpus
    from engine.language_training import LanguageTraining


class LanguageLearner:
    """A model, its tokenizer, the text as tokens, the optimizer, and the best weights so far.

    What is optimized is whatever of the model requires a gradient. `facts` go into run.json.
    """

    def __init__(
        self,
        task: LanguageTraining,
        model: Any,
        tokenizer: Any,
        corpus: TextCorpus,
        report: Report,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.task = task
        self.corpus = corpus
        self.report = report
        self.facts = facts or {}
        self.device = device.best_device()
        self.ended = ""  # why the training is over before its last step
        self.best_loss, self.best_step, self.worse = math.inf, 0, 0
        self.best: dict[str, Tensor] = {}
        self._seconds, self._tokens = 0.0, 0  # since the curves got their last point
        self._use(model, tokenizer)

    def _use(self, model: Any, tokenizer: Any) -> None:
        import torch

        task = self.task
        self.model = model.to(self.device).train()
        self.tokenizer = tokenizer
        self.files = model_files.texts(model, tokenizer)
        tokens = encode(tokenizer, self.corpus.training, self.report)
        held_out = encode(tokenizer, self.corpus.held_out, self.report)
        self.block_size = self._block_size(len(tokens))
        self.tokens, self.held_out = len(tokens), torch.from_numpy(held_out)
        rows = task.batch_size * task.gradient_accumulation_steps
        self.blocks = TokenBlocks(tokens, self.block_size, rows, task.seed)
        self.measured = measured_tokens(task, self.block_size)
        self.trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = _adam(self.trained, task.rate, task.weight_decay)

    def _block_size(self, tokens: int) -> int:
        """As asked, or what the model and the text have."""
        most = min(self.task.block_size, context_of(self.model), tokens - 1)
        if most < self.task.block_size:
            self.report(Notice(f"Blocks are of {most} tokens: the model or the text has no more."))
        return most

    def description(self) -> Mapping[str, Any]:
        every = sum(parameter.numel() for parameter in self.model.parameters())
        return {
            "dataset": {
                "name": self.corpus.name,
                "documents": len(self.corpus.training),
                "held_out_documents": len(self.corpus.held_out),
                "tokens": self.tokens,
                "held_out_tokens": len(self.held_out),
                "sha256": self.corpus.sha256(),
            },
            "model": {"vocab_size": len(self.tokenizer), "block_size": self.block_size},
            "perplexity": {
                "context": self.block_size,
                "stride": self.block_size,
                "about_tokens": min(self.measured, len(self.held_out) - 1),
            },
            "device": str(self.device),
            "precision": "float32",
            "parameters": {"all": every, "trained": sum(p.numel() for p in self.trained)},
            **self.facts,
        }

    # ------------------------------------------------------------------ learning

    def step(self, step: int) -> Mapping[str, float]:
        """One update of AdamW; held-out loss and perplexity where a measurement is due."""
        began = time.perf_counter()
        loss = self._gradients(step)
        distributed.average_gradients(self.trained)
        norm = self._clip()
        for group in self.optimizer.param_groups:
            group["lr"] = self.task.rate * self._factor(step)
        self.optimizer.step()
        measured = {"loss": loss, "gradient_norm": norm.item()}
        measured["tokens_per_second"] = self._speed(step, time.perf_counter() - began)
        return measured | (self._validate(step) if self._is_validated(step) else {})

    def _gradients(self, step: int) -> float:
        """Add up those of all batches of the step; the mean loss of a token."""
        import torch

        self.optimizer.zero_grad()
        parts = torch.from_numpy(self.blocks.batch(step)).split(self.task.batch_size)
        total = 0.0
        for part in parts:
            loss = self._loss(distributed.share(part).to(self.device)) / len(parts)
            loss.backward()
            total += loss.item()
        return total

    def _loss(self, rows: Tensor) -> Tensor:
        """The mean loss of predicting each token of `rows` (N, T + 1) but the first."""
        from torch.nn import functional

        logits = self.model(input_ids=rows[:, :-1], use_cache=False).logits.float()
        return functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())

    def _clip(self) -> Tensor:
        """Shorten the gradient to its limit; returns its norm before that."""
        from torch.nn.utils import clip_grad_norm_

        return clip_grad_norm_(self.trained, self.task.grad_clip or math.inf)

    def _factor(self, step: int) -> float:
        task = self.task
        return schedules.factor(task.schedule, step, task.warmup_steps, task.max_steps)

    def _speed(self, step: int, seconds: float) -> float:
        """Tokens a second that were learned from since the curves got their last point."""
        if self._last_point(step) == step - 1:
            self._seconds, self._tokens = 0.0, 0
        self._seconds += seconds
        self._tokens += (
            self.block_size * self.task.batch_size * (self.task.gradient_accumulation_steps)
        )
        return self._tokens / max(self._seconds, 1e-9)

    def change(self, task: LanguageTraining) -> None:
        """Go on with another learning rate: each step asks for it."""
        self.task = task

    # ------------------------------------------------------------------ the held-out text

    def _last_point(self, step: int) -> int:
        """The last step before `step` that the curves have a point of."""
        return (step - 1) // self.task.log_every * self.task.log_every

    def _is_validated(self, step: int) -> bool:
        """Where a point falls due, at the first after each `validate_every` steps, and at last."""
        task = self.task
        if step == task.max_steps:
            return True
        logged = step == 1 or step % task.log_every == 0
        before = self._last_point(step)
        return logged and step // task.validate_every > before // task.validate_every

    def _validate(self, step: int) -> dict[str, float]:
        found = perplexity.measure(
            self.model, self.held_out, self.block_size, self.block_size, most=self.measured
        )
        if found.loss < self.best_loss:
            self.best_loss, self.best_step, self.worse = found.loss, step, 0
            if self.task.patience:
                learned = model_files.weights(self.model)
                self.best = {name: tensor.detach().clone() for name, tensor in learned.items()}
        else:
            self.worse += 1
        if self.task.patience and self.worse >= self.task.patience:
            self.ended = (
                f"stopped early: val_loss has not fallen in {self.worse} measurements; "
                f"the best was {self.best_loss:.4f} at step {self.best_step}"
            )
        return {"val_loss": found.loss, "perplexity": found.value}

    # ------------------------------------------------------------------ keeping

    def sample(self) -> str:
        prompts = [line for line in self.task.sample_prompts.splitlines() if line.strip()]
        context = context_of(self.model)
        return sample_texts(self.model, self.tokenizer, prompts, self.task.seed, context)

    def state(self) -> State:
        progress = {"loss": self.best_loss, "step": self.best_step, "worse": self.worse}
        return {
            model_files.entry_of(self.model): model_files.weights(self.model),
            "optimizer": self.optimizer.state_dict(),
            "progress": progress,
            **({model_files.BEST: self.best} if self.best else {}),
            **self.files,
        }

    def load_state(self, state: State) -> None:
        self._adopt(state)
        model_files.load_weights(self.model, state[model_files.entry_of(self.model)])
        self.optimizer.load_state_dict(state["optimizer"])
        told = state["progress"]
        self.best_loss, self.best_step, self.worse = told["loss"], told["step"], told["worse"]
        self.best = dict(state.get(model_files.BEST, {}))

    def _adopt(self, state: State) -> None:
        """The text may have changed since the run began, and with it the tokenizer learned from it:
        the one of the run stays."""
        stored = str(state.get("tokenizer.json"))
        if stored == self.files.get("tokenizer.json") or "config.json" not in state:
            return
        from transformers import GPT2Config, GPT2LMHeadModel

        from engine.models import text_tokenizer

        config = GPT2Config.from_dict(json.loads(state["config.json"]))
        self._use(GPT2LMHeadModel(config), text_tokenizer.from_json(stored))


def _adam(parameters: list[Any], learning_rate: float, weight_decay: float) -> Any:
    """AdamW (1711.05101) as GPTs are trained: vectors, such as biases and norms, do not decay."""
    import torch

    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    used = [group for group in groups if group["params"]]
    return torch.optim.AdamW(used, learning_rate, (0.9, 0.95), fused=True)
