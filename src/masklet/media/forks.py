"""What a process that was forked inherits of open videos: it keeps it, and touches it no more.

The threads that decode, FFmpeg's and ours, are not there after a fork. FFmpeg waits for its own for ever, even when it
frees what they worked on, which Python asks for at the latest when the process ends; and Python crashes when it frees a
generator in which one of ours was.
"""

import ctypes
import os
from functools import cache
from threading import get_ident
from weakref import WeakSet

_with_threads: WeakSet[object] = WeakSet()
_kept: dict[int, list[object]] = {}  # by the thread that forks


def never_freed_after_fork(owner: object) -> None:
    """See to it that a process that is forked while `owner` is there never frees it, nor what it refers to."""
    _watch_forks()
    _with_threads.add(owner)


@cache
def _watch_forks() -> None:
    if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
        os.register_at_fork(before=_keep, after_in_parent=_keep_no_longer, after_in_child=_keep_for_ever)


def _keep() -> None:
    # Before the fork, because the garbage collector may run in the child before anything of ours does.
    _kept[get_ident()] = [*_with_threads]


def _keep_no_longer() -> None:
    del _kept[get_ident()]


def _keep_for_ever() -> None:
    for owner in _kept[get_ident()]:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(owner))
    _kept.clear()
    _with_threads.clear()
