"""Sessions opened and told about objects: what is queued, what it leads to, and what leaves a session as it was."""

from typing import Any

import numpy as np
import pytest
import torch
from tests.support.small_video_models import HEIGHT, SIZE, WIDTH, small_clip, small_video_model

from masklet import Sam2Processor, Sam2VideoInferenceSession, Sam2VideoModel
from masklet.errors import InvalidInputError
from masklet.tracking.frame_prompt import points_of_prompt


@pytest.fixture(scope="module")
def model() -> Sam2VideoModel:
    return small_video_model()


@pytest.fixture(scope="module")
def processor() -> Sam2Processor:
    return Sam2Processor(size=SIZE)


def state(session: Sam2VideoInferenceSession) -> dict[int, dict[int, tuple[Any, ...]]]:
    """Everything that was said in a session."""
    return {
        each.object_id: {
            frame: (
                *(each.tolist() for each in points_of_prompt(prompt)),
                None if prompt.mask is None else prompt.mask.sum(),
            )
            for frame, prompt in each.prompts.items()
        }
        for each in session.objects()
    }


def click(x: float, y: float) -> dict[str, Any]:
    return {"input_points": [[[[x, y]]]], "input_labels": [[[1]]]}


def tracked(model: Sam2VideoModel, session: Sam2VideoInferenceSession) -> torch.Tensor:
    return torch.stack([output.pred_masks for output in model.propagate_in_video_iterator(session)])


def test_a_session_knows_its_video(processor: Sam2Processor) -> None:
    session = processor.init_video_session(
        small_clip(), "cpu", max_vision_features_cache_size=3, torch_dtype=torch.bfloat16, retention="spill"
    )
    assert (session.num_frames, session.video_height, session.video_width) == (6, HEIGHT, WIDTH)
    assert (session.dtype, session.is_stream) == (torch.bfloat16, False)
    assert processor.init_video_session(dtype="float16").dtype == torch.float16
    assert processor.init_video_session().is_stream


def test_calls_before_the_model_runs_add_up(processor: Sam2Processor, model: Sam2VideoModel) -> None:
    one_by_one, at_once = (processor.init_video_session(small_clip()) for _ in range(2))
    processor.add_inputs_to_inference_session(one_by_one, 0, 1, **click(10, 20))
    processor.add_inputs_to_inference_session(one_by_one, 0, 2, **click(40, 30))
    processor.add_inputs_to_inference_session(one_by_one, 3, [1], **click(15, 25))
    processor.process_new_points_or_boxes_for_video_frame(at_once, 0, [1, 2], [[[[10, 20]], [[40, 30]]]], [[[1], [1]]])
    processor.process_new_points_or_boxes_for_video_frame(at_once, 3, [1], [[[[15, 25]]]], [[[1]]])
    assert sorted(one_by_one.obj_with_new_inputs) == [1, 2]
    assert state(one_by_one) == state(at_once)
    assert state(one_by_one)[1].keys() == {0, 3}
    first, second = tracked(model, one_by_one), tracked(model, at_once)
    assert torch.equal(first, second)
    assert one_by_one.obj_with_new_inputs == []


def test_ragged_clicks_in_one_call_are_what_separate_calls_are(processor: Sam2Processor, model: Sam2VideoModel) -> None:
    together, apart = (processor.init_video_session(small_clip()) for _ in range(2))
    processor.add_inputs_to_inference_session(
        together, 0, [1, 2], [[[[10, 20]], [[40, 30], [5, 5], [50, 8]]]], [[[1], [1, 0, 0]]]
    )
    processor.add_inputs_to_inference_session(apart, 0, 1, **click(10, 20))
    processor.add_inputs_to_inference_session(apart, 0, 2, [[[[40, 30], [5, 5], [50, 8]]]], [[[1, 0, 0]]])
    assert torch.equal(model(together, frame_idx=0).pred_masks, model(apart, frame_idx=0).pred_masks)


def test_clicks_add_to_earlier_ones_or_replace_them(processor: Sam2Processor) -> None:
    session = processor.init_video_session(small_clip())
    scale = (SIZE / WIDTH, SIZE / HEIGHT)
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20))
    processor.add_inputs_to_inference_session(session, 0, 1, **click(30, 10), clear_old_inputs=False)
    points, labels, _ = state(session)[1][0]
    assert np.allclose(points, np.array([[10, 20], [30, 10]]) * scale)
    assert labels == [1, 1]
    processor.add_inputs_to_inference_session(session, 0, 1, **click(30, 10))
    assert state(session)[1][0][1] == [1]


def test_clicks_and_a_box_together(processor: Sam2Processor) -> None:
    session = processor.init_video_session(small_clip())
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20), input_boxes=[[[5, 5, 25, 35]]])
    assert state(session)[1][0][1] == [2, 3, 1]


def test_a_mask_replaces_clicks_and_clicks_a_mask(processor: Sam2Processor) -> None:
    session, mask = processor.init_video_session(small_clip()), np.zeros((HEIGHT, WIDTH), bool)
    mask[5:30, 10:40] = True
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20))
    processor.process_new_mask_for_video_frame(session, 0, [1], mask)
    points, _, area = state(session)[1][0]
    assert points == []
    assert area == round(mask.mean() * SIZE * SIZE)
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20))
    assert state(session)[1][0][2] is None


