"""Videos to model inputs: every frame as a picture, all of a video in one tensor."""

from typing import Any, ClassVar

import torch

from masklet.errors import InvalidInputError
from masklet.processing.batch import BatchFeature
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.saved_options import SavedOptions
from masklet.processing.saved_settings import VIDEO_PROCESSOR_FILE, video_processor_settings
from masklet.processing.video_frames import PreparedFrames, frames_of, videos_of
from masklet.processing.video_sessions import VideoSessions


class Sam2VideoProcessor(SavedOptions, VideoSessions):
    """Turns the frames of videos into the network's input and the network's mask logits into masks.

    Options and their defaults are those of `Sam2ImageProcessorFast`. In earlier versions of the public API this class
    prepares frames for `Sam2Processor`, in later ones it is itself what sessions are opened with: here it does both.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values_videos"]
    settings_file: ClassVar[str] = VIDEO_PROCESSOR_FILE
    type_key: ClassVar[str] = "video_processor_type"
    read_settings = staticmethod(video_processor_settings)

    def __call__(self, videos: Any = None, *, images: Any = None, **options: Any) -> BatchFeature:
        """Return videos as model inputs (see `preprocess`), or pictures, say a stream's frames, by their name."""
        if (videos is None) == (images is None):
            raise InvalidInputError("Give either videos or images.")
        if videos is not None:
            return self.preprocess(videos, **options)
        return Sam2ImageProcessorFast(**self.settings).preprocess(images, **options)

    def preprocess(self, videos: Any, **options: Any) -> BatchFeature:
        """Return videos as model inputs, all frames of all videos at once (12 MiB a frame of 1024 x 1024).

        Args:
            videos: a list of pictures, an array [T, H, W, C], a tensor [T, C, H, W], a path of a video file or of a
                folder of frames; or a list of such (but paths in a list are frames), or a 5-D batch.
            **options: any attribute of `ImageOptions`, for this call.

        Returns:
            pixel_values_videos float32 [B, T, 3, height, width]; original_sizes and reshaped_input_sizes int64 [B, 2]
            as (height, width) before and after. Without return_tensors each is a list with one entry per video.

        Raises:
            InvalidInputError: if an option, a video or a frame cannot be used, or a video's frames differ in size.
        """
        settings = self._with(options)
        videos_frames = [PreparedFrames(frames, settings) for frames in videos_of(videos)]
        prepared = [torch.stack([frames[index] for index in range(len(frames))]) for frames in videos_frames]
        data = {
            "pixel_values_videos": prepared
            if settings.data_format == "channels_first"
            else [frames_tchw.permute(0, 2, 3, 1) for frames_tchw in prepared],
            "original_sizes": [(frames.height, frames.width) for frames in videos_frames],
            "reshaped_input_sizes": [tuple(frames_tchw.shape[2:]) for frames_tchw in prepared],
        }
        return BatchFeature(data, settings.return_tensors)

    @property
    def _network_side(self) -> int:
        side: int = self.size["height"]
        return side

    def _prepared_frames(self, video: Any, device: Any) -> PreparedFrames:
        return PreparedFrames(frames_of(video), self._with({"device": device}))
