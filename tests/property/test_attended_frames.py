"""Which frames are attended to, against the rule said in another way: frame by frame, not slot by slot."""

from hypothesis import given
from hypothesis import strategies as st

from masklet.tracking.selection import Attended, attended_frames, memory_reach, nearest_conditioning

FRAMES = st.integers(0, 40)
SETS = st.sets(FRAMES, max_size=30)


def steps_back(frame: int, other: int, reverse: bool, stride: int) -> int | None:
    """1 for the frame before; for multiples of the stride farther away 2 and those that lie between; else None."""
    ahead = range(frame + 1, other) if reverse else range(other + 1, frame)
    if other == (frame + 1 if reverse else frame - 1):
        return 1
    if len(ahead) == 0 or other % stride:
        return None
    last = frame + 1 if reverse else frame - 1
    return 2 + sum(1 for between in ahead if between % stride == 0 and between != last)


@given(
    FRAMES, SETS.filter(bool), SETS, st.integers(1, 9), st.integers(1, 20), st.sampled_from([-1, 2, 3, 5]),
    st.none() | st.integers(41, 60) | st.integers(1, 20), st.booleans(), st.integers(1, 5),
)  # fmt: skip
def test_the_rule(
    frame: int, conditioning: set[int], remembered: set[int], num_maskmem: int, max_pointers: int,
    max_conditioning: int, num_frames: int | None, reverse: bool, stride: int,
) -> None:  # fmt: skip
    attended = attended_frames(
        frame, conditioning, remembered, num_maskmem=num_maskmem, max_pointers=max_pointers,
        max_conditioning=max_conditioning, num_frames=num_frames, reverse=reverse, stride=stride,
    )  # fmt: skip
    selected = set(nearest_conditioning(frame, conditioning, max_conditioning))
    others = (conditioning | remembered) - selected
    steps = {other: steps_back(frame, other, reverse, stride) for other in others}
    recent = {(other, step - 1) for other, step in steps.items() if step is not None and step < num_maskmem}
    assert set(attended.spatial) == {(other, num_maskmem - 1) for other in selected} | recent

    span = min(max_pointers, num_frames or max_pointers)
    behind = {other: other - frame if reverse else frame - other for other in others | selected}
    past = {(other, behind[other]) for other in selected if behind[other] >= 0}
    assert set(attended.pointers) == past | {(other, behind[other]) for other in others if 0 < behind[other] < span}
    assert attended.pointer_span == max(span, 2)

    frames = [other for other, _ in attended.spatial]
    assert len(frames) == len(set(frames))
    assert all(abs(frame - other) <= memory_reach(num_maskmem, stride) for other, _ in recent)


@given(FRAMES, SETS.filter(bool), st.integers(2, 6))
def test_the_limit_of_conditioning_frames(frame: int, conditioning: set[int], limit: int) -> None:
    chosen = set(nearest_conditioning(frame, conditioning, limit))
    assert chosen <= conditioning
    assert len(chosen) == min(limit, len(conditioning))
    for side in ({other for other in conditioning if other < frame}, {o for o in conditioning if o >= frame}):
        nearest = min(side, key=lambda other: abs(other - frame), default=None)
        assert nearest is None or nearest in chosen
        left_out = side - chosen  # the frames taken of one side are its nearest
        assert all(abs(taken - frame) <= abs(other - frame) for taken in chosen & side for other in left_out)


@given(SETS, SETS)
def test_no_memory_at_all(conditioning: set[int], remembered: set[int]) -> None:
    assert attended_frames(5, conditioning, remembered, num_maskmem=0, max_pointers=16) == Attended((), (), 1)


def test_released_models_in_the_middle_of_a_video() -> None:
    attended = attended_frames(30, [0, 40], range(41), num_maskmem=7, max_pointers=16, num_frames=100)
    assert attended.spatial == ((0, 6), (40, 6), (29, 0), (28, 1), (27, 2), (26, 3), (25, 4), (24, 5))
    assert attended.pointers == ((0, 30), *((30 - distance, distance) for distance in range(1, 16)))
    assert attended.pointer_span == 16
    assert (memory_reach(7), memory_reach(7, 5), memory_reach(2, 5), memory_reach(1)) == (6, 26, 1, 0)
