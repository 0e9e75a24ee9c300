"""One model that can be fetched: what is known of it, and how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.amounts import told
from engine.events import HubModel, ModelFacts, Progress
from engine.recommended import Recommended
from studio.theme import SPACING, icon, set_role
from studio.widgets.download_bar import DownloadBar


class HubPage(QWidget):
    """Asks first, then fetches: `asked` and `wanted` are the two clicks that use the network."""

    asked = Signal()
    wanted = Signal()
    paused = Signal()
    discarded = Signal()
    used = Signal()
    page_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = Recommended("", "")
        self._found: HubModel | None = None
        self._facts: ModelFacts | None = None
        self._shown: list[tuple[str, str]] = []
        self._title, self._about, self._notice, self._stage = (_label() for _ in range(4))
        set_role(self._title, "title")
        set_role(self._notice, "notice")
        set_role(self._stage, "caption")
        self._rows = QFormLayout()
        self._rows.setVerticalSpacing(SPACING)
        self._rows.setHorizontalSpacing(3 * SPACING)
        self.files = QComboBox()
        self.files.setAccessibleName(self.tr("File"))
        self.files.setToolTip(self.tr("The same model packed more or less tightly"))
        self.files.activated.connect(self.asked)
        self._bar = DownloadBar()
        self._deeds = QHBoxLayout()
        self.ask = self._deed("search", self.tr("Ask for its size"), self.asked)
        self.ask.setToolTip(self.tr("Ask the Hub how large it is and under which licence"))
        self.get = self._deed("download", "", self.wanted)
        self.pause = self._deed("pause", self.tr("Pause"), self.paused)
        self.pause.setToolTip(self.tr("Stop, and keep what has come: it goes on from there"))
        self.use = self._deed("check", self.tr("Use it"), self.used)
        self.use.setToolTip(self.tr("Choose it where it works"))
        self.discard = self._deed("trash-2", self.tr("Throw away what came"), self.discarded)
        self.discard.setToolTip(self.tr("Free the space of a download that was stopped"))
        self.page = self._deed("external-link", self.tr("Its page"), self.page_wanted)
        self.page.setToolTip(self.tr("Open the page of the model in the browser"))
        for button in (self.ask, self.get, self.use):
            set_role(button, "primary")
        self._lay_out()

    @property
    def model(self) -> Recommended:
        return self._model

    @property
    def file(self) -> str:
        """The one chosen; empty lets the engine choose."""
        return self.files.currentText() if self.files.count() else self._model.file

    def show_model(self, model: Recommended) -> None:
        """What is known without asking anybody."""
        self._model, self._found, self._facts = model, None, None
        self.files.clear()
        self._title.setText(model.title)
        self._about.setText(model.about)
        self._update()

    def show_found(self, found: HubModel) -> None:
        """What the Hub has said of it."""
        self._found, self._facts = found, None
        self.files.clear()
        self.files.addItems(found.choices)
        self.files.setCurrentText(found.chosen)
        self._update()

    def show_progress(self, progress: Progress) -> None:
        stage = progress.stage[:1].upper() + progress.stage[1:]
        count = ""
        if progress.total:
            count = self.tr(": {} of {}").format(told(progress.step), told(progress.total))
        self._stage.setText(f"{stage}{count}")
        self._bar.show_progress(progress)
        self._update(busy=True, fetching=progress.unit == "bytes")

    def show_done(self, facts: ModelFacts) -> None:
        self._facts = facts
        self._update()

    def show_rest(self) -> None:
        """Nothing is going on."""
        self._update()

    def told(self) -> list[str]:
        """What is shown."""
        return [label.text() for label in self.findChildren(QLabel) if label.isVisibleTo(self)]

    def _update(self, busy: bool = False, fetching: bool = False) -> None:
        found, done = self._found, self._facts is not None
        here = done or (found is not None and found.here)
        self._show_rows()
        self.files.setVisible(self.files.count() > 1)
        self.files.setEnabled(not busy)
        self._bar.setVisible(busy)
        self._stage.setVisible(busy)
        self.ask.setVisible(not busy and found is None and not done)
        self.get.setVisible(not busy and found is not None and not here)
        self.pause.setVisible(fetching)
        self.use.setVisible(done)
        self.discard.setVisible(bool(not busy and found and found.kept and not here))
        if found is not None:
            left = told(found.size - found.kept)
            go_on, get = self.tr("Go on: {} left"), self.tr("Get {}")
            self.get.setText((go_on if found.kept else get).format(left))
            self.get.setToolTip(
                self.tr(
                    "Download it from the Hugging Face Hub, licence {}; it is used offline"
                ).format(found.licence or self.tr("unknown"))
            )
        self._notice.setText(self._remark(here))
        self._notice.setVisible(bool(self._notice.text()) and not busy)

    def _remark(self, here: bool) -> str:
        found = self._found
        if here:
            return self.tr("It is in the lists of models now.")
        if found and found.gated:
            return self.tr(
                "Its licence must be accepted first: open its page, accept it there, and put a "
                "token of your account into HF_TOKEN or run `hf auth login`."
            )
        if found and found.size - found.kept > found.free:
            return self.tr("There is not enough space on the disk for it.")
        return ""

    def _show_rows(self) -> None:
        known = self._known()
        if known == self._shown:
            return  # what stands there may be being copied
        self._shown = known
        while self._rows.rowCount():
            self._rows.removeRow(0)
        for name, text in known:
            label = _label()
            label.setText(text)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._rows.addRow(name, label)

    def _known(self) -> list[tuple[str, str]]:
        tr, model, found = self.tr, self._model, self._found
        about = tr("about {}")
        rows = [(tr("Repository"), model.repository)]
        if found is None:
            rows.append((tr("Licence"), model.licence))
            rows.append((tr("Size"), about.format(told(model.size)) if model.size else tr("ask")))
        else:
            licence = found.licence or tr("it does not say: see its page")
            size = tr("{}, {} are free").format(told(found.size), told(found.free))
            rows += [(tr("Licence"), licence), (tr("Size"), size)]
            if found.kept:
                rows.append((tr("Here already"), told(found.kept)))
            rows.append((tr("Becomes"), found.name))
            rows.append((tr("Commit"), found.commit[:12]))
        if self._facts is not None:
            needs = tr("{}, {} are free").format(told(self._facts.needs), told(self._facts.free))
            rows.append((tr("Memory"), needs))
        elif model.memory:
            rows.append((tr("Memory"), about.format(told(model.memory))))
        return rows

    def _deed(self, name: str, text: str, signal: SignalInstance) -> QPushButton:
        primary = name in ("search", "download", "check")
        button = QPushButton(icon(name, "on_accent" if primary else "muted"), text)
        button.setAutoDefault(False)
        button.clicked.connect(signal)
        self._deeds.addWidget(button)
        return button

    def _lay_out(self) -> None:
        self._deeds.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACING, 0, SPACING, 0)
        column.setSpacing(2 * SPACING)
        column.addWidget(self._title)
        column.addWidget(self._about)
        column.addLayout(self._rows)
        for widget in (self.files, self._notice, self._stage, self._bar):
            column.addWidget(widget)
        column.addLayout(self._deeds)
        column.addStretch(1)


def _label() -> QLabel:
    return QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
