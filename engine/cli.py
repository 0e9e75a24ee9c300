"""Every task from a terminal: `python -m engine TASK --field value --out DIR`.

Paths of results go to stdout, what people read goes to stderr. Exit codes: 0 done, 1 failed,
2 bad input, 130 stopped.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from tqdm import tqdm

from engine import device, distributed, files, folders, packs, registry
from engine.errors import Cancelled, EngineError, InvalidTask, UnexpectedError
from engine.events import Event, Metric, Notice, Preview, Progress, Report, Saved
from engine.events import Token as TokenEvent
from engine.metrics_log import OF_THE_MACHINE
from engine.process import attempt
from engine.task import Field, Task

DONE, FAILED, BAD_INPUT, STOPPED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    device.prepare_environment()
    if isinstance(sys.stdout, io.TextIOWrapper):  # any path can be printed, whatever the locale
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        _print_usage()
        return DONE if given else BAD_INPUT
    if given[0] == "list":
        _print_tasks()
        return DONE
    try:
        task_class = registry.task_class(given[0])
        options = _parser(task_class).parse_args(given[1:])
        values = {
            f.name: v for f in task_class.fields() if (v := vars(options)[f.name]) is not None
        }
        task = task_class.from_dict(values)
        if distributed.count() > 1 and not registry.is_training(task_class):
            raise EngineError(f"{given[0]} runs on one process.", "Start it without torchrun.")
    except EngineError as error:
        _complain(error)
        return BAD_INPUT
    return _run(task, options.out or _default_out(task), options.json)


def _run(task: Task, out: Path, as_json: bool) -> int:
    reporter = _reporter(as_json)
    signal.signal(signal.SIGINT, reporter.stop)
    signal.signal(signal.SIGTERM, reporter.stop)
    try:
        error = _prepare(task, reporter, out) or attempt(task, reporter, out)
    except (Cancelled, KeyboardInterrupt):  # the latter after a second Ctrl+C
        reporter.close()
        print("stopped", file=sys.stderr)
        return STOPPED
    reporter.close()
    if error is None:
        return DONE
    if isinstance(error, UnexpectedError):
        print(error.details, file=sys.stderr)
    _complain(error)
    return BAD_INPUT if isinstance(error, InvalidTask) else FAILED


def _reporter(as_json: bool) -> _Reporter:
    if distributed.rank() > 0:
        return _Reporter()  # the first process speaks for all
    return _JsonReporter() if as_json else _TerminalReporter()


def _prepare(task: Task, report: Report, out: Path) -> EngineError | None:
    """What the work needs: its folder, and the starter pack that it names."""
    if distributed.rank() > 0:
        return None  # the first process does it
    try:
        files.make_folder(out)
        if pack := packs.needed_by(task):
            report(Notice(f"Fetching {pack.title}, once ({pack.size / 1e6:.0f} MB)."))
            packs.fetch(pack, report)
    except EngineError as error:
        return error
    return None


def _complain(error: EngineError) -> None:
    """One line, whatever the error quotes."""
    print("error:", str(error).replace("\n", " "), file=sys.stderr)


def _default_out(task: Task) -> Path:
    if registry.is_training(type(task)):
        return files.new_path(folders.runs(), f"{task.name()}-{files.timestamp()}", "")
    return folders.outputs()


# --------------------------------------------------------------------------- arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One clear line instead of argparse's whole usage."""
        raise InvalidTask("", f"{message}.", f"See: {self.prog} --help")


def _parser(task_class: type[Task]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"python -m engine {task_class.name()}",
        description=task_class.summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for field in task_class.fields():
        parser.add_argument(
            f"--{field.name}",
            metavar=_metavar(field),
            required=not field.has_default,
            help=_help(field).replace("%", "%%"),
        )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder for the results")
    parser.add_argument("--json", action="store_true", help="events as JSON lines on stdout")
    return parser


def _metavar(field: Field) -> str:
    options = field.param.options()
    if options and not field.param.editable:
        return "{" + ",".join(options) + "}"
    return {bool: "true|false", int: "N", float: "X", str: "TEXT"}[field.type]


def _help(field: Field) -> str:
    unit = f" ({field.param.unit})" if field.param.unit else ""
    default = f" [{_shown(field.default)}]" if field.has_default and field.default != "" else ""
    return f"{field.param.help}{unit}{default}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print_usage() -> None:
    print("usage: python -m engine TASK --field value … --out DIR")
    print("       python -m engine list            all tasks")
    print("       python -m engine TASK --help     the fields of one")


def _print_tasks() -> None:
    names = registry.task_names()
    width = max(map(len, names))
    for name in names:
        print(f"{name:{width}}  {registry.task_class(name).summary}")


# --------------------------------------------------------------------------- reporting


class _Reporter:
    """Stands where the window would be: raises Cancelled, once, after Ctrl+C. Shows nothing."""

    def __init__(self) -> None:
        self._stop = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        self._stop = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl+C is for good

    def __call__(self, event: Event) -> None:
        if self._stop:
            self._stop = False
            raise Cancelled
        try:
            self.show(event)
        except BrokenPipeError:  # whoever read the results has left, and so does the work
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Cancelled from None

    def show(self, event: Event) -> None:
        pass

    def close(self) -> None:
        pass


class _JsonReporter(_Reporter):
    def show(self, event: Event) -> None:
        record: dict[str, Any] = {"event": type(event).__name__.lower()}
        if isinstance(event, Preview):
            record |= {"index": event.index, "size": event.image.size}
        else:
            record |= asdict(event)
        print(json.dumps(record, default=str), flush=True)


class _TerminalReporter(_Reporter):
    """A progress bar and streaming text on stderr, paths on stdout."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm[NoReturn] | None = None
        self._writing = False

    def show(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, TokenEvent):
            self._close_bar()
            self._writing = True
            print(event.text, end="", flush=True, file=sys.stderr)
        elif isinstance(event, Notice):
            self._say(event.message)
        elif isinstance(event, Metric) and self._bar is not None:
            shown = {k: v for k, v in event.values.items() if k not in OF_THE_MACHINE}
            self._bar.set_postfix({k: f"{v:.3g}" for k, v in shown.items()}, refresh=False)
        elif isinstance(event, Saved):
            self.close()
            print(event.path, flush=True)

    def close(self) -> None:
        self._close_bar()
        if self._writing:
            self._writing = False
            print(file=sys.stderr)

    def _progress(self, event: Progress) -> None:
        if self._writing:
            return  # the text itself is the progress
        if self._bar is None or self._bar.total != event.total:
            self._close_bar()
            # Without a total there is nothing to measure: the stage alone says what goes on.
            shape = None if event.total else "{desc}"
            self._bar = tqdm(
                total=event.total,
                leave=False,
                file=sys.stderr,
                dynamic_ncols=True,
                miniters=1,  # a stage that slows down must not seem to stand still
                bar_format=shape,
                desc=event.stage,
            )
        self._bar.set_description_str(event.stage, refresh=False)
        self._bar.n = event.step
        self._bar.update(0)

    def _say(self, message: str) -> None:
        self._close_bar()
        print(message, file=sys.stderr)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
