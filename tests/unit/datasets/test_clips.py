"""Clips: valid masks, the same clip for the same seed, and what the camera and the actors do."""

import dataclasses

import numpy as np
import pytest
from tests.support.scenes import tiny_bank

from masklet.datasets.scenes.actors import Actor, Piece, crossing_path, look_alike, streak_kernel
from masklet.datasets.scenes.backdrops import Backdrop
from masklet.datasets.scenes.clips import KINDS, SMALLEST_REMAINS, ClipGenerator, ClipMixture, Take
from masklet.datasets.scenes.motion import similarity
from masklet.errors import InvalidInputError

SIZE, LENGTH = 64, 4


def only(kind):
    return ClipMixture(**{field.name: float(field.name == kind) for field in dataclasses.fields(ClipMixture)})


def still_camera(frames=LENGTH):
    return np.broadcast_to(np.eye(3), (frames, 3, 3))


def square_actor(side, places, colour=200, **fields):
    """A square whose middle is at each of the places (x, y)."""
    rgba = np.full((side + 4, side + 4, 4), colour, np.uint8)
    rgba[..., 3] = 0
    rgba[2:-2, 2:-2, 3] = 255
    corner = -(side + 4) / 2
    piece = Piece(rgba, (corner, corner), np.zeros(len(places)))
    poses = np.stack([similarity(1, 0, x, y) for x, y in places])
    return Actor((piece,), poses, np.ones(len(places)), **fields)


def grey_backdrop(**fields):
    return Backdrop(np.full((SIZE, SIZE, 3), 90, np.uint8), np.eye(3), **fields)


def masks_of(take, frame, camera=None):
    generator = ClipGenerator(tiny_bank(), SIZE, LENGTH)
    return generator._scene(take, frame, still_camera() if camera is None else camera)[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [SIZE, 51])
def test_every_kind_makes_valid_clips(kind, size):
    generator = ClipGenerator(tiny_bank(), size, LENGTH, only(kind))
    for seed in range(10):
        clip = generator.clip(seed)
        assert clip.kind == kind
        assert clip.frames.shape == (LENGTH, size, size, 3)
        assert clip.frames.dtype == np.uint8
        assert clip.masks.dtype == np.bool_
        assert clip.masks.shape == (LENGTH, clip.masks.shape[1], size, size)
        assert 1 <= clip.masks.shape[1] <= 12
        assert clip.masks.sum(axis=1).max() <= 1  # disjoint
        areas = clip.masks.sum(axis=(2, 3))
        assert areas[0].min() >= 24
        assert all(area == 0 or area >= SMALLEST_REMAINS for area in areas.ravel())


def test_every_kind_has_a_weight():
    assert [field.name for field in dataclasses.fields(ClipMixture)] == list(KINDS)


def test_the_same_number_gives_the_same_clip_and_another_number_or_seed_another():
    first, again = ClipGenerator(tiny_bank(), SIZE, LENGTH), ClipGenerator(tiny_bank(), SIZE, LENGTH)
    first.clip(0)  # earlier clips leave no trace
    for seed in (5, 6, 7):
        one, two = first.clip(seed), again.clip(seed)
        assert np.array_equal(one.frames, two.frames)
        assert np.array_equal(one.masks, two.masks)
        assert one.kind == two.kind
    assert not np.array_equal(first.clip(5).frames, first.clip(6).frames)
    other = ClipGenerator(tiny_bank(), SIZE, LENGTH, seed=1)
    assert not np.array_equal(first.clip(5).frames, other.clip(5).frames)


def test_objects_move_and_some_go_away():
    generator = ClipGenerator(tiny_bank(), SIZE, 8)
    clips = [generator.clip(seed) for seed in range(40)]
    assert np.mean([(clip.masks[0] != clip.masks[-1]).any() for clip in clips]) > 0.9
    absent = np.concatenate([(clip.masks[1:].sum(axis=(2, 3)) == 0).any(axis=0) for clip in clips])
    assert 0.02 < absent.mean() < 0.5