def test_the_callers_list_of_objects_stays_as_it_is(processor: Sam2Processor, model: Sam2VideoModel) -> None:
    session, object_ids = processor.init_video_session(small_clip()), [3, 9]
    processor.add_inputs_to_inference_session(session, 0, object_ids, [[[[10, 20]], [[30, 30]]]], [[[1], [1]]])
    model(session, frame_idx=0)
    object_ids.append(4)
    assert session.obj_ids == [3, 9]


def test_an_absent_object_can_appear_later(processor: Sam2Processor, model: Sam2VideoModel) -> None:
    session = processor.init_video_session(small_clip())
    processor.process_new_mask_for_video_frame(session, 0, [1], np.zeros((HEIGHT, WIDTH), bool))
    output = model(session, frame_idx=0)
    assert output.object_score_logits.item() < 0
    assert (output.pred_masks < 0).all()
    processor.add_inputs_to_inference_session(session, 2, [1], **click(10, 20))
    assert model(session, frame_idx=2).object_score_logits.item() != output.object_score_logits.item()


def test_a_stream_takes_its_size_from_the_first_call(processor: Sam2Processor) -> None:
    session = processor.init_video_session()
    with pytest.raises(InvalidInputError, match="not known yet; push the first one, or give original_size"):
        processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20))
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20), original_size=torch.tensor([20, 30]))
    assert (session.video_height, session.video_width) == (20, 30)
    processor.add_inputs_to_inference_session(session, 0, 2, **click(10, 20))
    assert state(session)[1] == state(session)[2]
    with pytest.raises(InvalidInputError, match=r"original_size is \(30, 20\), but the frames of this session are"):
        processor.add_inputs_to_inference_session(session, 0, 2, **click(10, 20), original_size=(30, 20))


MASK = np.ones((HEIGHT, WIDTH), bool)


@pytest.mark.parametrize(
    ("frame", "obj_ids", "given", "message"),
    [
        (6, 1, click(1, 1), "There is no frame 6; the frames are 0 to 5"),
        (-1, 1, click(1, 1), "There is no frame -1; the frames are 0 to 5"),
        (0.5, 1, click(1, 1), "The frame must be a whole number; got 0.5"),
        (0, [1, 2], click(1, 1), "2 object ids"),
        (0, [2, 2], {"input_boxes": [[[1, 1, 9, 9]] * 2]}, "obj_ids must be different"),
        (0, 1, click(WIDTH + 1, 1), "is outside its image"),
        (0, 1, click(-10, -10), r"Point \(-10, -10\) .* is outside its image"),
        (0, 1, {"input_masks": MASK.T}, "A mask has 40 x 60 pixels, but the video 60 x 40"),
        (0, 1, {"input_masks": MASK, **click(1, 1)}, "A mask is given alone"),
        (0, 1, {"input_boxes": [[[1, 1, 9, 9]]], "clear_old_inputs": False}, "give it with clear_old_inputs=True"),
        (0, [7, 8], {"input_points": [[[[1, 1]], []]], "input_labels": [[[1], []]]}, "Object 8: The prompt is empty"),
        (0, 1, {**click(1, 1), "original_size": (3, 4)}, r"original_size is \(3, 4\), but"),
        (0, 1, {**click(1, 1), "original_size": "large"}, "original_size must be"),
    ],
)
def test_a_refused_call_changes_nothing(
    processor: Sam2Processor, frame: Any, obj_ids: Any, given: dict[str, Any], message: str
) -> None:
    session = processor.init_video_session(small_clip())
    processor.add_inputs_to_inference_session(session, 2, 5, **click(10, 20))
    before = state(session)
    with pytest.raises(InvalidInputError, match=message):
        processor.add_inputs_to_inference_session(session, frame, obj_ids, **given)
    assert state(session) == before
    assert (session.video_height, session.video_width) == (HEIGHT, WIDTH)


@pytest.mark.parametrize(("video", "message"), [([], "The video has no frames"), (np.zeros((3, 4)), "A video must be")])
def test_no_session_without_frames(processor: Sam2Processor, video: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        processor.init_video_session(video)


def test_a_video_of_one_frame(processor: Sam2Processor, model: Sam2VideoModel) -> None:
    session = processor.init_video_session(small_clip(frames=1))
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20))
    assert len(tracked(model, session)) == 1


def test_a_frame_of_another_size_stops_tracking_there(processor: Sam2Processor, model: Sam2VideoModel) -> None:
    clip = list(small_clip())
    clip[4] = clip[4][:, :30]
    session = processor.init_video_session(clip)
    processor.add_inputs_to_inference_session(session, 0, 1, **click(10, 20))
    outputs = model.propagate_in_video_iterator(session)
    assert [next(outputs).frame_idx for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(InvalidInputError, match="Frame 4 has 30 x 40 pixels, the video's first one 60 x 40"):
        next(outputs)
    assert session.output(1, 3) is not None
