"""The same scenarios in every runtime: what the network finds, a runtime of its graphs finds as well."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.support.small_video_models import HEIGHT, WIDTH, small_clip

from masklet import (
    AutomaticMaskGenerator,
    EverythingPolicy,
    ImageSegmenter,
    Segmentation,
    TrackedVideo,
    VideoTracker,
    ZoomingSegmenter,
)
from masklet.errors import CheckpointError, InvalidInputError
from masklet.runtimes import opening
from masklet.runtimes.exported import MOST_OBJECTS, ExportedRuntime, GraphRunner
from masklet.runtimes.manifest import Manifest
from masklet.runtimes.names import GraphName, Precision
from masklet.runtimes.protocol import MOST_DECODED, ObjectMemory

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


def test_small_objects_are_followed_in_enlarged_views(exported_model: Folders, runtime: str) -> None:
    results, clip = [], small_clip(frames=FRAMES).repeat(4, axis=1).repeat(4, axis=2)
    for source, name in zip(exported_model, ("eager", runtime), strict=True):
        video = VideoTracker.from_pretrained(source, runtime=name).open(clip, zoom=True)
        video.add(1, 0, box=(80, 40, 104, 64))
        video.add(2, 0, box=(0, 0, 230, 150))
        results.append(list(video.track()))
        views = [each.views for each in video.session.objects()]
        assert [list(each) for each in views] == [[0], []]
    for (_, expected), (_, found) in zip(*results, strict=True):
        assert_same(found, expected)


def test_everything_in_a_video(exported_model: Folders, runtime: str) -> None:
    results = []
    policy = EverythingPolicy(points_per_side=4, max_objects=4)
    for source, name in zip(exported_model, ("eager", runtime), strict=True):
        tracker = VideoTracker.from_pretrained(source, runtime=name)
        settings = {"points_per_side": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}
        finder = AutomaticMaskGenerator(tracker.runtime, tracker.processor, **settings)
        results.append(list(tracker.everything(small_clip(frames=FRAMES), policy, generator=finder)))
    assert any(len(found) for _, found in results[0])
    for (_, expected), (_, found) in zip(*results, strict=True):
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


class Counted:
    """A runner that notes the most rows that each graph is given at once."""

    def __init__(self, runner: GraphRunner) -> None:
        self.name, self._runner = runner.name, runner
        self.most: dict[str, int] = {}

    def run(self, graph: str, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        self.most[graph] = max(self.most.get(graph, 0), *(each.shape[0] for each in inputs))
        return self._runner.run(graph, inputs)


@torch.inference_mode()
def test_many_objects_are_computed_some_at_a_time(exported_model: Folders, runtime: str) -> None:
    eager = VideoTracker.from_pretrained(exported_model[0]).runtime
    exported: Any = VideoTracker.from_pretrained(exported_model[1], runtime=runtime).runtime
    counted = exported.runner = Counted(exported.runner)
    generator, n = torch.Generator().manual_seed(0), MOST_DECODED + 1

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    features = eager.without_memory(eager.encode_image(noise(1, 3, 96, 96)))
    an_object_each = features.conditioned(noise(n, 64, 6, 6))
    points, labels, logits = 50 + noise(n, 2, 2), torch.ones(n, 2, dtype=torch.int64), noise(n, 24, 24)
    positions = torch.zeros(n, 2, dtype=torch.int64)
    memory = ObjectMemory(noise(n, 2, 36, 32), positions, noise(n, 3, 64), noise(n, 3).abs())
    verbs: list[Callable[[Any], Sequence[torch.Tensor]]] = [
        lambda each: each.decode(features, points, labels),
        lambda each: each.decode(features, points, labels, logits),
        lambda each: each.decode(an_object_each),
        lambda each: [each.condition(features.stride16, memory)],
        lambda each: [each.encode_memory(features.stride16, logits, points[:, 0, 0], labels[:, 0] > 0)],
        lambda each: [each.embed_mask(noise(n, 96, 96).sigmoid())],
    ]
    for verb in verbs:
        state = generator.get_state()
        expected = verb(eager)
        generator.set_state(state)
        for found, other in zip(verb(exported), expected, strict=True):
            torch.testing.assert_close(found, other, rtol=1e-4, atol=1e-4 * float(other.abs().max()))
    most = {graph: MOST_OBJECTS.get(GraphName(graph), MOST_DECODED) for graph in counted.most}
    assert counted.most == most
    assert len(most) == 6


def test_images_that_another_model_encoded_are_refused(exported_model: Folders, runtime: str) -> None:
    segmenter = ImageSegmenter.from_pretrained(exported_model[1], runtime=runtime)
    larger = ImageSegmenter.from_pretrained(exported_model[0], image_size=128).encode(IMAGE)
    with pytest.raises(
        InvalidInputError, match=r"stride4 has the shape \[1, 8, 32, 32\]; the graph 'decode_image' takes"
    ):
        segmenter.segment(larger, points=[[(10, 20)]])


def test_graphs_compute_in_as_many_threads_as_torch(exported_model: Folders, runtime: str) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            torch.set_num_threads(threads)
            exported: Any = ImageSegmenter.from_pretrained(exported_model[1], runtime=runtime).runtime
            exported.encode_image(torch.zeros(1, 3, 96, 96))
            opened = exported.runner._opened["encode_image"]
            if runtime == "onnxruntime":
                assert opened.get_session_options().intra_op_num_threads == threads
            else:
                assert opened.compiled.get_property("INFERENCE_NUM_THREADS") == threads
    finally:
        torch.set_num_threads(before)


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


def test_graphs_in_int8_take_no_number_type(exported_model: Folders, tmp_path: Path, runtime: str) -> None:
    shutil.copytree(exported_model[1], tmp_path, dirs_exist_ok=True)
    replace(Manifest.read(tmp_path), precision=Precision.INT8).write(tmp_path)
    for dtype in ("float32", "bfloat16", "float16"):
        with pytest.raises(InvalidInputError, match="These graphs compute in int8 and take no dtype; got"):
            ImageSegmenter.from_pretrained(tmp_path, runtime=runtime, dtype=dtype)
    with pytest.raises(InvalidInputError, match="garbage"):
        ImageSegmenter.from_pretrained(tmp_path, runtime=runtime, dtype="garbage")
    opened = ImageSegmenter.from_pretrained(tmp_path, runtime=runtime, preset="balanced", dtype="auto")
    assert opened.runtime.precision is Precision.INT8


def test_presets(exported_model: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="pip install 'masklet[openvino]'")
    with pytest.raises(InvalidInputError, match="export them with --image-size 32, and use the preset 'balanced'"):
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
