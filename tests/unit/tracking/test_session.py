from typing import Any

import numpy as np
import pytest
import torch
from tests.support.small_sessions import FRAMES, SIZE, model, new_session, tracked

from masklet import Sam2VideoInferenceSession
from masklet.errors import InvalidInputError
from masklet.prompts.prompt import Prompt

CLICK = ([[20, 30]], [1])


def test_objects_keep_their_ids_and_their_order() -> None:
    session = new_session()
    for object_id in (7, -3, 0):
        session.add_points(object_id, 0, *CLICK)
    session.add_points(-3, 5, *CLICK)
    assert session.obj_ids == [7, -3, 0]
    assert session.get_obj_num() == 3
    assert session.obj_id_to_idx(-3) == 1
    assert session.obj_idx_to_id(2) == 0
    assert session.obj_with_new_inputs == [7, -3, 0]
    session.remove_object(7)
    assert session.obj_ids == [-3, 0]
    session.reset_inference_session()
    assert session.obj_ids == []
    assert session.num_frames == FRAMES


def test_prompts_replace_or_extend_what_was_said() -> None:
    session = new_session()
    session.add_points(1, 0, box=[1, 2, 30, 40])
    session.add_points(1, 0, [[9, 9]], [0], clear_old=False)
    prompts = session.objects()[0].prompts
    assert prompts[0] == Prompt([[9, 9]], [0], [1, 2, 30, 40])
    with pytest.raises(InvalidInputError, match="a box comes before clicks"):
        session.add_points(1, 0, box=[1, 2, 30, 40], clear_old=False)
    assert prompts[0] == Prompt([[9, 9]], [0], [1, 2, 30, 40])
    session.add_mask(1, 0, torch.eye(SIZE))
    assert not len(prompts[0].labels)
    session.add_points(1, 0, *CLICK, clear_old=False)
    assert prompts[0].mask is not None
    session.add_points(1, 0, *CLICK)
    assert prompts[0].mask is None


def test_a_mask_is_never_lost_beside_what_it_is_added_to() -> None:
    mask = Prompt(mask=np.eye(SIZE, dtype=bool))
    for earlier in (Prompt([[9, 9]]), Prompt(box=[1, 2, 30, 40]), Prompt(mask=np.ones((SIZE, SIZE), bool))):
        session = new_session()
        session.add_prompt(1, 0, earlier)
        session.add_prompt(1, 0, mask, clear_old=False)
        assert session.objects()[0].prompts[0] == mask


def test_what_is_said_again_changes_nothing() -> None:
    session = new_session()
    session.add_points(1, 0, *CLICK)
    model()(session, frame_idx=0)
    session.add_points(1, 0, *CLICK)
    assert session.obj_with_new_inputs == []
    session.add_points(1, 0, *CLICK, clear_old=False)  # the same click twice is another prompt
    assert session.obj_with_new_inputs == [1]


def test_stored_masks_have_the_size_of_the_video() -> None:
    session = new_session()
    session.add_points(1, 2, *CLICK)
    logits = tracked(session, 2)
    outputs = [session.output(1, frame) for frame in range(2, FRAMES)]
    for frame, output in enumerate(outputs, start=2):
        assert output is not None
        assert output.mask.shape == (30, 50)
        assert output.mask.any() == bool((logits[frame] > 0).any())
    assert session.output(1, 0) is None
    assert sorted(session.objects()[0].bank.results) == [6, 7, 8, 9]  # beyond reach of frames 2 and 13


@pytest.mark.parametrize("retention", ["window", "spill"])
def test_the_last_results_are_kept(retention: str) -> None:
    session = new_session(retention=retention, max_results=2)
    session.add_points(1, 2, *CLICK)
    tracked(session, 2)
    assert sorted(session.objects()[0].bank.results) == [8, 9]
    assert (session.output(1, 7) is not None) == (retention == "spill")


@pytest.mark.parametrize(
    ("option", "least"), [("max_stream_frames", 1), ("max_vision_features_cache_size", 0), ("max_results", 0)]
)
def test_options_that_keep_too_little(option: str, least: int) -> None:
    options: dict[str, Any] = {option: least - 1}
    with pytest.raises(InvalidInputError, match=f"{option} is {least - 1}; it must be at least {least}"):
        Sam2VideoInferenceSession(**options)


def test_a_video_without_frames() -> None:
    with pytest.raises(InvalidInputError, match="no frames"):
        Sam2VideoInferenceSession(torch.zeros(0, 3, SIZE, SIZE))


def test_a_video_of_one_frame() -> None:
    session = Sam2VideoInferenceSession(torch.randn(1, 3, SIZE, SIZE), 10, 12)
    session.add_points(1, 0, *CLICK)
    assert list(tracked(session)) == [0]


@pytest.mark.parametrize("frame", [-1, FRAMES, 1.5])
def test_frames_that_are_not_there(frame: int) -> None:
    session = new_session()
    with pytest.raises(InvalidInputError, match="frame"):
        session.add_points(1, frame, *CLICK)
    with pytest.raises(InvalidInputError, match="frame"):
        session.add_mask(1, frame, torch.eye(SIZE))
    assert session.obj_ids == []
    with pytest.raises(InvalidInputError, match="There is no frame"):
        session.frames.check(frame)


def test_objects_that_are_not_there() -> None:
    session = new_session()
    session.add_points(3, 0, *CLICK)
    with pytest.raises(InvalidInputError, match=r"no object 5; the objects are \[3\]"):
        session.remove_object(5)
    with pytest.raises(InvalidInputError, match="no object 5"):
        session.clear_prompts(5, 0)
    with pytest.raises(InvalidInputError, match="no object 5"):
        session.output(5, 0)
    with pytest.raises(InvalidInputError, match=r"Object 3 has no prompt on frame 4.*\[0\]"):
        session.clear_prompts(3, 4)
    with pytest.raises(InvalidInputError, match=r"object id must be a whole number from .* got 'cat'"):
        session.add_points("cat", 0, *CLICK)  # type: ignore[arg-type]
    assert session.obj_ids == [3]


def test_a_mask_of_another_size() -> None:
    session = new_session()
    with pytest.raises(InvalidInputError, match=r"\[32, 32\] pixels; the frames have \[64, 64\]"):
        session.add_mask(1, 0, torch.eye(32))
    assert session.obj_ids == []


def test_frames_are_not_pushed_to_a_video() -> None:
    with pytest.raises(InvalidInputError, match="made without"):
        new_session().add_new_frame(torch.zeros(3, SIZE, SIZE))


def test_a_video_that_ends_early() -> None:
    class Cut(list[torch.Tensor]):
        def __len__(self) -> int:
            return 5

    session = Sam2VideoInferenceSession(Cut(torch.randn(3, 3, SIZE, SIZE)), 10, 12)
    session.add_points(1, 0, *CLICK)
    outputs = model().propagate_in_video_iterator(session)
    seen = [next(outputs).frame_idx for _ in range(3)]
    with pytest.raises(InvalidInputError, match="ended before frame 3, though its header promises 5"):
        next(outputs)
    assert seen == [0, 1, 2]
    assert list(tracked(session, 0, max_frame_num_to_track=2)) == seen


def test_spelling_of_types() -> None:
    assert new_session(torch_dtype="bfloat16").dtype == torch.bfloat16
    assert new_session(dtype=torch.float16).dtype == torch.float16
    with pytest.raises(InvalidInputError, match="dtype='int64'"):
        new_session(dtype="int64")
