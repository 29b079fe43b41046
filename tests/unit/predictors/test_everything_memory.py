"""Everything in a long video: memory does not grow with it."""

import os
from pathlib import Path

import numpy as np
import pytest
from tests.support.shade_world import SIZE, ShadeFinder, shade_tracker

from masklet import EverythingPolicy

COUNT = 2000
EVERY, STAYS, SIDE = 10, 50, 12  # a new square comes every so many frames, and stays for so many
WARM_UP = 200
STATUS = Path("/proc/self/statm")


class Procession:
    """Frames that are drawn when they are asked for: five squares at a time, 200 in all, each at a place of its own."""

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, number: int) -> np.ndarray:
        if not 0 <= number < COUNT:
            raise IndexError(number)
        frame = np.zeros((SIZE, SIZE, 3), np.uint8)
        for square in range((number - STAYS) // EVERY + 1, number // EVERY + 1):
            if square >= 0:
                x, y = 16 * (square % 4), 16 * (square // 4 % 4)
                frame[y : y + SIDE, x : x + SIDE] = 40 + 10 * (square % 20)
        return frame


def resident() -> float:
    """Mebibytes that this process has in memory."""
    return int(STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the memory of a process is read from Linux")
@pytest.mark.parametrize("lookback", [False, True])
def test_memory_is_flat_over_2000_frames_of_coming_and_going(lookback: bool) -> None:
    policy = EverythingPolicy(min_area=30, retire_after=20)
    found = shade_tracker().everything(Procession(), policy, lookback=lookback, generator=ShadeFinder())
    begin = 0.0
    for frame, _ in found:
        begin = resident() if frame == WARM_UP else begin
        assert len(found.state.tracks) <= 8
        assert len(found.state.held) <= policy.every + policy.confirm + 1
    growth = resident() - begin
    print(f"{growth:.1f} MiB more after {COUNT} frames than after {WARM_UP}; {len(found.objects)} objects")
    assert growth < 50
    assert len(found.objects) > 150
