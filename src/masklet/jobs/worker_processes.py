"""Processes that work on items; they end with the one that started them."""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import cv2
import torch

from masklet.closing import Closing
from masklet.jobs.lanes import Work

Item = TypeVar("Item")
Made = TypeVar("Made")


class WorkerPool(Closing, Generic[Item, Made]):
    """Processes with a copy of `work` each, and a share of the processor's cores. Close it, or use it as a context.

    They end with this pool, with this process, however that ends, and when they are asked to.

    Args:
        work: makes something of an item; goes to the processes by pickle, with the model that it holds.
        processes: how many.
        share: of the cores for each, one of so many.
        farewell: called in a process that ends because this one did, or that is asked to (SIGTERM); a method of `work`
            is that of its copy there.
    """

    def __init__(
        self, work: Callable[[Item], Made], processes: int, share: int, farewell: Callable[[], None] | None = None
    ) -> None:
        context = multiprocessing.get_context("spawn")
        alarm, self._lifeline = context.Pipe(duplex=False)
        # By value: what is shared between processes lies in /dev/shm, which in containers is smaller than a model.
        arguments = (pickle.dumps((work, farewell)), max(1, torch.get_num_threads() // share), alarm)
        self._pool = ProcessPoolExecutor(processes, context, initializer=_prepare, initargs=arguments)

    def submit(self, item: Item) -> Future[Made]:
        """Have an item worked on; BrokenProcessPool comes of it if a process of the pool dies."""
        return self._pool.submit(_work, item)

    def finish(self) -> None:
        """Wait until the processes have ended by themselves."""
        self._pool.shutdown()

    def close(self, *, waits: bool = True) -> None:
        """End the processes, and perhaps wait until they have; what they are at work on is not needed any more."""
        self._lifeline.close()
        self._pool.shutdown(waits, cancel_futures=True)


class ProcessLane(Generic[Item, Made]):
    """A lane that is a process of this machine.

    Args:
        work: what it does; goes there by pickle.
        share: of the cores, one of so many.
    """

    def __init__(self, work: Work[Item, Made], share: int) -> None:
        self._pool: WorkerPool[Item | None, Any] = WorkerPool(partial(_step, work), 1, share, work.abandon)

    def prepare(self) -> Future[None]:
        """Return what is done once the process has prepared its work."""
        return self._pool.submit(None)

    def submit(self, item: Item) -> Future[Made]:
        """Have an item worked on."""
        return self._pool.submit(item)

    def close(self) -> None:
        """End the process; not waited for, as one that is starting would keep others from ending."""
        self._pool.close(waits=False)


def process_lanes(works: Sequence[Work[Item, Made]]) -> list[Callable[[], ProcessLane[Item, Made]]]:
    """Return what opens a process for each of `works`, which share the cores."""
    return [partial(ProcessLane, work, len(works)) for work in works]


def use_threads(count: int) -> None:
    """Let the libraries of this process compute by so many threads."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def _step(work: Work[Item, Made], item: Item | None) -> Made | None:
    """Do an item; None: prepare."""
    if item is None:
        work.prepare()
        return None
    return work(item)


_prepared: list[tuple[Callable[[Any], Any], Callable[[], None] | None]] = []
"""In a worker: what it was started for, and what it does when it is not needed any more."""


def _prepare(pickled: bytes, threads: int, alarm: Connection) -> None:
    use_threads(threads)
    threading.Thread(target=_end_with_parent, args=(alarm,), daemon=True).start()
    _prepared.append(pickle.loads(pickled))
    signal.signal(signal.SIGTERM, lambda number, frame: _end())  # this process is the pool's, and here its main thread


def _work(item: Any) -> Any:
    return _prepared[0][0](item)


def _end_with_parent(alarm: Any) -> None:
    alarm.poll(None)  # nothing is ever sent: this returns when the other end is closed, if need be by the system
    _end()


def _end() -> None:
    """End this process at once, whatever it is at work on, with the farewell."""
    try:
        if _prepared and _prepared[0][1] is not None:
            _prepared[0][1]()
    finally:
        os._exit(1)
