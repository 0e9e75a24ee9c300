"""What a training was asked for through its folder: paused, stopped, single steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from engine.mailbox import Command
from engine.runs import RunFolder

STEERING = ("pause", "resume", "step", "stop")


class Control:
    """Reads the commands of one run and remembers where they leave the training.

    `seen` is the number of the last command that was there before this training began. Of those,
    only what was set and never heard still counts: it was meant for whoever goes on.
    """

    def __init__(self, folder: RunFolder, seen: int) -> None:
        self.paused = False
        self.stopped = False
        self._folder = folder
        self._seen = seen
        self._unheard = [c for c in folder.mailbox.unheard("set") if c[0] <= seen]
        self._steps: deque[str] = deque()  # to be made although paused: the part of each

    @property
    def waiting(self) -> bool:
        return self.paused and not self.stopped and not self._steps

    def fresh(self) -> Iterator[tuple[int, Command]]:
        """What was asked for since the last look, oldest first; noted as heard when all is done."""
        commands = self._unheard + self._folder.commands_after(self._seen)
        self._unheard = []
        for number, command in commands:
            self._seen = max(self._seen, number)
            yield number, command
        if commands:
            self._folder.mailbox.say_heard(self._seen)

    def steer(self, command: Command) -> None:
        """Take note of a pause, resume, step or stop."""
        if command.word == "stop":
            self.stopped = True
        elif command.word == "pause":
            self.paused = True
        elif command.word == "step":
            self.paused = True
            self._steps.append(command.part)
        elif command.word == "resume":
            self.paused = False
            self.forget_steps()

    def forget_steps(self) -> None:
        """Make none of the single steps that were asked for and still wait."""
        self._steps.clear()

    def next_part(self) -> str:
        """The part that the step which comes now is for; empty for all of the learner."""
        return self._steps.popleft() if self._steps else ""
