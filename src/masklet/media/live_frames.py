"""Frames as they come: cameras, network streams, programs. There is no way back in them."""

import os
import sys
from collections.abc import Iterable, Iterator

from masklet.errors import InvalidInputError
from masklet.media.display_matrix import display_matrix, upright
from masklet.media.frame_folders import ImageLike, frame_pixels
from masklet.media.images import Pixels
from masklet.media.video_input import LIVE_TIMEOUT, VideoInput, address_input, camera_input, file_input, is_address

# For each system FFmpeg's name of its cameras, and the name of the n-th.
CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}")}


def live_frames(source: int | str | Iterable[ImageLike]) -> Iterator[Pixels]:
    """Yield frames, uint8 [H, W, 3] RGB, until the source ends or the caller stops; damaged ones are passed over.

    Args:
        source: the number of a camera (0 is the first); an address (rtsp://, http://, udp://, ...), for which no file
            is read; a file, for which no other one is read; or anything that yields images (files, Pillow images,
            uint8 [H, W, 3] RGB).

    Raises:
        UnreadableVideoError: if there is no such camera, or nothing to see at the address.

    Example:
        >>> from masklet import live_frames
        >>> next(live_frames("assets/juggle.mp4")).shape
        (270, 480, 3)
    """
    if not isinstance(source, int | str):
        for number, image in enumerate(source):
            yield frame_pixels(image, f"Frame {number}")
        return
    with _input_of(source) as video:
        video.stream.thread_type = "SLICE"  # decoding several frames at once would deliver each of them later
        matrix = None
        for number, frame in enumerate(video.frames()):
            matrix = display_matrix(frame) if number == 0 else matrix
            yield upright(video.pixels(frame), matrix)


def _input_of(source: int | str) -> VideoInput:
    if isinstance(source, int):
        return _camera(source)
    if sys.platform == "linux" and source.startswith("/dev/video"):
        return camera_input(source, CAMERAS["linux"][0])
    if os.path.exists(source):
        return file_input(source, LIVE_TIMEOUT)
    return address_input(source) if is_address(source) else file_input(source.removeprefix("file:"), LIVE_TIMEOUT)


def _camera(number: int) -> VideoInput:
    if sys.platform not in CAMERAS:
        raise InvalidInputError("Cameras have no numbers on this system; give the address of a stream.")
    format_name, name = CAMERAS[sys.platform]
    return camera_input(name.format(number), format_name)
