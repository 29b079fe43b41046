import pytest
from tests.support.small_sessions import FRAMES, model, new_session

from masklet.errors import InvalidInputError
from masklet.tracking.propagation import frames_to_track

CLICK = ([[20, 30]], [1])


@pytest.mark.parametrize(
    ("start", "most", "reverse", "expected"),
    [
        (None, None, False, list(range(4, FRAMES))),
        (None, 2, False, [4, 5, 6]),
        (None, None, True, [4, 3, 2, 1, 0]),
        (None, 1, True, [4, 3]),
        (3, 2, True, [3, 2, 1]),
        (0, None, True, []),
        (0, 0, False, [0]),
        (FRAMES - 1, 5, False, [FRAMES - 1]),
    ],
)
def test_which_frames(start: int | None, most: int | None, reverse: bool, expected: list[int]) -> None:
    session = new_session()
    session.add_points(1, 6, *CLICK)
    session.add_points(2, 4, *CLICK)
    assert list(frames_to_track(session, start, most, reverse=reverse)) == expected


def test_errors_come_before_the_first_frame() -> None:
    session = new_session()
    with pytest.raises(InvalidInputError, match="no frame to start from"):
        model().propagate_in_video_iterator(session)
    with pytest.raises(InvalidInputError, match="There is no object to track"):
        model().propagate_in_video_iterator(session, 0)
    session.add_points(1, 0, *CLICK)
    for start in (-1, FRAMES):
        with pytest.raises(InvalidInputError, match=f"no frame {start}; the frames are 0 to {FRAMES - 1}"):
            model().propagate_in_video_iterator(session, start)
    with pytest.raises(InvalidInputError, match="max_frame_num_to_track is -1"):
        model().propagate_in_video_iterator(session, 0, -1)
    session.add_points(2, 0, *CLICK)
    session.clear_prompts(1, 0)
    with pytest.raises(InvalidInputError, match="These objects have no prompts: 1;"):
        model().propagate_in_video_iterator(session, 0)