def test_masks_follow_the_path_and_end_at_the_border():
    take = Take(grey_backdrop(), (square_actor(10, [(20, 30), (30, 30), (62, 30), (90, 30)]),))
    for frame, (first, last) in enumerate([(15, 24), (25, 34), (57, 63)]):
        rows, columns = np.nonzero(masks_of(take, frame)[0])
        assert (rows.min(), rows.max()) == (25, 34)
        assert (columns.min(), columns.max()) == (first, last)
    assert not masks_of(take, 3)[0].any()


def test_the_front_actor_hides_the_back_one_and_the_segments_behind_them():
    labels = np.zeros((SIZE, SIZE), np.uint8)
    labels[:, :32] = 1
    places = [(32, 32)] * LENGTH
    take = Take(grey_backdrop(labels=labels, asked=(1,)), (square_actor(20, places), square_actor(8, places)))
    segment, back, front = masks_of(take, 0)
    assert front.sum() == 64
    assert back.sum() == 400 - 64
    assert segment.sum() == SIZE * 32 - 200
    assert (segment | back | front).sum() == segment.sum() + 400


def test_the_camera_moves_backdrop_and_actors_together():
    labels = np.zeros((SIZE, SIZE), np.uint8)
    labels[20:40, 20:40] = 1
    take = Take(grey_backdrop(labels=labels, asked=(1,)), (square_actor(6, [(30, 30)] * LENGTH),))
    camera = np.stack([similarity(1, 0, 7 * frame, 0) for frame in range(LENGTH)])
    for frame in range(3):
        together = masks_of(take, frame, camera).any(axis=0)
        columns = np.nonzero(together.any(axis=0))[0]
        assert (columns.min(), columns.max()) == (20 + 7 * frame, 39 + 7 * frame)


def test_a_crossing_actor_meets_the_other():
    rng = np.random.default_rng(0)
    met = np.stack([similarity(1, 0, 10 + 5 * frame, 40) for frame in range(8)])
    for _ in range(20):
        path = crossing_path(rng, met, SIZE)
        distances = np.hypot(*(path[:, :2, 2] - met[:, :2, 2]).T)
        assert distances.min() < 0.16 * SIZE
        assert distances.max() > distances.min()


def test_a_look_alike_looks_alike_elsewhere():
    actor = square_actor(10, [(20, 30)] * LENGTH)
    twin = look_alike(actor, actor.poses + 0)
    assert twin.pieces is actor.pieces


def test_fast_actors_are_blurred_along_their_way():
    places = [(12 + 14 * frame, 30) for frame in range(LENGTH)]
    sharp, blurred = (square_actor(10, places, exposure=exposure) for exposure in (0.0, 0.8))
    alphas = [actor.layers(1, still_camera(), SIZE, 0)[0].stamp.alpha for actor in (sharp, blurred)]
    between = [np.count_nonzero((alpha > 0.05) & (alpha < 0.95), axis=1).max() for alpha in alphas]
    assert between[0] <= 2
    assert between[1] >= 10


def test_a_streak_is_a_line_of_sum_one():
    kernel = streak_kernel((6.0, 0.0))
    assert kernel.sum() == pytest.approx(1)
    assert np.count_nonzero(kernel) == np.count_nonzero(kernel[3]) == 7


@pytest.mark.parametrize(("size", "length"), [(31, 8), (64, 0)])
def test_clips_without_frames_or_pixels_are_refused(size, length):
    with pytest.raises(InvalidInputError, match=f"got {size} and {length}"):
        ClipGenerator(tiny_bank(), size, length)


@pytest.mark.parametrize("weights", [(0, 0, 0), (-1, 1, 1)])
def test_a_mixture_of_nothing_is_refused(weights):
    with pytest.raises(InvalidInputError, match="clip weights must be >= 0"):
        ClipMixture(*weights)


def test_a_bank_without_labels_makes_shapes_only():
    assert {ClipGenerator(tiny_bank(labelled=False), SIZE, 2).clip(seed).kind for seed in range(5)} == {"shapes"}
    with pytest.raises(InvalidInputError, match="no labelled images"):
        ClipGenerator(tiny_bank(labelled=False), SIZE, 2, only("labelled_image"))
