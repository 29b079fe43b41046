"""The device: two lanes of work, each a thread that runs one unit after the other.

`steps` has everything that touches the state of a session, so that no two units of one meet; `answers` decodes on
features that are there, for which the network needs no state.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Condition, Lock, Thread
from typing import Any, Literal, TypeVar

from masklet.server.fairness import FairQueue, Urgency
from masklet.server.problems import Problem

Result = TypeVar("Result")
UnitKind = Literal["encode", "step", "decode"]
Task = tuple[Callable[[], Any], "Future[Any]"]
MOST_WAITING = 10_000


class Lane:
    """A thread that works through a fair queue.

    Args:
        name: of the thread.
        spent: called with a user and the milliseconds of each unit.
    """

    def __init__(self, name: str, spent: Callable[[str, float], None]) -> None:
        self._queue: FairQueue[Task] = FairQueue()
        self._condition = Condition()
        self.is_closed = False
        self._spent = spent
        self.is_busy = False
        self._thread = Thread(target=self._work, name=f"masklet-{name}", daemon=True)
        self._thread.start()

    def submit(self, user: str, urgency: Urgency, work: Callable[[], Result]) -> "Future[Result]":
        """Add a unit; Problem if too many wait."""
        future: Future[Result] = Future()
        with self._condition:
            if self.is_closed or len(self._queue) >= MOST_WAITING:
                raise Problem(503, "busy", "The server has too much to do.", headers={"Retry-After": "5"})
            self._queue.push(user, urgency, (work, future))
            self._condition.notify()
        return future

    def run(self, user: str, urgency: Urgency, work: Callable[[], Result]) -> Result:
        """Add a unit and return its result, or raise its error, once it is done."""
        return self.submit(user, urgency, work).result()

    def waiting(self) -> dict[Urgency, int]:
        """Return how many units of each kind wait."""
        with self._condition:
            return self._queue.waiting()

    def close(self) -> None:
        """Stop after the unit at hand; what waits is cancelled."""
        with self._condition:
            self.is_closed = True
            self._condition.notify()
        self._thread.join()

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            user, urgency, (work, future) = taken
            begin = time.perf_counter()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # of whoever waits for it
                    future.set_exception(error)
            milliseconds = 1000 * (time.perf_counter() - begin)
            with self._condition:
                self._queue.charge(user, urgency, milliseconds)
            self._spent(user, milliseconds)

    def _next(self) -> tuple[str, Urgency, Task] | None:
        with self._condition:
            self.is_busy = False
            while not len(self._queue) and not self.is_closed:
                self._condition.wait()
            if self.is_closed:
                while len(self._queue):
                    self._queue.pop()[2][1].cancel()
                return None
            self.is_busy = True
            return self._queue.pop()


class Device:
    """The lanes of a device, and what it did."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.units: Counter[str] = Counter({"encode": 0, "step": 0, "decode": 0})
        self.milliseconds: Counter[str] = Counter()
        self.steps = Lane("steps", self._spend)
        self.answers = Lane("answers", self._spend)

    def is_busy(self) -> bool:
        """Whether a unit runs."""
        return self.steps.is_busy or self.answers.is_busy

    def count(self, kind: UnitKind, number: int = 1) -> None:
        """Note that the network ran."""
        with self._lock:
            self.units[kind] += number

    def _spend(self, user: str, milliseconds: float) -> None:
        with self._lock:
            self.milliseconds[user] += int(1000 * milliseconds)

    def close(self) -> None:
        """Stop both lanes after the units at hand."""
        self.steps.close()
        self.answers.close()


@contextmanager
def timed(into: dict[str, float], name: str) -> Iterator[None]:
    """Note under a name how many milliseconds the block took."""
    begin = time.perf_counter()
    yield
    into[name] = round(1000 * (time.perf_counter() - begin), 2)
