"""The same work on many items, by several processes."""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any

import cv2
import torch

from masklet.errors import InvalidInputError
from masklet.evaluation.measured_item import MeasuredItem

Measure = Callable[[str], MeasuredItem]


def measured_by_workers(measure: Measure, names: Sequence[str], workers: int) -> Iterator[MeasuredItem]:
    """Yield what `measure` returns for each of `names`, by several processes in the order in which they finish.

    With one worker it is called here. Otherwise each process gets a copy of it (with the model that it holds) and its
    share of the processor's cores. The processes end with this one, however that ends.

    Raises whatever `measure` raises; InvalidInputError for fewer than one worker, or so many that the system ended one.
    """
    if workers < 1:
        raise InvalidInputError(f"At least one worker is needed; got {workers}.")
    if min(workers, len(names)) < 2:
        yield from map(measure, names)
        return
    workers = min(workers, len(names))
    context = multiprocessing.get_context("spawn")
    alarm, lifeline = context.Pipe(duplex=False)
    # By value: what is shared between processes lies in /dev/shm, which in containers is smaller than a model.
    arguments = (pickle.dumps(measure), max(1, torch.get_num_threads() // workers), alarm)
    pool = ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=arguments)
    try:
        futures: list[Future[MeasuredItem]] = [pool.submit(_measure, name) for name in names]
        for future in as_completed(futures):
            yield future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InvalidInputError(
            f"One of {workers} worker processes was ended, probably for lack of memory: use fewer (--workers). "
            "If a folder for the results was given (--report), the same evaluation goes on with what is missing."
        ) from error
    finally:
        lifeline.close()  # those that are still at work are not needed any more
        pool.shutdown(cancel_futures=True)


_prepared: list[Measure] = []
"""In a worker: what it was started for."""


def _prepare(pickled: bytes, threads: int, alarm: Connection) -> None:
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    threading.Thread(target=_end_with_parent, args=(alarm,), daemon=True).start()
    _prepared.append(pickle.loads(pickled))


def _measure(name: str) -> MeasuredItem:
    return _prepared[0](name)


def _end_with_parent(alarm: Any) -> None:
    alarm.poll(None)  # nothing is ever sent: this returns when the other end is closed, if need be by the system
    os._exit(1)
