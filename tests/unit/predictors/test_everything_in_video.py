"""Everything in a video: what is reported on which frames, of squares that a runtime knows by their shade."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.support.shade_world import SIZE, Place, ShadeFinder, shade_tracker, world

from masklet import EverythingPolicy, InvalidInputError, Segmentation, VideoTracker
from masklet.predictors.everything_in_video import EverythingInVideo

POLICY: dict[str, Any] = {"min_area": 30, "every": 4, "retire_after": 8}
GONE: list[Place] = [None]


def everything(frames: Any, *, lookback: bool = False, finder: Any = None, **policy: Any) -> EverythingInVideo:
    chosen = EverythingPolicy(**{**POLICY, **policy})
    return shade_tracker().everything(frames, chosen, lookback=lookback, generator=finder or ShadeFinder())


def ids(found: EverythingInVideo) -> list[tuple[int, ...]]:
    """The ids on each frame; the frames come in order."""
    results = list(found)
    assert [number for number, _ in results] == list(range(len(results)))
    return [result.object_ids for _, result in results]


def moving(count: int, x: int = 0, y: int = 0) -> list[Place]:
    return [(x + 4 * frame, y) for frame in range(count)]


def staying(count: int, x: int, y: int) -> list[Place]:
    return [(x, y)] * count


def test_objects_of_the_first_frame_are_followed_under_their_ids() -> None:
    frames, masks = world({60: moving(10), 120: staying(10, 40, 40)})
    finder = ShadeFinder()
    for number, found in everything(frames, finder=finder):
        assert found.object_ids == (1, 2)
        for mask, truth in zip(found.masks, masks[number], strict=True):
            assert np.count_nonzero(mask ^ truth) <= 12  # the corners of a mask in cells
    assert len(finder.searched) == 3  # frames 0, 4 and 8


def test_an_object_that_appears_is_confirmed_by_three_looks() -> None:
    """It is there from frame 3 on, found on frame 4, and reported from frame 6 on."""
    frames, _ = world({60: moving(10), 120: GONE * 3 + staying(7, 40, 40)})
    assert ids(everything(frames)) == [(1,)] * 6 + [(1, 2)] * 4


def test_with_lookback_it_is_reported_from_when_it_appeared() -> None:
    frames, masks = world({60: moving(10), 120: GONE * 3 + moving(7, 20, 40)})
    found = everything(frames, lookback=True)
    for number, result in found:
        assert result.object_ids == ((1,) if number < 3 else (1, 2))
        for mask, truth in zip(result.masks, masks[number], strict=False):
            assert np.count_nonzero(mask ^ truth) <= 12
    assert [(each.first_frame, each.last_frame, each.frames_present) for each in found.objects] == [
        (0, 9, 10),
        (3, 9, 7),
    ]


def test_what_was_there_all_the_time_is_not_reported_from_before_the_last_discovery() -> None:
    """A finder that missed it: it is followed back to the frame after the discovery that should have found it."""

    class Late(ShadeFinder):
        def generate_encoded(self, *arguments: Any, **options: Any) -> Segmentation:
            found = super().generate_encoded(*arguments, **options)
            return found.taken([0]) if len(self.searched) < 3 else found

    frames, _ = world({60: staying(12, 0, 0), 120: staying(12, 40, 40)})
    assert ids(everything(frames, lookback=True, finder=Late())) == [(1,)] * 5 + [(1, 2)] * 7


def test_confirmation_needs_frames_in_succession() -> None:
    """It is there on frames 4 and 5 only: found, followed, gone again."""
    frames, _ = world({60: moving(12), 120: GONE * 4 + staying(2, 40, 40) + GONE * 6})
    found = everything(frames)
    assert ids(found) == [(1,)] * 12
    assert found.state.vanished == 1
    assert found.tracked.object_ids == (1,)


def test_a_hidden_object_keeps_its_id() -> None:
    frames, _ = world({60: staying(10, 0, 0), 120: staying(3, 40, 40) + GONE * 4 + staying(3, 20, 40)})
    found = everything(frames)
    assert ids(found) == [(1, 2)] * 3 + [(1,)] * 4 + [(1, 2)] * 3
    assert found.objects[1].frames_present == 6


def test_an_object_absent_for_long_is_given_up_and_comes_back_as_another() -> None:
    frames, _ = world({60: staying(24, 0, 0), 120: staying(3, 40, 40) + GONE * 11 + staying(10, 40, 40)})
    found = everything(frames)
    assert ids(found)[-1] == (1, 3)
    assert [each.ended for each in found.objects] == ["present", "retired", "present"]
    assert len(found.tracked.object_ids) == 2  # prompts and memories of the second are freed


def test_a_lost_object_is_found_again_by_its_place() -> None:
    """It comes back in another shade, which tracking does not know, where it was last: it keeps its id."""
    places = staying(3, 40, 40)
    frames, _ = world({60: staying(14, 0, 0), 120: places + GONE * 11, 180: GONE * 5 + staying(9, 40, 40)})
    assert ids(everything(frames))[-1] == (1, 2)
    assert ids(everything(frames, revive=1.0))[-1] == (1, 3)


def test_a_scene_cut_is_searched_at_once_and_its_objects_need_no_confirmation() -> None:
    frames, _ = world({60: staying(5, 0, 0) + GONE * 5, 120: GONE * 5 + staying(5, 40, 40)}, ground=[0] * 5 + [255] * 5)
    found = everything(frames)
    assert ids(found) == [(1,)] * 5 + [(2,)] * 5
    assert [each.ended for each in found.objects] == ["lost", "present"]


def test_after_a_cut_back_objects_are_found_again() -> None:
    """They were not followed meanwhile, and their memory is that of their own scene."""
    grounds = [0] * 3 + [255] * 3 + [0] * 4
    frames, _ = world(
        {60: staying(3, 0, 0) + GONE * 3 + staying(4, 20, 20), 120: GONE * 3 + staying(3, 40, 40) + GONE * 4},
        ground=grounds,
    )
    assert ids(everything(frames)) == [(1,)] * 3 + [(2,)] * 3 + [(1,)] * 4


def test_two_cuts_in_succession_lose_no_id_given_between() -> None:
    grounds = [0] * 3 + [255] + [0] * 4
    frames, _ = world(
        {
            60: staying(3, 0, 0) + GONE + staying(4, 0, 0),
            120: GONE * 3 + staying(1, 40, 40) + GONE * 4,
            180: GONE * 4 + staying(4, 20, 40),
        },
        ground=grounds,
    )
    found = everything(frames)
    assert ids(found) == [(1,)] * 3 + [(2,)] + [(1, 3)] * 4
    assert [each.object_id for each in found.objects] == [1, 2, 3]


def test_what_is_followed_wrongly_across_a_cut_is_not_reported() -> None:
    """The new scene has the shade of an object of the old one, but no mask that is found there is its."""

    class Blind(ShadeFinder):
        def generate_encoded(self, *arguments: Any, **options: Any) -> Segmentation:
            found = super().generate_encoded(*arguments, **options)
            return found if len(self.searched) == 1 else found.taken([])

    frames, _ = world({60: staying(6, 0, 0)}, ground=[0] * 3 + [255] * 3)
    assert ids(everything(frames, finder=Blind())) == [(1,)] * 3 + [()] * 3


def test_two_tracks_of_one_object_become_one() -> None:
    """The network follows a whole and its part, which becomes the whole: the younger one is given up."""
    frames, _ = world({60: staying(12, 0, 0)})
    found = everything(frames, duplicate_frames=2, layers="all")
    steps = iter(found)
    next(steps)
    found.state.begin(0, [found.state.tracks[1].last_mask], found.policy, is_scene_new=True)
    found.tracked.add(2, 0, mask=frames[0, ..., 0] > 0)
    assert [result.object_ids for _, result in steps] == [(1, 2)] + [(1,)] * 10
    assert [(each.ended, each.same_as) for each in found.objects][1:] == [("duplicate", 1)]
    assert found.tracked.object_ids == (1,)


def test_more_objects_than_the_budget_are_refused_and_counted() -> None:
    squares = {40 + 20 * number: staying(6, 16 * (number % 4), 20 * (number // 4)) for number in range(8)}
    frames, _ = world(squares, side=12)
    found = everything(frames, max_objects=3)
    assert ids(found) == [(1, 2, 3)] * 6
    assert found.refused == 10  # five on frames 0 and 4


@pytest.mark.parametrize("lookback", [False, True])
def test_no_objects_at_all(lookback: bool) -> None:
    found = everything(np.zeros((6, SIZE, SIZE, 3), np.uint8), lookback=lookback)
    assert ids(found) == [()] * 6
    assert found.objects == ()


@pytest.mark.parametrize("lookback", [False, True])
def test_a_video_of_one_frame(lookback: bool) -> None:
    frames, _ = world({60: staying(1, 0, 0)})
    assert ids(everything(frames, lookback=lookback)) == [(1,)]


def test_a_stream_is_what_the_video_is() -> None:
    frames, _ = world({60: moving(10), 120: GONE * 3 + staying(7, 40, 40)})
    streamed, pushed = everything(iter(frames)), everything(None)
    expected = list(everything(frames))
    for (number, result), (other, found), frame in zip(expected, streamed, frames, strict=True):
        number_pushed, found_pushed = pushed.push(frame)
        assert number == other == number_pushed
        assert result.object_ids == found.object_ids == found_pushed.object_ids
        assert np.array_equal(result.masks, found.masks)
        assert np.array_equal(result.masks, found_pushed.masks)
    assert pushed.objects == streamed.objects


def test_a_stream_that_ends_during_a_discovery_leaves_valid_results() -> None:
    """The second square is found on the last frame but one: its confirmation never comes."""
    frames, _ = world({60: moving(6), 120: GONE * 3 + staying(3, 40, 40)})
    found = everything(iter(frames))
    assert ids(found) == [(1,)] * 6
    assert [(each.object_id, each.last_frame) for each in found.objects] == [(1, 5)]

    def broken() -> Iterator[np.ndarray]:
        yield from frames[:5]
        raise OSError("the cable came off")

    found = everything(broken())
    seen = []
    with pytest.raises(OSError, match="cable"):
        seen.extend(found)
    assert [each.last_frame for each in found.objects] == [4]


def test_there_is_no_way_back_in_a_stream() -> None:
    for stream in (None, iter([])):
        with pytest.raises(InvalidInputError, match="no way back in a stream"):
            everything(stream, lookback=True)
    with pytest.raises(InvalidInputError, match="given to push"):
        list(everything(None))


def test_policies_are_given_by_name_or_refused(tracker: VideoTracker) -> None:
    frames, _ = world({60: staying(1, 0, 0)})
    found = tracker.everything(frames, "fast", generator=ShadeFinder())
    assert (found.policy.every, found.policy.max_objects) == (30, 50)
    with pytest.raises(InvalidInputError, match="no policy 'quick'"):
        tracker.everything(frames, "quick")
    with pytest.raises(InvalidInputError, match="There is no option speed"):
        tracker.everything(frames, speed=2, generator=ShadeFinder())


def test_a_discovery_shares_the_encoding_of_its_frame() -> None:
    frames, _ = world({60: moving(9), 120: GONE * 3 + staying(6, 40, 40)})
    found = everything(frames, every=1)
    list(found)
    assert found.tracked._runtime.encoded == 9


@pytest.mark.parametrize("layers", ["flat", "all"])
def test_overlapping_masks(layers: str) -> None:
    """Two squares of one shade: each track's mask is both of them."""
    frames, _ = world({60: staying(3, 0, 0)})

    class Twice(ShadeFinder):
        def generate_encoded(self, *arguments: Any, **options: Any) -> Segmentation:
            found = super().generate_encoded(*arguments, **options)
            halves = np.concatenate([found.masks, found.masks])
            halves[0, :8], halves[1, 8:] = False, False
            return Segmentation(halves, np.array([0.9, 0.8]), [1, 2])

    masks = [result.masks for _, result in everything(frames, layers=layers, duplicate=1.0, finder=Twice())]
    assert [each.sum(axis=0).max() for each in masks[1:]] == [1 if layers == "flat" else 2] * 2


@pytest.fixture
def tracker() -> VideoTracker:
    return shade_tracker()
