"""SAM 2 for videos: prompts on some frames in, masks on all of them out."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.object_masks import ABSENT_LOGIT
from masklet.tracking.memory_bank import FrameMask
from masklet.tracking.outputs import Sam2VideoSegmentationOutput
from masklet.tracking.propagation import frames_to_track
from masklet.tracking.selection import memory_reach
from masklet.tracking.session import Sam2VideoInferenceSession
from masklet.tracking.stepping import answer_all, known_mask, track
from masklet.tracking.tracked_object import TrackedObject


class Sam2VideoModel(VideoNetwork):
    """The video network and the ways to run it on a session.

    Example:
        >>> from masklet import Sam2Processor, Sam2VideoModel
        >>> processor, model = Sam2Processor.from_pretrained(), Sam2VideoModel.from_pretrained()
        >>> session = processor.init_video_session("assets/juggle.mp4")
        >>> click = {"input_points": [[[[270, 90]]]], "input_labels": [[[1]]]}
        >>> processor.add_inputs_to_inference_session(session, frame_idx=0, obj_ids=1, **click)
        >>> model(session, frame_idx=0).pred_masks.shape
        torch.Size([1, 1, 96, 96])
    """

    @torch.inference_mode()
    def forward(  # type: ignore[override]  # a session instead of pictures, as the public API has it
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int | None = None,
        frame: Tensor | None = None,
        reverse: bool = False,
        **ignored: object,
    ) -> Sam2VideoSegmentationOutput:
        """Segment all objects on one frame.

        Prompts that the network has not seen are answered first, each on its own frame. Then objects with prompts on
        this frame have their answer, all others are tracked onto it. If there were new prompts on this very frame,
        objects that had been tracked onto it stay as they are. An object whose prompts are all on frames of a stream
        that have yet to come is absent.

        frame_idx: a frame of the video. frame: the next frame of a stream, [3, S, S] or [1, 3, S, S]; `frame_idx` may
            then give its number, if frames were left out.
        reverse: the memories of later frames count, not of earlier ones.

        Further keyword arguments of the public API are accepted and not used. Raises `InvalidInputError` for a frame
        that is not there, and if there are no objects or one without prompts.
        """
        session = inference_session
        _check_ready(session)
        if frame is not None:
            answer_all(self, session)  # the new frame may drop the one that a prompt is on
            frame_idx = session.add_new_frame(frame, frame_idx)
        elif frame_idx is None:
            raise InvalidInputError("Give frame_idx, a frame of the video, or frame, the next one of a stream.")
        session.frames.check(frame_idx)
        is_prompt_new = any(frame_idx in each.pending_frames() for each in session.objects())
        answer_all(self, session)
        targets = [
            each
            for each in _without_prompts_on(frame_idx, session)
            if not (is_prompt_new and each.is_tracked(frame_idx))
        ]
        track(self, session, targets, frame_idx, reverse=reverse)
        output = self._output(session, frame_idx)
        reach = memory_reach(self.config.num_maskmem)
        session.shrink(frame_idx, reach, self.config.max_object_pointers_in_encoder - 1)
        return output

    @torch.inference_mode()
    def look(self, session: Sam2VideoInferenceSession, frame_idx: int) -> Sam2VideoSegmentationOutput:
        """Return what `forward` does, but objects that were tracked onto the frame stay as they are.

        Nothing is forgotten for it, and tracking goes on where it was as if nobody had looked. On a frame that a stream
        has dropped, objects that were not tracked onto it are absent.
        """
        _check_ready(session)
        session.frames.check(frame_idx)
        answer_all(self, session)
        unknown = (each for each in _without_prompts_on(frame_idx, session) if not each.is_tracked(frame_idx))
        targets = tuple(unknown) if frame_idx in session.frames else ()
        track(self, session, targets, frame_idx, reverse=False)
        return self._output(session, frame_idx)

    def propagate_in_video_iterator(
        self,
        inference_session: Sam2VideoInferenceSession,
        start_frame_idx: int | None = None,
        max_frame_num_to_track: int | None = None,
        reverse: bool = False,
        show_progress_bar: bool = False,
    ) -> Iterator[Sam2VideoSegmentationOutput]:
        """Track all objects from a frame on, and yield each frame's masks, that of the start frame first.

        start_frame_idx: default the first frame with prompts. max_frame_num_to_track: so many frames after the start
        frame; default all. reverse: towards the first frame; from frame 0 there is none.

        Prompts may be added between frames: they are answered before the next one. Raises `InvalidInputError` before
        the first frame if there is nothing to track, or no such frame.
        """
        frames = frames_to_track(inference_session, start_frame_idx, max_frame_num_to_track, reverse=reverse)
        _check_ready(inference_session)
        return self._propagate(inference_session, frames, reverse=reverse, show_progress_bar=show_progress_bar)

    def _propagate(
        self, session: Sam2VideoInferenceSession, frames: Sequence[int], *, reverse: bool, show_progress_bar: bool
    ) -> Iterator[Sam2VideoSegmentationOutput]:
        with torch.inference_mode():
            answer_all(self, session)
        for frame in _with_progress_bar(frames) if show_progress_bar else frames:
            yield self(session, frame_idx=frame, reverse=reverse)

    def _output(self, session: Sam2VideoInferenceSession, frame: int) -> Sam2VideoSegmentationOutput:
        masks = [known_mask(self, each, frame) or self._absent() for each in session.objects()]
        size = None
        if session.video_height is not None and session.video_width is not None:
            size = (session.video_height, session.video_width)
        return Sam2VideoSegmentationOutput(
            object_ids=session.obj_ids,
            pred_masks=torch.stack([mask.logits.to(self.device) for mask in masks]).unsqueeze(1),
            object_score_logits=torch.stack([mask.object_score.to(self.device) for mask in masks]).unsqueeze(1),
            iou_scores=torch.stack([mask.iou.to(self.device) for mask in masks]).unsqueeze(1),
            frame_idx=frame,
            video_size=size,
        )

    def _absent(self) -> FrameMask:
        score = torch.tensor(ABSENT_LOGIT, dtype=self.dtype)
        logits = score.expand(self.prompt_encoder.config.mask_input_size)
        return FrameMask(logits, iou=torch.zeros_like(score), object_score=score)


def _check_ready(session: Sam2VideoInferenceSession) -> None:
    if not session.get_obj_num():
        raise InvalidInputError("No objects are provided for tracking; please add inputs first.")
    silent = [each.object_id for each in session.objects() if not each.prompts]
    if silent:
        raise InvalidInputError(
            f"No input points or masks are provided for object id {', '.join(map(str, silent))}; "
            "please add inputs first, or remove the object."
        )
    for each in session.objects():
        for frame in each.pending_frames():
            if frame < session.num_frames and frame not in session.frames:
                raise InvalidInputError(
                    f"Object {each.object_id} has new prompts on frame {frame}, which is not there any more; "
                    "clear these prompts, or give them on a later frame."
                )


def _without_prompts_on(frame: int, session: Sam2VideoInferenceSession) -> Iterator[TrackedObject]:
    """Yield the objects to track onto a frame: those known from prompts on others."""
    return (each for each in session.objects() if each.bank.conditioning and frame not in each.bank.conditioning)


def _with_progress_bar(frames: Sequence[int]) -> Iterator[int]:
    from rich.progress import track as bar

    yield from bar(frames, description="propagate in video")
