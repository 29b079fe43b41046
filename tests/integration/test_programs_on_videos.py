"""Programs on videos as users of transformers write them: another import, the same numbers.

Where docs/parity.md names what masklet does in another way (answers that go on from earlier ones, mask prompts on later
frames), the programs run all the same, and shapes are what is compared.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.parity.trackers import store_memories_in_float32
from tests.support.both_imports import SIZE, Program, assert_runs_alike, frames
from torch import Tensor

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

CLICK = {"input_points": [[[[30, 20]]]], "input_labels": [[[1]]]}


@pytest.fixture(autouse=True)
def _memories_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers", reason="make test installs it")
    store_memories_in_float32(monkeypatch)


def opened(sam2: Any, **options: Any) -> tuple[Any, Any, Any]:
    model = sam2.Sam2VideoModel.from_pretrained(sam2.CHECKPOINT)
    processor = sam2.Sam2VideoProcessor.from_pretrained(sam2.CHECKPOINT)
    return model, processor, processor.init_video_session(video=frames(), inference_device="cpu", **options)


def prompted(model: Any, processor: Any, session: Any, frame: int = 0, objects: Any = 1, **prompts: Any) -> Tensor:
    """What is shown of a frame after a prompt on it."""
    processor.add_inputs_to_inference_session(
        inference_session=session, frame_idx=frame, obj_ids=objects, **(prompts or CLICK)
    )
    return shown(processor, session, model(inference_session=session, frame_idx=frame))


def shown(processor: Any, session: Any, output: Any) -> Tensor:
    sizes = [[session.video_height, session.video_width]]
    masks: Tensor = processor.post_process_masks([output.pred_masks], original_sizes=sizes, binarize=False)[0]
    return masks


def followed(model: Any, processor: Any, session: Any, **options: Any) -> dict[int, Tensor]:
    outputs = model.propagate_in_video_iterator(session, **options)
    return {output.frame_idx: shown(processor, session, output) for output in outputs}


def shapes(masks: dict[int, Tensor]) -> dict[int, torch.Size]:
    return {frame: mask.shape for frame, mask in masks.items()}


@torch.no_grad()
def one_object(sam2: Any) -> Any:
    opened_video = opened(sam2)
    return prompted(*opened_video), followed(*opened_video)


@torch.inference_mode()
def several_objects(sam2: Any) -> Any:
    model, processor, session = opened(sam2)
    points, labels = [[[[30, 20], [50, 5]], [[10, 40], [12, 30]]]], [[[1, 1], [1, 0]]]
    first = prompted(model, processor, session, objects=[2, 7], input_points=points, input_labels=labels)
    outputs = list(model.propagate_in_video_iterator(session))
    by_object = dict(zip(session.obj_ids, outputs[-1].pred_masks, strict=True))
    return first, [output.pred_masks for output in outputs], by_object, [output.object_ids for output in outputs]


@torch.no_grad()
def boxes_then_clicks(sam2: Any) -> Any:
    model, processor, session = opened(sam2)
    box = {"input_boxes": [[[10, 5, 50, 40]]]}
    processor.add_inputs_to_inference_session(inference_session=session, frame_idx=0, obj_ids=[1], **box)
    more = {"input_points": [[[[30, 20]]]], "input_labels": [[[0]]], "clear_old_inputs": False}
    return prompted(model, processor, session, objects=[1], **more), followed(model, processor, session)


@torch.no_grad()
def a_mask(sam2: Any) -> Any:
    opened_video = opened(sam2)
    mask = np.zeros((45, 60), dtype=bool)
    mask[10:35, 15:50] = True
    return prompted(*opened_video, objects=[4], input_masks=[mask]), shapes(followed(*opened_video))


@torch.no_grad()
def refined_on_another_frame(sam2: Any) -> Any:
    opened_video = opened(sam2)
    prompted(*opened_video)
    first = followed(*opened_video)
    corrected = prompted(*opened_video, frame=3, input_points=[[[[40, 10]]]], input_labels=[[[0]]])
    return first, corrected.shape, shapes(followed(*opened_video, start_frame_idx=3))


@torch.no_grad()
def both_directions(sam2: Any) -> Any:
    opened_video = opened(sam2)
    prompted(*opened_video, frame=2)
    onwards = followed(*opened_video, start_frame_idx=2, max_frame_num_to_track=2)
    return onwards, followed(*opened_video, start_frame_idx=2, reverse=True)


@torch.no_grad()
def begun_again(sam2: Any) -> Any:
    model, processor, session = opened(sam2)
    prompted(model, processor, session, objects=[5])
    followed(model, processor, session)
    session.reset_inference_session()
    left = list(session.obj_ids)
    again = prompted(model, processor, session, objects=[8], input_boxes=[[[10, 5, 50, 40]]])
    session.reset_tracking_data()
    return left, again, session.num_frames, [int(session.video_height), int(session.video_width)]


@torch.no_grad()
def a_stream(sam2: Any) -> Any:
    model, processor, _ = opened(sam2)
    session = processor.init_video_session(inference_device="cpu")
    seen = []
    for number, frame in enumerate(frames()):
        inputs = processor(images=frame, return_tensors="pt")
        if number == 0:
            processor.add_inputs_to_inference_session(
                inference_session=session,
                frame_idx=0,
                obj_ids=1,
                original_size=inputs.original_sizes[0],
                **CLICK,
            )
        output = model(inference_session=session, frame=inputs.pixel_values[0])
        seen.append(processor.post_process_masks([output.pred_masks], inputs.original_sizes, binarize=False)[0])
    return seen


@torch.no_grad()
def a_session_is_read(sam2: Any) -> Any:
    model, processor, session = opened(sam2)
    prompted(model, processor, session, objects=[3])
    index = session.obj_id_to_idx(3)
    followed(model, processor, session, max_frame_num_to_track=2)
    outputs = session.output_dict_per_obj[index]
    kept = session.get_output(index, 1, "pred_masks", is_conditioning_frame=False)
    return (
        [index, session.obj_idx_to_id(0), session.get_obj_num(), session.num_frames],
        [sorted(outputs["cond_frame_outputs"]), sorted(outputs["non_cond_frame_outputs"])],
        kept.flatten(),
        sorted(session.frames_tracked_per_obj[index]),
        session.point_inputs_per_obj[index][0]["point_coords"].flatten(),
        sorted(session.mask_inputs_per_obj[index]),
        sorted(session.processed_frames),
        session.get_frame(1),
    )


@torch.no_grad()
def prompts_given_to_the_session(sam2: Any) -> Any:
    """As third parties do who have points in the network's pixels."""
    model, _, session = opened(sam2)
    points = {"point_coords": torch.tensor([[[[20.0, 40]]]]), "point_labels": torch.tensor([[[1]]], dtype=torch.int32)}
    session.add_point_inputs(session.obj_id_to_idx(1), 0, points)
    session.obj_with_new_inputs.append(1)
    first = model(session, frame_idx=0).pred_masks
    session.remove_point_inputs(0, 0)
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 20:50, 10:40] = 1
    session.add_mask_inputs(0, 0, mask)
    session.obj_with_new_inputs.append(1)
    return first, model(session, frame_idx=0).pred_masks


