"""`VideoTracker`: the same numbers as the classes beneath it, in the order and pixels that a program wants."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.support.shade_runtime import SIZE as SHADES
from tests.support.shade_runtime import ShadeRuntime
from tests.support.small_video_models import HEIGHT, SIZE, WIDTH, small_clip, small_video_model

from masklet import ImageSegmenter, Prompt, Sam2Processor, VideoTracker
from masklet.errors import CheckpointError, InvalidInputError
from masklet.masks.segmentation import Segmentation
from masklet.runtimes import opening

FAST_SIZE = 32  # half of SIZE, as far as there is such a size


@pytest.fixture(scope="module")
def tracker() -> VideoTracker:
    return VideoTracker(small_video_model(), Sam2Processor(size=SIZE))


def numbers(results: Any) -> list[int]:
    return [number for number, _ in results]


def test_tracking_is_what_the_model_does(tracker: VideoTracker) -> None:
    video = tracker.open(small_clip())
    video.add(1, 0, points=[[10, 20]])
    video.add(2, 0, points=[[40, 30], [5, 5]], labels=[1, 0], box=(20, 10, 50, 38))
    results = dict(video.track())

    session = tracker.processor.init_video_session(small_clip())
    tracker.processor.add_inputs_to_inference_session(session, 0, 1, [[[[10, 20]]]], [[[1]]])
    tracker.processor.add_inputs_to_inference_session(
        session, 0, 2, [[[[40, 30], [5, 5]]]], [[[1, 0]]], [[[20, 10, 50, 38]]]
    )
    for output in tracker.model.propagate_in_video_iterator(session):
        result = results[output.frame_idx]
        assert result.object_ids == (1, 2)
        assert np.array_equal(result.masks, (output.video_res_masks[:, 0] > 0).numpy())
        assert np.array_equal(result.low_resolution_logits, output.pred_masks[:, 0].numpy())
        assert np.allclose(result.scores, output.iou_scores[:, 0])
    assert len(results) == 6


@pytest.mark.parametrize(
    ("direction", "frames", "expected"),
    [
        ("forward", None, [2, 3, 4, 5]),
        ("backward", None, [4, 3, 2, 1, 0]),
        ("both", None, [2, 3, 4, 5, 1, 0]),
        ("forward", range(1, 4), [2, 3]),
        ("forward", range(3, 5), [3, 4]),
        ("forward", range(2), [1]),
        ("backward", range(1, 3), [2, 1]),
        ("backward", range(5, 6), [5]),
        ("both", range(1, 4), [2, 3, 1]),
    ],
)
def test_order_of_frames(tracker: VideoTracker, direction: Any, frames: range | None, expected: list[int]) -> None:
    video = tracker.open(small_clip())
    video.add(1, 4, points=[[10, 20]])
    video.add(1, 2, points=[[10, 20]])
    assert video.prompted_frames == [2, 4]
    assert numbers(video.track(direction, frames)) == expected


def test_backwards_the_later_frames_are_remembered(tracker: VideoTracker) -> None:
    video = tracker.open(small_clip())
    video.add(1, 5, points=[[10, 20]])
    session = tracker.processor.init_video_session(small_clip())
    tracker.processor.add_inputs_to_inference_session(session, 5, 1, [[[[10, 20]]]], [[[1]]])
    outputs = tracker.model.propagate_in_video_iterator(session, reverse=True)
    for (_, result), output in zip(video.track("backward"), outputs, strict=True):
        assert np.array_equal(result.low_resolution_logits, output.pred_masks[:, 0].numpy())


def test_prompts_may_come_while_tracking(tracker: VideoTracker) -> None:
    video = tracker.open(small_clip())
    video.add(1, 0, points=[[10, 20]])
    found = []
    for number, result in video.track():
        found.append(result.object_ids)
        if number == 2:
            video.add(2, 3, box=(5, 5, 30, 30))
    assert found == [(1,)] * 3 + [(1, 2)] * 3


def test_objects_come_and_go(tracker: VideoTracker) -> None:
    video = tracker.open(small_clip())
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:30, 10:40] = True
    video.add(1, 0, points=[[10, 20]])
    video.add(2, 0, mask=mask)
    assert video.object_ids == (1, 2)
    shown = video.segment(0)
    assert (shown.masks[1] == mask).mean() > 0.95
    video.add(1, 0, points=[[5, 5]], labels=[0], keep_earlier=True)
    assert not np.array_equal(video.segment(0).masks[0], shown.masks[0])
    video.remove(2)
    assert video.segment(0).object_ids == (1,)
    video.add(1, 3, points=[[20, 20]])
    video.clear(1, 0)
    assert video.prompted_frames == [3]
    video.reset()
    assert video.object_ids == ()


def test_an_absent_object_scores_nothing(tracker: VideoTracker) -> None:
    video = tracker.open(small_clip())
    video.add(1, 0, mask=np.zeros((HEIGHT, WIDTH), bool))
    result = video.segment(0)
    assert (result.areas.tolist(), result.scores.tolist()) == ([0], [0.0])


def test_a_stream_tracks_as_the_video_does(tracker: VideoTracker) -> None:
    clip = small_clip(frames=16)
    whole, stream = tracker.open(clip), tracker.open()
    whole.add(1, 1, points=[[10, 20]])
    expected = dict(whole.track())
    first = stream.push(clip[0])
    assert (first[0], first[1].masks.shape) == (0, (0, HEIGHT, WIDTH))
    assert isinstance(first[1], Segmentation)
    stream.add(1, 1, points=[[10, 20]])  # of the frame to come
    for image in clip[1:]:
        number, result = stream.push(image)
        logits = expected[number].low_resolution_logits
        assert logits is not None
        assert result.low_resolution_logits is not None
        assert np.abs(result.low_resolution_logits - logits).max() < 1e-4
    assert len(stream) == 16
    stream.add(2, 14, box=(5, 5, 30, 30))
    assert stream.segment(15).object_ids == (1, 2)
    assert np.array_equal(stream.segment(3).masks[0], expected[3].masks[0])  # of a frame that was dropped


def test_a_frame_of_several_streams_is_encoded_once() -> None:
    tracker = VideoTracker(ShadeRuntime(), Sam2Processor(size=SHADES))
    frames = [np.full((SHADES, SHADES, 3), 40 + 10 * shade, dtype=np.uint8) for shade in range(3)]
    streams, alone = [tracker.open() for _ in range(3)], tracker.open()
    for number, frame in enumerate(frames):
        encoded = tracker.encode(frame)
        found = [stream.push(encoded)[1] for stream in streams]
        _, expected = alone.push(frame)
        for each in found:
            np.testing.assert_array_equal(each.masks, expected.masks)
        for stream in [*streams, alone] if number == 0 else []:
            stream.add(1, 0, points=[(5, 5)])
            stream.segment(0)
    assert tracker.runtime.encoded == 2 * len(frames), "those of the stream that encodes by itself, and the shared ones"


def test_an_encoded_frame_keeps_its_pixels_and_streams_share_them() -> None:
    tracker = VideoTracker(ShadeRuntime(), Sam2Processor(size=SHADES))
    image = np.full((SHADES, SHADES, 3), 40, dtype=np.uint8)
    expected = tracker.processor(images=image, return_tensors="pt")["pixel_values"][0]
    encoded, streams = tracker.encode(image), [tracker.open(), tracker.open()]
    image[:] = 200
    for stream in streams:
        stream.push(encoded)
    kept = [stream.session.get_frame(0) for stream in streams]
    assert kept[0] is kept[1]
    for pixels in (kept[0], encoded.frame.pixels(torch.device("cpu", 0))):  # the latter made anew, of its bytes
        assert torch.equal(pixels, expected)


def test_an_encoded_frame_is_no_image_to_encode(tracker: VideoTracker) -> None:
    encoded = tracker.encode(small_clip()[0])
    with pytest.raises(InvalidInputError, match=r"An image must be a PIL image.* got EncodedFrame"):
        tracker.encode(encoded)


def test_a_stream_keeps_one_size_and_few_frames(tracker: VideoTracker) -> None:
    clip = small_clip(frames=12)
    stream = tracker.open()
    for image in clip:
        stream.push(image)
    with pytest.raises(InvalidInputError, match="The frame has 30 x 40 pixels, those before it 60 x 40"):
        stream.push(clip[0][:, :30])
    with pytest.raises(InvalidInputError, match="Frame 1 of the stream was dropped"):
        stream.add(1, 1, points=[[10, 20]])
    assert (len(stream), stream.object_ids) == (12, ())
    with pytest.raises(InvalidInputError, match="give them to push"):
        stream.track()


def test_several_images_are_not_one_frame_of_a_stream(tracker: VideoTracker) -> None:
    clip = small_clip()
    stream = tracker.open()
    stream.push(clip[:1])
    for images in (clip[:2], list(clip[:3]), torch.from_numpy(clip[:2]).permute(0, 3, 1, 2)):
        with pytest.raises(InvalidInputError, match=f"pushed one by one; got {len(images)} images at once"):
            stream.push(images)
    assert len(stream) == 1


def test_a_prompt_is_what_its_parts_are(tracker: VideoTracker) -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:30, 10:40] = True
    one, other, twice = (tracker.open(small_clip()) for _ in range(3))
    for video in (one, other):
        video.add(1, 0, points=[[40, 30], [5.5, 5]], labels=[1, 0], box=[20, 10, 50, 38])
    one.add(2, 0, points=[[12, 7]], labels=[0], mask=mask)
    other.add(2, 0, Prompt([[12, 7]], [0], mask=mask))
    twice.add(1, 0, Prompt([[40, 30], [5.5, 5]], [1, 0], [20, 10, 50, 38]))
    twice.add(2, 0, mask=mask)
    twice.add(2, 0, points=[[12, 7]], labels=[0], keep_earlier=True)
    expected = one.segment(0)
    for video in (other, twice):
        found = video.segment(0)
        np.testing.assert_array_equal(found.low_resolution_logits, expected.low_resolution_logits)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda video: video.add(0, 0, points=[[1, 1]]), "Objects are numbered from 1; got object 0"),
        (lambda video: video.add("one", 0, points=[[1, 1]]), "Objects are numbered from 1; got object 'one'"),
        (lambda video: video.add(1, 6, points=[[1, 1]]), "There is no frame 6"),
        (lambda video: video.add(1, 0, points=[[-10, -10]]), r"point \(-10, -10\) is outside its image"),
        (lambda video: video.add(1, 0, points=[[5, 5], [-10, -10]], labels=[1, 0]), "is outside its image"),
        (
            lambda video: video.add(1, 0, mask=np.ones((60, 40), bool)),
            "A mask has 40 x 60 pixels, but the video 60 x 40",
        ),
        (lambda video: video.add(1, 0), "No prompt is given"),
        (lambda video: video.add(1, 0, points=5), r"points must have the shape \[n, 2\]; got \[\]"),
        (lambda video: video.add(1, 0, Prompt()), "No prompt is given"),
        (lambda video: video.add(1, 0, Prompt([[1, 1]]), box=[1, 1, 9, 9]), "not both"),
        (lambda video: video.add(1, 0, box=[1, 1, 9, 9], mask=np.ones((40, 60))), "A box and a mask both begin"),
        (
            lambda video: video.add(1, 0, points=[[1, 1]], labels=[1, 0]),
            r"1 points need labels of the shape \[1\]; got \[2\]",
        ),
        (lambda video: video.track(), "No object has a prompt yet"),
        (lambda video: video.track(objects=1), "Object ids are a list of whole numbers above 0; got 1"),
        (lambda video: video.add(1, 0, [(30, 20)]), "A prompt is a Prompt"),
        (lambda video: video.track("up"), "direction must be one of"),
        (lambda video: video.track(frames=range(3, 9)), r"frames must be within range\(0, 6\)"),
        (lambda video: video.track(frames=range(0, 6, 2)), "in steps of 1"),
        (lambda video: video.track(frames=range(3, 3)), r"frames must be within range\(0, 6\)"),
        (lambda video: video.track(frames=[1, 2]), r"frames must be within range\(0, 6\)"),
        (lambda video: video.remove(4), "4"),
        (lambda video: video.clear(4, 0), "4"),
        (lambda video: video.segment(0), "There is no object to track"),
        (lambda video: video.push(small_clip()[0]), "frames are pushed to a session that was made without"),
    ],
)
def test_what_cannot_be_done(tracker: VideoTracker, call: Any, message: str) -> None:
    video = tracker.open(small_clip())
    with pytest.raises(InvalidInputError, match=message):
        call(video)
    assert (video.object_ids, len(video)) == ((), 6)


def test_unknown_options_are_named(tracker: VideoTracker) -> None:
    with pytest.raises(InvalidInputError, match=r"no option retain; there are dtype, .*, retention, "):
        tracker.open(small_clip(), retain="window")


def test_a_saved_video_goes_on_as_if_nothing_had_happened(tracker: VideoTracker, tmp_path: Path) -> None:
    video = tracker.open(small_clip())
    video.add(1, 0, points=[[10, 20]])
    assert numbers(video.track(frames=range(3))) == [0, 1, 2]
    video.add(2, 1, box=(5, 5, 30, 30))
    video.save(tmp_path / "session")
    resumed = tracker.resume(tmp_path / "session", list(small_clip()))
    assert (resumed.object_ids, resumed.prompted_frames) == ((1, 2), [0, 1])
    both = zip(video.track(frames=range(3, 6)), resumed.track(frames=range(3, 6)), strict=True)
    for (number, result), (resumed_number, resumed_result) in both:
        assert number == resumed_number
        assert np.array_equal(result.low_resolution_logits, resumed_result.low_resolution_logits)


def test_prompts_to_draw_are_those_that_stand_also_of_a_saved_video(tracker: VideoTracker, tmp_path: Path) -> None:
    video = tracker.open(small_clip())
    video.add(2, 1, points=[[10.5, 20]])
    video.add(1, 1, points=[[5, 6], [7, 8]], labels=[0, 1], box=(1, 2, 30, 38))
    video.add(1, 3, mask=np.ones((HEIGHT, WIDTH), bool))
    video.add(2, 1, points=[[12, 22]], labels=[0], keep_earlier=True)
    video.add(3, 2, points=[[1, 1]])
    video.remove(3)
    expected = {
        1: ([(5, 6, 0), (7, 8, 1), (10.5, 20, 1), (12, 22, 0)], [(1, 2, 30, 38)]),
        3: ([], []),
    }
    assert video.drawn_prompts() == expected
    video.save(tmp_path / "session")
    assert tracker.resume(tmp_path / "session", small_clip()).drawn_prompts() == expected
    stream = tracker.open()
    assert stream.drawn_prompts() == {}


def test_a_saved_video_belongs_to_its_model_and_its_frames(tracker: VideoTracker, tmp_path: Path) -> None:
    video = tracker.open(small_clip())
    video.add(1, 0, points=[[10, 20]])
    video.save(tmp_path)
    with pytest.raises(InvalidInputError, match="another model"):
        VideoTracker(small_video_model(seed=1), tracker.processor).resume(tmp_path, small_clip())
    with pytest.raises(InvalidInputError, match="another video"):
        tracker.resume(tmp_path, small_clip(frames=5))
    with pytest.raises(InvalidInputError, match="give its video"):
        tracker.resume(tmp_path)
    with pytest.raises(CheckpointError, match="no readable session"):
        tracker.resume(tmp_path / "elsewhere", small_clip())


def test_loading(tmp_path: Path) -> None:
    small_video_model().save_pretrained(tmp_path)
    Sam2Processor(size=32).save_pretrained(tmp_path)
    tracker = VideoTracker.from_pretrained(tmp_path, dtype=torch.float64)
    assert tracker.processor.image_processor.size == {"height": SIZE, "width": SIZE}
    video = tracker.open(small_clip(), retention="spill")
    assert video.session.dtype == torch.float64
    video.add(1, 0, points=[[10, 20]])
    assert len(list(video.track())) == 6


def test_presets_halve_the_size_and_round_where_that_is_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_video_model().save_pretrained(tmp_path)
    Sam2Processor(size=SIZE).save_pretrained(tmp_path)
    monkeypatch.setattr(opening, "is_bfloat16_faster", lambda device: True)

    def loaded(**options: Any) -> tuple[int, torch.dtype]:
        tracker = VideoTracker.from_pretrained(tmp_path, **options)
        segmenter = ImageSegmenter.from_pretrained(tmp_path, **options)
        assert segmenter.encode(Image.new("RGB", (40, 30))).embeddings[0].dtype == tracker.model.dtype
        assert segmenter.model.config.image_size == tracker.model.config.image_size
        return tracker.model.config.image_size, tracker.model.dtype

    assert loaded() == loaded(preset="exact") == (SIZE, torch.float32)
    assert loaded(preset="balanced") == (SIZE, torch.bfloat16)
    assert loaded(preset="fast") == (FAST_SIZE, torch.bfloat16)
    assert loaded(preset="fast", dtype="float32", image_size=SIZE) == (SIZE, torch.float32)
    monkeypatch.setattr(opening, "is_bfloat16_faster", lambda device: False)
    assert loaded(preset="fast") == (FAST_SIZE, torch.float32)
    with pytest.raises(InvalidInputError, match=r"preset must be one of \['exact', .*\]; got 'fastest'"):
        loaded(preset="fastest")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_fast_tracks_as_a_model_of_that_size_does(tmp_path: Path, dtype: str) -> None:
    small_video_model().save_pretrained(tmp_path)
    Sam2Processor(size=SIZE).save_pretrained(tmp_path)

    def masks(**options: Any) -> list[np.ndarray]:
        video = VideoTracker.from_pretrained(tmp_path, dtype=dtype, **options).open(small_clip())
        video.add(1, 0, points=[[10, 20]])
        return [result.low_resolution_logits for _, result in video.track()]

    fast = masks(preset="fast")
    assert fast[0].shape == (1, FAST_SIZE // 4, FAST_SIZE // 4)
    assert all(np.array_equal(*pair) for pair in zip(fast, masks(image_size=FAST_SIZE), strict=True))
