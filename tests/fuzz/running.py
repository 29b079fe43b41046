"""Hostile inputs, each in a process of its own, so that whatever it does to the process is seen and harms no other."""

import faulthandler
import json
import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.attempt import Entry, FaultError, is_refusal

MESSAGE_LENGTH = 5_000  # characters; the longest, of a checkpoint, lists 60 tensors
GRACE = 5  # seconds
_OUTCOME, _OUTPUT = "outcome.json", "output.txt"


@dataclass(frozen=True)
class Limits:
    """What one input may take, which in general is milliseconds and a few megabytes.

    `processor_seconds`; `wall_seconds`, far more on a busy machine: what takes so long waits for something; `memory`,
    bytes of address space beyond those of the process that all inputs start from.
    """

    processor_seconds: int = 20
    wall_seconds: float = 120
    memory: int = 3 * 2**30


@dataclass(frozen=True)
class Case:
    """One input: what makes it, and the seed of its chance (None: the valid input of the entry)."""

    entry: str
    number: int | None
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.entry}:{'valid' if self.number is None else self.number}"

    @property
    def rng(self) -> Random | None:
        """The generator of all chance in it."""
        return None if self.number is None else Random(f"{self.seed} {self.entry} {self.number}")


@dataclass(frozen=True)
class Outcome:
    """What a case ended by. `kind`: accepted, refused, or a fault: exception, signal, hang, output."""

    case: Case
    name: str
    kind: str
    detail: str

    @property
    def is_fault(self) -> bool:
        """Whether something has to be mended."""
        expected = ("accepted",) if self.case.number is None else ("accepted", "refused")
        return self.kind not in expected


def run_cases(
    cases: Iterable[Case], entries: Mapping[str, Entry], processes: int, limits: Limits = Limits()
) -> Iterator[Outcome]:
    """Yield the outcome of each case as it ends. The calling process must be single-threaded: it is forked."""
    running: dict[int, _Child] = {}
    waiting = iter(cases)
    with tempfile.TemporaryDirectory(prefix="masklet-fuzz-") as root:
        while True:
            while len(running) < processes and (case := next(waiting, None)):
                child = _Child.fork(case, entries[case.entry], Path(root), limits)
                running[child.pid] = child
            if not running:
                return
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in running:
                yield running.pop(pid).outcome(status)
                continue
            for child in running.values():
                child.end_if_late(limits.wall_seconds)
            time.sleep(0.002)


@dataclass
class _Child:
    case: Case
    pid: int
    folder: Path
    began: float
    is_late: bool = False

    @classmethod
    def fork(cls, case: Case, entry: Entry, root: Path, limits: Limits) -> "_Child":
        folder = Path(tempfile.mkdtemp(prefix=f"{case.entry}-", dir=root))
        pid = os.fork()
        if pid == 0:
            _run(case, entry, folder, limits)
        return cls(case, pid, folder, time.monotonic())

    def end_if_late(self, wall_seconds: float) -> None:
        elapsed = time.monotonic() - self.began
        if elapsed > wall_seconds and not self.is_late:
            self.is_late = True
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGXCPU)  # upon which it prints where it waits, and ends
        elif elapsed > wall_seconds + GRACE:
            self._end_group()

    def outcome(self, status: int) -> Outcome:
        self._end_group()  # processes that it started
        written = self.folder / _OUTCOME
        output = (self.folder / _OUTPUT).read_text(encoding="utf-8", errors="replace")
        name, kind, detail = json.loads(written.read_text()) if written.exists() else ("?", "exit", "no outcome")
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            is_hang = self.is_late or number == signal.SIGXCPU
            kind, detail = ("hang", "") if is_hang else ("signal", signal.Signals(number).name)
            detail += f"\n{output[-3000:]}"
        elif kind == "accepted" and "Traceback (most recent call last)" in output:
            kind, detail = "output", output[-3000:]
        shutil.rmtree(self.folder, ignore_errors=True)
        return Outcome(self.case, name, kind, detail)

    def _end_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def _run(case: Case, entry: Entry, folder: Path, limits: Limits) -> None:
    """Run a case in this process, a child made for it, and end it."""
    try:
        os.setpgid(0, 0)
        _limit_this_process(folder, limits)
        name = "?"
        (folder / "input").mkdir()
        os.chdir(folder / "input")
        name, use = entry.attempt(case.rng, folder / "input")
        _note(folder, name, "exit", "ended by itself")  # unless what follows says otherwise
        warnings.simplefilter("error")  # a library's warning says nothing to whoever gave the input
        warnings.simplefilter("ignore", DeprecationWarning)  # which Python does not show to them
        use()
        kind, detail = "accepted", ""
    except BaseException as error:  # also those that would leave through the code of the parent
        kind, detail = _described(error)
    try:
        _note(folder, name, kind, detail)
    finally:
        os._exit(0)


def _limit_this_process(folder: Path, limits: Limits) -> None:
    output = os.open(folder / _OUTPUT, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    faulthandler.enable()
    faulthandler.register(signal.SIGXCPU, chain=True)  # says where a hang was
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_seconds, limits.processor_seconds + 5))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + limits.memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _described(error: BaseException) -> tuple[str, str]:
    text = str(error)
    if not is_refusal(error) or not text:
        kind = "output" if isinstance(error, FaultError) else "exception"
        return kind, "".join(traceback.format_exception(error))[-3000:]
    if len(text) > MESSAGE_LENGTH:
        return "output", f"a message of {len(text)} characters: {text[:200]!r}"
    return "refused", text


def _note(folder: Path, *outcome: str) -> None:
    (folder / _OUTCOME).write_text(json.dumps(outcome))
