"""Processes that work on items; they end with the one that started them, and one that dies costs its item only."""

import multiprocessing
import os
import pickle
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any, Generic, Protocol, TypeVar

import cv2
import torch

from masklet.closing import Closing
from masklet.errors import InvalidInputError

Item = TypeVar("Item")
Made = TypeVar("Made")
Given_contra = TypeVar("Given_contra", contravariant=True)
Returned_co = TypeVar("Returned_co", covariant=True)

MOST_DEATHS = 3  # of processes that work on one item


class WorkerPool(Closing, Generic[Item, Made]):
    """Processes with a copy of `work` each, and a share of the processor's cores. Close it, or use it as a context.

    They end with this pool, and with this process, however that ends.

    Args:
        work: makes something of an item; goes to the processes by pickle, with the model that it holds.
        processes: how many.
        share: of the cores for each, one of so many.
        farewell: called in a process that ends because this one did; a method of `work` is that of its copy there.
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

    def close(self) -> None:
        """End the processes; what they are still at work on is not needed any more."""
        self._lifeline.close()
        self._pool.shutdown(cancel_futures=True)


class Work(Protocol[Given_contra, Returned_co]):
    """What is done in a process of its own."""

    def __call__(self, item: Given_contra, /) -> Returned_co:
        """Make something of an item."""

    def abandon(self) -> None:
        """Take note that the process ends before its work does, because the one that started it did."""


def done_apart(works: Sequence[Work[Item, Made]], items: Iterable[Item]) -> Generator[Made, None, None]:
    """Yield what becomes of each item, by a process for each of `works`, in the order in which they finish.

    An item whose process died is given to a new one, and the others do not notice.

    Args:
        works: what each process does.
        items: in the order in which they are begun.

    Raises:
        InvalidInputError: if three processes died of one item.
        Exception: whatever a work raises.
    """
    lanes = [WorkerPool(work, 1, len(works), work.abandon) for work in works]
    busy: dict[Future[Made], tuple[int, Item, int]] = {}
    waiting = deque(items)

    def begin(lane: int, item: Item, deaths: int = 0) -> None:
        busy[lanes[lane].submit(item)] = lane, item, deaths

    try:
        for lane in range(min(len(lanes), len(waiting))):
            begin(lane, waiting.popleft())
        while busy:
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                lane, item, deaths = busy.pop(future)
                try:
                    made = future.result()
                except BrokenProcessPool as error:
                    if deaths + 1 == MOST_DEATHS:
                        raise InvalidInputError(
                            f"{MOST_DEATHS} worker processes were ended by the system before their work began, "
                            "probably for lack of memory; use fewer workers. What is finished is kept."
                        ) from error
                    lanes[lane].close()
                    lanes[lane] = WorkerPool(works[lane], 1, len(works), works[lane].abandon)
                    begin(lane, item, deaths + 1)
                    continue
                if waiting:
                    begin(lane, waiting.popleft())
                yield made
    finally:
        for each in lanes:
            each.close()


_prepared: list[tuple[Callable[[Any], Any], Callable[[], None] | None]] = []
"""In a worker: what it was started for, and what it does when it is not needed any more."""


def _prepare(pickled: bytes, threads: int, alarm: Connection) -> None:
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    threading.Thread(target=_end_with_parent, args=(alarm,), daemon=True).start()
    _prepared.append(pickle.loads(pickled))


def _work(item: Any) -> Any:
    return _prepared[0][0](item)


def _end_with_parent(alarm: Any) -> None:
    alarm.poll(None)  # nothing is ever sent: this returns when the other end is closed, if need be by the system
    try:
        if _prepared and _prepared[0][1] is not None:
            _prepared[0][1]()
    finally:
        os._exit(1)
