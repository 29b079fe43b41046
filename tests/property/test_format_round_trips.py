"""What goes into a format comes out, as far as the format can hold it; and what it cannot hold is counted."""

import tempfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.support.source_data import write_images, write_video

from masklet.formats.reading.opening import open_dataset
from masklet.formats.registry import READERS, WRITERS
from masklet.jobs.conversion import convert_dataset

SIZE = (7, 9)
CATEGORIES = ("a ball", "träger & <co>", '"quoted"')
IMAGE_FORMATS = [name for name, each in WRITERS.items() if each.HOLDS.images and READERS[each]]
VIDEO_FORMATS = [name for name, each in WRITERS.items() if each.HOLDS.videos and READERS[each]]
WHOLE_VIDEO_FORMATS = [name for name in VIDEO_FORMATS if WRITERS[name].HOLDS.pieces and WRITERS[name].HOLDS.holes]

masks = arrays(np.bool_, SIZE, fill=st.booleans()).filter(np.any)
objects = st.lists(st.tuples(st.sampled_from(CATEGORIES), masks), max_size=3)
videos = st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.bool_, (*shape, *SIZE), fill=st.booleans())
)


def filled(mask: np.ndarray) -> np.ndarray:
    """The mask with its holes, which no pixel at the border of the image touches by a side."""
    outside = (~np.pad(mask, 1)).astype(np.uint8)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    return (labels != labels[0, 0])[1:-1, 1:-1]


def largest_piece(mask: np.ndarray) -> int:
    """The pixels of the largest piece, its holes filled."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0


def content(objects: list[tuple[str, np.ndarray]], has_categories: bool) -> Counter[tuple[str, bytes]]:
    return Counter((category if has_categories else "object", mask.tobytes()) for category, mask in objects)


@pytest.mark.parametrize("to", IMAGE_FORMATS)
@settings(deadline=None, max_examples=20)
@given(st.lists(objects, min_size=1, max_size=2))
def test_images_come_back(to: str, images: list[list[tuple[str, np.ndarray]]]) -> None:
    holds = WRITERS[to].HOLDS
    with tempfile.TemporaryDirectory() as folder:
        source = write_images(Path(folder) / "in", {f"{n}.png": each for n, each in enumerate(images)}, SIZE)
        done = convert_dataset(source, Path(folder) / "out", to)
        found = {Path(image.name).stem: image for image in open_dataset(Path(folder) / "out")}
        kept = images if holds.holes else [[(category, filled(mask)) for category, mask in each] for each in images]
        for number, expected in enumerate(kept):
            shown = [(each.category, each.mask()) for each in found[str(number)].objects]
            assert content(shown, holds.categories) == content(expected, holds.categories)
        changed = sum(not np.array_equal(mask, filled(mask)) for each in images for _, mask in each)
        assert done.losses["masks lose their holes"] == (0 if holds.holes else changed)


@pytest.mark.parametrize("to", VIDEO_FORMATS)
@settings(deadline=None, max_examples=20)
@given(videos)
def test_videos_come_back(to: str, masks: np.ndarray) -> None:
    """Objects are seen from the first frame on, come later, leave, come back or are never seen."""
    holds = WRITERS[to].HOLDS
    if not holds.overlaps:
        masks = masks & (np.cumsum(masks, axis=0) == 1)
    with tempfile.TemporaryDirectory() as folder:
        source = write_video(Path(folder) / "in", masks)
        done = convert_dataset(source, Path(folder) / "out", to)
        (video,) = open_dataset(Path(folder) / "out")
        assert list(video.annotated_frames) == list(range(masks.shape[1]))
        order = sorted((int(seen.argmax()), n) for n, seen in enumerate(masks.any(axis=(2, 3))) if seen.any())
        ids = {n: place for place, (_, n) in enumerate(order, start=1)}
        if holds.most_objects is None:
            ids = {n: place for place, n in enumerate(sorted(ids), start=1)}
        for frame in range(masks.shape[1]):
            expected = {ids[n]: masks[n, frame] for n in ids if masks[n, frame].any()}
            shown = video.masks(frame)
            assert shown.keys() == expected.keys()
            for number, mask in expected.items():
                if holds.pieces:
                    np.testing.assert_array_equal(shown[number], mask)
                else:
                    assert largest_piece(mask) <= shown[number].sum() <= filled(mask).sum()
        assert done.losses["masks lose pixels to others that they overlap"] == 0


@settings(deadline=None, max_examples=25)
@given(st.tuples(*[st.sampled_from(IMAGE_FORMATS)] * 2), st.lists(objects, min_size=1, max_size=2))
def test_images_pass_through_two_formats(pair: tuple[str, str], images: list[list[tuple[str, np.ndarray]]]) -> None:
    all_hold = [WRITERS[each].HOLDS for each in pair]
    with tempfile.TemporaryDirectory() as folder:
        place = write_images(Path(folder) / "in", {f"{n}.png": each for n, each in enumerate(images)}, SIZE)
        for number, to in enumerate(pair):
            convert_dataset(place, Path(folder) / f"{number}", to)
            place = Path(folder) / f"{number}"
        # flat formats make folders a part of the name: images-train-0
        found = {Path(image.name).stem.rpartition("-")[2]: image for image in open_dataset(place)}
        has_holes = all(holds.holes for holds in all_hold)
        has_categories = all(holds.categories for holds in all_hold)
        for number, given in enumerate(images):
            expected = [(category, mask if has_holes else filled(mask)) for category, mask in given]
            shown = [(each.category, each.mask()) for each in found[str(number)].objects]
            assert content(shown, has_categories) == content(expected, has_categories)


@settings(deadline=None, max_examples=25)
@given(st.tuples(*[st.sampled_from(WHOLE_VIDEO_FORMATS)] * 2), videos)
def test_videos_pass_through_two_formats(pair: tuple[str, str], masks: np.ndarray) -> None:
    if not all(WRITERS[each].HOLDS.overlaps for each in pair):
        masks = masks & (np.cumsum(masks, axis=0) == 1)
    with tempfile.TemporaryDirectory() as folder:
        place = write_video(Path(folder) / "in", masks)
        for number, to in enumerate(pair):
            convert_dataset(place, Path(folder) / f"{number}", to)
            place = Path(folder) / f"{number}"
        (video,) = open_dataset(place)
        tracks: dict[int, dict[int, bytes]] = {}
        for frame in range(masks.shape[1]):
            for number, mask in video.masks(frame).items():
                tracks.setdefault(number, {})[frame] = mask.tobytes()
        expected = [{frame: mask.tobytes() for frame, mask in enumerate(each) if mask.any()} for each in masks]
        assert sorted(map(str, tracks.values())) == sorted(str(each) for each in expected if each)
