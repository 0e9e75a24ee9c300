"""What goes on inside generate() of transformers: its text as it grows, and chances to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.events import Progress, Report
from engine.language.model import End, Request, Written
from engine.language.streaming import TextStream, TokenDecoder, find_stop

if TYPE_CHECKING:
    import torch

NEIGHBOURS = 8
"""Tokens of the prompt that decide how the first new token is spelled."""


class GenerationProgress:
    """A stopping criterion of transformers: called after each token with all tokens so far.

    Without beams it passes the text on as it grows; with beams the best text is known at the end.
    """

    def __init__(
        self,
        decode: Callable[[list[int]], str],
        prompt_ids: list[int],
        request: Request,
        report: Report,
    ) -> None:
        self._decode = decode
        self._request = request
        self._report = report
        self._prompt_length = self._seen = len(prompt_ids)
        self._stream = TextStream(request.stop, report)
        self._decoder = TokenDecoder(decode, prompt_ids[-NEIGHBOURS:])

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Until the first token is there each module that computes is a chance to stop."""
        from torch.nn.modules.module import register_module_forward_pre_hook

        stage = Progress(0, self._request.max_new_tokens, "reading the prompt")

        def look_up(module: Any, inputs: Any) -> None:
            if self._seen == self._prompt_length:
                self._report(stage)

        hook = register_module_forward_pre_hook(look_up)
        try:
            yield
        finally:
            hook.remove()

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Which rows of `input_ids` (N, tokens) are done: bool (N,)."""
        import torch

        count = input_ids.shape[1] - self._prompt_length
        total = self._request.max_new_tokens
        if self._request.num_beams > 1:
            done = [self._has_stop(row) for row in input_ids.tolist()]
        else:
            self._stream.add(self._decoder.add(input_ids[0, self._seen :].tolist()))
            done = [self._stream.stopped]
        self._seen = input_ids.shape[1]
        self._report(Progress(count, total, "writing"))
        return torch.tensor(done, device=input_ids.device)

    def written(self, token_ids: list[int], end_ids: Sequence[int]) -> Written:
        """The whole result, once generate() has returned `token_ids` with the prompt in front."""
        new_ids = token_ids[self._prompt_length :]
        if self._request.num_beams > 1:
            while end_ids and len(new_ids) > 1 and new_ids[-1] == new_ids[-2] == end_ids[0]:
                new_ids.pop()  # beams that end early are padded
            self._stream.add(self._decoder.add(new_ids))
        self._stream.add(self._decoder.close())
        self._stream.close()
        return Written(
            self._stream.text, self._prompt_length, len(new_ids), self._end(new_ids, end_ids)
        )

    def _end(self, new_ids: Sequence[int], end_ids: Sequence[int]) -> End:
        if self._stream.stopped:
            return "stop string"
        if new_ids and new_ids[-1] in end_ids:
            return "finished"
        return "length" if len(new_ids) >= self._request.max_new_tokens else "context"

    def _has_stop(self, token_ids: list[int]) -> bool:
        if not self._request.stop:
            return False
        text = self._decode(token_ids[self._prompt_length :])
        return find_stop(text, self._request.stop) is not None
