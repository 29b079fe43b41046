"""The same scenarios in every runtime: what the network finds, a runtime of its graphs finds as well."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.small_video_models import HEIGHT, WIDTH, small_clip

from masklet import AutomaticMaskGenerator, ImageSegmenter, Segmentation, TrackedVideo, VideoTracker, ZoomingSegmenter
from masklet.errors import CheckpointError, InvalidInputError
from masklet.runtimes import opening
from masklet.runtimes.exported import ExportedRuntime
from masklet.runtimes.names import Precision

IMAGE = small_clip(frames=1)[0]
MASK = np.zeros((HEIGHT, WIDTH), bool)
MASK[5:30, 10:40] = True
FRAMES = 5

Folders = tuple[Path, Path]


@pytest.fixture(params=["onnxruntime", "openvino"])
def runtime(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip(name, reason=f"pip install 'masklet[{name}]'")
    return name


def assert_same(found: Segmentation, expected: Segmentation) -> None:
    assert found.object_ids == expected.object_ids
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    if expected.low_resolution_logits is not None:
        largest = np.abs(expected.low_resolution_logits).max()
        np.testing.assert_allclose(found.low_resolution_logits, expected.low_resolution_logits, atol=1e-4 * largest)
    assert (found.masks == expected.masks).mean() > 0.999


def clicked_boxed_and_refined(segmenter: ImageSegmenter) -> Segmentation:
    encoded = segmenter.encode(IMAGE)
    clicks = segmenter.segment(encoded, points=[[(10, 20)], [(30, 10), (5, 5)], [(50, 30)]])
    boxes = segmenter.segment(encoded, boxes=[(5, 5, 30, 30)])
    refined = segmenter.segment(encoded, points=[[(12, 22)]] * 3, masks=clicks.low_resolution_logits)
    ids = iter(range(1, 8))
    parts = (clicks, boxes, refined)
    return Segmentation.joined([each.taken(range(len(each)), [next(ids) for _ in range(len(each))]) for each in parts])


def in_enlarged_crops(segmenter: ImageSegmenter) -> Segmentation:
    segmenter = ZoomingSegmenter(segmenter.runtime, segmenter.processor)
    return segmenter.segment(segmenter.encode(IMAGE), boxes=[(20, 10, 28, 18)])


def everything(segmenter: ImageSegmenter) -> Segmentation:
    settings = {"points_per_side": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}
    return AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, **settings).generate(IMAGE)


@pytest.mark.parametrize("scenario", [clicked_boxed_and_refined, in_enlarged_crops, everything])
def test_images(exported_model: Folders, runtime: str, scenario: Callable[[ImageSegmenter], Segmentation]) -> None:
    checkpoint, graphs = exported_model
    expected = scenario(ImageSegmenter.from_pretrained(checkpoint))
    assert len(expected)
    assert_same(scenario(ImageSegmenter.from_pretrained(graphs, runtime=runtime)), expected)


def prompted(tracker: VideoTracker) -> TrackedVideo:
    video = tracker.open(small_clip(frames=FRAMES))
    video.add(1, 0, points=[(10, 20)])
    video.add(2, 0, box=(5, 5, 30, 30))
    video.add(3, 0, mask=MASK)
    return video


def test_videos(exported_model: Folders, runtime: str) -> None:
    """Three kinds of prompts, one object later, and a correction, with memories."""
    results = []
    for source, name in zip(exported_model, ("eager", runtime), strict=True):
        video = prompted(VideoTracker.from_pretrained(source, runtime=name))
        frames = list(video.track(frames=range(2)))
        video.add(4, 1, points=[(50, 30)])
        frames += video.track()
        video.add(1, 3, points=[(12, 22)], labels=[0])
        results.append([*frames, *video.track()])
    for (number, found), (expected_number, expected) in zip(*reversed(results), strict=True):
        assert number == expected_number
        assert_same(found, expected)


def test_a_session_goes_on_in_another_runtime(exported_model: Folders, runtime: str, tmp_path: Path) -> None:
    checkpoint, graphs = exported_model
    eager = VideoTracker.from_pretrained(checkpoint)
    other = VideoTracker.from_pretrained(graphs, runtime=runtime)
    expected = dict(prompted(eager).track())
    for place, (first, second) in enumerate([(eager, other), (other, eager)]):
        video = prompted(first)
        list(video.track(frames=range(2)))
        video.save(tmp_path / str(place))
        resumed = second.resume(tmp_path / str(place), small_clip(frames=FRAMES))
        for number, found in resumed.track(frames=range(2, FRAMES)):
            assert_same(found, expected[number])


def test_threads_share_a_runtime_and_own_its_results(exported_model: Folders, runtime: str) -> None:
    segmenter = ImageSegmenter.from_pretrained(exported_model[1], runtime=runtime)
    images = small_clip(frames=8)
    expected = [segmenter.encode(image).embeddings for image in images]
    kept = [[level.clone() for level in each] for each in expected]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda image: segmenter.encode(image).embeddings, images))
    for of_threads, alone, copies in zip(found, expected, kept, strict=True):
        assert all(map(torch.equal, alone, copies))  # no later call has written there
        for level, other in zip(of_threads, alone, strict=True):
            torch.testing.assert_close(level, other, rtol=1e-5, atol=1e-5)


def test_frames_of_several_objects(exported_model: Folders, runtime: str) -> None:
    """The graphs take one frame; verbs take one an object, too."""
    tracker, eager = (VideoTracker.from_pretrained(each).runtime for each in reversed(exported_model))
    generator = torch.Generator().manual_seed(0)
    frames, logits = torch.randn(2, 64, 6, 6, generator=generator), torch.randn(2, 24, 24, generator=generator)
    arguments = (frames, logits, torch.ones(2), torch.tensor([True, False]))
    torch.testing.assert_close(
        tracker.encode_memory(*arguments), eager.encode_memory(*arguments).detach(), rtol=1e-4, atol=1e-4
    )


def test_auto_takes_what_is_there(exported_model: Folders) -> None:
    pytest.importorskip("openvino", reason="pip install 'masklet[openvino]'")
    runtime = ImageSegmenter.from_pretrained(exported_model[1]).runtime
    assert isinstance(runtime, ExportedRuntime)
    assert (runtime.name, runtime.precision) == ("openvino", Precision.FLOAT32)


def test_bfloat16_is_another_model(exported_model: Folders) -> None:
    pytest.importorskip("openvino", reason="pip install 'masklet[openvino]'")
    exact, rounded = (
        ImageSegmenter.from_pretrained(exported_model[1], runtime="openvino", dtype=dtype)
        for dtype in ("float32", "bfloat16")
    )
    assert exact.runtime.fingerprint != rounded.runtime.fingerprint
    for level, other in zip(*(each.encode(IMAGE).embeddings for each in (exact, rounded)), strict=True):
        assert not torch.equal(level, other)
        assert torch.cosine_similarity(level.flatten(), other.flatten(), dim=0) > 0.98


@pytest.mark.parametrize(
    ("which", "options", "message"),
    [
        (0, {"runtime": "openvino"}, "runs graphs: write them by `masklet export MODEL -o FOLDER`"),
        (1, {"runtime": "eager"}, r"the runtimes \['openvino', 'onnxruntime'\] run them, and not 'eager'"),
        (1, {"runtime": "onnxruntime", "dtype": "bfloat16"}, "has no bfloat16 on processors"),
        (1, {"dtype": "float16"}, "compute in float32 or bfloat16"),
        (1, {"image_size": 128}, "take images of 96 pixels"),
        (1, {"strict": False}, r"takes the options .* got \['strict'\]"),
        (1, {"runtime": "torchscript"}, "runtime must be one of"),
    ],
)
def test_what_does_not_go_together(
    exported_model: Folders, which: int, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        ImageSegmenter.from_pretrained(exported_model[which], **options)


def test_presets(exported_model: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="pip install 'masklet[openvino]'")
    with pytest.raises(InvalidInputError, match="take images of 96 pixels; for 32 export them with --image-size"):
        VideoTracker.from_pretrained(exported_model[1], preset="fast")
    monkeypatch.setattr(opening, "is_bfloat16_faster", lambda device: True)
    for name, precision in (("openvino", Precision.BFLOAT16), ("onnxruntime", Precision.FLOAT32)):
        tracker: VideoTracker = VideoTracker.from_pretrained(exported_model[1], preset="balanced", runtime=name)
        assert tracker.model.precision is precision


def test_changed_files_are_noticed(exported_model: Folders, runtime: str, tmp_path: Path) -> None:
    for path in exported_model[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "encode_image.onnx").write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="is missing, or not the file that was exported"):
        ImageSegmenter.from_pretrained(tmp_path, runtime=runtime).encode(IMAGE)
