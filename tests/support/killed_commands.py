"""`masklet` commands that are killed, as a crash or a power switch does it: at chosen system calls, or after a while.

A server process has imported everything, and forks for each command; nothing of torch runs in it, so that its copies
are as good as new processes, which would each take seconds to begin.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

KILLED = -9
# Before each of these a file system is in a state that a kill can leave for ever.
CALLS = ("replace", "rename", "fsync", "unlink", "link", "rmdir")
SERVER = """
import json, os, signal, sys, time
import torch
import masklet.predictors.video_tracker, masklet.media.mask_sequences
import masklet.jobs.tracking_requests, masklet.jobs.track_outputs
from masklet.cli import main

def killed_before(call, nth, seen=[0]):
    def counted(*arguments, **options):
        seen[0] += 1
        if seen[0] == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return counted

def run(order):
    os.chdir(order["folder"])
    for name in order["calls"]:
        setattr(os, name, killed_before(getattr(os, name), order["nth"]))
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    torch.set_num_threads(1)
    sys.argv = ["masklet", *order["arguments"]]
    main.run()

for line in sys.stdin:
    order = json.loads(line)
    process = os.fork()
    if not process:
        try:
            run(order)
        except SystemExit as ending:
            sys.stdout.flush(); sys.stderr.flush()
            os._exit(ending.code or 0)
        finally:
            os._exit(99)
    if order["seconds"] is not None:
        time.sleep(order["seconds"])
        os.kill(process, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


class Commands:
    """Runs commands in a folder, each in a process of its own."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def run(
        self,
        folder: Path,
        *arguments: object,
        calls: Sequence[str] = CALLS,
        nth: int = 0,
        seconds: float | None = None,
    ) -> int:
        """Return the exit code, KILLED if it was killed: before the `nth` of the `calls`, or after some seconds."""
        order = {"folder": str(folder), "arguments": [*map(str, arguments)], "calls": [*calls]}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps({**order, "nth": nth, "seconds": seconds}) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


@contextmanager
def commands() -> Iterator[Commands]:
    """Start the server, and end it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:
        try:
            yield Commands(server)
        finally:
            server.kill()
