"""The layers of the document: blend mode and opacity over the list, deeds under it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import EngineError
from studio.actions import Command, add_actions
from studio.canvas import layer_deeds, selection_deeds
from studio.canvas.document import Document
from studio.canvas.layer import BlendMode, Layer, LayerKind
from studio.theme import SPACING, set_role
from studio.widgets.layer_list import LayerList
from studio.widgets.layer_row import mode_name
from studio.widgets.number_box import NumberBox, only_when_focused

BUTTONS = ("layer_add", "layer_mask", "layer_duplicate", "layer_merge", "layer_delete")


class LayersPanel(QWidget):
    """All deeds are the document's, so that each can be undone."""

    remark = Signal(str)  # why something could not be done

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._document = document
        self.list = LayerList(document)
        self._mode, self._opacity = QComboBox(), QSlider(Qt.Orientation.Horizontal)
        self._percent = NumberBox(whole=True, minimum=0, maximum=100)
        self._build_settings()
        self.deeds = add_actions(self, self.actions_table())
        """For the menu and the palette too; their keys reach wherever they are added."""
        self._actions = {action.objectName(): action for action in self.deeds}
        self._lay_out()
        self.list.delete_pressed.connect(self.delete)
        self.list.customContextMenuRequested.connect(self._show_menu)
        document.layers_changed.connect(self._refresh)
        self._refresh()

    @property
    def document(self) -> Document:
        return self._document

    def set_document(self, document: Document) -> None:
        """Show the layers of another document."""
        self._document.layers_changed.disconnect(self._refresh)
        self._document = document
        self.list.set_document(document)
        document.layers_changed.connect(self._refresh)
        self._refresh()

    def actions_table(self) -> list[Command]:
        tr = self.tr
        return [
            Command("layer_add", tr("New layer"), "Ctrl+Shift+N", "layers-plus", self.add),
            Command("layer_mask", tr("New mask"), "", "venetian-mask", self.add_mask),
            Command(
                "layer_duplicate", tr("Duplicate layer"), "Ctrl+J", "copy-plus", self.duplicate
            ),
            Command(
                "layer_merge", tr("Merge down"), "Ctrl+E", "arrow-down-to-line", self.merge_down
            ),
            Command("layer_delete", tr("Delete layer"), "", "trash-2", self.delete),
            Command("layer_up", tr("Move layer up"), "Ctrl+]", "arrow-up", self.raise_layer),
            Command("layer_down", tr("Move layer down"), "Ctrl+[", "arrow-down", self.lower_layer),
            Command("layer_rename", tr("Rename layer"), "", "pen-line", self.rename),
            Command("layer_show", tr("Show or hide layer"), "", "eye", self.toggle_visible),
            Command("layer_lock", tr("Lock or unlock layer"), "", "lock", self.toggle_locked),
            Command(
                "layer_select", tr("Select its pixels"), "", "square-dashed", self.select_pixels
            ),
        ]

    # ------------------------------------------------------------------ deeds

    def add(self) -> None:
        layer_deeds.new_layer(self._document)

    def add_mask(self) -> None:
        layer_deeds.new_layer(self._document, LayerKind.MASK)

    def duplicate(self) -> None:
        self._with_active(lambda layer: layer_deeds.duplicate(self._document, layer))

    def merge_down(self) -> None:
        self._with_active(lambda layer: layer_deeds.merge_down(self._document, layer))

    def delete(self) -> None:
        layer = self._document.active
        if layer is not None and layer.locked:
            self.remark.emit(self.tr("“{}” is locked. Unlock it to delete it.").format(layer.name))
        else:
            self._with_active(self._document.remove_layer)

    def raise_layer(self) -> None:
        self._move_by(1)

    def lower_layer(self) -> None:
        self._move_by(-1)

    def rename(self) -> None:
        if self.list.currentIndex().isValid():
            self.list.edit(self.list.currentIndex())

    def toggle_visible(self) -> None:
        self._with_active(lambda x: self._document.change_layer(x, visible=not x.visible))

    def toggle_locked(self) -> None:
        self._with_active(lambda x: self._document.change_layer(x, locked=not x.locked))

    def select_pixels(self) -> None:
        self._with_active(lambda x: selection_deeds.select_pixels(self._document, x))

    def _move_by(self, steps: int) -> None:
        layers = self._document.layers
        self._with_active(lambda x: self._document.move_layer(x, layers.index(x) + steps))

    def _with_active(self, deed: Callable[[Layer], object]) -> None:
        layer = self._document.active
        if layer is None:
            self.remark.emit(self.tr("There is no layer yet."))
            return
        try:
            deed(layer)
        except EngineError as error:
            self.remark.emit(f"{error} {error.hint}".strip())

    # ------------------------------------------------------------------ building

    def _build_settings(self) -> None:
        for mode in BlendMode:
            self._mode.addItem(self.tr(mode_name(mode)), mode)
        self._mode.setToolTip(self.tr("How the layer mixes with what is below it"))
        self._mode.setAccessibleName(self.tr("Blend mode"))
        self._mode.activated.connect(self._choose_mode)
        only_when_focused(self._mode)
        self._opacity.setRange(0, 100)
        self._opacity.setToolTip(self.tr("How much the layer covers what is below it"))
        self._opacity.setAccessibleName(self.tr("Opacity"))
        self._opacity.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._opacity.valueChanged.connect(self._set_opacity)
        self._percent.setSuffix(" %")
        self._percent.setAccessibleName(self.tr("Opacity"))
        self._percent.setToolTip(self._opacity.toolTip())
        self._percent.make_room_for("100 %")
        self._percent.valueChanged.connect(lambda: self._set_opacity(int(self._percent.number())))

    def _lay_out(self) -> None:
        label = QLabel(self.tr("Opacity"))
        set_role(label, "caption")
        opacity = QHBoxLayout()
        opacity.setSpacing(SPACING)
        for widget in (label, self._opacity, self._percent):
            opacity.addWidget(widget)
        deeds = QHBoxLayout()
        deeds.setSpacing(SPACING // 2)
        for name in BUTTONS:
            if name == BUTTONS[-1]:
                deeds.addStretch(1)
            deeds.addWidget(self._button(self._actions[name]))
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        column.setSpacing(SPACING)
        column.addWidget(self._mode)
        column.addLayout(opacity)
        column.addWidget(self.list, 1)
        column.addLayout(deeds)

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        shortcut = action.shortcut().toString()
        button.setToolTip(f"{action.text()} ({shortcut})" if shortcut else action.text())
        button.setAccessibleName(action.text())
        set_role(button, "quiet")
        return button

    # ------------------------------------------------------------------ what is shown

    def _refresh(self) -> None:
        layer = self._document.active
        layers = self._document.layers
        index = layers.index(layer) if layer else -1
        for widget in (self._mode, self._opacity, self._percent):
            widget.setEnabled(layer is not None and not layer.locked)
        for action in self.deeds:
            action.setEnabled(layer is not None or action.objectName() in BUTTONS[:2])
        self._actions["layer_merge"].setEnabled(index > 0)
        self._actions["layer_down"].setEnabled(index > 0)
        self._actions["layer_up"].setEnabled(0 <= index < len(layers) - 1)
        percent = round(layer.opacity * 100) if layer else 100
        with QSignalBlocker(self._opacity), QSignalBlocker(self._percent):
            self._opacity.setValue(percent)
            self._percent.setValue(percent)
        mode = layer.blend_mode if layer else BlendMode.NORMAL
        self._mode.setCurrentIndex(list(BlendMode).index(mode))

    def _choose_mode(self, place: int) -> None:
        mode = list(BlendMode)[place]
        self._with_active(lambda x: self._document.change_layer(x, blend_mode=mode))

    def _set_opacity(self, percent: int) -> None:
        self._with_active(lambda x: self._document.change_layer(x, opacity=percent / 100))

    def menu_at(self, place: QPoint) -> QMenu:
        """What can be done with the layer there."""
        index = self.list.indexAt(place)
        if index.isValid():
            self.list.setCurrentIndex(index)
        menu = QMenu(self)
        for action in self.deeds:
            if action.objectName() in ("layer_delete", "layer_rename", "layer_select"):
                menu.addSeparator()
            menu.addAction(action)
        return menu

    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu_at(place)
        menu.exec(self.list.viewport().mapToGlobal(place))
        menu.deleteLater()
