"""Several threads on one model: every result is what a thread gets alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch
from tests.support.small_video_models import HEIGHT, SIZE, WIDTH, small_clip, small_video_model

from masklet import ImageSegmenter, Sam2Processor, Segmentation, TrackedVideo, VideoTracker

THREADS, ROUNDS = 3, 4


def at_once(work: Any) -> list[Any]:
    """The results of `work(0)`, `work(1)`, ..., each in a thread of its own, begun together."""
    barrier = Barrier(THREADS)

    def begun(number: int) -> Any:
        barrier.wait(timeout=60)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(begun, range(THREADS)))


def same(one: Segmentation, other: Segmentation) -> bool:
    assert one.low_resolution_logits is not None
    assert other.low_resolution_logits is not None
    return np.array_equal(one.masks, other.masks) and np.allclose(
        one.low_resolution_logits, other.low_resolution_logits, atol=1e-5
    )


@pytest.fixture
def segmenter(saved_model: Path) -> ImageSegmenter:
    """New for each test, so that no table is there yet when the threads begin."""
    return ImageSegmenter.from_pretrained(saved_model)


def image(number: int) -> np.ndarray:
    # Each of another shape: what is remembered by shape must not be another thread's.
    return np.random.default_rng(number).integers(0, 256, (60 + 10 * number, 90 - 10 * number, 3), dtype=np.uint8)


def test_threads_that_encode_and_segment(segmenter: ImageSegmenter) -> None:
    def work(number: int) -> list[Segmentation]:
        results = []
        for clicks in range(1, ROUNDS + 1):
            encoded = segmenter.encode(image(number))
            results.append(segmenter.segment(encoded, points=[[(10 * each, 20) for each in range(clicks)]]))
        return results

    for number, results in enumerate(at_once(work)):
        assert all(same(result, alone) for result, alone in zip(results, work(number), strict=True))


def test_threads_that_share_an_encoded_image(segmenter: ImageSegmenter) -> None:
    encoded = segmenter.encode(image(0))

    def work(number: int) -> list[Segmentation]:
        return [segmenter.segment(encoded, boxes=[[5 * number, 5, 50, 40 + each]]) for each in range(ROUNDS)]

    for number, results in enumerate(at_once(work)):
        assert all(same(result, alone) for result, alone in zip(results, work(number), strict=True))


def test_two_sessions_of_one_tracker_step_in_turns() -> None:
    tracker = VideoTracker(small_video_model(), Sam2Processor(size=SIZE))

    def opened(number: int) -> TrackedVideo:
        video = tracker.open(small_clip(seed=number))
        video.add(1, 0, points=[[10 + 5 * number, 20]])
        return video

    one, other = opened(0), opened(1)
    in_turns = list(zip(one.track(), other.track(), strict=True))
    for number in range(2):
        alone = list(opened(number).track())
        assert all(same(both[number][1], result) for both, (_, result) in zip(in_turns, alone, strict=True))


def test_sessions_of_one_tracker_in_threads() -> None:
    tracker = VideoTracker(small_video_model(), Sam2Processor(size=SIZE))

    def work(number: int) -> list[Segmentation]:
        video = tracker.open(small_clip(seed=number))
        mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[5 : 20 + number, 10:30] = True
        video.add(1, 0, mask=mask)
        for each in range(number):  # another number of objects in each thread
            video.add(2 + each, 1, points=[[30, 10 + each]])
        return [result for _, result in video.track("both")]

    for number, results in enumerate(at_once(work)):
        assert all(same(result, alone) for result, alone in zip(results, work(number), strict=True))


def test_gradients_are_off_in_the_thread_that_segments_alone(segmenter: ImageSegmenter) -> None:
    def work(number: int) -> bool:
        if number:
            segmenter.segment(segmenter.encode(image(number)), points=[[(5, 5)]])
        return torch.is_grad_enabled() and not torch.is_inference_mode_enabled()

    assert all(at_once(work))
