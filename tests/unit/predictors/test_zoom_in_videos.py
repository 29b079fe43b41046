"""`VideoTracker.open(zoom=True)`: small objects in enlarged views that follow them, on a runtime that knows shades."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.support.shade_runtime import SIZE, ShadeRuntime

from masklet import Sam2Processor, Sam2VideoProcessor, VideoTracker
from masklet.errors import InvalidInputError
from masklet.masks.overlap import intersection_over_union
from masklet.masks.run_length import encode_run_length
from masklet.masks.views import View
from masklet.predictors.tracked_video import TrackedVideo
from masklet.runtimes.protocol import ImageFeatures
from masklet.tracking.saved_tensors import TensorReader
from masklet.tracking.session_history import result_from

HEIGHT, WIDTH, FRAMES = 240, 320, 16
SHADES = (255, 254, 120)  # of two dots of 8 pixels, of which the network sees no difference, and of a large square


class BrightRuntime(ShadeRuntime):
    """Remembers the brightest shade about an object, and takes shades for alike."""

    def __init__(self) -> None:
        super().__init__(sharpness=0.6)

    def encode_image(self, pixel_values: torch.Tensor) -> ImageFeatures:
        features = super().encode_image(pixel_values)
        brightest = F.max_pool2d(pixel_values.mean(1, keepdim=True), 16)
        return ImageFeatures(features.stride4, features.stride8, brightest.expand(-1, 16, -1, -1))


def clip(frames: int = FRAMES) -> np.ndarray:
    """uint8 [frames, HEIGHT, WIDTH, 3]: on black two dots on ways of their own, and a large square that stays."""
    video = np.zeros((frames, HEIGHT, WIDTH, 3), np.uint8)
    for number, frame in enumerate(video):
        frame[40 + 3 * number : 48 + 3 * number, 60 + 5 * number : 68 + 5 * number] = SHADES[0]
        frame[220 - 4 * number : 228 - 4 * number, 100:108] = SHADES[1]
        frame[100:220, 190:310] = SHADES[2]
    return video


def mask_of(frame: np.ndarray, shade: int) -> np.ndarray:
    return np.asarray(frame[..., 0] == shade)


@pytest.fixture
def tracker() -> VideoTracker:
    return VideoTracker(BrightRuntime(), Sam2Processor(size=SIZE))


def opened(tracker: VideoTracker, frames: Any, **options: Any) -> TrackedVideo:
    """A video with all three objects prompted by their masks on its first frame."""
    video = tracker.open(frames, **options)
    for object_id, shade in enumerate(SHADES, 1):
        video.add(object_id, 0, mask=mask_of(frames[0], shade))
    return video


def agreement(video: TrackedVideo, frames: np.ndarray) -> np.ndarray:
    """The intersection over union of every object on every frame [frames, objects]."""
    truth = {number: [mask_of(frames[number], shade) for shade in SHADES] for number in range(len(frames))}
    return np.array(
        [list(map(intersection_over_union, result.masks, truth[number])) for number, result in video.track()]
    )


def test_small_objects_are_followed_that_are_lost_without(tracker: VideoTracker) -> None:
    frames = clip()
    plain, zoomed = (agreement(opened(tracker, frames, zoom=zoom), frames) for zoom in (False, True))
    assert plain[:, :2].max() < 0.3
    assert zoomed[:, :2].min() > 0.6
    np.testing.assert_array_equal(zoomed[:, 2], plain[:, 2])
    assert plain[:, 2].min() > 0.7


def test_near_objects_share_an_encoding(tracker: VideoTracker) -> None:
    """Of four objects two are near each other: the whole frame and two views are encoded."""
    frames = clip(4)
    near = np.zeros((HEIGHT, WIDTH), bool)
    near[44:52, 64:72] = True
    video = opened(tracker, frames, zoom=True)
    video.add(4, 0, mask=near)
    tracker.runtime.encoded = 0
    for number, _ in video.track():
        assert tracker.runtime.encoded == 3 * (number + 1)


def test_a_stream_is_followed_as_a_video_is(tracker: VideoTracker) -> None:
    frames = clip()
    expected = dict(opened(tracker, frames, zoom=True).track())
    stream = tracker.open(zoom=True)
    stream.push(frames[0])
    for object_id, shade in enumerate(SHADES, 1):
        stream.add(object_id, 0, mask=mask_of(frames[0], shade))
    buffer = frames[0].copy()
    for frame in frames[1:]:
        buffer[:] = frame  # as a camera reuses it
        number, result = stream.push(buffer)
        np.testing.assert_array_equal(result.masks, expected[number].masks)


def test_backward_the_views_follow_the_later_frames(tracker: VideoTracker) -> None:
    frames = clip()
    video = tracker.open(frames, zoom=True)
    video.add(1, FRAMES - 1, mask=mask_of(frames[-1], SHADES[0]))
    for number, result in video.track("backward"):
        assert intersection_over_union(result.mask(0), mask_of(frames[number], SHADES[0])) > 0.6


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_a_saved_session_goes_on_in_the_same_views(tracker: VideoTracker, tmp_path: Path, retention: str) -> None:
    frames = clip()
    video = opened(tracker, frames, zoom=True, retention=retention)
    masks = {number: result.masks for number, result in video.track(frames=range(12))}
    video.save(tmp_path / "session")
    resumed = tracker.resume(tmp_path / "session", frames)
    assert resumed.session.zoom
    for number in range(12):  # some of which are in full, some are not
        assert intersection_over_union(resumed.segment(number).masks, masks[number]) > 0.85
    both = zip(video.track(frames=range(12, FRAMES)), resumed.track(frames=range(12, FRAMES)), strict=True)
    for (_, result), (_, resumed_result) in both:
        np.testing.assert_array_equal(resumed_result.low_resolution_logits, result.low_resolution_logits)
        np.testing.assert_array_equal(resumed_result.masks, result.masks)


@pytest.mark.parametrize("view", [[4, 4, 4, 20], [-1, 4, 20, 20], [0, 0, WIDTH + 1, 20], [0, 0, 20, HEIGHT + 1]])
def test_views_of_a_damaged_session_are_refused(tracker: VideoTracker, view: list[int]) -> None:
    reader = TensorReader(tracker.runtime.config, torch.float32, torch.device("cpu"), (HEIGHT, WIDTH))
    with pytest.raises(InvalidInputError, match="is no part of a video of 320 x 240 pixels"):
        reader.view({"view": torch.tensor(view)})
    fields = {"run_length": encode_run_length(np.zeros((HEIGHT, WIDTH), bool)), "iou": 1.0, "object_score": 1.0}
    written = {**fields, "reverse": False, "view": [0, 0, WIDTH, HEIGHT]}
    assert result_from(written, (HEIGHT, WIDTH), is_checked=False).view == View.whole(HEIGHT, WIDTH)
    for value in (view, "whole", [0, 0, 1], [0.5, 0, 2, 2]):
        with pytest.raises(InvalidInputError, match=r"[Vv]iew"):
            result_from({**written, "view": value}, (HEIGHT, WIDTH), is_checked=False)


def test_clicks_find_the_view_of_their_object(tracker: VideoTracker) -> None:
    frames = clip()
    frames[:, 40:64, 60:84] = SHADES[0]  # 24 pixels, which the whole frame shows
    video = tracker.open(frames, zoom=True)
    video.add(1, 0, points=[(72, 52), (300, 200)], labels=[1, 0])  # the other click is out of the view
    assert video.session.objects()[0].views == {0: View(30, 12, 110, 92)}  # of 20 pixels that the whole frame shows
    assert video.drawn_prompts() == {0: ([(72, 52, 1)], [])}
    assert intersection_over_union(video.segment(0).mask(0), mask_of(frames[0], SHADES[0])) > 0.85
    video.add(1, 0, points=[(70, 60)], keep_earlier=True)
    assert video.drawn_prompts() == {0: ([(72, 52, 1), (70, 60, 1)], [])}
    with pytest.raises(InvalidInputError, match=r"far from the earlier prompt of object 1, which is looked at from"):
        video.add(1, 0, points=[(200, 60)], keep_earlier=True)


def test_a_box_is_its_view_and_is_drawn_where_it_was(tracker: VideoTracker) -> None:
    video = tracker.open(clip(), zoom=True)
    video.add(1, 0, box=(60, 40, 68, 48))
    video.add(2, 0, box=(180, 90, 315, 225))
    first, second = video.session.objects()
    assert (first.views, second.views) == ({0: View(48, 28, 80, 60)}, {})
    assert video.drawn_prompts() == {0: ([], [(60, 40, 68, 48), (180, 90, 315, 225)])}


def test_a_correction_on_a_tracked_frame_keeps_its_view(tracker: VideoTracker) -> None:
    frames = clip()
    video = opened(tracker, frames, zoom=True)
    list(video.track(frames=range(6)))
    before = video.session.objects()[0].bank.tracked[5].view
    video.add(1, 5, points=[(89, 59)])
    assert video.session.objects()[0].views[5] == before
    assert intersection_over_union(video.segment(5).mask(0), mask_of(frames[5], SHADES[0])) > 0.6
    video.remove(2)
    assert [result.object_ids for _, result in video.track(frames=range(6, 8))] == [(1, 3)] * 2


def test_an_object_that_leaves_keeps_its_last_view(tracker: VideoTracker) -> None:
    frames = clip()
    frames[8:, :, :180] = 0
    video = opened(tracker, frames, zoom=True)
    areas = np.array([result.areas for _, result in video.track()])
    assert (areas[8:, :2] == 0).all()
    banks = [each.bank.tracked for each in video.session.objects()]
    assert [bank[15].view for bank in banks] == [bank[8].view for bank in banks]


def test_what_has_no_pixels_of_its_own_cannot_be_enlarged(tracker: VideoTracker) -> None:
    frames = clip()
    prepared = Sam2VideoProcessor(size=SIZE)(frames[:2], return_tensors="pt")
    with pytest.raises(InvalidInputError, match="Frames that were prepared before cannot be enlarged"):
        tracker.open(prepared, zoom=True)
    stream = tracker.open(zoom=True)
    stream.push(frames[0])
    stream.add(1, 0, mask=mask_of(frames[0], SHADES[0]))
    stream.session.add_new_frame(torch.zeros(3, SIZE, SIZE))
    with pytest.raises(InvalidInputError, match=r"Frame 1 of the stream cannot be enlarged; push\(...\) images"):
        stream.segment(1)
