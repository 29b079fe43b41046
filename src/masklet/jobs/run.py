"""A job of many items: each is worked on by itself, by one or several processes, and kept once it is finished."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from masklet.errors import InvalidInputError
from masklet.jobs.journal import ItemJournal, Result
from masklet.jobs.lanes import Lane, SharedOut, Work
from masklet.jobs.worker_processes import process_lanes

Made = TypeVar("Made")
OpenLanes = Callable[[Work[str, Any]], Sequence[Callable[[], Lane[str, Any]]]]
"""Returns what opens the workers of a work."""

MOST_DEATHS_OF_AN_ITEM = 2


def shard_of(items: Sequence[Made], number: int, count: int) -> list[Made]:
    """Return the items of one of several machines that share a folder: every `count`-th, from the `number`-th on.

    Args:
        items: all, in the same order on every machine.
        number: 1 to `count`.
        count: of machines.

    Raises:
        InvalidInputError: for another number.
    """
    if not 1 <= number <= count:
        raise InvalidInputError(f"Shards are 1/{count} to {count}/{count}; got {number}/{count}.")
    return list(items[number - 1 :: count])


@dataclass(frozen=True)
class NamedWork(Generic[Made]):
    """A function as the work of lanes, whose results end in any order, so that each has its name beside it."""

    function: Callable[[str], Made]

    def prepare(self) -> None:
        """Do nothing: the function came with all it needs."""

    def abandon(self) -> None:
        """Do nothing: results that are not kept are made again."""

    def __call__(self, name: str) -> tuple[str, Made]:
        """Return the name and what the function makes of it."""
        return name, self.function(name)


@dataclass(frozen=True)
class Ending:
    """How a job ended: `is_finished`, or by a request or an `error` before that."""

    is_finished: bool
    error: Exception | None = None


class ItemJob(Generic[Result]):
    """Items with a name each, of which each can be left to another process, or be found finished.

    Args:
        names: of the items, none twice.
        work: makes the result of an item; worker processes get copies of it by pickle.
        journal: keeps the results; those that it holds of an earlier run are not made again.

    Attributes:
        results: what is finished, by name.
    """

    def __init__(
        self, names: Sequence[str], work: Callable[[str], Result], journal: ItemJournal[Result] | None = None
    ) -> None:
        self._names, self._work, self._journal = names, work, journal
        known = {} if journal is None else {name: journal.get(name) for name in names}
        self.results: dict[str, Result] = {name: result for name, result in known.items() if result is not None}

    def run(
        self,
        *,
        workers: int = 1,
        lanes: OpenLanes | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        on_item: Callable[[int, int], None] = lambda done, total: None,
    ) -> Ending:
        """Work on all items that are not finished; the results are the same with any number of workers.

        Args:
            workers: the number of processes.
            lanes: opens other workers in their place, say those of a cluster.
            should_stop: asked after every item whether to end here.
            on_item: called before the first item and after each with the number of items done and of all.

        Raises:
            InvalidInputError: for fewer than one worker, or if workers die again and again before they begin, or two
                at one item, as of too many for the memory.
            Exception: whatever `work` raises. As after an interrupt, what was finished before is kept.
        """
        total = len(self._names)
        on_item(len(self.results), total)
        missing = [name for name in self._names if name not in self.results]
        with closing(done_by_workers(self._work, missing, workers, lanes)) as finished:
            for name, result in finished:
                self.results[name] = result
                if self._journal is not None:
                    self._journal.add(name, result)
                on_item(len(self.results), total)
                if len(self.results) < total and should_stop():
                    return Ending(is_finished=False)
        return Ending(is_finished=True)


def done_by_workers(
    work: Callable[[str], Made], names: Sequence[str], workers: int, lanes: OpenLanes | None = None
) -> Generator[tuple[str, Made], None, None]:
    """Yield each of `names` with what `work` returns for it, by several processes in the order in which they finish.

    With one worker, `work` is called here. Otherwise each process gets a copy of it (with the model that it holds) and
    its share of the processor's cores. The processes end when this does, and with this process, however that ends. With
    `lanes`, those workers do it. An item whose worker died goes to another; two deaths of one item end the job.

    Raises:
        InvalidInputError: for fewer than one worker, or for those deaths.
        Exception: whatever `work` raises.
    """
    if workers < 1:
        raise InvalidInputError(f"At least one worker is needed; got {workers}.")
    if lanes is None and min(workers, len(names)) < 2:
        yield from ((name, work(name)) for name in names)
        return
    opened = process_lanes([NamedWork(work)] * min(workers, len(names))) if lanes is None else lanes(NamedWork(work))
    yield from SharedOut(opened, names, MOST_DEATHS_OF_AN_ITEM).results()
