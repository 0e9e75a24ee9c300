"""How the menu of Create is divided: which commands stand together, by the beginnings of ids."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def groups() -> dict[str, tuple[str, ...]]:
    """What belongs to none stands in the menu itself."""
    shown = (
        "create_copy",
        "create_python",
        "create_export",
        "create_reuse",
        "create_folder",
        "create_write",
    )
    made = ("create_sticker", "create_enlarge", "create_effects", "create_sheet", "create_morph")
    return {
        _tr("Project"): ("project_", "create_paper"),
        _tr("Tools"): ("tool_", "colors_"),
        _tr("Layer"): ("layer_",),
        _tr("Selection"): ("select_",),
        _tr("Picture"): shown,
        _tr("Make of it"): made,
        _tr("Zoom"): ("create_fit", "create_actual", "create_in", "create_out"),
    }


def _tr(text: str) -> str:
    return QCoreApplication.translate("create_menu", text)
