"""What one workspace hands to another: a text to draw, a picture to write about or to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from PySide6.QtWidgets import QMainWindow

if TYPE_CHECKING:
    from studio.adding import Adding
    from studio.describing import Describing
    from studio.getting import Getting
    from studio.reading import Reading
    from studio.workspaces.chat import ChatWorkspace
    from studio.workspaces.create import CreateWorkspace
    from studio.workspaces.gallery import GalleryWorkspace
    from studio.workspaces.models import ModelsWorkspace
    from studio.workspaces.train import TrainWorkspace
    from studio.workspaces.write import WriteWorkspace


class Window(Protocol):
    """Whoever opens the workspaces."""

    def open_workspace(self, name: str) -> QMainWindow: ...

    def open_file(self, path: Path) -> None: ...

    @property
    def adding(self) -> Adding: ...

    @property
    def getting(self) -> Getting: ...

    @property
    def describing(self) -> Describing: ...


def reading(window: Window) -> Reading:
    """Where pictures and words are put into the text."""
    return cast("WriteWorkspace", window.open_workspace("write")).reading


def join_dialogs(window: Window) -> None:
    """Bring the words for a picture to Create and to Write, and a new model to where it works."""

    def draw(prompt: str) -> None:
        cast("CreateWorkspace", window.open_workspace("create")).draw(prompt)

    window.describing.prompt_wanted.connect(draw)

    def use(name: str, shown: dict[str, Any]) -> None:
        workspace = cast("CreateWorkspace | WriteWorkspace", window.open_workspace(name))
        workspace.form.set_values(shown)

    window.describing.text_wanted.connect(lambda words: reading(window).put_words(words))
    window.adding.use_requested.connect(use)
    window.getting.use_requested.connect(use)


def join(window: Window, name: str, workspace: QMainWindow) -> None:
    """Bring what the workspace of that name passes on to the one it is meant for."""

    def create() -> CreateWorkspace:
        return cast("CreateWorkspace", window.open_workspace("create"))

    def put_into_text(pictures: list[Path]) -> None:
        reading(window).put(pictures)

    def show_pictures(query: str) -> None:
        gallery = cast("GalleryWorkspace", window.open_workspace("gallery"))
        gallery.page.search.set_text(query)

    if name in ("write", "chat"):
        writer = cast("WriteWorkspace | ChatWorkspace", workspace)
        writer.draw_requested.connect(lambda prompt: create().draw(prompt))
    elif name == "create":
        finished = cast("CreateWorkspace", workspace).finished
        finished.write_requested.connect(put_into_text)
        finished.describe_requested.connect(window.describing.describe)
    elif name == "train":
        train = cast("TrainWorkspace", workspace)
        train.create_requested.connect(lambda told: create().reusing.set_up(told))
    elif name == "models":
        models = cast("ModelsWorkspace", workspace)
        models.use_requested.connect(window.adding.use_requested)
        models.add_requested.connect(window.adding.add)
        models.get_requested.connect(window.getting.show)
        window.getting.arrived.connect(models.look_again)
        models.pictures_requested.connect(show_pictures)
    elif name == "gallery":
        gallery = cast("GalleryWorkspace", workspace)
        gallery.open_requested.connect(window.open_file)
        gallery.reuse_requested.connect(lambda path: create().reusing.restore(path))
        gallery.write_requested.connect(put_into_text)
        gallery.describe_requested.connect(window.describing.describe)
        gallery.create_requested.connect(create)
