"""Sampling: turns, replacement of what cannot be used, frames of clips, mixtures."""

from pathlib import Path

import numpy as np
import pytest
from tests.support.annotated_memory import (
    ImageInMemory,
    ImagesInMemory,
    VideosInMemory,
    image_of,
    moving_video,
    square,
    video_of,
)

from masklet.datasets.augmentation import Augmentation
from masklet.datasets.sampling import (
    ClipSampling,
    DataMixture,
    FramesAsImages,
    MixedClips,
    MixedScenes,
    RecordedClips,
    RecordedImages,
    SkippedSample,
    SkippedSamples,
)
from masklet.datasets.sampling.epoch_order import EpochOrder, NothingVisibleError
from masklet.datasets.sampling.recorded_clips import back_and_forth, choose_frames
from masklet.datasets.scenes import Clip, Scene
from masklet.errors import InvalidInputError

SIZE = 48
NONE = Augmentation.none()
FORWARDS = ClipSampling(strides=(1,), reversal=0.0)


def recorded(*images: object, augmentation: Augmentation = NONE, seed: int = 0) -> RecordedImages:
    return RecordedImages(ImagesInMemory(list(images)), SIZE, augmentation, seed)


def clips(
    *videos: object,
    length: int = 4,
    sampling: ClipSampling = FORWARDS,
    augmentation: Augmentation = NONE,
    seed: int = 0,
) -> RecordedClips:
    return RecordedClips(VideosInMemory(list(videos)), SIZE, length, sampling, augmentation, seed)


# The order of samples and replacements


