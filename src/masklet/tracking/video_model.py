"""SAM 2 for videos: prompts on some frames in, masks on all of them out."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from masklet.modeling.video_network import VideoNetwork
from masklet.runtimes.compiled import Backend, compiled_network
from masklet.tracking.outputs import Sam2VideoSegmentationOutput
from masklet.tracking.propagation import frames_to_track, look_at_frame, propagate, segment_frame
from masklet.tracking.session import Sam2VideoInferenceSession


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

    def forward(  # type: ignore[override]  # a session instead of images, as the public API has it
        self,
        inference_session: Sam2VideoInferenceSession,
        frame_idx: int | None = None,
        frame: Tensor | None = None,
        reverse: bool = False,
        **ignored: object,
    ) -> Sam2VideoSegmentationOutput:
        """Segment all objects on one frame.

        Prompts that the network has not seen are applied first, each on its own frame. Then objects with prompts on
        this frame have the masks of these, all others are tracked onto it. If there were new prompts on this very
        frame, objects that had been tracked onto it stay as they are. An object whose prompts are all on frames of a
        stream that have yet to come is absent.

        frame_idx: a frame of the video. frame: the next frame of a stream, [3, S, S] or [1, 3, S, S]; `frame_idx` may
            then give its number, if frames were left out.
        reverse: the memories of later frames count, not of earlier ones.

        Further keyword arguments of the public API are accepted and not used. Raises `InvalidInputError` for a frame
        that is not there, and if there are no objects or one without prompts.
        """
        return segment_frame(self, inference_session, frame_idx, frame, reverse=reverse)

    def look(self, session: Sam2VideoInferenceSession, frame_idx: int) -> Sam2VideoSegmentationOutput:
        """Return what `forward` does, but objects that were tracked onto the frame stay as they are.

        Nothing is evicted for it, and tracking continues where it was. On a frame that a stream
        has dropped, objects that were not tracked onto it are absent.
        """
        return look_at_frame(self, session, frame_idx)

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

        Prompts may be added between frames: they are applied before the next one. Raises `InvalidInputError` before
        the first frame if there is nothing to track, or no such frame.
        """
        frames = frames_to_track(inference_session, start_frame_idx, max_frame_num_to_track, reverse=reverse)
        shown = _with_progress_bar(frames) if show_progress_bar else frames
        return propagate(self, inference_session, shown, reverse=reverse)

    def compile_parts(self, backend: Backend = "inductor") -> None:
        """Run this model through torch's compiler from now on: see `masklet.runtimes.compiled.compiled_network`."""
        compiled_network(self, backend)


def _with_progress_bar(frames: Sequence[int]) -> Iterator[int]:
    from rich.progress import track as bar

    yield from bar(frames, description="propagate in video")
