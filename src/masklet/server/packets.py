"""Masks on the wire: a crop box and row-major run lengths as LEB128, in packets of one frame; little-endian.

The layout is in docs/server.md. The same run lengths are stored in a project's database.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, IntFlag
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, encode_run_length

MAGIC = b"MKL1"
LONGEST_SIDE = 2**16 - 1
_HEADER = struct.Struct("<4sBBHIIIIHHI")
_ENTRY = struct.Struct("<I4HffIBBHI")
_LONGEST_NUMBER = 5  # bytes of LEB128: 35 bits
_COUNT = struct.Struct("<I")


class Kind(IntEnum):
    """What the masks of a packet are."""

    ANSWER = 1
    TRACK = 2
    PREVIEW = 3
    CANDIDATES = 4
    EVERYTHING = 5


class Flag(IntFlag):
    """More packets follow for this command; the last one of its job."""

    NONE = 0
    MORE = 1
    LAST = 2


class State(IntEnum):
    """What is known of an object on a frame."""

    NONE = 0
    ANSWERED = 1
    TRACKED = 2
    STALE = 3
    EDITED = 4
    ABSENT = 5
    PROVISIONAL = 6


@dataclass(frozen=True)
class PackedMask:
    """A mask as it is stored: its crop (all 0 if it is empty), the code of its runs, and its pixels."""

    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 0
    runs: bytes = b""
    area: int = 0

    @classmethod
    def of(cls, mask: Mask, box: Sequence[float] | None = None) -> Self:
        """Pack a mask, bool [H, W]; its tight box (x1, y1, x2, y2) is found unless it is known."""
        x, y, right, bottom = _box(mask) if box is None else (int(each) for each in box)
        if right <= x:
            return cls()
        flat = mask[y:bottom, x:right].ravel()
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        runs = np.diff(changes, prepend=0, append=flat.size)
        runs = np.concatenate(([0], runs)) if flat[0] else runs
        return cls(x, y, right - x, bottom - y, _leb128(runs), int(runs[1::2].sum()))

    def mask(self, height: int, width: int) -> Mask:
        """Return the mask, bool [height, width]; InvalidInputError if it does not fit into that."""
        whole = np.zeros((height, width), dtype=bool)
        if self.x + self.width > width or self.y + self.height > height:
            raise InvalidInputError(f"A mask's crop reaches beyond its frame of {width} x {height} pixels.")
        whole[self.y : self.y + self.height, self.x : self.x + self.width] = self.crop()
        return whole

    def crop(self) -> Mask:
        """Return the mask inside its crop, bool [height, width] of that; InvalidInputError for wrong runs."""
        if not self.width and (self.runs or self.height):
            raise InvalidInputError("An empty mask has neither rows nor runs.")
        runs = _numbers(self.runs)
        if int(runs.sum()) != self.width * self.height:
            raise InvalidInputError(f"Run lengths sum to {runs.sum()}, not {self.width} x {self.height}.")
        return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(self.height, self.width)

    def shared(self, other: "PackedMask") -> int:
        """Return how many pixels two masks of one frame have in common."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = (
            min(self.x + self.width, other.x + other.width),
            min(self.y + self.height, other.y + other.height),
        )
        if left >= right or top >= bottom:
            return 0
        first, second = (
            each.crop()[top - each.y : bottom - each.y, left - each.x : right - each.x] for each in (self, other)
        )
        return int(np.count_nonzero(first & second))

    def run_length(self, height: int, width: int) -> RunLength:
        """Return the mask in COCO's compressed form; errors as `mask`."""
        return encode_run_length(self.mask(height, width))


@dataclass(frozen=True)
class Entry:
    """The mask of one object: predicted IoU as `score`, the object-score logit as `presence`."""

    object: int
    mask: PackedMask
    score: float
    presence: float
    revision: int = 0
    state: State = State.ANSWERED
    candidate: int = 0
    run: int = field(default=0, compare=False)
    """Not on the wire."""

    def showing(self, state: State) -> "Entry":
        """Return the entry with another state."""
        return replace(self, state=state)


@dataclass(frozen=True)
class Packet:
    """The masks of one frame: of a command `n`, a job (0: none), at `seq` among the events of the item."""

    kind: Kind
    frame: int
    width: int
    height: int
    entries: tuple[Entry, ...]
    n: int = 0
    job: int = 0
    seq: int = 0
    flags: Flag = Flag.NONE

    @property
    def size(self) -> int:
        """The number of its bytes."""
        return _HEADER.size + sum(_ENTRY.size + len(each.mask.runs) for each in self.entries)

    def at(self, seq: int) -> "Packet":
        """Return the packet with another `seq`."""
        return replace(self, seq=seq)

    def answering(self, n: int) -> "Packet":
        """Return the packet as that of another command."""
        return replace(self, n=n)

    def encode(self) -> bytes:
        """Return the bytes of the packet; InvalidInputError for frames of over 65,535 pixels a side."""
        if max(self.width, self.height) > LONGEST_SIDE:
            raise InvalidInputError(f"A frame of {self.width} x {self.height} pixels does not fit into a packet.")
        fields = (self.frame, self.n, self.job, self.seq, self.width, self.height, 0)
        pieces = [_HEADER.pack(MAGIC, self.kind, self.flags, len(self.entries), *fields)]
        for each in self.entries:
            mask = each.mask
            crop = (mask.x, mask.y, mask.width, mask.height)
            marks = (each.revision, each.state, each.candidate, 0, len(mask.runs))
            pieces += [_ENTRY.pack(each.object, *crop, each.score, each.presence, *marks), mask.runs]
        return b"".join(pieces)


