"""Which frames are tracked, by example."""

from masklet.server.tracking_plan import ObjectFrames, Pass, joins, planned
from masklet.tracking.frame_order import Direction

ALL = range(50)
FORWARD = Direction.FORWARD


def test_new_objects_go_together() -> None:
    new = {1: ObjectFrames([10], [(10, 10)], is_new=True), 2: ObjectFrames([20, 30], [(20, 20)], is_new=True)}
    assert planned(new, ALL, FORWARD) == [Pass((1, 2), range(10, 50))]
    assert planned(new, ALL, Direction.BACKWARD) == [Pass((1, 2), range(31), is_backward=True)]
    both = [Pass((1, 2), range(10, 50)), Pass((1, 2), range(10), is_backward=True)]
    assert planned(new, ALL, Direction.BOTH) == both


def test_what_is_tracked_goes_on_where_it_was() -> None:
    known = {1: ObjectFrames([0], [(0, 29)]), 2: ObjectFrames([0], [(0, 29)])}
    assert planned(known, ALL, FORWARD) == [Pass((1, 2), range(30, 50))]
    assert planned({1: ObjectFrames([0], [(0, 49)])}, ALL, FORWARD) == []


def test_a_new_object_catches_up_and_joins() -> None:
    known = {1: ObjectFrames([0], [(0, 29)]), 3: ObjectFrames([10], [(10, 10)], is_new=True)}
    assert planned(known, ALL, FORWARD) == [Pass((3,), range(10, 30)), Pass((1, 3), range(30, 50))]


def test_corrections_go_both_ways_from_the_new_prompt() -> None:
    known = ObjectFrames([0, 24], [(0, 49)], stale=[(1, 23), (25, 49)], changed={24})
    back = Pass((1,), range(1, 24), is_backward=True, is_correction=True)
    assert planned({1: known}, ALL, FORWARD) == [back, Pass((1,), range(25, 50), is_correction=True)]


def test_without_the_prompt_the_masks_come_from_the_one_before() -> None:
    known = ObjectFrames([0], [(0, 49)], stale=[(1, 49)])
    assert planned({1: known}, ALL, FORWARD) == [Pass((1,), range(1, 50), is_correction=True)]


def test_only_wanted_frames_are_tracked() -> None:
    known = ObjectFrames([0, 24], [(0, 49)], stale=[(1, 23), (25, 49)], changed={24})
    assert planned({1: known}, range(20, 30), FORWARD) == [
        Pass((1,), range(20, 24), is_backward=True, is_correction=True),
        Pass((1,), range(25, 30), is_correction=True),
    ]
    new = {1: ObjectFrames([10], [(10, 10)], is_new=True)}
    assert planned(new, range(20, 30), FORWARD) == [Pass((1,), range(20, 30))]


def test_a_click_behind_the_front_is_caught_up_with() -> None:
    running = Pass((1, 2), range(0, 50))
    assert joins(running, 30, 1, 10) == Pass((1,), range(11, 30), is_correction=True)
    assert joins(running, 30, 1, 40) is None
    assert joins(running, 30, 3, 10) is None
    back = Pass((1,), range(0, 50), is_backward=True)
    assert joins(back, 20, 1, 40) == Pass((1,), range(21, 40), is_backward=True, is_correction=True)


def test_passes_end_and_go_on() -> None:
    assert list(Pass((1,), range(3, 6), is_backward=True)) == [5, 4, 3]
    assert Pass((1,), range(3, 6), is_backward=True).from_frame(4).frames == range(3, 5)
    assert Pass((1,), range(3, 6)).from_frame(4).frames == range(4, 6)
