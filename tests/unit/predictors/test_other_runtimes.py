"""`VideoTracker` and `ImageSegmenter` on a runtime that is no network: the seam is all that they know."""

import numpy as np
import pytest
import torch
from tests.support.shade_runtime import SIZE, ShadeRuntime

from masklet import ImageSegmenter, Sam2Processor, VideoTracker, transfers
from masklet.errors import InvalidInputError
from masklet.runtimes.protocol import Runtime


def clip() -> np.ndarray:
    """uint8 [4, 64, 64, 3]: on black a dark square that goes to the right, and a bright one that goes to the left."""
    frames = np.zeros((4, SIZE, SIZE, 3), np.uint8)
    for number, frame in enumerate(frames):
        frame[0:16, 16 * number : 16 * number + 16] = 100
        frame[32:48, 48 - 16 * number : 64 - 16 * number] = 200
    return frames


def cells(frame: np.ndarray, shade: int) -> np.ndarray:
    """Where a shade is, as low-resolution masks have it."""
    return frame[::4, ::4, 0] == shade


@pytest.fixture
def tracker() -> VideoTracker:
    runtime: Runtime = ShadeRuntime()  # a type checker sees that nothing is missing
    return VideoTracker(runtime, Sam2Processor(size=SIZE))


def test_objects_are_tracked(tracker: VideoTracker) -> None:
    frames = clip()
    video = tracker.open(frames)
    video.add(1, 0, points=[(8, 8)])
    video.add(2, 0, mask=frames[0, ..., 0] == 200)
    for number, result in video.track():
        for logits, shade in zip(result.low_resolution_logits, (100, 200), strict=True):
            assert np.array_equal(logits > 0, cells(frames[number], shade))
    assert tracker.runtime.encoded == len(frames)


class Done:
    """A place in the queue of a device that has computed all there is."""

    def synchronize(self) -> None:
        pass


def test_a_prompt_counts_from_the_next_frame_on_though_that_is_encoded_already(
    tracker: VideoTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor with a queue stands for the device: its results are those without one."""
    frames, results = clip(), []
    for queues in ((), ("cpu",)):
        monkeypatch.setattr(transfers, "HAVE_QUEUES", queues)
        monkeypatch.setattr(transfers, "_room_for", torch.empty_like)
        monkeypatch.setattr(transfers, "_mark", lambda _: Done())
        video = tracker.open(frames)
        video.add(1, 0, points=[(8, 8)])
        tracker.runtime.encoded = 0
        logits = []
        for number, result in video.track("both"):
            logits.append(result.low_resolution_logits)
            if number == 1:
                video.add(1, 2, points=[(24, 40)])  # the other square
                video.add(2, 2, points=[(40, 8)])
        results.append(logits)
        assert tracker.runtime.encoded == len(frames)
    assert [each.shape[0] for each in results[0]] == [1, 1, 2, 2]
    for found, expected in zip(*results, strict=True):
        assert np.array_equal(found, expected)


def test_chosen_objects_are_tracked_alone(tracker: VideoTracker) -> None:
    """From their own first frame on; the others are where they were."""
    video = tracker.open(clip())
    video.add(1, 0, points=[(8, 8)])
    video.add(2, 1, points=[(40, 40)])
    assert [(number, result.object_ids) for number, result in video.track(objects=[2])] == [
        (number, (2,)) for number in (1, 2, 3)
    ]
    first, second = video.session.objects()
    assert (first.is_tracked(2), second.is_tracked(2)) == (False, True)


def test_a_session_is_saved_and_goes_on(tracker: VideoTracker, tmp_path) -> None:
    frames = clip()
    video = tracker.open(frames)
    video.add(1, 0, points=[(8, 8)])
    list(video.track(frames=range(2)))
    video.save(tmp_path)
    result = tracker.resume(tmp_path, frames).segment(2)
    assert np.array_equal(result.low_resolution_logits[0] > 0, cells(frames[2], 100))
    tracker.runtime.fingerprint = "another"
    with pytest.raises(InvalidInputError, match="another model"):
        tracker.resume(tmp_path, frames)


def test_a_frame_is_encoded_once_for_the_session_and_as_an_image(tracker: VideoTracker) -> None:
    """Three frames are kept: the one used least recently is dropped."""
    frames, segmenter = clip(), ImageSegmenter(tracker.runtime, tracker.processor)
    video = tracker.open(frames, max_vision_features_cache_size=3)
    for number in (0, 1, 2, 0):
        result = segmenter.segment(video.encoded(number), points=[[(16 * number + 8, 8)]])
        assert np.array_equal(result.low_resolution_logits[0] > 0, cells(frames[number], 100))
    video.add(1, 0, points=[(8, 8)])
    video.segment(2)
    video.segment(0)
    assert tracker.runtime.encoded == 3
    video.segment(3)  # in place of frame 1
    video.encoded(2)
    assert tracker.runtime.encoded == 4
    video.encoded(1)
    assert tracker.runtime.encoded == 5


def test_an_image_is_segmented(tracker: VideoTracker) -> None:
    segmenter = ImageSegmenter(tracker.runtime, tracker.processor)
    (frame, *_) = clip()
    result = segmenter.segment(segmenter.encode(frame), points=[[(8, 8)], [(56, 40)]])
    for logits, shade in zip(result.low_resolution_logits, (100, 200), strict=True):
        assert np.array_equal(logits > 0, cells(frame, shade))
