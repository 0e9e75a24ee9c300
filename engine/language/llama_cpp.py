"""GGUF files on llama.cpp, through xllamacpp, inside this process.

xllamacpp brings llama.cpp's server: its queue is what we use, its HTTP listener is what we do not
want. It cannot be left out (an empty list of hosts crashes), so it is bound to a unix socket that
is unlinked at once: nobody can ever connect. Where that does not work it gets a secret key.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import socket
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

from engine import cache, device, memory
from engine.errors import EngineError, ModelError
from engine.events import Progress, Report
from engine.gate.gguf import GgufHeader
from engine.language.chat import Chat
from engine.language.model import End, PromptTooLong, Request, Written, check_room
from engine.language.streaming import TextStream

CONTEXT = 8192
"""Tokens of context to begin with; more memory is taken only when a text needs it."""

BATCH = 64
"""Tokens of the prompt that are read between two chances to stop."""

LOOKUP, DRAFT = 8, 8
"""Where the last LOOKUP tokens have stood before, the DRAFT tokens that followed them then are
checked at once instead of one by one (prompt lookup decoding, github.com/apoorvumang). It is
lossless, and pays where a text comes again: corrected, shortened, quoted."""

BUFFERS = 45_000_000
"""Bytes that llama.cpp computes in, for a batch of BATCH tokens."""

LONGEST_SOCKET_PATH = 100

Chunk = dict[str, Any]


def need(header: GgufHeader, context: int = CONTEXT) -> int:
    """Bytes of memory with room for so many tokens."""
    room = min(context, header.context_length) * header.bytes_per_token
    return header.path.stat().st_size + room + BUFFERS


def load(header: GgufHeader, report: Report) -> LlamaCppModel:
    """The model in the GGUF file, kept warm from one text to the next; raises EngineError."""
    status = header.path.stat()
    key = ("llama.cpp", header.path, status.st_size, status.st_mtime_ns, device.threads())
    report(Progress(0, None, "loading the model"))
    return cache.loaded(key, lambda: LlamaCppModel(header), need(header))


class LlamaCppModel:
    """A LanguageModel on llama.cpp."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self._server: Any = None
        self._context = 0
        self._open(min(CONTEXT, header.context_length))

    @property
    def name(self) -> str:
        return self._header.path.stem

    @property
    def chat(self) -> Chat | None:
        header = self._header
        if not header.chat_template:
            return None
        # llama.cpp puts the first token there itself, and two of them spoil the answer.
        return Chat(
            header.chat_template, "" if header.adds_bos else header.bos_token, header.eos_token
        )

    @property
    def context_length(self) -> int:
        return self._header.context_length

    @property
    def versions(self) -> dict[str, str]:
        return {"xllamacpp": version("xllamacpp")}

    def generate(self, request: Request, report: Report) -> Written:
        """Beams and no_repeat_ngram_size do not exist here; loading.py knows."""
        try:
            return self._write(request, report)
        except _NeedsContext as needs:
            report(Progress(0, None, "making room for a long text"))
            self._open(min(self._header.context_length, 2 ** (needs.tokens - 1).bit_length()))
            return self._write(request, report)

    def next_tokens(self, prompt: str, count: int) -> list[tuple[str, float]]:
        try:
            return self._next_tokens(prompt, count)
        except _NeedsContext as needs:
            self._open(min(self._header.context_length, 2 ** (needs.tokens - 1).bit_length()))
            return self._next_tokens(prompt, count)

    def _next_tokens(self, prompt: str, count: int) -> list[tuple[str, float]]:
        body = {"prompt": prompt, "max_tokens": 1, "temperature": 0.0, "n_probs": count}
        found: list[tuple[str, float]] = []
        for chunk in self._chunks(body | {"stream": True, "cache_prompt": True}):
            if "error" in chunk:
                raise self._failure(chunk["error"], 1)
            choices = chunk.get("choices") or [{}]
            for token in (choices[0].get("logprobs") or {}).get("content", []):
                found = [
                    (each["token"], math.exp(each["logprob"])) for each in token["top_logprobs"]
                ]
        return found

    def _open(self, context: int) -> None:
        self._server = None  # the old one goes first: memory never has to hold both
        self._server = start_server(self._header, context)
        self._context = context

    def _write(self, request: Request, report: Report) -> Written:
        if self._server is None:  # there was no memory for a longer context
            self._open(self._context)
        stream = TextStream(request.stop, report)
        total = request.max_new_tokens
        prompt_tokens = new_tokens = 0
        reason = ""
        progress = Progress(0, total, "reading the prompt")
        with contextlib.closing(self._chunks(_body(request, self._context))) as chunks:
            for chunk in chunks:
                if "error" in chunk:
                    raise self._failure(chunk["error"], total)
                if "prompt_progress" in chunk:
                    prompt_tokens = int(chunk["prompt_progress"]["total"])
                    self._check_room(prompt_tokens + total)
                    check_room(request, self.name, prompt_tokens, self._context)
                elif chunk.get("choices"):
                    choice = chunk["choices"][0]
                    reason = choice["finish_reason"] or ""
                    new_tokens = _new_tokens(chunk, new_tokens + (not reason))
                    progress = Progress(min(new_tokens, total), total, "writing")
                    stream.add(choice["text"])
                report(progress)
                if stream.stopped:
                    break
        stream.close()
        return Written(
            stream.text, prompt_tokens, new_tokens, _end(stream, reason, new_tokens, total)
        )

    def _check_room(self, tokens: int) -> None:
        if tokens > self._context < self._header.context_length:
            raise _NeedsContext(tokens)

    def _chunks(self, body: dict[str, Any]) -> Generator[Chunk]:
        """What llama.cpp answers; an empty chunk ten times a second while it is busy.

        xllamacpp drops exceptions raised in its callback, so the chunks cross to this thread first.
        """
        arrived: SimpleQueue[Chunk | None] = SimpleQueue()
        stop = Event()

        def receive(chunk: Chunk) -> bool:
            arrived.put(chunk)
            return stop.is_set()

        def work() -> None:
            try:
                self._server.handle_completions(body, receive)
            finally:
                arrived.put(None)

        thread = Thread(target=work, name="llama.cpp", daemon=True)
        thread.start()
        try:
            while True:
                try:
                    chunk = arrived.get(timeout=0.1)
                except Empty:
                    chunk = {}
                if chunk is None:
                    return
                yield chunk
        finally:
            stop.set()
            thread.join()

    def _failure(self, error: Mapping[str, Any], max_new_tokens: int) -> EngineError:
        if "n_prompt_tokens" in error:
            tokens = int(error["n_prompt_tokens"])
            self._check_room(tokens + max_new_tokens)
            return PromptTooLong(self.name, tokens, self._context)
        return ModelError(
            f"{self.name} could not answer: {error.get('message', 'no reason given')}.",
            "Try another prompt, or another model.",
        )


