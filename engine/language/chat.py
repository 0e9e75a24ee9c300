"""Chat templates: from what a person wrote to the text an instruct model was trained to answer.

A template is a Jinja program by a stranger. It is rendered in a sandbox inside a process of its own
with bounded time and memory, since a sandbox alone stops neither endless loops nor huge strings.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidTask, ModelError

LONGEST_TEMPLATE = 65_536
SECONDS = 10
"""On the clock, beside two seconds of computing: a busy machine is slow to start a process."""

AT_ONCE = 50
"""Conversations that one process renders."""

RENDERER = Path(__file__).with_name("render_template.py")
Messages = list[dict[str, str]]
"""Turns of a conversation, each with a role and its content."""

HINT = "Choose another model, or a newer version of this one."


@dataclass(frozen=True)
class Chat:
    """The chat template of one model and the two tokens that it may name."""

    template: str
    bos_token: str = ""
    eos_token: str = ""

    def render(self, prompt: str, system_prompt: str, history: Messages | None = None) -> str:
        """The conversation up to the point where the model answers; `history` comes before the
        prompt.

        Raises ModelError for a template that cannot be used, InvalidTask for a system prompt that
        it does not take.
        """
        messages = [*(history or []), {"role": "user", "content": prompt}]
        if system_prompt.strip():
            messages.insert(0, {"role": "system", "content": system_prompt})
        answer = _render(self._request(messages, add_generation_prompt=True))
        if "text" in answer:
            text: str = answer["text"]
            return text
        if answer.get("refused"):
            if system_prompt.strip():
                raise InvalidTask(
                    "system_prompt",
                    f"This model takes no system prompt: {answer['error']}.",
                    "Leave it empty and say it in the prompt.",
                )
            raise _unusable(f"refuses this prompt: {answer['error']}")
        raise _unusable(f"does not work: {answer['error']}")

    def render_about_picture(self, question: str) -> str:
        """One question about one picture; raises ModelError."""
        content = [{"type": "image"}, {"type": "text", "text": question}]
        messages = [{"role": "user", "content": content}]
        answer = _render(self._request(messages, add_generation_prompt=True))
        if "text" not in answer:
            raise _unusable(f"takes no picture: {answer['error']}")
        text: str = answer["text"]
        return text

    def render_all(self, conversations: Sequence[Messages]) -> Iterator[str]:
        """Whole conversations, as a model learns from them; raises ModelError, InvalidTask."""
        for start in range(0, len(conversations), AT_ONCE):
            part = list(conversations[start : start + AT_ONCE])
            request = self._request([], add_generation_prompt=False)
            answer = _render(request | {"conversations": part})
            if "texts" not in answer:
                raise _unusable(f"cannot write these conversations: {answer['error']}")
            yield from answer["texts"]

    def _request(
        self, messages: Sequence[Mapping[str, Any]], add_generation_prompt: bool
    ) -> dict[str, Any]:
        if len(self.template) > LONGEST_TEMPLATE:
            raise _unusable(f"is longer than {LONGEST_TEMPLATE} characters")
        variables = {
            "messages": messages,
            "add_generation_prompt": add_generation_prompt,
            "bos_token": self.bos_token,
            "eos_token": self.eos_token,
        }
        return {"template": self.template, "variables": variables}


def _render(request: dict[str, Any]) -> dict[str, Any]:
    try:
        finished = subprocess.run(
            [sys.executable, "-I", str(RENDERER)],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise _unusable("does not come to an end") from error
    if finished.returncode != 0:
        raise _unusable("fails, or takes too much time or memory")
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def _unusable(problem: str) -> ModelError:
    return ModelError(f"The chat template of this model {problem}.", HINT)
