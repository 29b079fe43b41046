"""Videos to model inputs: every frame as an image, all of a video in one tensor."""

from typing import Any, ClassVar, Self

import torch

from masklet.configuration.loading_arguments import with_location
from masklet.errors import InvalidInputError
from masklet.processing.batch import BatchFeature
from masklet.processing.image_inputs import image_inputs
from masklet.processing.image_processor import Sam2ImageProcessorFast
from masklet.processing.prompt_scale import checked_point_pad_value, checked_target_size, loaded_prompt_scale
from masklet.processing.saved_options import SavedOptions
from masklet.processing.saved_settings import (
    PROCESSOR_FILE,
    VIDEO_PROCESSOR_FILE,
    has_image_processor_settings,
    video_processor_settings,
)
from masklet.processing.video_frames import PreparedFrames, frames_of, videos_of
from masklet.processing.video_sessions import VideoSessions
from masklet.sources import Source

_PARTS = ("image_processor", "video_processor", "target_size", "point_pad_value")


class Sam2VideoProcessor(SavedOptions, VideoSessions):
    """Turns the frames of videos into the network's input and the network's mask logits into masks.

    In earlier versions of the public API this class prepares frames for `Sam2Processor`, in later ones it consists of a
    processor of images and one of frames and is itself what sessions are opened with: here it does both. Its own
    options, which are those of `Sam2ImageProcessorFast`, are how frames are prepared.

    Args:
        image_processor: prepares images, say a stream's frames; None prepares them as frames are.
        video_processor: one whose options are how frames are prepared; None takes those of the image processor.
        target_size: side of the network's square input, to which prompts are scaled; None takes the frames' height.
        point_pad_value: coordinate that marks padding among points and boxes.
        **options: options in place of those of the parts.

    Example:
        >>> from masklet import Sam2VideoProcessor
        >>> Sam2VideoProcessor().init_video_session("assets/juggle.mp4").num_frames
        48
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values_videos"]
    type_key: ClassVar[str] = "video_processor_type"
    read_settings = staticmethod(video_processor_settings)

    def __init__(
        self,
        image_processor: Sam2ImageProcessorFast | None = None,
        video_processor: "Sam2VideoProcessor | None" = None,
        target_size: int | None = None,
        point_pad_value: int = -10,
        **options: Any,
    ) -> None:
        given = video_processor or image_processor
        super().__init__(**{**(given.settings if given else {}), **options})
        self._image_processor = image_processor
        self._target_size = None if target_size is None else checked_target_size(target_size)
        self.point_pad_value = checked_point_pad_value(point_pad_value)

    @property
    def settings(self) -> dict[str, Any]:
        """How frames are prepared, by name."""
        return {name: value for name, value in vars(self).items() if name.lstrip("_") not in _PARTS}

    @property
    def settings_file(self) -> str:  # type: ignore[override]  # of frames alone, as in earlier versions, or of both
        """Name of the file that `save_pretrained` writes."""
        return VIDEO_PROCESSOR_FILE if self._image_processor is None else PROCESSOR_FILE

    def frame_settings(self) -> dict[str, Any]:
        """Return how frames are prepared, as it is saved inside a processor's settings."""
        return {**super().to_dict(), self.type_key: "Sam2VideoVideoProcessor"}

    def to_dict(self) -> dict[str, Any]:
        """Return all settings as plain values: of frames alone if there is no image processor, else of the parts."""
        if self._image_processor is None:
            return super().to_dict()
        return {
            "image_processor": self._image_processor.to_dict(),
            "point_pad_value": self.point_pad_value,
            "processor_class": type(self).__name__,
            "target_size": self.target_size,
            "video_processor": self.frame_settings(),
        }

    @classmethod
    def from_pretrained(
        cls,
        source: Source = None,
        *,
        image_processor: Sam2ImageProcessorFast | None = None,
        video_processor: "Sam2VideoProcessor | None" = None,
        return_unused_kwargs: bool = False,
        **keywords: Any,
    ) -> Self:
        """Return the processor of a checkpoint, with its image processor if there is one.

        Args:
            source: a folder, a hub id, a Meta `.pt` file (they all use the default settings), or None for the bundled
                model.
            image_processor: used instead of the saved one.
            video_processor: one whose options are used instead of the saved ones.
            return_unused_kwargs: return the processor and a dictionary of the keywords that are no options, instead of
                refusing them.
            **keywords: those of `masklet.sources.Location`; `target_size`, `point_pad_value` and options of both
                processors, instead of the saved ones. Other loading arguments change nothing.

        Raises:
            CheckpointError: if the source has no such settings.
            InvalidInputError: for other keywords.
        """
        source, location, keywords = with_location(source, keywords)
        has_another_size = "size" in keywords or video_processor is not None
        scale = loaded_prompt_scale(source, location, keywords, has_another_size=has_another_size)
        frames, unused = cls._loaded(source, location, keywords, refuses_unused=not return_unused_kwargs)
        if image_processor is None and has_image_processor_settings(source, **location):
            options = {name: value for name, value in keywords.items() if name not in unused}
            image_processor = Sam2ImageProcessorFast.from_pretrained(source, **location, **options)
        processor = cls(image_processor, video_processor or frames, **scale)
        return (processor, unused) if return_unused_kwargs else processor  # type: ignore[return-value]

    @property
    def image_processor(self) -> Sam2ImageProcessorFast:
        """What prepares images."""
        return self._image_processor or Sam2ImageProcessorFast(**self.settings)

    @property
    def video_processor(self) -> Self:
        """What prepares frames: this processor."""
        return self

    @property
    def target_size(self) -> int:
        """Side of the network's square input, to which prompts are scaled."""
        return checked_target_size(self.size.height) if self._target_size is None else self._target_size

    def __call__(self, videos: Any = None, *, images: Any = None, **options: Any) -> BatchFeature:
        """Return videos as model inputs (see `preprocess`), or images and prompts, by their names.

        Images, `original_sizes`, `input_points`, `input_labels`, `input_boxes` and `input_masks` are those of
        `Sam2Processor`, as are the errors.
        """
        if videos is None:
            return image_inputs(self.image_processor, self.target_size, self.point_pad_value, images, **options)
        if images is not None:
            raise InvalidInputError("Give either videos or images.")
        return self.preprocess(videos, **options)

    def preprocess(self, videos: Any, **options: Any) -> BatchFeature:
        """Return videos as model inputs, all frames of all videos at once (12 MiB a frame of 1024 x 1024).

        Args:
            videos: a list of images, an array [T, H, W, C], a tensor [T, C, H, W], a path of a video file or of a
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
        return self.target_size

    def _prepared_frames(self, video: Any, device: Any) -> PreparedFrames:
        return PreparedFrames(frames_of(video), self._with({"device": device}))
