"""The session as programs written for transformers read and prompt it: by the position of an object."""

import pytest
import torch
from tests.support.small_sessions import FRAMES, SIZE, model, new_session, same, tracked, video

from masklet import Sam2VideoInferenceSession
from masklet.errors import InvalidInputError

POINTS, LABELS = torch.tensor([[20.0, 30], [40, 10]]), torch.tensor([1, 0])
CLICKS = {"point_coords": POINTS[None, None], "point_labels": LABELS[None, None]}
MASK = torch.zeros(1, 1, SIZE, SIZE)
MASK[..., 10:30, 20:40] = 1


def prompted() -> Sam2VideoInferenceSession:
    """Object 7 clicked on frame 2, object 5 marked on frame 4, as such programs do."""
    session = new_session()
    session.add_point_inputs(session.obj_id_to_idx(7), 2, CLICKS)
    session.add_mask_inputs(session.obj_id_to_idx(5), 4, MASK)
    session.obj_with_new_inputs = [7, 5]
    return session


def test_prompts_by_position_are_those_by_object() -> None:
    expected = new_session()
    expected.add_points(7, 2, POINTS, LABELS)
    expected.add_mask(5, 4, MASK)
    session = prompted()
    assert session.obj_ids == [7, 5]
    assert session.obj_with_new_inputs == [7, 5]
    assert same(tracked(session, 2), tracked(expected, 2))


def test_prompts_can_be_read_and_removed() -> None:
    session = prompted()
    assert {index: list(frames) for index, frames in session.point_inputs_per_obj.items()} == {0: [2], 1: []}
    assert {index: list(frames) for index, frames in session.mask_inputs_per_obj.items()} == {0: [], 1: [4]}
    assert torch.equal(session.point_inputs_per_obj[0][2]["point_coords"], CLICKS["point_coords"])
    assert torch.equal(session.point_inputs_per_obj[0][2]["point_labels"], CLICKS["point_labels"])
    assert torch.equal(session.mask_inputs_per_obj[1][4], MASK.bool())
    session.remove_point_inputs(0, 3)  # there are none
    session.remove_point_inputs(0, 2)
    session.remove_mask_inputs(1, 4)
    assert not session.point_inputs_per_obj[0]
    assert not session.mask_inputs_per_obj[1]


def test_what_the_network_remembers_can_be_read() -> None:
    session = prompted()
    seen = tracked(session, 2)
    last = FRAMES - 1
    outputs = session.output_dict_per_obj
    assert list(outputs[0]["cond_frame_outputs"]) == [2]
    assert list(outputs[1]["cond_frame_outputs"]) == [4]
    entry = outputs[0]["non_cond_frame_outputs"][last]
    assert torch.equal(entry["pred_masks"][0, 0], seen[last][0])
    assert torch.equal(session.get_output(0, last, "pred_masks", is_conditioning_frame=False), entry["pred_masks"])
    side = SIZE // 16
    assert entry["maskmem_features"].shape[:2] == (side * side, 1)
    assert entry["object_pointer"].shape[0] == 1
    assert entry["object_score_logits"].shape == (1, 1)
    assert session.get_output(0, last, "pred_masks") is None
    assert session.get_output(0, 2, "no such entry") is None
    assert session.frames_tracked_per_obj[0][last] == {"reverse": False}
    assert 2 in session.frames_tracked_per_obj[1]


def test_what_it_holds_is_bounded() -> None:
    session = prompted()
    tracked(session, 2)
    kept = session.output_dict_per_obj[0]["non_cond_frame_outputs"]
    with_features = [frame for frame, entry in kept.items() if "maskmem_features" in entry]
    assert len(with_features) < FRAMES - 3
    assert len(session.frames_tracked_per_obj[0]) == FRAMES - 3  # the frames after its prompt


def test_frames_of_a_video_and_of_a_stream() -> None:
    session = new_session()
    assert session.processed_frames is not None
    assert len(session.processed_frames) == FRAMES
    assert torch.equal(session.processed_frames[3], video()[3])
    stream = Sam2VideoInferenceSession(None, 30, 50, max_stream_frames=2)
    assert stream.processed_frames is None
    for number in range(3):
        stream.add_new_frame(video()[number])
    assert list(stream.processed_frames or ()) == [1, 2]


def test_views_are_not_written_and_say_what_to_call() -> None:
    session = prompted()
    with pytest.raises(InvalidInputError, match="call add_point_inputs or remove_point_inputs"):
        session.point_inputs_per_obj[0][1] = CLICKS  # type: ignore[index]
    with pytest.raises(InvalidInputError, match="call add_mask_inputs or remove_mask_inputs"):
        session.mask_inputs_per_obj[1].pop(4)
    with pytest.raises(InvalidInputError, match="call the model with the session and a frame"):
        session.output_dict_per_obj[0].clear()
    with pytest.raises(InvalidInputError, match="call the model with the session and a frame"):
        session.store_output(0, 2, "pred_masks", MASK)


def test_positions_and_objects_that_are_not_there() -> None:
    session = prompted()
    with pytest.raises(KeyError):
        session.point_inputs_per_obj[2]
    with pytest.raises(InvalidInputError, match="no object at position 2; there are 2 objects"):
        session.add_mask_inputs(2, 0, MASK)
    with pytest.raises(InvalidInputError, match="no object 9"):
        session.obj_with_new_inputs = [9]
    with pytest.raises(InvalidInputError, match="object id must be a whole number; got 'cat'"):
        session.obj_id_to_idx("cat")  # type: ignore[arg-type]


def test_the_cache_of_features_can_be_cleared() -> None:
    session = Sam2VideoInferenceSession(video(), 30, 50)
    session.add_points(1, 0, POINTS, LABELS)
    model()(session, frame_idx=0)
    session.cache.clear_all()
    assert model()(session, frame_idx=0).pred_masks.shape[0] == 1
