"""A command on its way: who gave it, to which item, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from masklet.server.events import Listener
from masklet.server.jobs import JobBook
from masklet.server.limits import Limits
from masklet.server.open_items import OpenItem
from masklet.server.packets import Entry, Flag, Kind, Packet
from masklet.server.replies import Event, Reply


@dataclass
class Handling:
    """A command that is being answered.

    Attributes:
        item: what it is about.
        user: who gave it.
        n: its number.
        jobs: where work is started.
        limits: of what may be asked for.
        listener: whose socket it came through, and who receives its packets as they come; None: by POST.
        packets: what was answered in masks so far.
        milliseconds: what took how long.
    """

    item: OpenItem
    user: str
    n: int
    jobs: JobBook
    limits: Limits
    listener: Listener | None = None
    packets: list[Packet] = field(default_factory=list)
    milliseconds: dict[str, float] = field(default_factory=dict)

    def send(self, kind: Kind, frame: int, entries: Sequence[Entry], flags: Flag = Flag.NONE) -> None:
        """Answer with masks of a frame; those that are stored are sent to everybody else, too."""
        height, width = self.item.size()
        packet = Packet(kind, frame, width, height, tuple(entries), self.n, flags=flags)
        if kind is Kind.ANSWER and not flags & Flag.MORE:
            packet = self.item.channel.send_others(packet, self.listener)
        self.packets.append(packet)
        if self.listener is not None:
            self.listener.receive([packet])

    def reply(self, **fields: Any) -> Reply:
        """Return that all went well."""
        found = self.milliseconds or None
        return Reply(re=self.n, ok=True, seq=self.item.channel.seq, ms=found, **fields)

    def publish(self, **fields: Any) -> None:
        """Tell everybody else who has the item open."""
        self.item.channel.publish(Event(seq=0, **fields), besides=self.listener)
