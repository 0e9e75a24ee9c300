"""How many pictures of the gallery a model made, counted off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from engine.errors import EngineError
from engine.gallery.index import Index
from engine.gallery.query import parse
from studio.background import Background, attempt


def query_for(model: str) -> str:
    """What finds its pictures in the gallery."""
    return f'model:"{model}"'


class PictureCount(QObject):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)

    def count(self, model: str, then: Callable[[int], object]) -> None:
        """`then` gets the number; nothing is said where the index cannot be read, which the
        gallery tells of."""

        def tell(found: int | EngineError) -> None:
            if not isinstance(found, EngineError):
                then(found)

        self._background.run(lambda: attempt(lambda: _count(model)), tell)

    def close(self) -> None:
        self._background.finish()


def _count(model: str) -> int:
    index = Index()
    try:
        return len(index.search(parse(query_for(model))))
    finally:
        index.close()
