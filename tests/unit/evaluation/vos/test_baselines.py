import numpy as np
import pytest

from masklet.evaluation.vos.baselines import RepeatedFirstMask, WarpedFirstMask

HEIGHT, WIDTH, STEP = 64, 96, 3


def moving_square(count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames and label maps of two textured squares: 7 moves right by 3 pixels a frame and out, 2 stands still."""
    texture = np.random.default_rng(0).integers(60, 255, (12, 12, 3), dtype=np.uint8).repeat(2, 0).repeat(2, 1)
    frames, maps = [], []
    for number in range(count):
        frame, labels = np.full((HEIGHT, 2 * WIDTH, 3), 90, np.uint8), np.zeros((HEIGHT, 2 * WIDTH), np.uint8)
        for object_id, top, left in ((7, 4, 10 + STEP * number), (2, 36, 60)):
            area = (slice(top, top + 24), slice(left, left + 24))
            frame[area], labels[area] = texture, object_id
        frames.append(frame[:, :WIDTH].copy())
        maps.append(labels[:, :WIDTH].copy())
    return frames, maps


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return (first & second).sum() / (first | second).sum()


def masks_of(labels: np.ndarray) -> dict[int, np.ndarray]:
    return {int(each): labels == each for each in np.unique(labels) if each}


def tracked(predictor, frames, prompts, **options):
    return list(predictor.track(frames, prompts, **{"may_overlap": False, **options}))


def test_the_first_masks_are_repeated():
    frames, maps = moving_square(4)
    predicted = tracked(RepeatedFirstMask(), frames, {0: masks_of(maps[0])})
    assert len(predicted) == 4
    assert all((each[2] == (maps[0] == 2)).all() and (each[7] == (maps[0] == 7)).all() for each in predicted)


@pytest.mark.parametrize("predictor", [RepeatedFirstMask(), WarpedFirstMask()], ids=lambda each: each.name)
def test_objects_begin_where_they_appear_and_lie_on_top(predictor):
    frames, maps = moving_square(3)
    still, both = masks_of(maps[0])[2], masks_of(maps[0])[2] | masks_of(maps[0])[7]
    prompts = {1: {1: both}, 2: {2: still}}
    predicted = tracked(predictor, frames, prompts)
    assert [sorted(each) for each in predicted] == [[], [1], [1, 2]]
    assert not (predicted[2][1] & predicted[2][2]).any()
    np.testing.assert_array_equal(predicted[2][2], still)
    assert (tracked(predictor, frames, prompts, may_overlap=True)[2][1] & still).any()


def test_flow_carries_each_object_its_way():
    frames, maps = moving_square(6)
    predicted = tracked(WarpedFirstMask(), frames, {0: masks_of(maps[0])})
    assert len(predicted) == 6
    for object_id in (2, 7):
        np.testing.assert_array_equal(predicted[0][object_id], maps[0] == object_id)
        assert overlap(predicted[-1][object_id], maps[-1] == object_id) > 0.8
    assert overlap(predicted[-1][7], maps[0] == 7) < 0.4


def test_what_leaves_the_image_is_gone():
    frames, maps = moving_square(28)
    predicted = tracked(WarpedFirstMask(), frames[18:26], {0: masks_of(maps[18])})
    assert (maps[25] == 7).sum() == 24 * 11  # of 24 x 24 pixels
    assert overlap(predicted[-1][7], maps[25] == 7) > 0.8