def test_every_sample_has_one_turn_an_epoch_and_epochs_differ() -> None:
    order = EpochOrder(Path("root"), 10, seed=3)
    epochs = [[order.take(10 * epoch + n, lambda index: index, str) for n in range(10)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert [EpochOrder(Path("root"), 10, seed=3).take(25, lambda index: index, str)] == [epochs[2][5]]


def test_the_next_sample_takes_the_place_of_a_damaged_one() -> None:
    sides = [8, 10, 12, 14]
    images = [image_of(f"{side}.png", square(2, 2, side)) for side in sides]
    whole = recorded(*images)
    areas = [int(whole.scene(number).masks.sum()) for number in range(4)]
    assert len(set(areas)) == 4
    images[sides.index(10)].damaged = True
    damaged = recorded(*images)
    place = areas.index(sorted(areas)[1])
    found = [int(damaged.scene(number).masks.sum()) for number in range(4)]
    assert found[place] == areas[(place + 1) % 4]
    assert found[:place] + found[place + 1 :] == areas[:place] + areas[place + 1 :]
    (skipped,) = damaged.collect_skipped()
    assert (skipped.name, skipped.reason) == ("10.png", "Cannot read the image 10.png.")
    assert damaged.collect_skipped() == []


def test_images_whose_annotations_are_damaged_are_reported_by_their_number() -> None:
    class Damaged(ImagesInMemory):
        def __getitem__(self, index: int) -> ImageInMemory:
            if index == 1:
                raise InvalidInputError("no polygon")
            return super().__getitem__(index)

    images = Damaged([image_of(name, square(2, 2)) for name in "abc"])
    source = RecordedImages(images, SIZE, NONE)
    for number in range(3):
        source.scene(number)
    assert [(each.name, each.reason) for each in source.collect_skipped()] == [("image 1", "no polygon")]


def test_images_without_objects_are_passed_over_in_silence() -> None:
    source = recorded(image_of("empty"), image_of("speck", square(0, 0, 2)), image_of("full", square(2, 2)))
    for number in range(6):
        assert source.scene(number).masks.shape == (1, SIZE, SIZE)
    assert source.collect_skipped() == []


def test_where_nothing_can_be_used_the_error_says_why() -> None:
    with pytest.raises(InvalidInputError, match="None of them shows an object of at least 24 pixels"):
        recorded(image_of("empty"), image_of("speck", square(0, 0, 2))).scene(0)
    broken = [image_of(f"{number}.png", square(2, 2), damaged=True) for number in range(3)]
    with pytest.raises(InvalidInputError, match=r"(?s)3 samples of images in a row.*Cannot read the image 2\.png"):
        recorded(*broken).scene(0)
    with pytest.raises(InvalidInputError, match="images holds no samples"):
        recorded()


def test_damaged_samples_are_counted_once_and_over_one_percent_of_them_stop_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def skipped(number: int) -> SkippedSample:
        return SkippedSample(Path("root"), f"{number}.jpg", "truncated")

    counted = SkippedSamples(300)
    for _ in range(5):
        counted.note([skipped(1), skipped(2)])
    counted.note([skipped(3)])
    assert len(counted) == 3
    assert [record.message for record in caplog.records] == [
        f"Skipped {number}.jpg of root: truncated" for number in (1, 2, 3)
    ]
    with pytest.raises(InvalidInputError, match=r"(?s)4 of 300 samples.*1%.*\n- 1\.jpg of root: truncated.*4\.jpg"):
        counted.note([skipped(4)])


def test_counting_goes_on_from_a_state_and_stops_for_new_damage_only() -> None:
    first, second, third = (SkippedSample(Path("root"), f"{number}.jpg", "truncated") for number in range(3))
    counted = SkippedSamples(100)
    counted.note([first])
    with pytest.raises(InvalidInputError):
        counted.note([second])
    goes_on = SkippedSamples(100)
    goes_on.restore(counted.state())
    assert list(goes_on) == [first, second]
    goes_on.note([first])  # somebody may have mended the rest
    with pytest.raises(InvalidInputError, match="3 of 100 samples"):
        goes_on.note([third])


def test_long_lists_are_cut() -> None:
    with pytest.raises(InvalidInputError, match=r"(?s)19\.jpg.*and 5 more") as error:
        SkippedSamples(100).note([SkippedSample(Path("root"), f"{number}.jpg", "bad") for number in range(25)])
    assert "20.jpg" not in str(error.value)


# Clips


def test_frames_are_consecutive_annotated_ones_at_one_of_the_strides() -> None:
    video = video_of("sparse", [{1: square(4, 4)} for _ in range(20)], every=5)
    steps = set()
    for seed in range(60):
        chosen = choose_frames(np.random.default_rng(seed), video, 4, ClipSampling(strides=(1, 3), reversal=0.5))
        differences = set(np.diff(chosen.frames).tolist())
        assert len(differences) == 1  # nothing turns round in a video as long as this
        steps |= differences
        assert set(chosen.frames) <= set(video.annotated_frames)
    assert steps == {5, 15, -5, -15}


def test_strides_that_do_not_fit_are_left_out() -> None:
    video = moving_video("short", 6)
    for seed in range(20):
        chosen = choose_frames(np.random.default_rng(seed), video, 4, ClipSampling(strides=(1, 4), reversal=0.0))
        assert np.diff(chosen.frames).tolist() == [1, 1, 1]


def test_a_short_video_goes_back_and_forth_and_one_of_one_frame_stands_still() -> None:
    frames = {choose_frames(np.random.default_rng(s), moving_video("v", 3), 5, FORWARDS).frames for s in range(30)}
    assert frames == {(0, 1, 2, 1, 0), (1, 2, 1, 0, 1), (2, 1, 0, 1, 2)}
    still = clips(moving_video("still", 1)).clip(0)
    assert still.frames.shape == (4, SIZE, SIZE, 3)
    assert (still.masks == still.masks[0]).all()
    assert [back_and_forth(place, 4) for place in range(-2, 8)] == [2, 1, 0, 1, 2, 3, 2, 1, 0, 1]


def test_clips_begin_where_an_object_is_visible() -> None:
    """Object 1 only from frame 5 on, object 2 a speck, object 3 never."""
    nothing = np.zeros_like(square(0, 0))
    masks = [{2: square(0, 0, 2), 3: nothing} | ({1: square(20, 20)} if frame >= 5 else {}) for frame in range(8)]
    for seed in range(20):
        chosen = choose_frames(np.random.default_rng(seed), video_of("late", masks), 3, ClipSampling((1,), 0.5))
        assert chosen.frames[0] >= 5
        assert chosen.object_ids == (1,)


def test_a_video_whose_objects_are_never_visible_is_passed_over() -> None:
    empty = video_of("empty", [{1: np.zeros_like(square(0, 0))}, {}])
    with pytest.raises(NothingVisibleError):
        choose_frames(np.random.default_rng(0), empty, 2, FORWARDS)
    source = clips(empty, moving_video("full"))
    for number in range(4):
        assert source.clip(number).masks.any()
    assert source.collect_skipped() == []
    with pytest.raises(InvalidInputError, match="None of them shows an object"):
        clips(empty).clip(0)


def test_a_video_without_annotations_is_reported() -> None:
    bare = video_of("bare", [])
    source = clips(bare, moving_video("full"))
    assert source.clip(0).masks.any()
    assert source.clip(1).masks.any()
    assert [each.reason for each in source.collect_skipped()] == ["the video 'bare' has no annotated frame."]


def test_a_damaged_frame_spoils_only_clips_that_need_it() -> None:
    video, whole = moving_video("damaged", 12, damaged=frozenset({11})), moving_video("whole", 12)
    source = clips(video, whole, length=3)
    for number in range(40):
        source.clip(number)
    skipped = source.collect_skipped()
    assert 0 < len(skipped) < 20
    assert {each.name for each in skipped} == {"damaged"}
    assert 11 not in video.read
    assert len(set(video.read)) > 5


def test_images_and_masks_of_clips_belong_together_and_absent_objects_are_empty() -> None:
    masks = [{1: square(4, 8 * frame), 2: square(30, 10)} if frame != 2 else {1: square(4, 16)} for frame in range(4)]
    for seed in range(5):
        clip = clips(video_of("v", masks), seed=seed).clip(0)
        assert clip.frames.shape == (4, SIZE, SIZE, 3)
        assert clip.masks.shape == (4, 2, SIZE, SIZE)
        assert np.array_equal(clip.masks.any(1), clip.frames[..., 0] > 127)
        second = int(np.argmin(clip.masks.sum((0, 2, 3))))
        assert clip.masks[:, second].any((1, 2)).tolist() == [True, True, False, True]


def test_remains_of_a_few_pixels_count_as_absent() -> None:
    masks = [{1: square(4, 4)}, {1: square(4, 4, side=3)}]
    clip = clips(video_of("v", masks), length=2).clip(0)
    assert clip.masks.any((2, 3)).tolist() in ([[True], [False]], [[False], [True]])
    assert clip.masks[0].any()


def test_frames_of_videos_serve_as_images() -> None:
    source = FramesAsImages(VideosInMemory([moving_video("v")]), SIZE, NONE)
    places = {tuple(np.flatnonzero(source.scene(number).masks.any((0, 1)))) for number in range(8)}
    assert len(places) > 2


@pytest.mark.parametrize("seed", [0, 1])
def test_samples_follow_from_seed_and_number(seed: int) -> None:
    videos = [moving_video(name, 12) for name in "abc"]
    images = [image_of(name, square(2, 2), square(20, 40)) for name in "abc"]
    sampling, changes = ClipSampling(), Augmentation(crop=0.5)
    first = clips(*videos, sampling=sampling, augmentation=changes, seed=seed)
    source = recorded(*images, augmentation=changes, seed=seed)
    for number in (7, 3):
        again = clips(*videos, sampling=sampling, augmentation=changes, seed=seed).clip(number)
        assert np.array_equal(first.clip(number).frames, again.frames)
        assert np.array_equal(first.clip(number).masks, again.masks)
        scene = recorded(*images, augmentation=changes, seed=seed).scene(number)
        assert np.array_equal(source.scene(number).image, scene.image)
    other = clips(*videos, sampling=sampling, augmentation=changes, seed=seed + 1)
    assert any(not np.array_equal(first.clip(n).frames, other.clip(n).frames) for n in range(3))


# Mixtures


class Named:
    """A source whose samples tell its name and their number."""

    def __init__(self, name: str) -> None:
        self.name = name

    def scene(self, number: int) -> Scene:
        return Scene(np.zeros((1, 1, 3), np.uint8), np.zeros((0, 1, 1), bool), [], f"{self.name}{number}")

    def clip(self, number: int) -> Clip:
        return Clip(np.zeros((1, 1, 1, 3), np.uint8), np.zeros((1, 0, 1, 1), bool), f"{self.name}{number}")


@pytest.mark.parametrize("weights", [(3.0, 1.0), (1.0, 1.0), (1.0, 1.0, 1.0), (0.1, 0.7, 0.2), (1.0, 0.0, 1.0), (5.0,)])
def test_sources_are_drawn_by_ratio_each_in_its_own_order(weights: tuple[float, ...]) -> None:
    names = "abc"[: len(weights)]
    kinds = [MixedScenes([Named(name) for name in names], weights).scene(number).kind for number in range(2000)]
    for name, weight in zip(names, weights, strict=True):
        turns = [int(kind[1:]) for kind in kinds if kind[0] == name]
        assert turns == list(range(len(turns)))
        assert len(turns) == pytest.approx(2000 * weight / sum(weights), abs=len(weights))
    films = MixedClips([Named(name) for name in names], weights)
    assert [films.clip(number).kind for number in (1999, 5)] == [kinds[1999], kinds[5]]


def test_every_image_comes_once_an_epoch_also_beside_other_roots() -> None:
    seen: list[int] = []

    class Noted(ImagesInMemory):
        def __getitem__(self, index: int) -> ImageInMemory:
            seen.append(index)
            return super().__getitem__(index)

    images = Noted([image_of(str(number), square(2, 2)) for number in range(10)])
    mixed = MixedScenes([Named("a"), RecordedImages(images, SIZE, NONE), Named("b")], (1.0, 1.0, 0.5))
    for number in range(50):
        mixed.scene(number)
    assert [sorted(seen[:10]), sorted(seen[10:])] == [list(range(10))] * 2


def test_a_mixture_without_roots_is_procedural() -> None:
    assert DataMixture().procedural_weight == 1
    assert DataMixture(roots=(Path("a"),)).procedural_weight == 0
    assert DataMixture(roots=(Path("a"), Path("b"))).root_weights == (1, 1)
    assert DataMixture(roots=(Path("a"),), procedural=0.5).procedural_weight == 0.5


@pytest.mark.parametrize(
    "fields", [{"weights": (1.0,)}, {"roots": (Path("a"),), "weights": (0.0,)}, {"procedural": -1.0}]
)
def test_wrong_mixtures_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="weights"):
        DataMixture(**fields)


@pytest.mark.parametrize("fields", [{"strides": ()}, {"strides": (0,)}, {"reversal": 2.0}])
def test_wrong_clip_samplings_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match="of clips"):
        ClipSampling(**fields)
