"""The plan of the house as a test: who may import whom, what no file may do, what is installed."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "transformers", "diffusers", "xllamacpp", "accelerate", "peft"}
HEAVY |= {"ncnn", "onnxruntime", "spandrel"}
FORBIDDEN_ROOMS = {"utils", "util", "misc", "core", "common", "manager", "helpers", "helper"}
MOST_LINES = 300

Found = Iterator[tuple[int, str]]


class Source:
    """One file of the product, parsed."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.tree = ast.parse(text, path)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def is_in(self, *rooms: str) -> bool:
        return any(self.module == room or self.module.startswith(room + ".") for room in rooms)

    def imports(self, *, at_start: bool = False) -> Found:
        """(line, module) of every import; `at_start`: only those made by importing this file."""
        for node in _executed(self.tree) if at_start else ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                assert node.level == 0, f"{self.path}:{node.lineno}: relative import"
                for alias in node.names:
                    yield node.lineno, f"{base}.{alias.name}"

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """(call, dotted name) of every call of something that has a name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, ast.unparse(node.func)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the file is imported: no function's inside, nothing for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _executed(child)


def product() -> list[Source]:
    paths = [ROOT / "main.py", *(ROOT / "engine").rglob("*.py"), *(ROOT / "studio").rglob("*.py")]
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(paths)
    ]


def begins(module: str, *roots: str) -> bool:
    return any(module == root or module.startswith(root + ".") for root in roots)


# ------------------------------------------------------------------ the rules: one function each


def engine_never_imports_studio(source: Source) -> Found:
    if source.is_in("engine"):
        yield from ((n, m) for n, m in source.imports() if begins(m, "studio"))


def studio_never_imports_the_heavy_ones(source: Source) -> Found:
    if source.is_in("studio", "main"):
        yield from ((n, m) for n, m in source.imports() if begins(m, *HEAVY))


def studio_never_imports_networks_or_learners(source: Source) -> Found:
    if source.is_in("studio", "main"):
        yield from ((n, m) for n, m in source.imports() if begins(m, "engine.models"))


def heavy_imports_only_inside_functions(source: Source) -> Found:
    """Networks subclass torch's Module, so engine/models may; nobody imports them at the start."""
    if not source.is_in("engine.models"):
        yield from (
            (n, m)
            for n, m in source.imports(at_start=True)
            if begins(m, *HEAVY, "safetensors.torch", "engine.models") and m != "engine.models"
        )


def qt_in_engine_only_in_the_worker(source: Source) -> Found:
    if source.is_in("engine"):
        for line, module in source.imports():
            core = source.module == "engine.worker" and begins(module, "PySide6.QtCore")
            if begins(module, "PySide6", "shiboken6", "pyqtgraph") and not core:
                yield line, module


def workspaces_do_not_know_each_other(source: Source) -> Found:
    if source.is_in("studio.workspaces"):
        for line, module in source.imports():
            if begins(module, "studio.workspaces") and not begins(module, source.module):
                yield line, module


def widgets_and_canvas_know_neither_workspaces_nor_the_worker(source: Source) -> Found:
    if source.is_in("studio.widgets", "studio.canvas"):
        above = ("studio.workspaces", "studio.panels", "studio.main_window", "studio.app")
        yield from ((n, m) for n, m in source.imports() if begins(m, *above, "engine.worker"))


def no_room_without_a_name(source: Source) -> Found:
    yield from ((1, part) for part in source.module.split(".") if part in FORBIDDEN_ROOMS)


def every_file_says_what_belongs_there(source: Source) -> Found:
    if not ast.get_docstring(source.tree):
        yield 1, "no docstring"


def no_file_is_too_long(source: Source) -> Found:
    lines = source.text.count("\n")
    if lines > MOST_LINES:
        yield lines, f"{lines} lines"


def nothing_that_runs_programs_from_data(source: Source) -> Found:
    yield from (
        (n, m)
        for n, m in source.imports()
        if begins(m, "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
    )
    for call, name in source.calls():
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name in ("eval", "exec", "compile", "__import__", "os.system", "torch.export.load"):
            yield call.lineno, name
        if name == "torch.load" and given.get("weights_only") != "True":
            yield call.lineno, "torch.load without weights_only"
        if name.endswith("load") and given.get("allow_pickle", "False") != "False":
            yield call.lineno, "allow_pickle"
        if given.get("trust_remote_code", "False") != "False":
            yield call.lineno, "trust_remote_code"
        if given.get("shell", "False") != "False":
            yield call.lineno, "shell"


def no_handler_that_hides_a_bug(source: Source) -> Found:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            broad = {"everything", "Exception", "BaseException"} & set(
                caught.strip("()").split(", ")
            )
            if broad and source.path != "engine/process.py":
                yield node.lineno, f"except {caught}"
    for call, name in source.calls():
        if name.endswith("suppress") and any(
            ast.unparse(argument) in ("Exception", "BaseException") for argument in call.args
        ):
            yield call.lineno, "suppress(Exception)"


# What fills a folder that only it knows yet, which then gets its name in one step.
FILL_TEMPORARY_FOLDERS = {
    "engine/files.py",
    "engine/packs.py",
    "engine/wheels.py",
    "engine/hub_child.py",
    "engine/language/conversion.py",
}


def every_write_goes_through_files(source: Source) -> Found:
    if source.path in FILL_TEMPORARY_FOLDERS:
        return
    for call, name in source.calls():
        method = name.rpartition(".")[2]
        if method in ("write_text", "write_bytes") and not name.startswith("files."):
            yield call.lineno, name
        if method in ("open", "fdopen") and any(mode in "wax+" for mode in _mode(call, name)):
            yield call.lineno, f"{name} for writing"


def _mode(call: ast.Call, name: str) -> str:
    """The mode of `open(path, mode)`, `path.open(mode)` or `gzip.open(path, mode)`."""
    place = 1 if name in ("open", "io.open", "os.fdopen", "gzip.open") else 0
    given = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == "mode")]
    texts = [node.value for node in given if isinstance(node, ast.Constant)]
    return "".join(text for text in texts if isinstance(text, str) and len(text) <= 3)


