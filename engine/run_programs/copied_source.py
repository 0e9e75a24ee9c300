"""Takes code out of a file of the engine, so that a program can carry it instead of importing it.

The text is read and parsed, never run: the window asks for programs, and must not import torch.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ENGINE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Source:
    """`imports` are lines of what the code needs besides the engine; `code` is the rest."""

    imports: frozenset[str]
    code: str


def copied(path: str, names: Sequence[str] = ()) -> Source:
    """All of the file `path` of the engine, or only what defines these names."""
    text = (ENGINE / path).read_text(encoding="utf-8")
    body = ast.parse(text).body
    lines = text.splitlines()
    kept = [node for node in body if _is_wanted(node, names)]
    code = "\n\n\n".join("\n".join(lines[_first(node) - 1 : node.end_lineno]) for node in kept)
    found = "\n\n\n".join(ast.unparse(node) for node in kept)
    imports = (line for node in body for line in _imported(node) if _uses(found, line))
    return Source(frozenset(imports), code)


def alone(source: Source) -> Source:
    """The same without what only the engine has a use for: what is imported from it, what is
    reported, and the other processes of a training."""
    lines = source.code.splitlines()
    for node in ast.walk(ast.parse(source.code)):
        if isinstance(node, ast.stmt) and _is_of_the_engine(node):
            lines[node.lineno - 1 : node.end_lineno] = [_GONE] * len(_lines_of(node))
    code = "\n".join(line for line in lines if line is not _GONE)
    code = code.replace("device.has_native_bfloat16", "has_native_bfloat16").strip("\n")
    return Source(frozenset(line for line in source.imports if _uses(code, line)), code)


_GONE = "# gone"


def _is_of_the_engine(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("engine")
    said = ast.unparse(node) if isinstance(node, ast.Expr) else ""
    return said.startswith(("report(Progress(", "distributed."))


def _lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def header(imports: Iterable[str]) -> str:
    """Import lines as they stand at the top of a program: the standard library first."""
    lines = sorted(set(imports), key=lambda line: (line.startswith("from"), line))
    own = [line for line in lines if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    other = [line for line in lines if line not in own]
    return "\n".join(own) + "\n\n" + "\n".join(other)


def _is_wanted(node: ast.stmt, names: Sequence[str]) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if names:
        assigned = node.targets if isinstance(node, ast.Assign) else []
        found = [target.id for target in assigned if isinstance(target, ast.Name)]
        return getattr(node, "name", "") in names or any(name in names for name in found)
    return not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _first(node: ast.stmt) -> int:
    """The line where a definition begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _imported(node: ast.stmt) -> list[str]:
    """A line for each name that it imports from anywhere but the engine."""
    if isinstance(node, ast.Import):
        return [ast.unparse(ast.Import([alias])) for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module != "__future__":
        if (node.module or "").startswith("engine"):
            return []
        return [ast.unparse(ast.ImportFrom(node.module, [a], 0)) for a in node.names]
    return []


def _uses(code: str, line: str) -> bool:
    name = line.split()[-1].partition(".")[0]
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(ast.parse(code)))
