"""The projects that were open last, in the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.settings import Settings

KEY = "create/recent_projects"
MOST = 10


class RecentProjects:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def paths(self) -> list[Path]:
        """The newest first; only those that are still there."""
        stored: list[Any] = self._settings.value(KEY, [])
        paths = [Path(path) for path in stored if isinstance(path, str)]
        return [path for path in paths if path.is_file()]

    def add(self, path: Path) -> None:
        others = [other for other in self.paths() if other != path]
        self._settings.set_value(KEY, [str(one) for one in (path, *others)][:MOST])

    def folder(self) -> Path:
        """Where the person keeps projects."""
        paths = self.paths()
        return paths[0].parent if paths else Path.home()
