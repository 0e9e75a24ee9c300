"""The two palettes of the studio, light and dark; the only place where a colour is written down."""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtGui import QColor, QGuiApplication, QPalette


@dataclass(frozen=True)
class Colors:
    """What each colour is for. Every text keeps a contrast of 4.5 to what it stands on (tested)."""

    background: QColor
    """The window behind everything."""
    surface: QColor
    """Docks, panels, cards."""
    raised: QColor
    """What can be typed into or pressed."""
    hover: QColor
    selection: QColor
    """Behind a selected row or item."""
    border: QColor
    text: QColor
    muted: QColor
    """Text and icons that explain."""
    disabled: QColor
    accent: QColor
    """Fills: the one important button, a checked box, a slider."""
    accent_hover: QColor
    accent_text: QColor
    """The accent where it is a text, a line or a focus ring."""
    on_accent: QColor
    danger: QColor
    danger_tint: QColor
    warning: QColor
    warning_tint: QColor
    success: QColor
    success_tint: QColor
    canvas: QColor
    """Around pictures; neutral, so that it does not tint what is judged on it."""
    checker_light: QColor
    checker_dark: QColor
    generator_curve: QColor
    discriminator_curve: QColor
    train_curve: QColor
    validation_curve: QColor
    run_1: QColor
    """The lines and values of the run that is shown, beside those of others: run_2 to run_5."""
    run_2: QColor
    run_3: QColor
    run_4: QColor
    run_5: QColor
    grid: QColor
    """The lines behind curves."""

    def as_css(self) -> dict[str, str]:
        return {field.name: getattr(self, field.name).name() for field in fields(self)}


LIGHT = Colors(
    background=QColor("#f3f3f5"),
    surface=QColor("#fafafb"),
    raised=QColor("#ffffff"),
    hover=QColor("#ebebef"),
    selection=QColor("#e3e4fb"),
    border=QColor("#d9dae0"),
    text=QColor("#1b1c21"),
    muted=QColor("#5d616b"),
    disabled=QColor("#a3a6af"),
    accent=QColor("#4f53d8"),
    accent_hover=QColor("#4246c4"),
    accent_text=QColor("#474bcc"),
    on_accent=QColor("#ffffff"),
    danger=QColor("#b8232b"),
    danger_tint=QColor("#fdeaea"),
    warning=QColor("#855400"),
    warning_tint=QColor("#fdf3df"),
    success=QColor("#16703d"),
    success_tint=QColor("#e4f5ea"),
    canvas=QColor("#e4e4e6"),
    checker_light=QColor("#ffffff"),
    checker_dark=QColor("#e2e2e2"),
    generator_curve=QColor("#4f53d8"),
    discriminator_curve=QColor("#c2571a"),
    train_curve=QColor("#4f53d8"),
    validation_curve=QColor("#16804a"),
    run_1=QColor("#474bcc"),
    run_2=QColor("#a8480f"),
    run_3=QColor("#16703d"),
    run_4=QColor("#a01f86"),
    run_5=QColor("#0a6683"),
    grid=QColor("#e2e3e8"),
)

DARK = Colors(
    background=QColor("#131417"),
    surface=QColor("#1a1b1f"),
    raised=QColor("#23252b"),
    hover=QColor("#2b2d35"),
    selection=QColor("#2e3050"),
    border=QColor("#33353e"),
    text=QColor("#e7e8ec"),
    muted=QColor("#a0a4b0"),
    disabled=QColor("#5f636e"),
    accent=QColor("#5e62e6"),
    accent_hover=QColor("#5256d8"),
    accent_text=QColor("#a0a4ff"),
    on_accent=QColor("#ffffff"),
    danger=QColor("#ff8f8f"),
    danger_tint=QColor("#3a2023"),
    warning=QColor("#edbd6b"),
    warning_tint=QColor("#352b1a"),
    success=QColor("#6fd49a"),
    success_tint=QColor("#1b3226"),
    canvas=QColor("#0e0e0f"),
    checker_light=QColor("#4a4a4a"),
    checker_dark=QColor("#3c3c3c"),
    generator_curve=QColor("#9a9eff"),
    discriminator_curve=QColor("#f2a05e"),
    train_curve=QColor("#9a9eff"),
    validation_curve=QColor("#6fd49a"),
    run_1=QColor("#a0a4ff"),
    run_2=QColor("#f2a05e"),
    run_3=QColor("#6fd49a"),
    run_4=QColor("#f58bd3"),
    run_5=QColor("#5fc9e6"),
    grid=QColor("#2a2c34"),
)


def colors() -> Colors:
    """The palette in use; the application's own palette remembers which one that is."""
    return (
        DARK if QGuiApplication.palette().color(QPalette.ColorRole.Window).value() < 128 else LIGHT
    )


def contrast(a: QColor, b: QColor) -> float:
    """Contrast of two colours by WCAG 2.2, 1 to 21; text needs 4.5."""
    darker, lighter = sorted((_luminance(a), _luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(c) for c in (color.redF(), color.greenF(), color.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
