"""The look: contrast, roles, icons, text size."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from studio.colors import DARK, LIGHT, Colors
from studio.theme import Theme, colors, contrast, icon, set_role

TEXT_ON = {
    "text": ("background", "surface", "raised", "hover", "selection"),
    "muted": ("background", "surface", "raised", "hover"),
    "accent_text": ("background", "surface", "raised", "selection"),
    "on_accent": ("accent", "accent_hover"),
    "danger": ("danger_tint", "background", "surface", "raised"),
    "warning": ("warning_tint", "surface"),
    "success": ("success_tint", "surface"),
    **{f"run_{number}": ("surface", "selection", "hover") for number in range(1, 6)},
}


@pytest.fixture
def theme(qapp: QApplication):
    theme = Theme(qapp, "light")
    yield theme
    qapp.setStyleSheet("")
    theme.deleteLater()


def most_opaque_color(image: QImage) -> str:
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return max(pixels, key=lambda color: color.alpha()).name()


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", TEXT_ON)
def test_text_can_be_read_on_everything_it_stands_on(palette: Colors, text: str) -> None:
    for ground in TEXT_ON[text]:
        assert contrast(getattr(palette, text), getattr(palette, ground)) >= 4.5, ground


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_runs_beside_each_other_can_be_told_apart(palette: Colors) -> None:
    hues = sorted(getattr(palette, f"run_{number}").hsvHue() for number in range(1, 6))
    turns = zip(hues, [*hues[1:], hues[0] + 360], strict=True)
    assert min(after - before for before, after in turns) >= 30


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_focus_ring_can_be_seen(palette: Colors) -> None:
    for ground in (palette.background, palette.surface, palette.raised):
        assert contrast(palette.accent_text, ground) >= 3


def test_contrast_of_black_on_white_is_21() -> None:
    white, black = QColor("white"), QColor("black")
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(black, white) == pytest.approx(21)


def test_the_scheme_changes_palette_and_colors_together(theme: Theme, qapp: QApplication) -> None:
    assert colors() is LIGHT
    theme.set_scheme("dark")
    assert colors() is DARK
    assert qapp.palette().window().color() == DARK.background
    with pytest.raises(ValueError, match="sepia"):
        theme.set_scheme("sepia")


def test_text_grows_with_the_setting_and_a_label_needs_more_room(theme: Theme, qtbot) -> None:
    label = QLabel("The quick brown fox")
    qtbot.addWidget(label)
    label.show()
    before = label.sizeHint().width()
    theme.set_text_scale(200)
    assert label.sizeHint().width() == pytest.approx(2 * before, rel=0.1)


def test_an_icon_made_before_follows_the_theme(theme: Theme) -> None:
    drawn = icon("settings")
    assert most_opaque_color(drawn.pixmap(QSize(32, 32)).toImage()) == LIGHT.text.name()
    theme.set_scheme("dark")
    assert most_opaque_color(drawn.pixmap(QSize(32, 32)).toImage()) == DARK.text.name()
    faint = drawn.pixmap(QSize(32, 32), QIcon.Mode.Disabled).toImage()
    assert most_opaque_color(faint) == DARK.disabled.name()


def test_an_icon_is_sharp_on_a_dense_screen(theme: Theme) -> None:
    assert icon("play").pixmap(QSize(16, 16), 2.0).size() == QSize(32, 32)


def test_an_unknown_icon_or_role_is_refused_at_once(theme: Theme, qtbot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")
    with pytest.raises(ValueError, match="gigantic"):
        set_role(button, "gigantic")


def test_a_role_changes_how_a_widget_is_painted(theme: Theme, qtbot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    button.resize(80, 32)
    button.show()
    set_role(button, "primary")
    assert button.grab().toImage().pixelColor(40, 16).name() == LIGHT.accent.name()
    set_role(button, "")
    assert button.grab().toImage().pixelColor(40, 16).name() == LIGHT.raised.name()
