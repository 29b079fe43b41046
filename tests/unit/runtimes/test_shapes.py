"""Shapes at the seam are those that `masklet.runtimes.protocol` names, whatever is prompted, tracked or corrected."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tests.support.checked_runtime import CheckedRuntime, Dimensions
from tests.support.small_video_models import HEIGHT, SIZE, WIDTH, small_clip, small_video_model

from masklet import ImageSegmenter, Prompt, Sam2Processor, TrackedVideo, VideoTracker
from masklet.runtimes.protocol import Runtime

MASK = np.zeros((HEIGHT, WIDTH), bool)
MASK[5:30, 10:40] = True
PROMPTS = [
    Prompt([(10, 20)]),
    Prompt([(10, 20), (30, 10)], [1, 0]),
    Prompt(box=(5, 5, 30, 30)),
    Prompt([(10, 20)], box=(5, 5, 30, 30)),
]


@pytest.fixture
def runtime() -> Iterator[CheckedRuntime]:
    with torch.inference_mode():
        yield CheckedRuntime(small_video_model())


def opened(runtime: Runtime, frames: int = 6) -> TrackedVideo:
    return VideoTracker(runtime, Sam2Processor(size=SIZE)).open(small_clip(frames=frames))


@pytest.mark.parametrize("objects", [1, 2, 4])
def test_images(runtime: CheckedRuntime, objects: int) -> None:
    segmenter = ImageSegmenter(runtime, Sam2Processor(size=SIZE))
    image = segmenter.encode(small_clip(frames=1)[0])
    found = segmenter.segment(image, prompts=PROMPTS[:objects])
    segmenter.segment(image, points=[[(10, 20)]] * objects, masks=found.low_resolution_logits)
    segmenter.candidates(image, boxes=[(5, 5, 30, 30)] * objects)
    assert set(runtime.calls) == {"encode_image", "without_memory", "decode"}


def test_videos(runtime: CheckedRuntime) -> None:
    video = opened(runtime)
    for number, prompt in enumerate(PROMPTS, 1):
        video.add(number, 0, prompt)
    video.add(5, 0, mask=MASK)
    video.add(6, 2, mask=np.zeros_like(MASK))
    assert [number for number, _ in video.track()] == list(range(6))
    video.add(1, 3, points=[(12, 22)], labels=[0])  # a correction, with memories
    video.add(5, 3, points=[(12, 22)])
    list(video.track("backward"))
    assert set(runtime.calls) >= {"encode_image", "condition", "decode", "embed_mask", "encode_memory"}


def test_memories_of_another_number_of_frames_and_pointers(runtime: CheckedRuntime) -> None:
    video = opened(runtime, frames=20)
    video.add(1, 0, points=[(10, 20)])
    video.add(2, 7, box=(5, 5, 30, 30))
    assert len(list(video.track())) == 20


@pytest.mark.parametrize(
    ("shape", "names"),
    [((2, 5), ("n", "n")), ((2, 3), ("n", 2)), ((4, 9), ("h", "2h")), ((3, 4), ("1|n", "k")), ((2,), ("n", "k"))],
)
def test_the_check_sees_what_is_wrong(shape: tuple[int, ...], names: tuple[str | int, ...]) -> None:
    with pytest.raises(AssertionError):
        Dimensions(n=2, h=4).check(torch.zeros(shape), *names)
