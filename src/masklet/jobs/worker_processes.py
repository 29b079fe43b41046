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

from masklet.jobs.lanes import Work

Item = TypeVar("Item")
Made = TypeVar("Made")


class ProcessLane(Generic[Item, Made]):
    """A lane that is a process of this machine, with a copy of its work.

    It ends with this lane, with the process that opened it, however that ends, and when it is asked to (SIGTERM); the
    latter two `work` takes note of.

    Args:
        pickled: the work, by value: what is shared between processes lies in /dev/shm, which in containers is smaller
            than a model.
        share: of the cores, one of so many.
    """

    def __init__(self, pickled: bytes, share: int) -> None:
        context = multiprocessing.get_context("spawn")
        alarm, self._lifeline = context.Pipe(duplex=False)
        arguments = (pickled, max(1, torch.get_num_threads() // share), alarm)
        self._process = ProcessPoolExecutor(1, context, initializer=_begin, initargs=arguments)

    def prepare(self) -> Future[None]:
        """Return what is done once the process has prepared its work."""
        return self._process.submit(_prepare)

    def submit(self, item: Item) -> Future[Made]:
        """Have an item worked on."""
        return self._process.submit(_work, item)

    def close(self) -> None:
        """End the process; not waited for, as one that is starting would keep others from ending."""
        self._lifeline.close()
        self._process.shutdown(wait=False, cancel_futures=True)


def process_lanes(works: Sequence[Work[Item, Made]]) -> list[Callable[[], ProcessLane[Item, Made]]]:
    """Return what opens a process for each of `works`, which share the cores; of one work all get the same bytes."""
    pickled = {id(work): pickle.dumps(work) for work in works}
    return [partial(ProcessLane, pickled[id(work)], len(works)) for work in works]


def use_threads(count: int) -> None:
    """Let the libraries of this process compute by so many threads."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


_own: list[Work[Any, Any]] = []
"""In a worker: its work."""


def _begin(pickled: bytes, threads: int, alarm: Connection) -> None:
    use_threads(threads)
    threading.Thread(target=_end_with_parent, args=(alarm,), daemon=True).start()
    _own.append(pickle.loads(pickled))
    signal.signal(signal.SIGTERM, lambda number, frame: _end())  # this process is the lane's, and here its main thread


def _prepare() -> None:
    _own[0].prepare()


def _work(item: Any) -> Any:
    return _own[0](item)


def _end_with_parent(alarm: Any) -> None:
    alarm.poll(None)  # nothing is ever sent: this returns when the other end is closed, if need be by the system
    _end()


def _end() -> None:
    """End this process at once, whatever it is at work on; its work takes note."""
    try:
        for work in _own:
            work.abandon()
    finally:
        os._exit(1)
