"""The frame: workspaces, docks, menus, geometry. It knows no model words."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QSize, Qt, QUrl
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QCloseEvent,
    QDesktopServices,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QToolBar,
    QWidget,
)

from engine import folders
from engine.worker import Engine
from studio import passing, theme
from studio.actions import Command, add_actions, fill_menu
from studio.adding import Adding, is_model
from studio.describing import Describing
from studio.dialogs.closing import ask_to_stop
from studio.getting import Getting
from studio.settings import Settings
from studio.widgets.file_drops import FileDrops
from studio.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from studio.workspaces.create import CreateWorkspace

LAYOUT_VERSION = 1
DOCK_HEIGHT = 18 * theme.SPACING  # of the panels at the bottom, on the first day


@dataclass(frozen=True)
class Place:
    """A workspace that is built when it is first looked at."""

    name: str
    title: str
    icon: str
    module: str
    class_name: str
    trains: bool = False


class MainWindow(QMainWindow):
    """One window over three engines: `make` for what one waits for, `train` and `fetch` for what
    can wait."""

    def __init__(self, make: Engine, train: Engine, fetch: Engine, settings: Settings) -> None:
        super().__init__()
        self._make, self._train = make, train
        self._engines = (make, train, fetch)
        self._settings = settings
        self._workspaces: dict[str, QMainWindow] = {}
        self._menus: dict[str, QMenu] = {}
        self.setWindowTitle("Atelier")
        self.setMinimumSize(QSize(900, 600))
        self.setDockNestingEnabled(True)
        FileDrops(self).dropped.connect(self.open_file)
        self.describing = Describing(make, settings, self)
        self.adding = Adding(make, settings, self)
        self.getting = Getting(make, fetch, self)
        passing.join_dialogs(self)
        self._places = self._list_places()
        self._stack = QStackedWidget()
        self.setCentralWidget(self._stack)
        self._commands = self._list_commands()
        actions = add_actions(self, self._commands, Qt.ShortcutContext.WindowShortcut)
        self._actions = {action.objectName(): action for action in actions}
        self._rail = self._build_rail()
        self._docks: list[QDockWidget] = []
        self._default_layout = QByteArray()
        self._build_menus()
        self._status = StatusLine(self)
        self.setStatusBar(self._status)
        for engine in self._engines:
            engine.jobs_changed.connect(self._show_activity)
        self._restore_geometry()
        self.open_workspace(settings.value("workspace", "create"))

    # ------------------------------------------------------------------ workspaces

    def _list_places(self) -> dict[str, Place]:
        places = (
            Place("write", self.tr("Write"), "pen-line", "write", "WriteWorkspace"),
            Place("chat", self.tr("Chat"), "send", "chat", "ChatWorkspace"),
            Place("create", self.tr("Create"), "brush", "create", "CreateWorkspace"),
            Place("train", self.tr("Train"), "brain", "train", "TrainWorkspace", trains=True),
            Place("gallery", self.tr("Gallery"), "images", "gallery", "GalleryWorkspace"),
            Place("models", self.tr("Models"), "layers", "models", "ModelsWorkspace"),
        )
        return {place.name: place for place in places}

    def open_workspace(self, name: str) -> QMainWindow:
        """Show a workspace; it is built on the first call, so that the window opens at once."""
        place = self._places.get(name) or self._places["create"]
        if place.name not in self._workspaces:
            self._workspaces[place.name] = self._build_workspace(place)
        workspace = self._workspaces[place.name]
        self._stack.setCurrentWidget(workspace)
        self._actions[f"open_{place.name}"].setChecked(True)
        self._settings.set_value("workspace", place.name)
        self._show_title()
        for name, menu in self._menus.items():
            menu.menuAction().setVisible(name == place.name)
        workspace.setFocus()
        return workspace

    def _build_workspace(self, place: Place) -> QMainWindow:
        module = importlib.import_module(f"studio.workspaces.{place.module}")
        # Training draws its samples on the other engine, so that they need not wait for its end.
        engines = [self._train, self._make] if place.trains else [self._make]
        workspace = getattr(module, place.class_name)(engines[0], self._settings, *engines[1:])
        self._stack.addWidget(workspace)
        workspace.windowTitleChanged.connect(self._show_title)
        workspace.restoreState(self._settings.bytes(f"layout/{place.name}"), LAYOUT_VERSION)
        passing.join(self, place.name, workspace)
        self._add_menu(place, workspace)
        return cast(QMainWindow, workspace)

    def open_file(self, path: Path) -> None:
        """Open a picture or a project, in Create; take a model in."""
        if is_model(path):
            return self.adding.add(path)
        return cast("CreateWorkspace", self.open_workspace("create")).open_file(path)

    def _show_title(self) -> None:
        """What the workspace has open, where it says so, and which one it is."""
        place = self._places[self._settings.value("workspace", "create")]
        parts = [self._workspaces[place.name].windowTitle(), place.title, "Atelier"]
        self.setWindowTitle(" — ".join(part for part in parts if part))

    def workspace_named(self, name: str) -> QMainWindow | None:
        return self._workspaces.get(name)

    # ------------------------------------------------------------------ commands and menus

    def _list_commands(self) -> list[Command]:
        opening = [
            Command(
                f"open_{place.name}",
                place.title,
                f"Ctrl+{number}",
                place.icon,
                lambda name=place.name: self.open_workspace(name),  # type: ignore[misc]
            )
            for number, place in enumerate(self._places.values(), start=1)
        ]
        return [
            *opening,
            Command("palette", self.tr("Search commands…"), "Ctrl+K", "search", self.show_palette),
            Command(
                "preferences", self.tr("Preferences…"), "Ctrl+,", "settings", self.show_preferences
            ),
            Command("add_model", self.tr("Add a model…"), "", "plus", lambda: self.adding.add()),
            Command("get_models", self.tr("Get models…"), "", "download", self.getting.show),
            Command("reset_layout", self.tr("Reset layout"), "", "panel-right", self.reset_layout),
            Command(
                "data_folder", self.tr("Open data folder"), "", "folder-open", self.open_data_folder
            ),
            Command("about", self.tr("About Atelier"), "", "info", self.show_about),
            Command("quit", self.tr("Quit"), "Ctrl+Q", "x", self.close),
        ]

    def _build_rail(self) -> QToolBar:
        rail = QToolBar(self.tr("Workspaces"), self)
        rail.setObjectName("rail")
        rail.setMovable(False)
        rail.setOrientation(Qt.Orientation.Vertical)
        rail.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        rail.setIconSize(QSize(20, 20))
        rail.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        group = QActionGroup(self)
        for name in self._places:
            action = self._actions[f"open_{name}"]
            action.setCheckable(True)
            group.addAction(action)
            rail.addAction(action)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, rail)
        return rail

    def _build_menus(self) -> None:
        bar = self.menuBar()
        file_menu = bar.addMenu(self.tr("&File"))
        for name in ("add_model", "get_models", "data_folder", "preferences", "quit"):
            file_menu.addAction(self._actions[name])
        self._view_menu = bar.addMenu(self.tr("&View"))
        for name in self._places:
            self._view_menu.addAction(self._actions[f"open_{name}"])
        self._view_menu.addSeparator()
        self._view_menu.addAction(self._actions["palette"])
        self._view_menu.addAction(self._actions["reset_layout"])
        self._view_menu.addSeparator()
        help_menu = bar.addMenu(self.tr("&Help"))
        help_menu.addAction(self._actions["about"])

    def _add_menu(self, place: Place, workspace: QMainWindow) -> None:
        """A menu of the workspace's own, in sight while it is."""
        menu = QMenu(place.title, self)
        fill_menu(menu, self.workspace_actions(workspace))
        menu.addSeparator()
        for dock in workspace.findChildren(QDockWidget):
            menu.addAction(dock.toggleViewAction())
        self.menuBar().insertMenu(self._view_menu.menuAction(), menu)
        self._menus[place.name] = menu

    @staticmethod
    def workspace_actions(workspace: QWidget) -> list[QAction]:
        return [action for action in workspace.actions() if action.text()]

    def show_palette(self) -> None:
        from studio.widgets.command_palette import CommandPalette

        current = self._stack.currentWidget()
        own = self.workspace_actions(current) if current else []
        CommandPalette([*own, *self.actions()], self).open_over(self)

    # ------------------------------------------------------------------ docks and status

    def add_dock(self, dock: QDockWidget, shown: bool) -> None:
        """Take a panel in; the person may move it anywhere, and it comes back there."""
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        if self._docks:
            self.tabifyDockWidget(self._docks[0], dock)
        dock.setVisible(shown)
        self._docks.append(dock)
        self._view_menu.addAction(dock.toggleViewAction())

    def _show_activity(self) -> None:
        jobs = [job for engine in self._engines for job in engine.jobs]
        self._status.show_active([job.task for job in jobs if not job.state.ended])

    # ------------------------------------------------------------------ dialogs

    def show_preferences(self) -> None:
        from studio.dialogs.preferences import PreferencesDialog

        PreferencesDialog(self._settings, self).show()

    def show_about(self) -> None:
        from studio.dialogs.about import AboutDialog

        AboutDialog(self).show()

    def open_data_folder(self) -> None:
        folders.home().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folders.home())))

    # ------------------------------------------------------------------ geometry and closing

    def _restore_geometry(self) -> None:
        self.resize(1280, 800)
        self.restoreGeometry(self._settings.bytes("geometry"))

    def restore_layout(self) -> None:
        """Put the docks where the person left them; call it when all have been added."""
        self.resizeDocks(self._docks[:1], [DOCK_HEIGHT], Qt.Orientation.Vertical)
        self._default_layout = self.saveState(LAYOUT_VERSION)
        self.restoreState(self._settings.bytes("layout"), LAYOUT_VERSION)

    def reset_layout(self) -> None:
        """All docks where they were on the first day."""
        self.restoreState(self._default_layout, LAYOUT_VERSION)
        for name, workspace in self._workspaces.items():
            self._settings.set_bytes(f"layout/{name}", QByteArray())
            for dock in workspace.findChildren(QDockWidget):
                dock.setFloating(False)
                dock.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        if any(engine.busy for engine in self._engines) and not ask_to_stop(self):
            event.ignore()
            return
        self._settings.set_bytes("geometry", self.saveGeometry())
        self._settings.set_bytes("layout", self.saveState(LAYOUT_VERSION))
        for name, workspace in self._workspaces.items():
            self._settings.set_bytes(f"layout/{name}", workspace.saveState(LAYOUT_VERSION))
            workspace.close()
        self._settings.save()
        super().closeEvent(event)
