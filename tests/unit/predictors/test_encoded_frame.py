"""Frames of streams are prepared as images are, but sent to the device as they came."""

import numpy as np
import pytest
import torch
from tests.support.small_video_models import SIZE, small_clip
from torch import Tensor

from masklet import Sam2Processor, transfers
from masklet.predictors.encoded_frame import prepared_frame


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_frames_are_sent_in_their_own_type_and_normalised_exactly(
    dtype: type[np.generic], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A processor with a queue stands for the device."""
    processor, frame = Sam2Processor(size={"height": SIZE, "width": SIZE}), small_clip(1)[0].astype(dtype)
    expected = processor(images=frame, return_tensors="pt")
    pinned: list[Tensor] = []
    monkeypatch.setattr(transfers, "HAVE_QUEUES", ("cpu",))
    monkeypatch.setattr(transfers, "_pinned", lambda tensor: pinned.append(tensor) or tensor)
    found = prepared_frame(processor, frame)
    elsewhere = torch.device("cpu", 0)  # the same memory under another name, to be sent to
    for device in (torch.device("cpu"), elsewhere):
        assert torch.equal(found.pixels(device), expected["pixel_values"][0])
    assert found.size == tuple(expected["original_sizes"][0].tolist())
    assert [each.dtype for each in pinned if each.shape == (3, SIZE, SIZE)] == [torch.from_numpy(frame).dtype]
