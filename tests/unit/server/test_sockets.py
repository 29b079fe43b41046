"""What waits to be sent to a slow reader."""

import asyncio

from masklet.server.packets import Kind, Packet
from masklet.server.replies import Event, Reply
from masklet.server.sockets import Outbox


def packet(kind: Kind) -> Packet:
    return Packet(kind, 0, 4, 4, ())


async def filled(most: int) -> tuple[Outbox, list[str | bytes]]:
    """What is sent of a preview, a tracked mask, an answer and a reply, with room for so many bytes."""
    outbox = Outbox(asyncio.get_running_loop(), most)
    outbox.receive([packet(Kind.PREVIEW), packet(Kind.TRACK), packet(Kind.ANSWER)])
    outbox.reply(Reply(re=1, ok=True))
    outbox.receive([Event(ev="deleted", seq=3)])
    await asyncio.sleep(0)
    found = []
    try:
        async with asyncio.timeout(0.01):
            while True:
                found.append(await outbox.next())
    except TimeoutError:
        return outbox, found


def kinds(sent: list[str | bytes]) -> list[object]:
    return [Kind(each[4]) if isinstance(each, bytes) else each[2:4] for each in sent]


def test_a_quick_reader_gets_all_in_order() -> None:
    outbox, sent = asyncio.run(filled(1000))
    assert kinds(sent) == [Kind.PREVIEW, Kind.TRACK, Kind.ANSWER, "re", "ev"]
    assert not outbox.is_full


def test_a_slow_reader_gets_no_tracked_masks_before_it_is_given_up() -> None:
    outbox, sent = asyncio.run(filled(40))
    assert kinds(sent) == [Kind.PREVIEW, Kind.ANSWER, "re", "ev"]
    assert outbox.is_full
