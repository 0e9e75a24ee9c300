"""The tools of one canvas: which one is in the hand, the colours they share, their commands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QPointF, Signal

from studio.actions import Command
from studio.canvas.tools.brush import Brush, Eraser
from studio.canvas.tools.crop import Crop
from studio.canvas.tools.eyedropper import Eyedropper, color_at
from studio.canvas.tools.fill import Fill
from studio.canvas.tools.hand import Hand
from studio.canvas.tools.mask_brush import MaskBrush
from studio.canvas.tools.move import Move
from studio.canvas.tools.option import options_of
from studio.canvas.tools.paint_colors import PaintColors
from studio.canvas.tools.select import EllipseSelect, LassoSelect, RectangleSelect
from studio.canvas.tools.tool import Tool
from studio.canvas.tools.transform import Transform
from studio.canvas.view import CanvasView

TOOLS: tuple[type[Tool], ...] = (
    *(Hand, Move, Transform, Crop),
    *(RectangleSelect, EllipseSelect, LassoSelect, MaskBrush),
    *(Brush, Eraser, Fill, Eyedropper),
)


class ToolBox(QObject):
    """Gives its tools to `view`, one at a time."""

    chosen = Signal(object)  # the Tool that is in the hand now
    remark = Signal(str)  # why a tool could not do what was asked

    def __init__(self, view: CanvasView, parent: QObject | None = None) -> None:
        super().__init__(parent or view)
        self.view = view
        self.colors = PaintColors(self)
        self.tools = [tool(self) for tool in TOOLS]
        self.crop = self._only(Crop)
        self.current: Tool = self._only(Brush)
        for tool in self.tools:
            tool.option_changed.connect(view.show_cursor)
        view.zoom_changed.connect(view.show_cursor)  # a ring where the brush is large enough
        view.set_tool(self.current)

    def tool(self, id: str) -> Tool:
        """The tool called `id`; raises KeyError."""
        for tool in self.tools:
            if tool.id == id:
                return tool
        raise KeyError(id)

    def choose(self, id: str) -> None:
        """Take the tool called `id` into the hand; raises KeyError."""
        tool = self.tool(id)
        if tool is not self.current:
            self.current.leave()
            self.current = tool
            self.view.set_tool(tool)
            self.chosen.emit(tool)

    def settle(self) -> None:
        """Finish what is in the hand, so that the next undo begins with it."""
        self.current.leave()

    def drop(self) -> None:
        """Forget what is in the hand, before the canvas shows another document."""
        self.current.cancel()

    def pick_color(self, place: QPointF) -> None:
        """Let the colour at `place`, in pixels of the document, be the foreground."""
        color = color_at(self.view.document, place)
        if color is not None:
            self.colors.foreground = color

    # ------------------------------------------------------------------ commands and settings

    def actions_table(self) -> list[Command]:
        """For `add_actions`: single letters must not reach beyond the canvas."""
        tr = self.tr
        return [
            *(
                Command(
                    f"tool_{tool.id}",
                    tr(tool.title),
                    tool.shortcut,
                    tool.icon,
                    partial(self.choose, tool.id),
                )
                for tool in self.tools
            ),
            Command(
                "colors_swap", tr("Swap the colours"), "X", "arrow-left-right", self.colors.swap
            ),
            Command("colors_reset", tr("Black and white"), "D", "contrast", self.colors.reset),
        ]

    def state(self) -> dict[str, Any]:
        """All options, the colours and the tool in the hand, as JSON values."""
        return {
            "tool": self.current.id,
            "colors": self.colors.state(),
            "options": {tool.id: dict(tool.values) for tool in self.tools},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """As `state` gave it; what is unknown or cannot be used is passed over."""
        options, colors = state.get("options"), state.get("colors")
        for tool in self.tools:
            values = options.get(tool.id) if isinstance(options, dict) else None
            for option in options_of(type(tool)):
                if isinstance(values, dict) and option.name in values:
                    setattr(tool, option.name, values[option.name])
        if isinstance(colors, dict):
            self.colors.restore(colors)
        if any(tool.id == state.get("tool") for tool in self.tools):
            self.choose(state["tool"])

    def _only(self, kind: type[Any]) -> Any:
        return next(tool for tool in self.tools if isinstance(tool, kind))
