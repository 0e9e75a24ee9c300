"""The live curves: what is drawn, read and clicked."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QMouseEvent
from PySide6.QtWidgets import QApplication, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from studio.widgets.curve_pane import CurvePane
from studio.widgets.metric_plot import MetricPlot

STEPS = np.arange(0.0, 1000.0, 10.0)


@pytest.fixture
def plot(qtbot: QtBot) -> MetricPlot:
    plot = MetricPlot()
    qtbot.addWidget(plot)
    plot.resize(700, 600)
    plot.show()
    return plot


def columns(steps: np.ndarray = STEPS) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        "generator_loss": (steps, np.sin(steps / 50)),
        "discriminator_loss": (steps, 2 - steps / 1000),
        "d_real": (steps, np.full(len(steps), 0.75)),
        "d_fake": (steps, np.full(len(steps), 0.25)),
        "kid": (steps, steps * 2),
    }


def drawn(qtbot: QtBot, plot: MetricPlot) -> None:
    qtbot.waitUntil(lambda: not plot._timer.isActive())


def pane(plot: MetricPlot, title: str) -> CurvePane:
    return next(pane for pane in plot.visible_panes() if pane.title == title)


def place(pane: CurvePane, step: float) -> QPoint:
    """Where `step` is on the screen, in the middle of the plot."""
    box = pane._plot.getViewBox()
    y = box.viewRect().center().y()
    return pane._plot.mapFromScene(box.mapViewToScene(QPointF(step, y)))


def hover(pane: CurvePane, at: QPoint) -> None:
    viewport = pane._plot.viewport()
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove,
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, move)


def button(plot: MetricPlot, text: str) -> QToolButton:
    return next(b for b in plot.findChildren(QToolButton) if b.text() == text)


def curve(pane: CurvePane, name: str) -> np.ndarray:
    y: np.ndarray = pane._curves[name]._front.getData()[1]
    return y


def test_losses_and_verdicts_have_a_pane_each_and_the_rest_waits_to_be_chosen(
    qtbot: QtBot, plot: MetricPlot
) -> None:
    plot.extend(columns())
    assert [p.names for p in plot.visible_panes()] == [
        ["generator_loss", "discriminator_loss"],
        ["d_real", "d_fake"],
    ]
    kid = next(action for action in plot.tools._menu.actions() if action.text() == "KID")
    kid.trigger()
    assert [p.names for p in plot.visible_panes()][-1] == ["kid"]
    drawn(qtbot, plot)
    assert curve(plot.visible_panes()[-1], "kid")[-1] == pytest.approx(plot.last_value("kid"), 0.2)


def test_the_legend_reads_the_newest_values_and_under_the_mouse_those_of_the_step(
    qtbot: QtBot, plot: MetricPlot
) -> None:
    plot.extend(columns())
    drawn(qtbot, plot)
    loss, verdict = pane(plot, "Loss"), pane(plot, "Discriminator")
    assert loss.legend_text("discriminator_loss") == "1.01"
    hover(verdict, place(verdict, 503.0))
    assert loss.legend_text("discriminator_loss") == "1.5", "one cursor through all plots"
    assert loss._cursor.value() == 500 and verdict._cursor.value() == 500
    QApplication.sendEvent(verdict._plot, QEvent(QEvent.Type.Leave))
    assert loss.legend_text("discriminator_loss") == "1.01"
    assert not loss._cursor.isVisible()


def test_a_click_names_the_measured_step(qtbot: QtBot, plot: MetricPlot) -> None:
    plot.extend(columns())
    drawn(qtbot, plot)
    loss = pane(plot, "Loss")
    with qtbot.waitSignal(plot.step_clicked) as clicked:
        qtbot.mouseClick(loss._plot.viewport(), Qt.MouseButton.LeftButton, pos=place(loss, 248.0))
    assert clicked.args == [250]


def test_a_closer_look_ends_following_until_follow_is_pressed(
    qtbot: QtBot, plot: MetricPlot
) -> None:
    plot.extend(columns())
    drawn(qtbot, plot)
    loss, verdict = plot.visible_panes()
    assert loss._plot.viewRange()[0] == pytest.approx([0, 990])
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    drawn(qtbot, plot)
    low, high = loss._plot.viewRange()[0]
    assert high - low < 700 and not plot.tools.follow
    assert verdict._plot.viewRange()[0] == pytest.approx([low, high])
    plot.extend(columns(np.array([5000.0])))
    drawn(qtbot, plot)
    assert loss._plot.viewRange()[0] == pytest.approx([low, high]), "new steps must not move it"
    qtbot.mouseClick(button(plot, "Follow"), Qt.MouseButton.LeftButton)
    drawn(qtbot, plot)
    assert loss._plot.viewRange()[0] == pytest.approx([0, 5000])


def test_a_closer_look_can_be_reset(qtbot: QtBot, plot: MetricPlot) -> None:
    plot.extend(columns())
    drawn(qtbot, plot)
    reset = next(b for b in plot.findChildren(QToolButton) if b.accessibleName() == "Reset zoom")
    assert not reset.isEnabled()
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert reset.isEnabled()
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    drawn(qtbot, plot)
    assert plot.visible_panes()[0]._plot.viewRange()[0] == pytest.approx([0, 990])
    assert plot.tools.follow and not reset.isEnabled()


def test_the_gradients_of_both_networks_share_a_pane(qtbot: QtBot, plot: MetricPlot) -> None:
    plot.extend(
        {f"{part}_gradient_norm": (STEPS, STEPS) for part in ("generator", "discriminator")}
    )
    (chosen,) = plot.tools._menu.actions()
    chosen.trigger()
    assert [p.names for p in plot.visible_panes()] == [
        ["generator_gradient_norm", "discriminator_gradient_norm"]
    ]


def test_log_scale_leaves_out_what_it_cannot_show_and_says_so(
    qtbot: QtBot, plot: MetricPlot
) -> None:
    plot.tools._smoothing.setValue(0)
    plot.extend(columns())
    qtbot.mouseClick(button(plot, "Log"), Qt.MouseButton.LeftButton)
    drawn(qtbot, plot)
    loss = pane(plot, "Loss")
    drawn_log = curve(loss, "generator_loss")
    negative = int(np.count_nonzero(np.sin(STEPS / 50) <= 0))
    assert np.count_nonzero(np.isnan(drawn_log)) == negative
    assert f"{negative} of Generator" in loss._note.text() and loss._note.isVisible()
    assert curve(loss, "discriminator_loss")[0] == pytest.approx(np.log10(2))
    qtbot.mouseClick(button(plot, "Log"), Qt.MouseButton.LeftButton)
    drawn(qtbot, plot)
    assert not loss._note.isVisible()


def test_smoothing_keeps_the_raw_curve_behind(qtbot: QtBot, plot: MetricPlot) -> None:
    noise = np.where(np.arange(100) % 2, 1.0, -1.0)
    plot.extend({"loss": (STEPS, noise)})
    slider = plot.findChild(QSlider)
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_End)
    drawn(qtbot, plot)
    (only,) = plot.visible_panes()
    raw = only._curves["loss"]._raw.getData()[1]
    assert np.ptp(raw) == 2
    assert np.ptp(curve(only, "loss")[50:]) < 0.1
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    drawn(qtbot, plot)
    assert np.ptp(curve(only, "loss")) == 2


def test_ten_redraws_a_second_at_most_and_few_points_whose_peaks_survive(
    qtbot: QtBot, plot: MetricPlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    redraws: list[CurvePane] = []
    draw = plot._redraw
    monkeypatch.setattr(plot, "_redraw", lambda pane: (redraws.append(pane), draw(pane)))
    began = time.monotonic()
    steps = np.arange(200_000.0)
    values = np.zeros(200_000)
    values[77_777] = 50.0
    for start in range(0, 200_000, 1000):
        part = slice(start, start + 1000)
        plot.extend({"loss": (steps[part], values[part])})
        qtbot.wait(1)
    drawn(qtbot, plot)
    assert 1 <= len(redraws) <= 10 * (time.monotonic() - began) + 1
    (only,) = plot.visible_panes()
    raw = only._curves["loss"]._raw.getData()[1]
    assert len(raw) < 2000
    assert raw.max() == 50.0


def test_events_are_marked_and_named_under_the_cursor(qtbot: QtBot, plot: MetricPlot) -> None:
    plot.extend(columns(), [(500, "paused")])
    drawn(qtbot, plot)
    loss = pane(plot, "Loss")
    assert list(loss._marks.xvals) == [500]
    hover(loss, place(loss, 501.0))
    assert plot.tools._readout.text() == "Step 500 · paused"


@pytest.mark.parametrize("high", [0.9, 1.7, 4.2, 63.0, 880.0])
def test_the_numbers_of_a_low_pane_keep_apart_in_large_text(
    qtbot: QtBot, plot: MetricPlot, high: float
) -> None:
    font = plot.font()
    font.setPointSizeF(20)
    plot.setFont(font)
    plot.extend({"generator_loss": (STEPS, STEPS / STEPS.max() * high)})
    drawn(qtbot, plot)
    axis = pane(plot, "Loss")._plot.getAxis("left")
    line = QFontMetricsF(axis.style["tickFont"]).height()
    for height in (40, 80, 160):
        (spacing, _), *_ = axis.tickSpacing(0, high, height)
        assert spacing * height / high >= line


def test_cleared_it_says_what_will_come(qtbot: QtBot, plot: MetricPlot) -> None:
    assert plot._pages.currentIndex() == 0
    plot.extend(columns())
    assert plot._pages.currentIndex() == 1
    plot.clear()
    assert plot._pages.currentIndex() == 0
    assert plot.last_step == 0
    plot.extend(columns())
    drawn(qtbot, plot)
    assert plot.last_step == 990
