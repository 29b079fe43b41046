"""Whose unit comes next."""

from collections import Counter

import pytest

from masklet.server.fairness import MOST_OWED, QUANTUM, FairQueue, FairTurns, Urgency


@pytest.mark.parametrize("costs", [(4.0, 86.0), (300.0, 1.0, 50.0), (20.0, 20.0), (49.0, 51.0, 7.0, 130.0)])
@pytest.mark.parametrize("units", [50, 173, 400])
def test_users_get_equal_time_whatever_their_units_cost(costs: tuple[float, ...], units: int) -> None:
    turns: FairTurns[int] = FairTurns()
    users = [f"user{place}" for place in range(len(costs))]
    for user in users:
        for number in range(2 * units):
            turns.push(user, number)
    spent: Counter[str] = Counter()
    for _ in range(units):
        user, _ = turns.pop()
        cost = costs[users.index(user)]
        turns.charge(user, cost)
        spent[user] += cost
    assert max(spent.values()) - min(spent[user] for user in users) <= max(costs) + 3 * QUANTUM


def test_units_of_a_user_keep_their_order() -> None:
    turns: FairTurns[int] = FairTurns()
    for number in range(5):
        turns.push("ann", number)
    assert [turns.pop()[1] for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_user_who_was_away_has_saved_nothing() -> None:
    turns: FairTurns[str] = FairTurns()
    for _ in range(20):
        turns.push("ann", "unit")
        turns.pop()
        turns.charge("ann", 30)
    for _ in range(10):
        turns.push("ann", "unit")
        turns.push("bob", "unit")
    served = []
    for _ in range(10):
        user, _ = turns.pop()
        turns.charge(user, 50)
        served.append(user)
    assert 4 <= served.count("ann") <= 6


def test_no_unit_locks_its_user_out() -> None:
    turns: FairTurns[str] = FairTurns()
    users = ["ann", *(f"user{number}" for number in range(24))]
    for user in users:
        for _ in range(200):
            turns.push(user, "unit")
    assert turns.pop()[0] == "ann"
    turns.charge("ann", 600_000)
    waited = 0.0
    while (user := turns.pop()[0]) != "ann":
        turns.charge(user, QUANTUM)
        waited += QUANTUM
    assert waited <= 25 * (MOST_OWED + QUANTUM)


def test_people_come_before_tracking() -> None:
    queue: FairQueue[str] = FairQueue()
    for urgency in reversed(Urgency):
        queue.push("ann", urgency, urgency.name)
    queue.charge("ann", Urgency.TRACK, 100)
    queue.charge("ann", Urgency.BACKGROUND, 100)
    assert [queue.pop()[2] for _ in range(4)] == ["PERSON", "LOOK", "TRACK", "BACKGROUND"]


def test_tracking_keeps_a_quarter_of_the_time() -> None:
    queue: FairQueue[str] = FairQueue()
    spent: Counter[Urgency] = Counter()
    for urgency in (Urgency.PERSON, Urgency.TRACK):
        for _ in range(1000):
            queue.push("ann", urgency, "unit")
    for _ in range(800):
        user, urgency, _ = queue.pop()
        queue.charge(user, urgency, 30 if urgency is Urgency.PERSON else 80)
        spent[urgency] += 30 if urgency is Urgency.PERSON else 80
    assert 0.22 < spent[Urgency.TRACK] / sum(spent.values()) < 0.3
