"""What only a device can show: the same numbers as the processor's, in every type (`make test-gpu`)."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.support.small_video_models import small_clip
from torch.nn.attention import SDPBackend, sdpa_kernel

from masklet import ImageSegmenter, Segmentation, VideoTracker
from masklet.modeling.layers import MOST_LAUNCHED, attention

pytestmark = pytest.mark.gpu
DEVICE = "cuda"
IMAGE = "assets/truck.jpg"
PROMPTS: list[dict[str, Any]] = [
    {"points": [[(320, 425)]]},
    {"points": [[(320, 425), (263, 430)], [(1000, 400), (900, 300)]], "labels": [[1, 0], [1, 1]]},
    {"boxes": [[210, 300, 400, 500], [600, 250, 900, 450]]},
]


def overlap(one: Segmentation, other: Segmentation) -> float:
    """The smallest IoU of the masks, object by object."""
    both, either = (one.masks & other.masks).sum((1, 2)), (one.masks | other.masks).sum((1, 2))
    return float((both / np.maximum(either, 1)).min())


@pytest.mark.parametrize(("dtype", "least"), [("float32", 0.995), ("bfloat16", 0.9), ("float16", 0.9)])
@pytest.mark.parametrize("prompts", PROMPTS, ids=["click", "clicks", "boxes"])
def test_images_are_segmented_as_on_the_processor(prompts: dict[str, Any], dtype: str, least: float) -> None:
    here = ImageSegmenter.from_pretrained(device="cpu")
    there = ImageSegmenter.from_pretrained(device=DEVICE, dtype=dtype)
    assert overlap(here.segment(here.encode(IMAGE), **prompts), there.segment(there.encode(IMAGE), **prompts)) > least


def tracked(frames: int = 10, **options: Any) -> list[Segmentation]:
    video = VideoTracker.from_pretrained(**options).open(small_clip(frames))
    video.add(1, 0, box=(5, 5, 30, 30))
    video.add(2, 3, points=[[40, 20]])
    return [result for _, result in video.track("both")]


def test_videos_are_tracked_as_on_the_processor() -> None:
    for here, there in zip(tracked(device="cpu"), tracked(device=DEVICE), strict=True):
        assert here.object_ids == there.object_ids
        assert here.low_resolution_logits is not None
        assert there.low_resolution_logits is not None
        np.testing.assert_allclose(here.low_resolution_logits, there.low_resolution_logits, atol=0.05)


def test_compiled_parts_and_cuda_graphs_track_as_the_network_does() -> None:
    """Minutes. Forty frames: shapes of the first ones grow, those of the last ones are recorded."""
    torch._dynamo.utils.counters.clear()
    plain, compiled = (tracked(frames=40, device=DEVICE, runtime=name) for name in ("eager", "compiled"))
    assert torch._dynamo.utils.counters["inductor"]["cudagraph_skips"] == 0
    for one, other in zip(plain, compiled, strict=True):
        assert one.low_resolution_logits is not None
        assert other.low_resolution_logits is not None
        np.testing.assert_allclose(one.low_resolution_logits, other.low_resolution_logits, atol=0.05)


def test_memories_can_stay_on_the_processor() -> None:
    tracker = VideoTracker.from_pretrained(device=DEVICE)
    video = tracker.open(small_clip(frames=10), inference_state_device="cpu", video_storage_device="cpu")
    video.add(1, 0, box=(5, 5, 30, 30))
    list(video.track())
    kept = [memory for each in video.session.objects() for memory in each.bank.tracked.values()]
    assert {memory.pointer.device.type for memory in kept} == {"cpu"}


def test_memory_of_the_device_does_not_grow_with_the_video() -> None:
    tracker = VideoTracker.from_pretrained(device=DEVICE)
    video = tracker.open(small_clip(frames=80))
    video.add(1, 0, box=(5, 5, 30, 30))
    held = [torch.cuda.memory_allocated() for _ in video.track()]
    assert max(held[40:]) <= max(held[:40]) + 2**20


def test_a_tracked_frame_copies_without_waiting() -> None:
    """A copy that waits is an error here; what the masks of a frame are read by, waiting for a mark, is none."""
    video = VideoTracker.from_pretrained(device=DEVICE).open(small_clip(frames=40))
    video.add(1, 0, box=(5, 5, 30, 30))
    frames = video.track()
    for _ in range(3):  # tables are made
        next(frames)
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert len(list(frames)) == 37
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_takes_any_number_of_windows(dtype: torch.dtype) -> None:
    q, k, v = torch.randn(3, MOST_LAUNCHED + 2, 1, 16, 8).to(dtype)
    there = attention(*(each.to(DEVICE) for each in (q, k, v)))
    torch.testing.assert_close(there.float().cpu(), attention(q.float(), k.float(), v.float()), rtol=0.02, atol=0.02)


def test_attention_has_fused_kernels() -> None:
    """Of plain products the scores of a full memory bank are 470 MB an object."""
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
        assert len(tracked(device=DEVICE, dtype="bfloat16")) == 10
