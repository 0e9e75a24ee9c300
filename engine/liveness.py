"""Whether a process is still there: a stored number alone is never believed."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def process_exists(pid: int) -> bool:
    """Whether a process with this number runs on this machine now."""
    if not 0 < pid < 2**31:
        return False
    if sys.platform == "win32":
        return _exists_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def started(pid: int) -> float | None:
    """When the process began, in seconds since 1970; None where the system does not say.

    A number is given again after a restart of the machine; together with this it is unique.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        boot = Path("/proc/stat").read_text(encoding="ascii").partition("btime ")[2].split()[0]
    except (OSError, IndexError):
        return None
    return int(boot) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Bytes of memory that the process holds; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if sys.platform == "win32":

    def _exists_on_windows(pid: int) -> bool:
        import ctypes

        kernel = ctypes.windll.kernel32  # os.kill would end the process there
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE
