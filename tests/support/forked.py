"""What a process finds out that is forked from this one."""

import os
import pickle
import signal
import warnings
from collections.abc import Callable
from typing import Any

LONGEST = 60  # seconds; a child that waits for ever is ended then


def found_in_fork(find_out: Callable[[], Any]) -> Any:
    """Return what `find_out` returns in a child process, which goes on from here with copies of all there is.

    AssertionError if it raises, or does not return.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12 on, about forks while threads run
        child = os.fork()
    if child == 0:
        _report_and_exit(find_out, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        report = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, f"The child ended with {status}: it waited too long, or crashed."
    error, found = pickle.loads(report)
    assert error is None, error
    return found


def _report_and_exit(find_out: Callable[[], Any], writing: int) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST)
    try:
        report = (None, find_out())
    except BaseException as error:
        report = (repr(error), None)
    with os.fdopen(writing, "wb") as pipe:
        pickle.dump(report, pipe)
    os._exit(0)
