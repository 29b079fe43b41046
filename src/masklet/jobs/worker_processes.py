"""The same work on many items, by several processes."""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import cv2
import torch

from masklet.errors import InvalidInputError

Made = TypeVar("Made")


def done_by_workers(
    work: Callable[[str], Made], names: Sequence[str], workers: int
) -> Generator[tuple[str, Made], None, None]:
    """Yield each of `names` with what `work` returns for it, by several processes in the order in which they finish.

    With one worker, `work` is called here. Otherwise each process gets a copy of it (with the model that it holds) and
    its share of the processor's cores. The processes end when this does, and with this process, however that ends.

    Raises:
        InvalidInputError: for fewer than one worker, or so many that the system ended one.
        Exception: whatever `work` raises.
    """
    if workers < 1:
        raise InvalidInputError(f"At least one worker is needed; got {workers}.")
    if min(workers, len(names)) < 2:
        yield from ((name, work(name)) for name in names)
        return
    workers = min(workers, len(names))
    context = multiprocessing.get_context("spawn")
    alarm, lifeline = context.Pipe(duplex=False)
    # By value: what is shared between processes lies in /dev/shm, which in containers is smaller than a model.
    arguments = (pickle.dumps(work), max(1, torch.get_num_threads() // workers), alarm)
    pool = ProcessPoolExecutor(workers, context, initializer=_prepare, initargs=arguments)
    try:
        futures: dict[Future[Made], str] = {pool.submit(_work, name): name for name in names}
        for future in as_completed(futures):
            yield futures[future], future.result()
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InvalidInputError(
            f"One of {workers} worker processes was ended by the system, probably for lack of memory; use fewer "
            "workers. Results that were kept are not made again."
        ) from error
    finally:
        lifeline.close()  # those that are still at work are not needed any more
        pool.shutdown(cancel_futures=True)


_prepared: list[Callable[[str], Any]] = []
"""In a worker: what it was started for."""


def _prepare(pickled: bytes, threads: int, alarm: Connection) -> None:
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    threading.Thread(target=_end_with_parent, args=(alarm,), daemon=True).start()
    _prepared.append(pickle.loads(pickled))


def _work(name: str) -> Any:
    return _prepared[0](name)


def _end_with_parent(alarm: Any) -> None:
    alarm.poll(None)  # nothing is ever sent: this returns when the other end is closed, if need be by the system
    os._exit(1)
