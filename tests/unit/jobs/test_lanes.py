"""Items shared out among lanes that die on command."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future

from masklet.jobs.lanes import MOST_DEATHS, MachineLost, SharedOut, failed_future


class Scripted:
    """A lane whose items end as a function says; one that is not `there` is never prepared."""

    def __init__(self, submit: Callable[[str], "Future[str]"], there: bool = True) -> None:
        self.submit, self._there = submit, there

    def prepare(self) -> "Future[None]":
        return ended(None) if self._there else Future()

    def close(self) -> None:
        """Nothing is open."""


def ended(value: object) -> "Future":
    future: Future = Future()
    future.set_result(value)
    return future


def test_what_a_dead_worker_leaves_is_done_by_one_that_has_nothing_to_do() -> None:
    """On a cluster that has lost a machine the worker that is opened in its place never comes."""
    begun: dict[str, Future[str]] = {}
    second = iter([Scripted(lambda item: begun.setdefault(item, Future())), Scripted(ended, there=False)])
    results = SharedOut[str, str]([lambda: Scripted(ended), lambda: next(second)], ["a", "b"]).results()
    assert next(results) == "a"
    begun["b"].set_exception(BrokenExecutor("its machine is gone"))
    assert list(results) == ["b"]


def test_an_idle_worker_that_died_unnoticed_is_opened_again() -> None:
    lanes = iter(
        [Scripted(lambda item: ended(item) if item == "a" else failed_future(BrokenExecutor())), Scripted(ended)]
    )
    begun: dict[str, Future[str]] = {}
    other = iter([Scripted(lambda item: begun.setdefault(item, Future())), Scripted(ended, there=False)])
    results = SharedOut[str, str]([lambda: next(lanes), lambda: next(other)], ["a", "b"]).results()
    assert next(results) == "a"
    begun["b"].set_exception(BrokenExecutor())
    assert list(results) == ["b"]


def test_an_item_whose_machine_is_lost_again_and_again_is_no_fault_of_the_item() -> None:
    lost = iter([failed_future(MachineLost())] * (MOST_DEATHS + 1))
    noted: list[str] = []
    lane = Scripted(lambda item: next(lost, ended(item)))
    assert list(SharedOut[str, str]([lambda: lane], ["a"], most_deaths=2, on_lost=noted.append).results()) == ["a"]
    assert noted == ["a"] * (MOST_DEATHS + 1)


def test_machines_that_are_lost_before_their_work_begins_do_not_end_it() -> None:
    lost = iter([failed_future(MachineLost())] * MOST_DEATHS)
    lane = Scripted(ended)
    lane.prepare = lambda: next(lost, ended(None))
    assert list(SharedOut[str, str]([lambda: lane], ["a"]).results()) == ["a"]
