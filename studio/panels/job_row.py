"""How one job looks in the list: state, title, what it does now, progress, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractItemModel,
    QCoreApplication,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
)

from engine.worker import Job, JobState
from studio.panels.job_list import JOB_ROLE, job_title, state_words
from studio.theme import SPACING, colors, icon_pixmap

ICON = 16
BUTTON = 28
BAR = 3

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class RowButton:
    """A small button at the end of a row; `verb` is what the panel will do."""

    verb: str
    icon: str
    tip: str


def row_buttons(job: Job) -> tuple[RowButton, ...]:
    """What can be done with this job now, the most likely last, where the hand is."""

    def tr(text: str) -> str:
        return QCoreApplication.translate("JobRow", text)

    cancel = RowButton("cancel", "x", tr("Cancel this job"))
    retry = RowButton("retry", "rotate-ccw", tr("Run this job again"))
    remove = RowButton("remove", "x", tr("Take it off the list; its results stay"))
    if job.state is JobState.QUEUED:
        up = RowButton("up", "chevron-up", tr("Run earlier"))
        down = RowButton("down", "chevron-down", tr("Run later"))
        return (up, down, cancel)
    if job.state in (JobState.FAILED, JobState.CANCELLED):
        return (retry, remove)
    return (remove,) if job.state.ended else (cancel,)


class JobRow(QStyledItemDelegate):
    """Paints rows and says which of their buttons was clicked."""

    clicked = Signal(object, str)  # the job and a verb

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = QFontMetrics(option.font).height() + QFontMetrics(_small(option.font)).height()
        return QSize(0, lines + 3 * SPACING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        job: Job = index.data(JOB_ROLE)
        painter.save()
        _paint_ground(painter, option)
        _paint_state(painter, option, job)
        _paint_words(painter, option, job)
        _paint_bar(painter, option, job)
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            _paint_buttons(painter, option, job)
        painter.restore()

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            job: Job = index.data(JOB_ROLE)
            button = _button_at(event.position().toPoint(), option.rect, job)
            if button and event.button() == Qt.MouseButton.LeftButton:
                self.clicked.emit(job, button.verb)
                return True
        return False

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        job: Job | None = index.data(JOB_ROLE)
        button = _button_at(event.pos(), option.rect, job) if job else None
        QToolTip.showText(event.globalPos(), button.tip if button else "", view)
        return True


def _button_places(row: QRect, job: Job) -> Iterator[tuple[RowButton, QRect]]:
    """From the right: the last button first."""
    right = row.right() - SPACING
    for button in reversed(row_buttons(job)):
        yield button, QRect(right - BUTTON, row.center().y() - BUTTON // 2, BUTTON, BUTTON)
        right -= BUTTON


def _button_at(point: QPoint, row: QRect, job: Job) -> RowButton | None:
    return next((b for b, place in _button_places(row, job) if place.contains(point)), None)


def _words_rect(row: QRect, job: Job) -> QRect:
    left = 2 * SPACING + ICON + SPACING + SPACING // 2
    right = SPACING + BUTTON * len(row_buttons(job)) + SPACING
    return row.adjusted(left, SPACING, -right, -2 * SPACING)


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    rect = option.rect.adjusted(SPACING // 2, 1, -SPACING // 2, -1)
    if option.state & QStyle.StateFlag.State_Selected:
        painter.setBrush(colors().selection)
    elif option.state & QStyle.StateFlag.State_MouseOver:
        painter.setBrush(colors().hover)
    else:
        return
    painter.drawRoundedRect(rect, 6, 6)
    if option.state & QStyle.StateFlag.State_HasFocus:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(colors().accent_text)
        painter.drawRoundedRect(rect, 6, 6)


def _paint_state(painter: QPainter, option: QStyleOptionViewItem, job: Job) -> None:
    name, color = _state_icon(job.state)
    top = option.rect.top() + SPACING + (QFontMetrics(option.font).height() - ICON) // 2
    place = QRect(option.rect.left() + 2 * SPACING, top, ICON, ICON)
    _paint_icon(painter, name, color, place)


def _state_icon(state: JobState) -> tuple[str, QColor]:
    theme = colors()
    return {
        JobState.QUEUED: ("clock", theme.muted),
        JobState.RUNNING: ("play", theme.accent_text),
        JobState.PARKED: ("pause", theme.warning),
        JobState.FINISHED: ("circle-check", theme.success),
        JobState.FAILED: ("circle-alert", theme.danger),
        JobState.CANCELLED: ("square", theme.muted),
    }[state]


def _paint_words(painter: QPainter, option: QStyleOptionViewItem, job: Job) -> None:
    place = _words_rect(option.rect, job)
    _paint_line(painter, place, option.font, colors().text, job_title(job.task))
    place.setTop(place.top() + QFontMetrics(option.font).height() + SPACING // 4)
    color = colors().danger if job.state is JobState.FAILED else colors().muted
    _paint_line(painter, place, _small(option.font), color, state_words(job))


def _paint_line(painter: QPainter, place: QRect, font: QFont, color: QColor, text: str) -> None:
    painter.setFont(font)
    painter.setPen(color)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, place.width())
    top_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    flags = Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextDontClip
    painter.drawText(place, top_left | flags, shown)


def _paint_bar(painter: QPainter, option: QStyleOptionViewItem, job: Job) -> None:
    progress = job.progress
    if job.state not in (JobState.RUNNING, JobState.PARKED) or not progress or not progress.total:
        return
    place = _words_rect(option.rect, job)
    groove = QRect(place.left(), option.rect.bottom() - SPACING - 1, place.width(), BAR)
    done = QRect(groove)
    done.setWidth(round(groove.width() * min(1.0, progress.step / progress.total)))
    painter.setPen(Qt.PenStyle.NoPen)
    for rect, color in ((groove, colors().border), (done, colors().accent)):
        painter.setBrush(color)
        painter.drawRoundedRect(rect, BAR / 2, BAR / 2)


def _paint_buttons(painter: QPainter, option: QStyleOptionViewItem, job: Job) -> None:
    for button, place in _button_places(option.rect, job):
        margin = (BUTTON - ICON) // 2
        inner = place.adjusted(margin, margin, -margin, -margin)
        _paint_icon(painter, button.icon, colors().muted, inner)


def _paint_icon(painter: QPainter, name: str, color: QColor, place: QRect) -> None:
    scale = painter.device().devicePixelRatio()
    painter.drawPixmap(place, icon_pixmap(name, color, place.size(), scale))


def _small(font: QFont) -> QFont:
    smaller = QFont(font)
    smaller.setPointSizeF(font.pointSizeF() * 12 / 13)
    return smaller
