"""The session of the public API: the state of a video, readable as dictionaries, saved into folders."""

import os
from typing import Any, Self

import torch

from masklet.runtimes.protocol import Runtime
from masklet.tracking.frames import Frames
from masklet.tracking.saved_session import SavedSession, load_session, save_session
from masklet.tracking.session_state import SessionState
from masklet.tracking.session_views import SessionViews
from masklet.tracking.step import apply_prompts


class Sam2VideoInferenceSession(SessionState, SessionViews):
    """The state of tracking objects through one video; `Sam2VideoModel` reads it and writes to it.

    Memory does not grow with the video. What the frames to come can attend to is kept in full, as is what the
    frames around prompts can; of other frames compact masks with their scores stay (`output`), a few hundred bytes
    each.

    Args:
        video: frames by number, [3, S, S] as the processor normalises them; None for a stream, whose frames are pushed
            one at a time.
        video_height, video_width: pixels of the video's own frames, the size of stored masks.
        inference_device: where the network is.
        inference_state_device: where memories are kept; None: `inference_device`.
        video_storage_device: where the frames of a stream are kept; None: `inference_device`.
        dtype (older spelling `torch_dtype`): of stored memory features; bfloat16 halves them.
        max_vision_features_cache_size: so many frames keep their image features, the last ones used.
        retention: what becomes of memories out of reach. "window" drops them: memory is bounded, and a correction on an
            old frame goes by the prompted frames and the stored mask. "spill", or `Spill(folder)`, puts them on disk
            and reads them back: a correction anywhere is exact.
        max_stream_frames: of a stream, prompts can be given on so many of the last frames.
        zoom: look for small objects in enlarged views that follow them; frames must have their own pixels then.
        max_results: so many compact masks an object are kept, the last ones; older ones can be read back from where
            memories are spilled.

    Example:
        >>> from masklet import Sam2Processor
        >>> session = Sam2Processor().init_video_session("assets/juggle.mp4", max_results=100)
        >>> session.num_frames, session.obj_ids
        (48, [])
    """

    def save(self, folder: str | os.PathLike[str], model: Runtime) -> None:
        """Write everything but the frames into a folder: see `masklet.tracking.saved_session.save_session`.

        New prompts on the frames of a stream are applied first: these frames are not there when it is resumed.
        """
        if self.is_stream:
            with torch.inference_mode():
                apply_prompts(model, self, self.objects())
        save_session(self, folder, model.fingerprint)

    @classmethod
    def load(
        cls, folder: str | os.PathLike[str] | SavedSession, video: Frames | None, model: Runtime, **options: Any
    ) -> Self:
        """Continue a saved session of the same model and video, bit by bit as without the break.

        Arguments and errors are those of `masklet.tracking.saved_session.load_session`.
        """
        return load_session(folder, video, model, kind=cls, **options)
