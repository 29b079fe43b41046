"""Items shared out among workers that may die: the one order of work behind processes and actors of a cluster."""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Future
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from masklet.errors import InvalidInputError

Item = TypeVar("Item")
Made = TypeVar("Made")
Given_contra = TypeVar("Given_contra", contravariant=True)
Returned_co = TypeVar("Returned_co", covariant=True)

MOST_DEATHS = 3  # one after the other, of workers that have not begun any work


def failed_future(error: BaseException) -> Future[Any]:
    """Return a future that has ended by an error."""
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


class MachineLost(BrokenExecutor):
    """What the future of a lane raises whose machine is gone: no fault of the item at work there."""


class Work(Protocol[Given_contra, Returned_co]):
    """What a worker does, in a process of its own."""

    def prepare(self) -> None:
        """Load what all items need; called before the first."""

    def __call__(self, item: Given_contra, /) -> Returned_co:
        """Make something of an item."""

    def abandon(self) -> None:
        """Take note that the process ends before its work does: the one that started it did, or it is asked to."""


class Lane(Protocol[Given_contra, Made]):
    """One worker. Its futures raise BrokenExecutor if it dies, or is of no more use; then another lane is opened."""

    def prepare(self) -> Future[None]:
        """Return what is done once the worker is there, and prepared; it gets no item before."""

    def submit(self, item: Given_contra) -> Future[Made]:
        """Have an item worked on."""

    def close(self) -> None:
        """Have the worker end, without waiting; what it is still at work on is not needed any more."""


class SharedOut(Generic[Item, Made]):
    """Items and lanes: a lane that is free gets the next item, one that died is opened again.

    Args:
        opened: opens each of the lanes, again if need be.
        items: in the order in which they are begun.
        most_deaths: of workers by one item, after which it ends all; None: the work itself gives such an item up.
        on_lost: called with an item whose worker is gone with its machine, before another gets it.
    """

    def __init__(
        self,
        opened: Sequence[Callable[[], Lane[Item, Made]]],
        items: Iterable[Item],
        most_deaths: int | None = None,
        on_lost: Callable[[Item], object] = lambda item: None,
    ) -> None:
        self._open = opened
        self._waiting = deque(items)
        self._lanes: list[Lane[Item, Made] | None] = [None] * min(len(opened), len(self._waiting))
        self._deaths = [0] * len(self._lanes)
        self._items: dict[int, Item] = {}  # at work, by their lane
        self._idle: list[int] = []  # lanes that are there and found nothing to do
        self._most_deaths, self._deadly, self._on_lost = most_deaths, Counter[Item](), on_lost
        self._ended: SimpleQueue[tuple[int, Future[Made] | Future[None]]] = SimpleQueue()

    def results(self) -> Generator[Made, None, None]:
        """Yield what becomes of each item, in the order in which they end.

        An item whose worker died goes to the next one that is free.

        Raises:
            InvalidInputError: if workers die again and again before they have begun, or at one item.
            Exception: whatever the work raises.
        """
        try:
            for number in range(len(self._lanes)):
                self._begin(number)
            while self._waiting or self._items:
                number, future = self._ended.get()
                if isinstance(error := future.exception(), BrokenExecutor):
                    self._begin_again(number, error)
                    continue
                made, was_at_work = future.result(), number in self._items
                self._items.pop(number, None)
                self._deaths[number] = 0
                self._give_next(number)
                if was_at_work:
                    assert made is not None, "a work makes something of each item"
                    yield made
        finally:
            for lane in self._lanes:
                if lane is not None:
                    lane.close()

    def add(self, items: Iterable[Item]) -> None:
        """Have more items worked on, after those that wait, while results are yielded."""
        self._waiting.extend(items)
        self._employ_idle()

    def _begin(self, number: int) -> None:
        lane = self._lanes[number] = self._open[number]()
        self._await(number, lane.prepare())

    def _begin_again(self, number: int, error: BrokenExecutor) -> None:
        if number in self._items:
            self._wait_again(self._items.pop(number), error)
        elif not isinstance(error, MachineLost):
            self._deaths[number] += 1
        if self._deaths[number] == MOST_DEATHS:
            raise InvalidInputError(
                f"{MOST_DEATHS} workers ended before their work began, for lack of memory if the system ended them; "
                f"then use fewer. What is finished is kept. ({' '.join(str(error).split())})"
            ) from error
        if (lane := self._lanes[number]) is not None:
            lane.close()
        self._begin(number)

    def _wait_again(self, item: Item, error: BrokenExecutor) -> None:
        """Put an item whose worker died in front of those that wait, or give it to a lane that has nothing to do.

        The lane that is opened in place of the dead one may never be there, as on a cluster that has lost a machine.
        """
        self._waiting.appendleft(item)
        if isinstance(error, MachineLost):
            self._on_lost(item)
        elif self._most_deaths is not None:
            self._count_death(item, error)
        self._employ_idle()

    def _employ_idle(self) -> None:
        while self._waiting and self._idle:
            self._give_next(self._idle.pop())

    def _count_death(self, item: Item, error: BrokenExecutor) -> None:
        self._deadly[item] += 1
        if self._deadly[item] == self._most_deaths:
            raise InvalidInputError(
                f"{self._most_deaths} workers ended at {item}, for lack of memory if the system ended them; then use "
                f"fewer. What is finished is kept. ({' '.join(str(error).split())})"
            ) from error

    def _give_next(self, number: int) -> None:
        lane = self._lanes[number]
        if not self._waiting:
            self._idle.append(number)
        elif lane is not None:
            self._items[number] = item = self._waiting.popleft()
            try:
                self._await(number, lane.submit(item))
            except BrokenExecutor as error:  # it died before it was asked
                self._await(number, failed_future(error))

    def _await(self, number: int, future: Future[Made] | Future[None]) -> None:
        future.add_done_callback(lambda ended: self._ended.put((number, ended)))