@torch.no_grad()
def features_of_a_frame(sam2: Any) -> Any:
    model, _, session = opened(sam2)
    features = model.get_image_features(session.get_frame(2)[None])
    return list(features.fpn_hidden_states), model.get_image_wide_positional_embeddings()


@torch.no_grad()
def a_video_processor_for_images(sam2: Any) -> Any:
    """Prompts and images through the processor of videos, and what its parts are."""
    _, processor, session = opened(sam2)
    inputs = processor(images=frames()[0], **CLICK, return_tensors="pt")
    boxes = processor(original_sizes=[[45, 60]], input_boxes=[[[10, 5, 50, 40]]], return_tensors="pt")
    return (
        inputs["pixel_values"],
        inputs["input_points"],
        boxes["input_boxes"],
        processor.target_size,
        processor.image_processor.size["height"],
        processor.video_processor.size["height"],
        session.get_frame(0),
    )


PROGRAMS: list[Program] = [
    one_object,
    several_objects,
    boxes_then_clicks,
    a_mask,
    refined_on_another_frame,
    both_directions,
    begun_again,
    a_stream,
    a_session_is_read,
    prompts_given_to_the_session,
    features_of_a_frame,
    a_video_processor_for_images,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_another_import(program: Program, hub_folder: Path) -> None:
    assert_runs_alike(program, hub_folder)
