"""A program of its own, started by `chat.py`: renders one chat template and ends.

JSON on stdin: template and variables, perhaps a list of conversations of which each is rendered.
JSON on stdout: the text or texts, or an error. It knows nothing of the engine, so that it starts
quickly, and it may be killed at any time.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

CPU_SECONDS = 2
MEMORY = 512 * 2**20
LONGEST_TEXT = 4_000_000


class RefusedByTemplate(TemplateError):
    """The template called raise_exception: it does not take this conversation."""


class Generation(Extension):
    """`{% generation %}` marks what a model learns from; when rendering it means nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def render(template: str, variables: dict[str, Any]) -> str:
    """The text, with the names that transformers gives to chat templates."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda pattern: datetime.now().strftime(pattern)
    return environment.from_string(template).render(variables)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    template, variables = request["template"], request["variables"]
    conversations = request.get("conversations", [variables["messages"]])
    try:
        texts = [render(template, variables | {"messages": told}) for told in conversations]
    except RefusedByTemplate as error:
        return {"refused": True, "error": str(error).rstrip(".")[:300]}
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return {"error": str(error).rstrip(".")[:300]}
    length = sum(map(len, texts))
    if length > LONGEST_TEXT:
        return {"error": f"it makes {length} characters"}
    return {"texts": texts} if "conversations" in request else {"text": texts[0]}


def limit_resources() -> None:
    """Windows has no such limits; there only the time on the clock counts."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _to_json(value: Any, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> None:
    raise RefusedByTemplate(message)


def main() -> None:
    limit_resources()
    request = json.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(answer(request)).encode())


if __name__ == "__main__":
    main()
