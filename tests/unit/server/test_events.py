"""News of an item: numbers, replay, and what a restart does to them."""

from collections.abc import Sequence

import pytest

from masklet.server.events import MOST_KEPT, MOST_KEPT_BYTES, Channel, News
from masklet.server.packets import Entry, Kind, PackedMask, Packet
from masklet.server.problems import Problem
from masklet.server.replies import Event


class Reader:
    """Remembers what it received."""

    def __init__(self) -> None:
        self.news: list[News] = []

    def receive(self, news: Sequence[News]) -> None:
        self.news += news

    @property
    def numbers(self) -> list[int]:
        return [each.seq for each in self.news]


class Reserved:
    """The numbers that a database has reserved."""

    def __init__(self) -> None:
        self.last = 1

    def __call__(self, count: int) -> int:
        before, self.last = self.last, self.last + count
        return before


def event() -> Event:
    return Event(ev="objects", seq=0)


def packet() -> Packet:
    return Packet(Kind.ANSWER, 0, 4, 4, (), n=7)


def test_everybody_is_told_in_order() -> None:
    channel, first, second = Channel(Reserved()), Reader(), Reader()
    for each in (first, second):
        assert channel.listen(each, 0).news == ()
    channel.publish(event(), event())
    own = channel.send_others(packet(), besides=first)
    assert first.numbers == [2, 3]
    assert second.numbers == [2, 3, 4]
    assert (own.seq, own.n) == (4, 7)
    assert isinstance(second.news[-1], Packet)
    assert second.news[-1].n == 0, "it is the answer to nobody else's command"
    channel.leave(second)
    channel.publish(event())
    assert second.numbers == [2, 3, 4]


def test_who_comes_back_gets_what_was_missed() -> None:
    channel = Channel(Reserved())
    channel.publish(*(event() for _ in range(5)))
    missed = channel.listen(Reader(), 4)
    assert ([each.seq for each in missed.news], missed.is_resync, missed.seq) == ([5, 6], False, 6)
    assert channel.listen(Reader(), 6).news == ()
    assert channel.listen(Reader(), 99).is_resync


def test_what_is_not_kept_any_more_is_read_anew() -> None:
    channel = Channel(Reserved())
    channel.publish(*(event() for _ in range(MOST_KEPT + 1)))
    assert channel.listen(Reader(), 1).is_resync
    assert not channel.listen(Reader(), 2).is_resync


def test_large_packets_are_kept_up_to_a_number_of_bytes() -> None:
    channel = Channel(Reserved())
    mask = PackedMask(0, 0, 4, 4, bytes(2**20), 1)
    large = Packet(Kind.TRACK, 0, 4, 4, (Entry(1, mask, 1.0, 1.0),))
    assert large.size == len(large.encode())
    channel.publish(*[large] * 9, event())
    kept = MOST_KEPT_BYTES // large.size
    assert len(channel.listen(Reader(), channel.seq - kept - 1).news) == kept + 1
    assert channel.listen(Reader(), channel.seq - kept - 2).is_resync


def test_an_item_can_be_read_while_nothing_can_be_reserved() -> None:
    def full(count: int) -> int:
        raise Problem(507, "disk_full", "full")

    channel = Channel(full)
    with pytest.raises(Problem, match="full"):
        channel.publish(event())


def test_no_number_comes_twice_after_a_kill() -> None:
    reserved = Reserved()
    channel = Channel(reserved)
    channel.publish(*(event() for _ in range(2500)))
    again, reader = Channel(reserved), Reader()
    assert again.listen(reader, 2000).is_resync
    again.publish(event())
    assert reader.numbers[0] > channel.seq
