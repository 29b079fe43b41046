"""Which unit of work comes next: what is urgent first, and among users a fair share of the device's time.

Pure: no threads, no clock. Users take turns by deficit round robin; what a unit costs is known once it is done, so
that it is charged afterwards.
"""

from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, TypeVar

Unit = TypeVar("Unit")
QUANTUM = 50.0
"""Milliseconds that a user's turn adds to what may be spent."""
MOST_OWED = 40 * QUANTUM
"""What one unit can cost at most in turns: after a longer one, say when the disk hung, a user waits no longer."""
_FORGOTTEN = 0.98  # of what was spent, with each unit: shares are those of about the last 50 units


class Urgency(IntEnum):
    """Kinds of work, the most urgent first."""

    PERSON = 0
    LOOK = 1
    TRACK = 2
    BACKGROUND = 3


LEAST_SHARES = {Urgency.TRACK: 0.25, Urgency.BACKGROUND: 0.05}
"""Shares of the device's time that less urgent work gets, however much there is of other."""


class FairTurns(Generic[Unit]):
    """Units of users, in turns: who has spent more than his share waits."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Unit]] = OrderedDict()
        self._left: dict[str, float] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def push(self, user: str, unit: Unit) -> None:
        """Add a unit of a user."""
        if user not in self._waiting:
            self._waiting[user] = deque()
            self._left[user] = min(self._left.get(user, QUANTUM), QUANTUM)
        self._waiting[user].append(unit)

    def pop(self) -> tuple[str, Unit]:
        """Return the next unit and its user; LookupError if there is none."""
        if not self._waiting:
            raise LookupError
        while True:
            user = next(iter(self._waiting))
            if self._left[user] <= 0:  # a new turn of his
                self._left[user] += QUANTUM
            if self._left[user] <= 0:
                self._waiting.move_to_end(user)
                continue
            units = self._waiting[user]
            unit = units.popleft()
            if not units:
                del self._waiting[user]
            return user, unit

    def charge(self, user: str, milliseconds: float) -> None:
        """Charge a user for a unit."""
        self._left[user] = max(-MOST_OWED, self._left.get(user, QUANTUM) - milliseconds)
        if user in self._waiting and self._left[user] <= 0:
            self._waiting.move_to_end(user)


class FairQueue(Generic[Unit]):
    """All units that wait for a device."""

    def __init__(self) -> None:
        self._turns: dict[Urgency, FairTurns[Unit]] = {urgency: FairTurns() for urgency in Urgency}
        self._spent = dict.fromkeys(Urgency, 0.0)

    def __len__(self) -> int:
        return sum(map(len, self._turns.values()))

    def waiting(self) -> dict[Urgency, int]:
        """Return how many units of each kind wait."""
        return {urgency: len(turns) for urgency, turns in self._turns.items()}

    def push(self, user: str, urgency: Urgency, unit: Unit) -> None:
        """Add a unit."""
        self._turns[urgency].push(user, unit)

    def pop(self) -> tuple[str, Urgency, Unit]:
        """Return the next unit, its user and its kind; LookupError if there is none."""
        urgency = next((each for each in self._order() if len(self._turns[each])), Urgency.PERSON)
        user, unit = self._turns[urgency].pop()
        return user, urgency, unit

    def charge(self, user: str, urgency: Urgency, milliseconds: float) -> None:
        """Charge a user for a unit that is done."""
        self._turns[urgency].charge(user, milliseconds)
        self._spent = {each: spent * _FORGOTTEN for each, spent in self._spent.items()}
        self._spent[urgency] += milliseconds

    def _order(self) -> list[Urgency]:
        total = sum(self._spent.values())
        starving = [each for each, least in LEAST_SHARES.items() if total and self._spent[each] < least * total]
        return [*starving, *Urgency]
