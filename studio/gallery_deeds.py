"""What is done to pictures in the gallery, each to be undone: delete, star, tags, notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine.gallery.pictures import Mark
from studio.collection import Collection, Marks
from studio.trash import Trashed

MOST_STEPS = 200

Change = Callable[[Mark], Mark]


class GalleryDeeds(QObject):
    """Each deed is a step to undo at once; it is carried out on another thread, in order."""

    said = Signal(str)  # what was done, with a way to undo it beside it

    def __init__(self, collection: Collection, parent: QObject) -> None:
        super().__init__(parent)
        self._collection = collection
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(MOST_STEPS)

    # ------------------------------------------------------------------ trash

    def delete(self, paths: Sequence[Path], besides: str = "") -> None:
        """Move pictures to the trash; `besides` is said with what has become of them."""
        if paths:
            text = self.tr("Delete pictures")
            tell = partial(self._tell, besides)
            self.undo_stack.push(_Delete(self._collection, paths, text, tell))

    def _tell(self, besides: str, trashed: Sequence[Trashed]) -> None:
        if not trashed:
            return
        text = self.tr("{:,} pictures are in the trash now.").format(len(trashed))
        if len(trashed) == 1:
            text = self.tr("{} is in the trash now.").format(trashed[0].path.name)
        self.said.emit(f"{text} {besides}".strip())

    # ------------------------------------------------------------------ marks

    def star(self, numbers: Sequence[int], star: bool) -> None:
        text = self.tr("Star") if star else self.tr("Take the star away")
        self._change(numbers, lambda mark: replace(mark, star=star), text)

    def add_tag(self, numbers: Sequence[int], tag: str) -> None:
        def change(mark: Mark) -> Mark:
            has = tag.casefold() in (each.casefold() for each in mark.tags)
            return mark if has else replace(mark, tags=(*mark.tags, tag))

        self._change(numbers, change, self.tr("Add the tag {}").format(tag))

    def remove_tag(self, numbers: Sequence[int], tag: str) -> None:
        def change(mark: Mark) -> Mark:
            return replace(mark, tags=tuple(each for each in mark.tags if each != tag))

        self._change(numbers, change, self.tr("Take the tag {} away").format(tag))

    def set_notes(self, numbers: Sequence[int], notes: str) -> None:
        self._change(numbers, lambda mark: replace(mark, notes=notes), self.tr("Change the notes"))

    def _change(self, numbers: Sequence[int], change: Change, text: str) -> None:
        pictures = self._collection.pictures(numbers)
        if any(change(picture.mark) != picture.mark for picture in pictures):
            self.undo_stack.push(_Mark(self._collection, numbers, change, text))


class _Delete(QUndoCommand):
    """What was deleted is known when the thread has done it; what follows there comes after."""

    def __init__(
        self,
        collection: Collection,
        paths: Sequence[Path],
        text: str,
        tell: Callable[[Sequence[Trashed]], None],
    ) -> None:
        super().__init__(text)
        self._collection = collection
        self._paths = list(paths)
        self._trashed: list[Trashed] = []
        self._tell = tell

    def redo(self) -> None:
        self._collection.delete(self._paths, self._trashed, lambda: self._tell(self._trashed))

    def undo(self) -> None:
        # Another file may have taken a name meanwhile: `_paths` becomes where they are now.
        self._collection.restore(self._trashed, self._paths)


class _Mark(QUndoCommand):
    def __init__(
        self, collection: Collection, numbers: Sequence[int], change: Change, text: str
    ) -> None:
        super().__init__(text)
        self._collection = collection
        self._numbers = list(numbers)
        self._change = change
        self._former: Marks = []

    def redo(self) -> None:
        if self._former:
            self._collection.set_marks(self._later)
        else:
            self._collection.change_marks(self._numbers, self._change, self._former)

    def undo(self) -> None:
        self._collection.set_marks(lambda: self._former)

    def _later(self) -> Marks:
        return [(path, self._change(mark)) for path, mark in self._former]