RULES: list[Callable[[Source], Found]] = [
    engine_never_imports_studio,
    studio_never_imports_the_heavy_ones,
    studio_never_imports_networks_or_learners,
    heavy_imports_only_inside_functions,
    qt_in_engine_only_in_the_worker,
    workspaces_do_not_know_each_other,
    widgets_and_canvas_know_neither_workspaces_nor_the_worker,
    no_room_without_a_name,
    every_file_says_what_belongs_there,
    no_file_is_too_long,
    nothing_that_runs_programs_from_data,
    no_handler_that_hides_a_bug,
    every_write_goes_through_files,
]


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return product()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_product_keeps(rule: Callable[[Source], Found], sources: list[Source]) -> None:
    broken = [f"{s.path}:{line}: {what}" for s in sources for line, what in rule(s)]
    assert broken == []


DOCUMENTED = '"""Says what belongs here."""\n'

CRIMES = [
    (engine_never_imports_studio, "engine/files.py", "from studio import theme"),
    (studio_never_imports_the_heavy_ones, "studio/images.py", "def f():\n    import torch.nn"),
    (studio_never_imports_networks_or_learners, "studio/app.py", "from engine.models import gan"),
    (heavy_imports_only_inside_functions, "engine/generators/x.py", "import torch"),
    (heavy_imports_only_inside_functions, "engine/trainers/x.py", "from engine.models import gan"),
    (heavy_imports_only_inside_functions, "engine/x.py", "class A:\n    from diffusers import B"),
    (qt_in_engine_only_in_the_worker, "engine/runs.py", "from PySide6.QtCore import QObject"),
    (qt_in_engine_only_in_the_worker, "engine/worker.py", "from PySide6.QtGui import QImage"),
    (
        workspaces_do_not_know_each_other,
        "studio/workspaces/write.py",
        "from studio.workspaces.create import Create",
    ),
    (
        widgets_and_canvas_know_neither_workspaces_nor_the_worker,
        "studio/widgets/seed.py",
        "from engine import worker",
    ),
    (
        widgets_and_canvas_know_neither_workspaces_nor_the_worker,
        "studio/canvas/view.py",
        "from studio.workspaces.create import Create",
    ),
    (no_room_without_a_name, "studio/utils/text.py", ""),
    (no_room_without_a_name, "engine/helpers.py", ""),
    (no_file_is_too_long, "engine/long.py", "\n" * MOST_LINES),
    (nothing_that_runs_programs_from_data, "engine/x.py", "import pickle"),
    (nothing_that_runs_programs_from_data, "engine/x.py", "torch.load(path)"),
    (nothing_that_runs_programs_from_data, "engine/x.py", "torch.load(p, weights_only=False)"),
    (nothing_that_runs_programs_from_data, "engine/x.py", "np.load(p, allow_pickle=True)"),
    (nothing_that_runs_programs_from_data, "engine/x.py", "eval(text)"),
    (nothing_that_runs_programs_from_data, "engine/x.py", "f(trust_remote_code=True)"),
    (no_handler_that_hides_a_bug, "engine/x.py", "try:\n    f()\nexcept:\n    pass"),
    (no_handler_that_hides_a_bug, "engine/x.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (
        no_handler_that_hides_a_bug,
        "studio/x.py",
        "try:\n    f()\nexcept (OSError, Exception):\n    pass",
    ),
    (no_handler_that_hides_a_bug, "studio/x.py", "with suppress(Exception):\n    f()"),
    (every_write_goes_through_files, "engine/x.py", "open(path, 'w')"),
    (every_write_goes_through_files, "engine/x.py", "path.open(mode='ab')"),
    (every_write_goes_through_files, "studio/x.py", "path.write_text('x')"),
]


@pytest.mark.parametrize(("rule", "path", "text"), CRIMES)
def test_a_rule_sees_what_it_forbids(rule: Callable[[Source], Found], path: str, text: str) -> None:
    assert list(rule(Source(path, DOCUMENTED + text))) != []


def test_a_file_without_a_docstring_is_seen() -> None:
    assert list(every_file_says_what_belongs_there(Source("engine/x.py", "import os")))


@pytest.mark.parametrize(
    "text",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        "def f():\n    import torch",
        "open(path)\nopen(path, 'rb')\npath.open('rb')\nfiles.write_text(path, 'x')",
        "try:\n    f()\nexcept OSError:\n    pass",
        "torch.load(path, weights_only=True)",
    ],
)
def test_what_is_allowed_breaks_no_rule(text: str) -> None:
    source = Source("engine/generators/x.py", DOCUMENTED + text)
    assert [found for rule in RULES for found in rule(source)] == []


def test_importing_the_studio_and_listing_tasks_loads_nothing_heavy() -> None:
    program = (
        "import sys, studio.app\n"
        "from engine import registry\n"
        "tasks = [registry.task_class(name) for name in registry.task_names()]\n"
        "assert tasks and all(field.param.label for task in tasks for field in task.fields())\n"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_what_is_installed_is_safe_to_run() -> None:
    major, minor = (int(part) for part in version("PySide6-Essentials").split(".")[:2])
    assert (major, minor) < (6, 12), "PySide6 6.12 aborts on Python 3.11"
    assert importlib.util.find_spec("torchvision") is None, "torchvision breaks diffusers"
