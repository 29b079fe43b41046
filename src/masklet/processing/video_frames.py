"""The frames of a video as network inputs, each prepared when it is asked for; none is kept."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from masklet.errors import InvalidInputError
from masklet.masks.views import View
from masklet.media.pixel_depth import white_of_video
from masklet.processing.image_options import ImageOptions
from masklet.processing.image_tensors import white_of_frame
from masklet.processing.pixels import original_pixels, scaled_pixels, stretched_pixels
from masklet.processing.sizes import size_pairs


class PreparedFrames:
    """A video as the network takes it: `frames[i]` reads, resizes and normalises frame i.

    Args:
        images: the frames: anything with a length whose items are images (see `image_pixels`), such as a list,
            an array [T, H, W, C], a tensor [T, C, H, W] or a reader that decodes a file frame by frame.
        options: how images become inputs.

    Attributes:
        height: of every frame, in pixels of the video.
        width: likewise.

    Raises:
        InvalidInputError: if there are no frames, or, when it is read, for a frame that is no image or of another
            size than the first.
    """

    def __init__(self, images: Sequence[Any], options: ImageOptions) -> None:
        if len(images) == 0:
            raise InvalidInputError("The video has no frames.")
        self._images = images
        self._options = options
        first = images[0]
        self._white = white_of_video(len(images), lambda frame: white_of_frame(first if frame == 0 else images[frame]))
        self.height, self.width = (int(side) for side in self._original(first).shape[1:])

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, frame: int) -> Tensor:
        """Return frame `frame`, 0 to len - 1, as float32 [3, height, width] of the network's input."""
        return self.scaled(self.stretched(frame, None))

    def seen(self, frame: int, view: View) -> Tensor:
        """Return what a view of a frame shows, enlarged from the video's own pixels; otherwise as the whole frame."""
        return self.scaled(self.stretched(frame, view))

    def stretched(self, frame: int, view: View | None) -> Tensor:
        """Return what a view of a frame (None: all of it) shows, [3, height, width] in the video's number type."""
        pixels_chw = self._pixels(frame)
        return stretched_pixels(pixels_chw if view is None else view.of(pixels_chw), self._options)

    def scaled(self, pixels_chw: Tensor) -> Tensor:
        """Return `stretched` pixels, on any device, as the network takes them."""
        return scaled_pixels(pixels_chw, self._options)

    def _pixels(self, frame: int) -> Tensor:
        """Return the pixels of a frame in the video's own size."""
        if not 0 <= frame < len(self):
            raise IndexError(f"The video has the frames 0 to {len(self) - 1}; got {frame}.")
        pixels_chw = self._original(self._images[frame])
        height, width = pixels_chw.shape[1:]
        if (height, width) != (self.height, self.width):
            raise InvalidInputError(
                f"Frame {frame} has {width} x {height} pixels, the video's first one {self.width} x {self.height}; all "
                "must be of one size."
            )
        return pixels_chw

    def _original(self, image: Any) -> Tensor:
        return original_pixels(image, self._options, self._white)


class StackedFrames:
    """A video that `Sam2VideoProcessor` has prepared already, all frames in one tensor [T, 3, height, width].

    Args:
        prepared: what `Sam2VideoProcessor` returned for one video.
    """

    def __init__(self, prepared: Mapping[str, Any]) -> None:
        videos, sizes = prepared["pixel_values_videos"], size_pairs(prepared["original_sizes"])
        if len(videos) != 1 or len(sizes) != 1:
            raise InvalidInputError(f"A session tracks in one video; got {len(videos)} prepared ones.")
        self._pixel_values = videos[0]
        self.height, self.width = sizes[0]

    def __len__(self) -> int:
        return len(self._pixel_values)

    def __getitem__(self, frame: int) -> Tensor:
        """Return frame `frame`, 0 to len - 1, as [3, height, width]."""
        pixel_values: Tensor = self._pixel_values[frame]
        return pixel_values


def frames_of(video: Any) -> Sequence[Any]:
    """Return the frames of one video as a sequence of images.

    Args:
        video: a path of a video file or of a folder of frames, or a list of paths of frames, which are opened; or a
            sequence of images (list, array [T, H, W, C], tensor [T, C, H, W], open reader, a batch of one such).

    Raises:
        InvalidInputError: if it is none of these.
        UnreadableVideoError: if a path cannot be opened as a video.
    """
    is_list_of_files = isinstance(video, list | tuple) and len(video) > 0 and all(map(_is_path, video))
    if _is_path(video) or is_list_of_files:
        from masklet.media.video_reader import open_video  # the video library waits until a file is opened

        return open_video(video)
    if isinstance(video, np.ndarray | Tensor):
        if video.ndim == 5 and len(video) == 1:
            return frames_of(video[0])
        if video.ndim != 4:
            raise InvalidInputError(
                "A video must be an array [frames, height, width, channels] or a tensor [frames, channels, height, "
                f"width]; got the shape {list(video.shape)}. One image is no video; pass it in a list."
            )
    elif not (hasattr(video, "__len__") and hasattr(video, "__getitem__")) or isinstance(video, Mapping):
        raise InvalidInputError(
            "A video must be a path, a list of images, an array, a tensor or a reader with a length, got "
            f"{type(video).__name__}. Frames that come one by one are a stream: pass none here, and each to the model."
        )
    elif len(video) == 1 and is_video(video[0]):
        return frames_of(video[0])
    sequence: Sequence[Any] = video
    return sequence


def is_video(item: Any) -> bool:
    """Return whether an item of a list is a video itself, not an image."""
    if isinstance(item, np.ndarray | Tensor):
        return item.ndim >= 4
    return not _is_path(item) and hasattr(item, "__len__") and hasattr(item, "__getitem__")


def videos_of(videos: Any) -> list[Sequence[Any]]:
    """Return each video of a batch: a list of videos, an array or tensor [B, T, ...], or one video alone.

    Paths in a list are those of one video's frames. Raises as `frames_of` does.
    """
    is_batch = isinstance(videos, np.ndarray | Tensor) and videos.ndim == 5
    is_list_of_videos = isinstance(videos, list | tuple) and len(videos) > 0 and all(map(is_video, videos))
    return [frames_of(video) for video in videos] if is_batch or is_list_of_videos else [frames_of(videos)]


def _is_path(item: Any) -> bool:
    return isinstance(item, str | os.PathLike)
