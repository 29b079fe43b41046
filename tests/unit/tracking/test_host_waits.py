"""Tracking on a device with a queue, such as a GPU, leaves the device something to do."""

from collections import Counter
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
import torch
from tests.support.host_waits import HostWaits
from tests.support.small_sessions import FRAMES, HEIGHT, REACH, SIZE, WIDTH, video
from tests.support.small_video_models import small_clip, small_video_model
from torch import Tensor

from masklet import (
    Sam2ImageProcessorFast,
    Sam2Processor,
    Sam2VideoInferenceSession,
    TrackedVideo,
    VideoTracker,
    transfers,
)
from masklet.masks.views import View
from masklet.processing.results import begun_segmentation
from masklet.processing.video_frames import PreparedFrames
from masklet.prompts.prompt import Prompt
from masklet.tracking.outputs import Sam2VideoSegmentationOutput
from masklet.tracking.propagation import segment_frame
from masklet.tracking.video_model import Sam2VideoModel

DEVICE = torch.device("meta")


def model_there() -> Sam2VideoModel:
    return small_video_model(image_size=SIZE, **REACH).to(DEVICE)


def session_there(frames: Any, **options: Any) -> Sam2VideoInferenceSession:
    session = Sam2VideoInferenceSession(frames, HEIGHT, WIDTH, **options)
    for device in ("inference_device", "inference_state_device", "video_storage_device"):
        setattr(session, device, DEVICE)
    return session


def prepared_clip(frames: int = FRAMES) -> PreparedFrames:
    return PreparedFrames(small_clip(frames), Sam2ImageProcessorFast(size={"height": SIZE, "width": SIZE}))


def waits_of_last_frame(
    session: Sam2VideoInferenceSession, frames: int = FRAMES
) -> tuple[Counter[str], Sam2VideoSegmentationOutput]:
    """What is waited for on a frame, by default one whose memory bank is full, and its results."""
    model = model_there()
    with HostWaits() as waits, torch.inference_mode():
        for frame in range(frames):
            waits.counts.clear()
            pixels = {"frame": video()[frame]} if session.is_stream else {"frame_idx": frame}
            output = segment_frame(model, session, **pixels)
        return waits.counts, output


@pytest.mark.parametrize("objects", [1, 4])
def test_a_tracked_frame_waits_for_nothing_and_its_results_are_read_at_once(objects: int) -> None:
    session = session_there(video())
    for number in range(objects):
        session.add_points(number + 1, 0, [(10 * number, 20)], [1])
    of_step, output = waits_of_last_frame(session)
    assert of_step == {"mark": 1}  # set on the frame before, behind the masks of memories that left the bank
    with HostWaits() as waits:
        begun_segmentation(output.pred_masks[:, 0], output.iou_scores[:, 0], output.object_ids, (HEIGHT, WIDTH))()
    assert waits.counts == {"mark": 1}


@pytest.mark.parametrize("objects", [1, 4])
def test_memories_on_the_processor_are_waited_for_once_a_frame(objects: int) -> None:
    session = session_there(video())
    session.inference_state_device = torch.device("cpu")
    for number in range(objects):
        session.add_points(number + 1, 0, [(10 * number, 20)], [1])
    assert waits_of_last_frame(session)[0] == {"mark": 1}


def test_frames_of_a_stream_are_sent_without_waiting() -> None:
    session = session_there(None)
    session.add_points(1, 0, [(10, 20)], [1])
    assert waits_of_last_frame(session)[0] == {"mark": 1}  # as of videos


def test_pushed_frames_are_sent_as_bytes_without_waiting() -> None:
    tracker: Any = SimpleNamespace(runtime=model_there(), processor=Sam2Processor(size={"height": SIZE, "width": SIZE}))
    session, pinned = session_there(None), []
    session.add_points(1, 0, [(10, 20)], [1])
    stream = TrackedVideo(tracker, session)
    with HostWaits() as waits, patch.object(transfers, "_pinned", lambda each: (pinned.append(each), each)[1]):
        for image in small_clip(3):
            waits.counts.clear()
            stream.push(image)
    assert waits.counts == {"mark": 1}  # its results
    assert [each.dtype for each in pinned if each.shape == (3, SIZE, SIZE)] == [torch.uint8] * 3


@pytest.mark.parametrize("storage", ["cpu", "meta"])
def test_encoded_frames_are_pushed_without_waiting_and_keep_bytes(storage: str) -> None:
    tracker = VideoTracker(model_there(), Sam2Processor(size={"height": SIZE, "width": SIZE}))
    session = session_there(None)
    session.video_storage_device = torch.device(storage)
    session.add_points(1, 0, [(10, 20)], [1])
    stream = TrackedVideo(tracker, session)
    with HostWaits() as waits:
        for image in small_clip(3):
            waits.counts.clear()
            encoded = tracker.encode(image)
            assert waits.counts == {}
            on_device = [each for each in vars(encoded.frame).values() if isinstance(each, Tensor) and each.is_meta]
            stream.push(encoded)
    assert waits.counts == {"mark": 1}  # its results
    assert (encoded.frame.stretched.dtype, on_device) == (torch.uint8, [])


@pytest.mark.parametrize("objects", [1, 4])
def test_the_masks_that_views_follow_are_read_at_once(objects: int) -> None:
    session = session_there(prepared_clip(3), zoom=True)
    for number in range(objects):
        click = Prompt(points=[(20, 20)], labels=[1])
        session.add_prompt(number + 1, 0, click, view=View(0, 0, 10 + number, 10))
    counts, output = waits_of_last_frame(session, 3)
    assert len(set(output.views)) == objects
    assert counts == {"mark": 1}


class InOrder(HostWaits):
    """Notes when the processor waits for a mark, beside what else is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    def synchronize(self) -> None:
        self.events.append("wait")
        super().synchronize()


def test_the_next_frame_is_encoded_while_results_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    model, session = model_there(), session_there(prepared_clip(3))
    session.add_points(1, 0, [(10, 20)], [1])
    encode = model.encode_image
    with InOrder() as waits:
        monkeypatch.setattr(model, "encode_image", lambda pixels: (waits.events.append("encode"), encode(pixels))[1])
        tracker: Any = SimpleNamespace(runtime=model, processor=None)
        for number, _ in TrackedVideo(tracker, session).track():
            waits.events.append(f"{number}")
    assert waits.events == ["encode", "encode", "wait", "0", "encode", "wait", "1", "wait", "2"]
