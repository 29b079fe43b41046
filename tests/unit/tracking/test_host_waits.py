"""Tracking on a device with a queue, such as a GPU, leaves the device something to do."""

from collections import Counter

import pytest
import torch
from tests.support.host_waits import HostWaits
from tests.support.small_sessions import FRAMES, HEIGHT, REACH, SIZE, WIDTH, video
from tests.support.small_video_models import small_video_model

from masklet import Sam2VideoInferenceSession
from masklet.processing.results import segmentation_of
from masklet.tracking.propagation import segment_frame

DEVICE = torch.device("meta")


def waits_a_frame(objects: int) -> tuple[Counter[str], Counter[str]]:
    """Of the network's step and of reading its results, on a frame whose memory bank is full."""
    model = small_video_model(image_size=SIZE, **REACH).to(DEVICE)
    session = Sam2VideoInferenceSession(video(), HEIGHT, WIDTH)
    for device in ("inference_device", "inference_state_device", "video_storage_device"):
        setattr(session, device, DEVICE)
    for number in range(objects):
        session.add_points(number + 1, 0, [(10 * number, 20)], [1])
    with HostWaits() as waits, torch.inference_mode():
        for frame in range(FRAMES - 1):
            segment_frame(model, session, frame)
        waits.counts.clear()
        output = segment_frame(model, session, FRAMES - 1)
        of_step = waits.counts.copy()
        waits.counts.clear()
        masks, scores = output.pred_masks[:, 0], output.iou_scores[:, 0]
        segmentation_of(masks, scores, output.object_ids, (HEIGHT, WIDTH))
    return of_step, waits.counts


@pytest.mark.parametrize("objects", [1, 4])
def test_a_tracked_frame_waits_for_nothing_and_its_results_are_read_at_once(objects: int) -> None:
    of_step, of_reading = waits_a_frame(objects)
    assert of_step == {"mark": 1}  # set on the frame before, behind the masks of memories that left the bank
    assert of_reading == {"mark": 1}
