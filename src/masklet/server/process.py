"""What the system gives this process: memory, and open files."""

import os
import sys
from contextlib import suppress

_WANTED_FILES = 65_536


def resident_bytes() -> int:
    """Return how much memory this process has; where the system does not say, the most that it had, or 0."""
    with suppress(OSError), open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def allow_many_files() -> None:
    """Let this process open as many files as the system allows it: each project has three, each socket one."""
    if sys.platform == "win32":
        return
    import resource

    current, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if most == resource.RLIM_INFINITY else min(most, _WANTED_FILES)
    if current < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
