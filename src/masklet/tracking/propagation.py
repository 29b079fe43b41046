"""Masks of frames: prompts are applied, objects are tracked, one frame or many."""

from collections.abc import Collection, Iterable, Iterator, Sequence

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.runtimes.object_masks import ABSENT_LOGIT
from masklet.runtimes.protocol import Runtime
from masklet.tracking.frames import Seen
from masklet.tracking.memory_bank import FrameMask
from masklet.tracking.outputs import Sam2VideoSegmentationOutput
from masklet.tracking.selection import memory_reach
from masklet.tracking.session_state import SessionState
from masklet.tracking.step import apply_prompts, known_mask, track
from masklet.tracking.tracked_object import TrackedObject
from masklet.transfers import sent


@torch.inference_mode()
def segment_frame(
    runtime: Runtime,
    session: SessionState,
    frame_idx: int | None = None,
    frame: Tensor | None = None,
    *,
    seen: Seen | None = None,
    reverse: bool = False,
    objects: Collection[int] | None = None,
) -> Sam2VideoSegmentationOutput:
    """Segment objects on one frame, as `Sam2VideoModel.forward` describes it.

    Args:
        runtime: the network.
        session: the video and its objects.
        frame_idx: number of a frame of the video.
        frame: pixels of the next frame of a stream.
        seen: what a view of that frame shows, for a session that zooms in on small objects.
        reverse: attend to later frames in place of earlier ones.
        objects: their ids; the others stay as they are and have no mask in the output. None: all.

    Raises:
        InvalidInputError: for a frame that is not there, and if there are no objects or one without prompts.
    """
    targets = ready_objects(session, objects)
    if frame is not None:
        apply_prompts(runtime, session, targets)  # the new frame may drop the one that a prompt is on
        frame_idx = session.add_new_frame(frame, frame_idx, seen=seen)
    elif frame_idx is None:
        raise InvalidInputError("Give frame_idx, a frame of the video, or frame, the next one of a stream.")
    session.frames.check(frame_idx)
    is_prompt_new = any(frame_idx in each.pending_frames() for each in targets)
    apply_prompts(runtime, session, targets)
    tracked = [
        each for each in _without_prompts_on(frame_idx, targets) if not (is_prompt_new and each.is_tracked(frame_idx))
    ]
    track(runtime, session, tracked, frame_idx, reverse)
    output = _output(runtime, session, targets, frame_idx)
    reach = memory_reach(runtime.config.num_maskmem)
    session.evict(targets, frame_idx, reach, runtime.config.max_object_pointers_in_encoder - 1)
    return output


@torch.inference_mode()
def look_at_frame(
    runtime: Runtime, session: SessionState, frame_idx: int, objects: Collection[int] | None = None
) -> Sam2VideoSegmentationOutput:
    """Return what `segment_frame` does, but objects that were tracked onto the frame stay as they are.

    Nothing is evicted for it, and tracking continues where it was. On a frame that a stream has
    dropped, objects that were not tracked onto it are absent.
    """
    targets = ready_objects(session, objects)
    session.frames.check(frame_idx)
    apply_prompts(runtime, session, targets)
    unknown = [each for each in _without_prompts_on(frame_idx, targets) if not each.is_tracked(frame_idx)]
    track(runtime, session, unknown if frame_idx in session.frames else [], frame_idx, reverse=False)
    return _output(runtime, session, targets, frame_idx)


def propagate(
    runtime: Runtime, session: SessionState, frames: Iterable[int], *, reverse: bool
) -> Iterator[Sam2VideoSegmentationOutput]:
    """Segment all objects on frames, one after the other; prompts may be added meanwhile."""
    with torch.inference_mode():
        apply_prompts(runtime, session, session.objects())
    for frame in frames:
        yield segment_frame(runtime, session, frame, reverse=reverse)


def frames_to_track(session: SessionState, start: int | None, most: int | None, *, reverse: bool) -> range:
    """Return the frames from `start` on, itself and at most `most` more; backwards from frame 0 there are none.

    Args:
        session: the video and its objects.
        start: default the first frame with prompts.
        most: default all there are.
        reverse: towards the first frame.

    Raises:
        InvalidInputError: if there is nothing to track, or no such frame.
    """
    if start is None:
        prompted = [frame for each in session.objects() for frame in each.prompts]
        if not prompted:
            raise InvalidInputError("No object has a prompt, so there is no frame to start from; give start_frame_idx.")
        start = min(prompted)
    session.frames.check(start)
    most = session.num_frames if most is None else most
    if most < 0:
        raise InvalidInputError(f"max_frame_num_to_track is {most}; it must not be negative.")
    ready_objects(session)
    if not reverse:
        return range(start, min(start + most, session.num_frames - 1) + 1)
    return range(start, max(start - most, 0) - 1, -1) if start > 0 else range(0)


def ready_objects(session: SessionState, objects: Collection[int] | None = None) -> Sequence[TrackedObject]:
    """Return the objects with these ids (None: all); InvalidInputError if there are none, or one without prompts."""
    targets = session.objects(objects)
    if not targets:
        raise InvalidInputError("There is no object to track; add prompts of one first.")
    if unprompted := [each.object_id for each in targets if not each.prompts]:
        raise InvalidInputError(
            f"These objects have no prompts: {', '.join(map(str, unprompted))}; add prompts, or remove the objects."
        )
    for each in targets:
        for frame in each.pending_frames():
            if frame < session.num_frames and frame not in session.frames:
                raise InvalidInputError(
                    f"Object {each.object_id} has new prompts on frame {frame}, which is not there any more; "
                    "clear these prompts, or give them on a later frame."
                )
    return targets


def _without_prompts_on(frame: int, targets: Sequence[TrackedObject]) -> list[TrackedObject]:
    """Return the objects to track onto a frame: those known from prompts on others."""
    return [each for each in targets if each.bank.conditioning and frame not in each.bank.conditioning]


def _output(
    runtime: Runtime, session: SessionState, targets: Sequence[TrackedObject], frame: int
) -> Sam2VideoSegmentationOutput:
    masks = [known_mask(runtime, each, frame) or _absent(runtime) for each in targets]

    def stacked(tensors: Iterable[Tensor]) -> Tensor:
        """Stack what there is of each object, as [objects, 1, ...]."""
        return torch.stack([sent(tensor, runtime.device) for tensor in tensors]).unsqueeze(1)

    return Sam2VideoSegmentationOutput(
        object_ids=[each.object_id for each in targets],
        pred_masks=stacked(mask.logits for mask in masks),
        object_score_logits=stacked(mask.object_score for mask in masks),
        iou_scores=stacked(mask.iou for mask in masks),
        frame_idx=frame,
        video_size=session.video_size,
        views=[mask.view for mask in masks] if session.zoom else (),
    )


def _absent(runtime: Runtime) -> FrameMask:
    score = torch.tensor(ABSENT_LOGIT, dtype=runtime.dtype)
    logits = score.expand(runtime.config.prompt_encoder_config.mask_input_size)
    return FrameMask(logits, iou=torch.zeros_like(score), object_score=score)