class _NeedsContext(Exception):
    """Prompt and answer do not fit into the context that is open, but the model can read more."""

    def __init__(self, tokens: int) -> None:
        super().__init__(tokens)
        self.tokens = tokens


def _body(request: Request, context: int) -> dict[str, Any]:
    """The request in llama.cpp's words, with the samplers in the order of transformers."""
    return {
        "prompt": request.prompt,
        "max_tokens": request.max_new_tokens,
        "temperature": request.temperature if request.do_sample else 0.0,
        "top_k": request.top_k,
        "top_p": request.top_p,
        "min_p": request.min_p,
        "typical_p": request.typical_p,
        "repeat_penalty": request.repetition_penalty,
        "repeat_last_n": context,
        "samplers": ["penalties", "temperature", "top_k", "top_p", "min_p", "typ_p"],
        "seed": request.seed,
        "stream": True,
        "return_progress": True,
        "cache_prompt": request.keeps_prefix,  # what is half in the cache gives other rounding
    }


def _new_tokens(chunk: Chunk, counted: int) -> int:
    """The last chunk knows exactly; a chunk may hold several tokens or a part of a character."""
    return int(chunk.get("usage", {}).get("completion_tokens", counted))


def _end(stream: TextStream, reason: str, new_tokens: int, total: int) -> End:
    if stream.stopped:
        return "stop string"
    if reason == "stop":
        return "finished"
    return "length" if new_tokens >= total else "context"


def start_server(header: GgufHeader, context: int, looks_up: bool = True) -> Any:
    """llama.cpp with room for so many tokens; `looks_up`: what stood there before, see LOOKUP."""
    import xllamacpp

    memory.require(need(header, context), f"{header.path.name} needs")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(header.path)
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = BATCH
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = device.threads()
    if looks_up:
        simple = xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE
        parameters.speculative.types = [simple]
        parameters.speculative.ngram_simple.size_n = LOOKUP
        parameters.speculative.ngram_simple.size_m = DRAFT
    parameters.cache_ram_mib = 0
    parameters.warmup = False
    parameters.fit_params = False
    parameters.use_jinja = False
    parameters.chat_template = "chatml"  # else llama.cpp would run the stranger's template
    parameters.endpoint_slots = False
    parameters.ui = False
    parameters.verbosity = -1
    try:
        with _unreachable(parameters):
            return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise ModelError(
            f"llama.cpp cannot run {header.path} (architecture {header.architecture!r}) with room "
            f"for {context} tokens.",
            "Choose another model, or another version of this one.",
        ) from error


@contextlib.contextmanager
def _unreachable(parameters: Any) -> Iterator[None]:
    """While the server starts its listener has an address; afterwards none that can be opened."""
    with tempfile.TemporaryDirectory(prefix="atelier-", ignore_cleanup_errors=True) as folder:
        path = str(Path(folder) / "s.sock")
        if (
            sys.platform != "win32"
            and hasattr(socket, "AF_UNIX")
            and len(path) < LONGEST_SOCKET_PATH
        ):
            parameters.hostnames = [path]
        else:
            parameters.api_keys = [secrets.token_hex(32)]
        yield
