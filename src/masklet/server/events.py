"""News of an item for those who have it open: numbered, kept for a while, replayed to who comes back."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Protocol

from masklet.server.limits import MIB
from masklet.server.packets import Packet
from masklet.server.replies import Event

MOST_KEPT, MOST_KEPT_BYTES = 2000, 4 * MIB
_EVENT_BYTES = 1000  # an estimate: what a job says of itself is the longest
_BLOCK = 1000

News = Event | Packet


class Listener(Protocol):
    """Who receives news, from any thread."""

    def receive(self, news: Sequence[News]) -> None:
        """Take news, in their order."""


@dataclass(frozen=True)
class Missed:
    """What somebody missed: the news since then, or that they are not kept any more."""

    news: tuple[News, ...]
    is_resync: bool
    seq: int


class Channel:
    """The news of one item.

    Their numbers are reserved in blocks, so that none is given twice after a kill; the first block once a number is
    asked for, so that an item can be read while nothing can be written.

    Args:
        reserve: takes how many numbers are wanted, and returns the last number that was reserved before.
    """

    def __init__(self, reserve: Callable[[int], int]) -> None:
        self._lock = RLock()
        self._reserve = reserve
        self._seq = self._first = self._reserved = 0
        self._kept: deque[News] = deque()
        self._bytes = 0
        self._listeners: list[Listener] = []

    @property
    def seq(self) -> int:
        """The number of the last news."""
        with self._lock:
            self._begin()
            return self._seq

    def publish(self, *news: News, besides: Listener | None = None) -> None:
        """Give news numbers and send them to all listeners, but one that knows them already."""
        with self._lock:
            numbered = [self._numbered(each) for each in news]
            self._keep(numbered)
            for listener in self._listeners:
                if listener is not besides:
                    listener.receive(numbered)

    def send_others(self, packet: Packet, besides: Listener | None) -> Packet:
        """Tell a packet to all but one who gets it by itself, and return it with its number."""
        with self._lock:
            numbered = self._numbered(packet)
            assert isinstance(numbered, Packet)
            self._keep([numbered])
            for listener in self._listeners:
                if listener is not besides:
                    listener.receive([numbered.answering(0)])
            return numbered

    def listen(self, listener: Listener, since: int) -> Missed:
        """Tell a listener all news from now on; return what it missed since the number that it saw (0: nothing)."""
        with self._lock:
            if listener not in self._listeners:
                self._listeners.append(listener)
            self._begin()
            oldest = self._kept[0].seq if self._kept else self._seq + 1
            if since in (0, self._seq):
                return Missed((), False, self._seq)
            if since > self._seq or since < max(self._first, oldest - 1):
                return Missed((), True, self._seq)
            return Missed(tuple(each for each in self._kept if each.seq > since), False, self._seq)

    def leave(self, listener: Listener) -> None:
        """Tell a listener nothing any more."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _keep(self, news: Sequence[News]) -> None:
        self._kept.extend(news)
        self._bytes += sum(map(_size, news))
        while self._bytes > MOST_KEPT_BYTES or len(self._kept) > MOST_KEPT:
            self._bytes -= _size(self._kept.popleft())

    def _begin(self) -> None:
        if not self._reserved:
            self._seq = self._first = self._reserve(_BLOCK)
            self._reserved = self._seq + _BLOCK

    def _numbered(self, news: News) -> News:
        self._begin()
        if self._seq >= self._reserved:
            self._reserve(_BLOCK)
            self._reserved += _BLOCK
        self._seq += 1
        return news.at(self._seq) if isinstance(news, Packet) else news.model_copy(update={"seq": self._seq})


def _size(news: News) -> int:
    return news.size if isinstance(news, Packet) else _EVENT_BYTES
