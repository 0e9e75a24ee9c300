"""The journal: what is being made is on disk before it starts, so that a crash loses no request."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from engine import files, folders, registry
from engine.errors import EngineError, FileError
from engine.worker import Engine, Job

log = logging.getLogger(__name__)


class Journal(QObject):
    """Keeps the jobs that have not ended in `journal.json`; brings them back after a crash."""

    def __init__(self, engines: Sequence[Engine], path: Path | None = None) -> None:
        super().__init__()
        self._engines = {engine.objectName(): engine for engine in engines}
        self._path = path or folders.home() / "journal.json"
        self._written: list[dict[str, Any]] = []
        self._bring_back()
        for engine in engines:
            engine.jobs_changed.connect(self._write)

    def _write(self) -> None:
        entries = [
            {"engine": name, "task": job.task.name(), "fields": job.task.to_dict()}
            | {"out": str(job.out)}
            for name, engine in self._engines.items()
            for job in engine.jobs
            if not job.state.ended
        ]
        if entries == self._written:
            return
        try:
            files.write_json(self._path, entries)
            self._written = entries
        except FileError as error:  # the work itself is worth more than its journal
            log.warning("the journal was not written: %s", error)

    def _bring_back(self) -> None:
        """Show what a crash interrupted as failed jobs, which can be tried again."""
        if not self._path.exists():
            return
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read (%s); it is kept as .bad", self._path, error)
            self._path.replace(self._path.with_suffix(".bad"))
            return
        for entry in entries if isinstance(entries, list) else []:
            try:
                out = Path(entry["out"])
                task = registry.task_class(entry["task"]).from_dict(entry["fields"])
                job = Job(task.again(out), out)
                engine = self._engines[entry["engine"]]
            except (EngineError, KeyError, TypeError) as error:
                log.warning("an interrupted job was not understood: %s", error)
                continue
            engine.adopt(
                job,
                EngineError(
                    self.tr("Atelier ended before this was done."),
                    self.tr("Retry makes it now; nothing that was saved is lost."),
                ),
            )
