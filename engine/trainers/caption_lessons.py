"""What a text encoder learns from before anything is drawn: captions, words, and their meanings."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engine.events import Progress, Report

if TYPE_CHECKING:
    from torch import Tensor

    from engine.trainers.train_text_to_image import TrainTextToImage


CHUNK = 1000  # words compared with all captions at once


class CaptionLessons:
    """The different captions, which of them belong to each picture, and the teacher's words."""

    def __init__(
        self, captions: tuple[tuple[str, ...], ...], task: TrainTextToImage, report: Report
    ) -> None:
        self.captions = sorted({text for texts in captions for text in texts})
        number = {text: index for index, text in enumerate(self.captions)}
        self.of_picture = [[number[text] for text in texts] for texts in captions]
        """As often as a caption is given, so often it stands here: repetition is weight."""
        self._all = captions
        self._report = report
        self._teacher = None
        self.words: list[str] = []
        self.teacher_width = 0
        if task.text_teacher:
            from engine.models.word_teacher import WordTeacher

            report(Progress(0, None, "loading the text teacher"))
            self._teacher = WordTeacher(Path(task.text_teacher))
            self.words = self._teacher.lessons(self.captions, task.seed)
            self.teacher_width = int(self._teacher.model.config.hidden_size)

    def texts(self) -> list[str]:
        """What the tokenizer learns its pieces of words from."""
        words = self._teacher.words() if self._teacher else []
        return [text for texts in self._all for text in texts] + words

    def ask_teacher(self) -> None:
        """Before anything of a step is drawn: it takes a while, and may be stopped."""
        if self._teacher:
            _ = self.nearest

    def meanings(self, captions: Tensor) -> Tensor | None:
        """(N, D) of the captions with these numbers; None where there is no teacher."""
        return self._meanings[0][captions] if self._teacher else None

    def word_meanings(self, words: Tensor) -> Tensor:
        """(N, D) of the words with these numbers."""
        return self._meanings[1][words]

    @cached_property
    def nearest(self) -> tuple[Tensor, Tensor]:
        """For each word the number of the caption that means most nearly the same, and how nearly.

        The second is a cosine, 1 for the same meaning.
        """
        import torch

        from engine.models.word_teacher import readable

        captions, words = self._meanings
        readable_ones = torch.tensor([n for n, t in enumerate(self.captions) if readable(t)])
        if not len(readable_ones):
            return torch.zeros(len(words), dtype=torch.long), torch.zeros(len(words))
        known = captions[readable_ones]
        found = [(part @ known.T).max(1) for part in words.split(CHUNK)]
        numbers = readable_ones[torch.cat([best.indices for best in found])]
        return numbers, torch.cat([best.values for best in found])

    @cached_property
    def _meanings(self) -> tuple[Tensor, Tensor]:
        """Of captions and of words, (N, D) each, asked for once and only when needed.

        A caption that the teacher cannot read means what the others of its picture mean. The
        mean of all is taken off: what every text has in common says nothing.
        """
        from torch.nn import functional as F  # noqa: N812

        assert self._teacher is not None
        known = self._teacher.embed(self.captions + self.words, self._report)
        captions, words = known[: len(self.captions)], known[len(self.captions) :]
        captions = self._with_unreadable(captions)
        centre = known.mean(0)
        return F.normalize(captions - centre, dim=-1), F.normalize(words - centre, dim=-1)

    def _with_unreadable(self, meanings: Tensor) -> Tensor:
        import torch

        from engine.models.word_teacher import readable

        understood = torch.tensor([readable(text) for text in self.captions])
        sums, counts = torch.zeros_like(meanings), torch.zeros(len(meanings), 1)
        for row in self.of_picture:
            numbers = torch.tensor(row)
            own = understood[numbers]
            if own.any():
                others = numbers[~own].unique()
                sums[others] += meanings[numbers[own]].mean(0)
                counts[others] += 1
        return torch.where(counts > 0, sums / counts.clamp(min=1), meanings)
