"""How the studio looks: Fusion with our own palette, style sheet, font, text sizes and roles."""

from __future__ import annotations

import string

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from engine import folders
from studio.colors import DARK, LIGHT, Colors, colors, contrast
from studio.icons import app_icon, icon, icon_pixmap

__all__ = [
    "SCHEMES",
    "SPACING",
    "Colors",
    "Theme",
    "app_icon",
    "colors",
    "contrast",
    "icon",
    "icon_pixmap",
    "set_role",
]

SPACING = 8
"""All distances are multiples of this many pixels, or a half of it."""

SCHEMES = ("system", "light", "dark")
ROLES = (
    *("primary", "danger", "quiet", "fold", "chip", "chip-problem"),  # buttons
    *("title", "heading", "caption", "problem"),  # labels
    *("error", "notice", "card", "page", "desk", "strip", "edge"),  # boxes and bars
    *("said", "answered"),  # messages of a chat
)

TEXT_SIZE = 13
"""Pixels of body text at 100 %."""
CAPTION, TITLE = 12 / 13, 18 / 13


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget one of ROLES; an empty role takes it away."""
    if role and role not in ROLES:
        raise ValueError(f"no role {role!r}; there are {', '.join(ROLES)}")
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class Theme(QObject):
    """Dresses the application and keeps following the system where it was asked to."""

    changed = Signal()

    def __init__(self, app: QApplication, scheme: str = "system", text_scale: int = 100) -> None:
        super().__init__(app)
        self._app = app
        self._scheme = scheme
        self._text_scale = text_scale
        app.setStyle("Fusion")
        for font in sorted((folders.RESOURCES / "fonts").glob("*.otf")):
            QFontDatabase.addApplicationFont(str(font))
        app.setWindowIcon(app_icon())
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._dress()

    def set_scheme(self, scheme: str) -> None:
        """Light, dark, or whatever the system says."""
        if scheme not in SCHEMES:
            raise ValueError(f"no colour scheme {scheme!r}")
        self._scheme = scheme
        self._dress()

    def set_text_scale(self, percent: int) -> None:
        """The size of all text, 100 to 200 percent."""
        self._text_scale = percent
        self._dress()

    def _system_changed(self) -> None:
        if self._scheme == "system":
            self._dress()

    def _dress(self) -> None:
        chosen = DARK if self._is_dark() else LIGHT
        self._app.setPalette(_palette(chosen))
        self._set_font()
        self._app.setStyleSheet(_style_sheet(chosen, self._text_size()))
        self.changed.emit()

    def _is_dark(self) -> bool:
        if self._scheme == "system":
            return self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._scheme == "dark"

    def _text_size(self) -> float:
        return TEXT_SIZE * min(max(self._text_scale, 100), 200) / 100

    def _set_font(self) -> None:
        font = self._app.font()
        font.setFamily("Inter")
        # In points, so that whoever asks a font for its point size gets an answer.
        font.setPointSizeF(self._text_size() * 72 / self._app.primaryScreen().logicalDotsPerInchY())
        self._app.setFont(font)


def _style_sheet(chosen: Colors, text_size: float) -> str:
    template = (folders.RESOURCES / "style.qss").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        chosen.as_css(),
        caption_size=f"{round(text_size * CAPTION)}px",
        title_size=f"{round(text_size * TITLE)}px",
        icons=(folders.RESOURCES / "icons" / "style").as_posix(),
    )


def _palette(chosen: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for color_role, color in {
        role.Window: chosen.background,
        role.WindowText: chosen.text,
        role.Base: chosen.raised,
        role.AlternateBase: chosen.surface,
        role.Text: chosen.text,
        role.PlaceholderText: chosen.muted,
        role.Button: chosen.raised,
        role.ButtonText: chosen.text,
        role.BrightText: chosen.danger,
        role.ToolTipBase: chosen.raised,
        role.ToolTipText: chosen.text,
        role.Highlight: chosen.accent,
        role.HighlightedText: chosen.on_accent,
        role.Link: chosen.accent_text,
        role.LinkVisited: chosen.accent_text,
        role.Light: chosen.hover,
        role.Midlight: chosen.hover,
        role.Mid: chosen.border,
        role.Dark: chosen.border,
        role.Shadow: QColor(0, 0, 0),
        role.Accent: chosen.accent,
    }.items():
        palette.setColor(color_role, color)
    for color_role in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, color_role, chosen.disabled)
    return palette