def decode(data: bytes) -> Packet:
    """Return the packet that `data` is, all of it; InvalidInputError if it is none."""
    packet, end = decode_first(data)
    if end != len(data):
        raise InvalidInputError(f"{len(data) - end} bytes follow the packet.")
    return packet


def decode_first(data: bytes, start: int = 0) -> tuple[Packet, int]:
    """Return the packet that begins at `start`, and where it ends; InvalidInputError if there is none."""
    try:
        magic, kind, flags, count, frame, n, job, seq, width, height, _ = _HEADER.unpack_from(data, start)
        if magic != MAGIC:
            raise InvalidInputError(f"A mask packet begins with MKL1, not {magic!r}.")
        place, entries = start + _HEADER.size, []
        for _ in range(count):
            fields = _ENTRY.unpack_from(data, place)
            place += _ENTRY.size
            entries.append(_entry(fields, data[place : place + fields[-1]], height, width))
            place += fields[-1]
        return Packet(Kind(kind), frame, width, height, tuple(entries), n, job, seq, Flag(flags)), place
    except (struct.error, ValueError) as error:
        raise InvalidInputError(f"This is no mask packet: {error}") from error


def joined(packets: Sequence[Packet]) -> bytes:
    """Return packets one after the other, each behind its length in 4 bytes."""
    return b"".join(_COUNT.pack(len(data)) + data for data in (each.encode() for each in packets))


def parted(data: bytes) -> Iterator[Packet]:
    """Yield the packets of what `joined` returned; InvalidInputError for anything else."""
    place = 0
    while place < len(data):
        if place + _COUNT.size > len(data):
            raise InvalidInputError("The length of a packet is cut off.")
        (length,) = _COUNT.unpack_from(data, place)
        place += _COUNT.size
        yield decode(data[place : place + length])
        place += length


def _entry(fields: tuple[Any, ...], runs: bytes, height: int, width: int) -> Entry:
    number, x, y, crop_width, crop_height, score, presence, revision, state, candidate, _, length = fields
    if len(runs) != length:
        raise InvalidInputError("The runs of a mask are cut off.")
    if x + crop_width > width or y + crop_height > height:
        raise InvalidInputError(f"A crop reaches beyond its frame of {width} x {height} pixels.")
    counts = _numbers(runs)
    if int(counts.sum()) != crop_width * crop_height:
        raise InvalidInputError(f"Run lengths sum to {counts.sum()}, not to {crop_width} x {crop_height}.")
    mask = PackedMask(x, y, crop_width, crop_height, runs, int(counts[1::2].sum()))
    return Entry(number, mask, score, presence, revision, State(state), candidate)


def _box(mask: Mask) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not columns.size:
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _leb128(numbers: npt.NDArray[np.int64]) -> bytes:
    """Write numbers seven bits at a time, the lowest first, with the high bit where more follow."""
    groups = (numbers[:, None] >> np.arange(0, 7 * _LONGEST_NUMBER, 7)) & 127
    lengths = np.maximum(1, ((groups != 0) * np.arange(1, _LONGEST_NUMBER + 1)).max(axis=1))
    place = np.arange(_LONGEST_NUMBER)
    groups |= np.where(place < lengths[:, None] - 1, 128, 0)
    return groups[place < lengths[:, None]].astype(np.uint8).tobytes()


def _numbers(code: bytes) -> npt.NDArray[np.int64]:
    """Read what `_leb128` wrote; InvalidInputError for a number that is cut off or has more than 35 bits."""
    symbols = np.frombuffer(code, dtype=np.uint8).astype(np.int64)
    if not symbols.size:
        return symbols
    ends = np.flatnonzero(symbols < 128)
    if not ends.size or ends[-1] != symbols.size - 1:
        raise InvalidInputError("The last run length is cut off.")
    starts = np.concatenate(([0], ends[:-1] + 1))
    if int((ends - starts).max()) >= _LONGEST_NUMBER:
        raise InvalidInputError(f"A run length has over {7 * _LONGEST_NUMBER} bits.")
    shifts = 7 * (np.arange(symbols.size) - np.repeat(starts, ends - starts + 1))
    found: npt.NDArray[np.int64] = np.add.reduceat((symbols & 127) << shifts, starts)
    return found
