"""Prompts of several objects go through the network together, objects that are not asked for do not go at all."""

from typing import Any
from unittest.mock import patch

import pytest
import torch
from tests.support.small_sessions import SIZE, model, new_session, same, tracked

from masklet import Sam2VideoInferenceSession, Sam2VideoModel
from masklet.errors import InvalidInputError
from masklet.tracking.propagation import segment_frame

SQUARE = torch.zeros(SIZE, SIZE, dtype=torch.bool)
SQUARE[8:40, 20:52] = True
PROMPTS: dict[int, dict[str, Any]] = {
    1: {"points": [[20, 30]], "labels": [1]},
    2: {"points": [[44, 50]], "labels": [1]},
    3: {"points": [[44, 50], [10, 10]], "labels": [1, 0]},
    4: {"box": [5, 8, 40, 50]},
    5: {"mask": SQUARE},
    6: {"mask": SQUARE.roll(8, 0)},
    7: {"mask": torch.zeros_like(SQUARE)},
}


def prompted(*object_ids: int, frame: int = 0) -> Sam2VideoInferenceSession:
    session = new_session()
    for object_id in object_ids:
        prompt(session, object_id, frame)
    return session


def prompt(session: Sam2VideoInferenceSession, object_id: int, frame: int) -> None:
    marks = PROMPTS[object_id]
    if "mask" in marks:
        session.add_mask(object_id, frame, marks["mask"])
    else:
        session.add_points(object_id, frame, **marks)


def decoded(session: Sam2VideoInferenceSession, frame: int) -> int:
    """How many calls of the decoder a frame takes."""
    with patch.object(Sam2VideoModel, "decode", autospec=True, side_effect=Sam2VideoModel.decode) as decode:
        model()(session, frame_idx=frame)
        return int(decode.call_count)


def test_prompts_on_one_frame_are_applied_as_batches_equal_to_alone() -> None:
    together = prompted(*PROMPTS)
    assert decoded(together, 0) == 3  # one click; two points, as a box is; masks
    seen = tracked(together)
    for row, object_id in enumerate(PROMPTS):
        alone = tracked(prompted(object_id))
        assert same({frame: masks[row : row + 1] for frame, masks in seen.items()}, alone, 1e-4)


def test_corrections_are_applied_as_batches_equal_to_alone() -> None:
    """Each with the memories and the mask of its own object."""

    def corrected(*object_ids: int) -> Sam2VideoInferenceSession:
        session = prompted(*object_ids)
        tracked(session)
        for object_id in object_ids:
            session.add_points(object_id, 3, [[12 + 6 * object_id, 24]], [1])
        return session

    together = corrected(1, 2, 4)
    assert decoded(together, 3) == 1
    seen = tracked(together, 3)
    for row, object_id in enumerate((1, 2, 4)):
        alone = tracked(corrected(object_id), 3)
        assert same({frame: masks[row : row + 1] for frame, masks in seen.items()}, alone, 1e-4)


def test_only_the_chosen_objects_step() -> None:
    session, alone = prompted(1, 2), prompted(2)
    for frame in (0, 1, 2):
        output = segment_frame(model(), session, frame, objects=[2])
        assert output.object_ids == [2]
        torch.testing.assert_close(output.pred_masks, model()(alone, frame_idx=frame).pred_masks, rtol=1e-4, atol=1e-4)
    other, chosen = session.objects()
    assert other.pending_frames() == [0]
    assert [chosen.is_tracked(frame) for frame in (1, 2, 3)] == [True, True, False]


def test_memories_of_other_objects_are_not_evicted_meanwhile() -> None:
    session = prompted(1, 2)
    for frame in range(4):
        model()(session, frame_idx=frame)
    kept = dict(session.objects()[0].bank.tracked)
    for frame in range(4, 14):
        segment_frame(model(), session, frame, objects=[2])
    assert session.objects()[0].bank.tracked == kept


def test_a_memory_keeps_little_of_those_that_were_made_with_it() -> None:
    """Its mask and features are its own, so that other objects free theirs when they are removed."""
    session = prompted(1, 2, 5)
    for frame in range(3):
        segment_frame(model(), session, frame)
    for object_id in (2, 5):
        session.remove_object(object_id)
    (left,) = session.objects()
    memories = [*left.bank.conditioning.values(), *left.bank.tracked.values()]
    assert len(memories) == 3
    for memory in memories:
        assert memory.features is not None
        assert [each.untyped_storage().nbytes() for each in (memory.logits, memory.features)] == [
            each.nbytes for each in (memory.logits, memory.features)
        ]
        assert memory.pointer.untyped_storage().nbytes() <= 3 * memory.pointer.nbytes


def test_unknown_objects_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="There is no object 9; the objects are"):
        segment_frame(model(), prompted(1), 0, objects=[1, 9])
    with pytest.raises(InvalidInputError, match="There is no object to track"):
        segment_frame(model(), prompted(1), 0, objects=[])
