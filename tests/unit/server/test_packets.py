"""Mask packets: the worked example, any masks, and what a reader refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import InvalidInputError
from masklet.server.packets import Entry, Flag, Kind, PackedMask, Packet, State, decode, decode_first, joined, parted

EXAMPLE = bytes.fromhex(
    "4d4b4c31 02 02 0100 78000000 00000000 07000000 e1100000 0600 0400 00000000"
    "03000000 0200 0100 0300 0200 0000603f 00009040 0c000000 02 00 0000 03000000 000501"
)


def example() -> Packet:
    mask = np.array([[0] * 6, [0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 0, 0], [0] * 6], dtype=bool)
    entry = Entry(3, PackedMask.of(mask), score=0.875, presence=4.5, revision=12, state=State.TRACKED)
    return Packet(Kind.TRACK, 120, 6, 4, (entry,), job=7, seq=4321, flags=Flag.LAST)


def test_the_worked_example() -> None:
    assert len(EXAMPLE) == 67
    assert example().encode() == EXAMPLE
    assert decode(EXAMPLE) == example()


def test_coco_run_lengths_of_the_worked_example() -> None:
    assert example().entries[0].mask.run_length(4, 6) == {"size": [4, 6], "counts": "92200O4"}
    assert example().entries[0].mask.area == 5


@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_masks_come_back(mask: np.ndarray) -> None:
    packed = PackedMask.of(mask)
    packet = Packet(Kind.ANSWER, 0, mask.shape[1], mask.shape[0], (Entry(1, packed, 0.5, 1.0),), n=9)
    assert np.array_equal(decode(packet.encode()).entries[0].mask.mask(*mask.shape), mask)
    assert packed.area == mask.sum()


def test_long_runs_come_back() -> None:
    mask = np.zeros((3000, 3000), dtype=bool)
    mask[0, 0] = mask[-1, -1] = mask[1500, 7] = True
    assert np.array_equal(PackedMask.of(mask).mask(3000, 3000), mask)


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        decode(data)


@given(st.integers(0, 66), st.integers(0, 255))
def test_changed_bytes_are_a_packet_or_refused(place: int, value: int) -> None:
    changed = bytearray(EXAMPLE)
    changed[place] = value
    try:
        packet = decode(bytes(changed))
    except InvalidInputError:
        return
    for entry in packet.entries:
        assert entry.mask.mask(packet.height, packet.width).sum() == entry.mask.area


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [(0, 0, "MKL1"), (38, 9, "beyond its frame"), (65, 6, "sum to"), (66, 0x81, "cut off"), (4, 9, "Kind")],
)
def test_what_a_reader_refuses(place: int, value: int, problem: str) -> None:
    changed = bytearray(EXAMPLE)
    changed[place] = value
    with pytest.raises(InvalidInputError, match=problem):
        decode(bytes(changed))
    with pytest.raises(InvalidInputError, match="follow"):
        decode(EXAMPLE + b"\0")


def test_packets_after_one_another() -> None:
    empty = Packet(Kind.ANSWER, 7, 6, 4, (Entry(1, PackedMask(), 0.0, -3.0),), n=2)
    assert list(parted(joined([example(), empty]))) == [example(), empty]
    assert decode_first(EXAMPLE + empty.encode(), len(EXAMPLE))[0] == empty
    with pytest.raises(InvalidInputError):
        list(parted(joined([example()])[:-1]))


def test_sides_above_the_field_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="65536"):
        Packet(Kind.ANSWER, 0, 65536, 1, ()).encode()
