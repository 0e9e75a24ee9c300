"""Says that a model has to be fetched first, offers to do it, and shows how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.events import Progress
from engine.packs import Pack
from studio.theme import SPACING, icon, set_role
from studio.widgets.download_bar import DownloadBar


class PackNotice(QFrame):
    """One sentence, one action, and another way on."""

    fetch = Signal()
    choose = Signal()
    cancel = Signal()

    def __init__(self, pack: Pack, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "notice")
        megabytes = round(pack.size / 1e6)
        self._sentence = self.tr("{}\nFetch {} ({} MB, {}), once.").format(
            pack.purpose, pack.name, megabytes, pack.licence
        )
        self._words = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._bar = DownloadBar()
        self._fetch = QPushButton(
            icon("download", "on_accent"), self.tr("Fetch {} MB").format(megabytes)
        )
        self._fetch.setToolTip(self.tr("Download it now; everything after that is offline"))
        set_role(self._fetch, "primary")
        self._choose = QPushButton(self.tr("Choose a model file…"))
        self._choose.setToolTip(self.tr("Use a .gguf file or a model folder of your own instead"))
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Stop the download"))
        self._fetch.clicked.connect(self.fetch)
        self._choose.clicked.connect(self.choose)
        self._cancel.clicked.connect(self.cancel)
        self._lay_out()
        self.show_offer()

    def show_offer(self) -> None:
        self._words.setText(self._sentence)
        self._show(fetching=False)

    def show_progress(self, progress: Progress) -> None:
        """How far the download is."""
        stage = progress.stage or self.tr("fetching")
        self._words.setText(stage[0].upper() + stage[1:] + " …")
        self._bar.show_progress(progress)
        self._show(fetching=True)

    def focus_action(self) -> None:
        self._fetch.setFocus()

    def _show(self, fetching: bool) -> None:
        self._bar.setVisible(fetching)
        self._cancel.setVisible(fetching)
        self._fetch.setVisible(not fetching)
        self._choose.setVisible(not fetching)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(SPACING)
        words.addWidget(self._words)
        words.addWidget(self._bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addLayout(words, 1)
        for button in (self._choose, self._cancel, self._fetch):
            row.addWidget(button)
