"""All objects of a frame, found unit by unit in the lane of steps."""

from collections.abc import Iterator
from threading import current_thread
from typing import Any

import numpy as np
import pytest
import torch
from tests.support.checked_runtime import CheckedRuntime
from tests.support.shade_runtime import SIZE, ShadeRuntime
from tests.support.small_video_models import SIZE as SIZE_OF_MODELS
from tests.support.small_video_models import small_clip, small_video_model

from masklet import AutomaticMaskGenerator, Sam2Processor
from masklet.runtimes.protocol import MaskOutputs
from masklet.server.everything import UnitRuntime
from masklet.server.scheduler import Device


@pytest.fixture
def device() -> Iterator[Device]:
    made = Device()
    yield made
    made.close()


class NotingRuntime(ShadeRuntime):
    """Notes the threads in which it decodes."""

    threads: set[str]

    def decode(self, *arguments: Any, **options: Any) -> MaskOutputs:
        self.threads.add(current_thread().name)
        return super().decode(*arguments, **options)


def generator(runtime: Any, size: int) -> AutomaticMaskGenerator:
    """It keeps all that the random weights find."""
    thresholds = {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}
    return AutomaticMaskGenerator(runtime, Sam2Processor(size=size), points_per_side=4, **thresholds)


@pytest.mark.parametrize("has_quick_verb", [True, False])
def test_candidates_of_any_runtime_are_those_found_without_units(device: Device, has_quick_verb: bool) -> None:
    """A network has a verb for candidates; exported graphs, as which the checked one stands, do not."""
    model, image = small_video_model(), small_clip(frames=1)[0]
    runtime = model if has_quick_verb else CheckedRuntime(model)
    with torch.inference_mode():
        expected = generator(runtime, SIZE_OF_MODELS).generate(image)
    found = generator(UnitRuntime(runtime, device, "ann"), SIZE_OF_MODELS).generate(image)
    assert len(found) > 0
    assert found.run_lengths == expected.run_lengths
    assert device.units["encode"] == 1
    assert device.units["decode"] > 0


def test_the_network_is_called_in_the_lane_of_steps_only(device: Device) -> None:
    runtime = NotingRuntime()
    runtime.threads = set()
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[16:48, 16:48] = 200
    generator(UnitRuntime(runtime, device, "ann"), SIZE).generate(image)
    assert runtime.threads == {"masklet-steps"}
