"""Errors for people: what happened, to which file, what to do next. Anything else is a bug."""

from __future__ import annotations

import errno


class Cancelled(BaseException):
    """The person asked to stop. A BaseException, so that no library's broad handler swallows it."""


class EngineError(Exception):
    """A failure a person can act on.

    `message` says what happened and to which file; `hint` says what to do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidTask(EngineError):
    """A field of a task holds a value that cannot be used; `field` names it."""

    def __init__(self, field: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.args = (field, message, hint)  # so that it survives the pipe between processes
        self.field = field


class ModelError(EngineError):
    """A model is missing, incomplete, unsafe or of the wrong kind."""


class DatasetError(EngineError):
    """A dataset is missing, empty or unreadable."""


class FileError(EngineError):
    """A file or folder cannot be read or written."""


class OutOfMemory(EngineError):
    """The work needs more memory than this machine has free."""


class ModelProcessDied(EngineError):
    """The process that ran the model ended without an answer."""


class UnexpectedError(EngineError):
    """A bug: not foreseen, so shown with its traceback for a report."""

    def __init__(self, message: str, hint: str = "", details: str = "") -> None:
        super().__init__(message, hint)
        self.args = (message, hint, details)
        self.details = details


# Said in words only: by torch on the CPU and on Apple's GPUs, by C++, by Python.
_NO_MEMORY = (
    "DefaultCPUAllocator: ",
    "backend out of memory",
    "std::bad_alloc",
    "can't start new thread",  # whose stack has no room
)
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)


def explain(error: Exception, details: str = "") -> EngineError:
    """What a person can make of an exception that no task foresaw."""
    if is_out_of_memory(error):
        return OutOfMemory(
            "The memory of this machine is not enough for this.",
            "Choose a smaller size, batch or model, or close other programs.",
        )
    if _is_from_another_process(error):
        return EngineError(
            "Another process of this training has ended.",
            "See what it said; go on from the last checkpoint with resume.",
        )
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        where = f"{error.filename}: " if error.filename else ""
        return FileError(
            f"A file could not be read or written: {where}{error.strerror}.",
            "Free some space or choose another folder, then try again.",
        )
    return UnexpectedError(
        f"Something went wrong that should not have: {type(error).__name__}: {error}",
        "Try again; if it happens again, copy the details and report them.",
        details,
    )


def is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _is_from_another_process(error: Exception) -> bool:
    """torch.distributed tells so by a kind of its own, or in gloo's words."""
    kinds = ("DistBackendError", "DistNetworkError", "DistStoreError")
    return isinstance(error, RuntimeError) and (
        type(error).__name__ in kinds or "/gloo/transport/" in str(error)
    )
