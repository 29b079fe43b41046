"""From names to runtimes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.support.small_video_models import SIZE, small_video_model

from masklet import ImageSegmenter, Sam2Processor, VideoTracker
from masklet.cli.model_options import load_tracker, runtime_asked_for
from masklet.errors import InvalidInputError
from masklet.runtimes.compiled import CompiledForward
from masklet.runtimes.names import RuntimeName
from masklet.runtimes.opening import for_inference, network_at


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    small_video_model().save_pretrained(path)
    Sam2Processor(size=SIZE).save_pretrained(path)
    return path


@pytest.mark.filterwarnings("default")  # torch's compiler uses what torch itself has deprecated
@pytest.mark.parametrize("is_compiled", [True, False])
def test_compiled_by_option_or_as_it_is(folder: Path, is_compiled: bool) -> None:
    for tracker in (
        VideoTracker.from_pretrained(folder, runtime="compiled" if is_compiled else "eager"),
        load_tracker(str(folder), "cpu", runtime=runtime_asked_for(RuntimeName.AUTO, is_compiled)),
    ):
        assert isinstance(tracker.runtime.memory_encoder.forward, CompiledForward) is is_compiled
        assert tracker.model is tracker.runtime
    segmenter = ImageSegmenter.from_pretrained(folder, runtime="compiled" if is_compiled else "eager")
    assert isinstance(segmenter.runtime.mask_decoder.forward, CompiledForward) is is_compiled


@pytest.mark.parametrize(("preset", "is_rounded"), [("exact", False), ("balanced", True), ("fast", True)])
def test_a_gpu_rounds_the_factors_of_convolutions_where_the_preset_may_round(
    preset: str, is_rounded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that is there, which no GPU has to be for."""
    config = SimpleNamespace(image_size=SIZE)
    network = SimpleNamespace(device=torch.device("cuda"), config=config, resize=lambda size: None)
    kind: Any = SimpleNamespace(from_pretrained=lambda source, **options: network)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", not is_rounded)
    network_at(preset, kind, None, {"device": "cuda"})
    assert torch.backends.cudnn.allow_tf32 is is_rounded


def test_unknown_runtimes_are_refused_before_anything_is_loaded() -> None:
    with pytest.raises(InvalidInputError, match=r"runtime must be one of \['eager', .*\]; got 'onnx'"):
        VideoTracker.from_pretrained("no such folder", runtime="onnx")


def test_a_network_stops_training() -> None:
    network = small_video_model().train()
    assert not for_inference(network).training


def test_two_runtimes_at_once_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="--compile is --runtime compiled; got --runtime openvino"):
        runtime_asked_for(RuntimeName.OPENVINO, is_compiled=True)
