"""Working on the canvas of Create: the tools in the hand, and what they mean over a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import (
    QAction,
    QDrag,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPixmap,
    QTabletEvent,
)
from PySide6.QtWidgets import QDockWidget, QMenu

from engine.errors import EngineError
from studio.actions import Command, add_actions
from studio.canvas import selection_deeds
from studio.canvas.layer import Layer
from studio.canvas.tools.hand import Hand
from studio.canvas.tools.tool_box import ToolBox
from studio.generating import Generating
from studio.opening import Opening
from studio.settings import Settings
from studio.staging import Staging
from studio.widgets.easel import Easel
from studio.widgets.layers_panel import LayersPanel
from studio.widgets.picture_view import mime_of
from studio.widgets.tool_bar import ToolBar
from studio.widgets.tool_options import ToolOptions

TOOLS = "create/tools"
SELECTING = ("rectangle", "ellipse", "lasso", "mask_brush")
"""Tools that say where, not what: a result may wait while they are used."""
THUMBNAIL = 128  # pixels of the picture under the cursor while it is dragged

ACCEPT = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
DISCARD = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)


class Workbench(QObject):
    """What a hand changes is what it sees: a result that is painted on is accepted first."""

    def __init__(
        self,
        easel: Easel,
        staging: Staging,
        generating: Generating,
        opening: Opening,
        settings: Settings,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._easel = easel
        self._staging = staging
        self._generating = generating
        self._opening = opening
        self._settings = settings
        self.box = ToolBox(easel.canvas)
        self.box.choose(Hand.id)
        self.box.restore(settings.value(TOOLS, {}))
        self.box.remark.connect(easel.say)
        easel.stage.set_tools(ToolBar(self.box), ToolOptions(self.box))
        # Single letters are for the canvas alone, wherever else the actions are offered.
        letters = Qt.ShortcutContext.WidgetShortcut
        self.deeds = add_actions(easel.canvas, self.box.actions_table(), letters)
        """Of the tools, the colours and the layers, for the menu and the palette."""
        self._add_layers()
        self._join_staging_bar()
        for tool in self.box.tools:
            tool.option_changed.connect(self._keep)
            if isinstance(tool, Hand):
                tool.carried_out.connect(self._carry_out)
        self.box.chosen.connect(self._keep)
        self.box.colors.changed.connect(self._keep)
        opening.replacing.connect(self.box.drop)
        easel.canvas.installEventFilter(self)

    def actions_table(self) -> list[Command]:
        tr, staging = self.tr, self._staging
        return [
            Command(
                "create_accept", tr("Accept the result"), "Alt+Return", "check", staging.accept
            ),
            Command(
                "create_discard", tr("Discard the result"), "Alt+Backspace", "x", staging.discard
            ),
            Command("select_all", tr("Select all"), "Ctrl+A", "square-dashed", self.select_all),
            Command("select_none", tr("Select nothing"), "Ctrl+D", "", self.select_none),
            Command("select_inverted", tr("Invert the selection"), "Ctrl+Shift+I", "", self.invert),
            Command("select_erase", tr("Erase what is selected"), "", "eraser", self.erase),
            Command(
                "select_fill", tr("Fill with the colour"), "Alt+Shift+F", "paint-bucket", self.fill
            ),
        ]

    def offer(self, actions: Sequence[QAction]) -> None:
        """What the context menu of the canvas holds."""
        canvas = self._easel.canvas
        menu = QMenu(canvas)
        menu.addActions(actions)
        canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        canvas.customContextMenuRequested.connect(
            lambda place: menu.popup(canvas.mapToGlobal(place))
        )

    def select_all(self) -> None:
        self._generating.settle()
        selection_deeds.select_all(self._staging.document)

    def select_none(self) -> None:
        selection_deeds.select_none(self._staging.document)

    def invert(self) -> None:
        selection_deeds.invert_selection(self._staging.document)

    def erase(self) -> None:
        document = self._staging.document
        self._change(lambda layer: selection_deeds.erase_selected(document, layer))

    def fill(self) -> None:
        document, color = self._staging.document, self.box.colors.foreground
        self._change(lambda layer: selection_deeds.fill_selected(document, layer, color))

    def _change(self, deed: Callable[[Layer], None]) -> None:
        layer = self.box.current.layer_to_change()
        if layer is not None:
            try:
                deed(layer)
            except EngineError as error:
                self._easel.say(error.message)

    def _add_layers(self) -> None:
        panel = LayersPanel(self._staging.document)
        panel.remark.connect(self._easel.say)
        self.deeds += panel.deeds
        self.layers_dock = QDockWidget(self.tr("Layers"))
        self.layers_dock.setObjectName("create_layers")
        self.layers_dock.setWidget(panel)

    def _join_staging_bar(self) -> None:
        bar, staging, canvas = self._easel.stage.staging_bar, self._staging, self._easel.canvas
        bar.accepted.connect(staging.accept)
        bar.discarded.connect(staging.discard)
        bar.stepped.connect(staging.step)
        bar.compare.changed.connect(canvas.set_compare)
        canvas.compare_moved.connect(bar.compare.set_place)
        staging.changed.connect(self._end_comparing)

    def _end_comparing(self) -> None:
        """Where nothing is staged there is nothing to compare."""
        if self._staging.current is None:
            self._easel.stage.staging_bar.compare.set_place(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See what comes to the canvas first."""
        if isinstance(event, QMouseEvent) and event.type() in (
            QEvent.Type.MouseButtonPress,
            QEvent.Type.MouseButtonDblClick,
        ):
            left = event.button() == Qt.MouseButton.LeftButton
            return left and not self._easel.canvas.takes_hand(event) and self._before_press()
        if isinstance(event, QTabletEvent) and event.type() == QEvent.Type.TabletPress:
            return self._before_press()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._decide(event)
        return False

    def _before_press(self) -> bool:
        """Whether the press is used up: there is nothing yet that the tool could work on."""
        tool, staging = self.box.current, self._staging
        if isinstance(tool, Hand):
            return False
        changes = tool.id not in SELECTING
        shown = self._easel.canvas.staged
        if staging.is_preview:
            if shown is not None and shown.alone:
                return True
            if changes:
                self._generating.hide_previews()
        if staging.document.is_empty or (shown is not None and (changes or shown.alone)):
            self._accept()
        return False

    def _accept(self) -> None:
        if self._staging.path is not None:
            self._staging.accept()

    def _decide(self, event: QKeyEvent) -> bool:
        """Enter and Delete are for the result that waits, unless the tool waits for them."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self._opening.copy()
            return True
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self.box.current.is_busy or not plain:
            return False
        if self._staging.path is None:
            erases = event.key() == Qt.Key.Key_Delete
            if erases and not self._staging.document.selection.is_empty:
                self.erase()
            return erases
        if event.key() in ACCEPT:
            self._staging.accept()
        elif event.key() in DISCARD:
            self._staging.discard()
        else:
            return False
        return True

    def _carry_out(self) -> None:
        """Drag what is shown into another program: as pixels, and as the file it is in."""
        image = self._opening.image
        if image.isNull():
            return
        drag = QDrag(self._easel.canvas)
        drag.setMimeData(mime_of(image, self._opening.path))
        mode = Qt.TransformationMode.SmoothTransformation
        keep = Qt.AspectRatioMode.KeepAspectRatio
        drag.setPixmap(QPixmap.fromImage(image.scaled(THUMBNAIL, THUMBNAIL, keep, mode)))
        drag.setHotSpot(QPoint(THUMBNAIL // 2, THUMBNAIL // 2))
        drag.exec(Qt.DropAction.CopyAction)

    def _keep(self) -> None:
        self._settings.set_value(TOOLS, self.box.state())
