"""Frames as they come: cameras, network streams, programs. There is no way back in them."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing

import av

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media.display_matrix import display_matrix, upright_pixels
from masklet.media.frame_folders import Picture, picture_pixels
from masklet.media.frame_index import decoded_frames, video_stream
from masklet.media.images import Pixels

# For each system FFmpeg's name of its cameras, and the name of the n-th.
CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}")}


def live_frames(source: int | str | Iterable[Picture]) -> Iterator[Pixels]:
    """Yield frames, uint8 [H, W, 3] RGB, until the source ends or the caller stops; damaged ones are passed over.

    Args:
        source: the number of a camera (0 is the first), an address (rtsp://, http://, udp://, ... or a file), or
            anything that yields pictures (files, Pillow images, uint8 [H, W, 3] RGB).

    Raises:
        UnreadableVideoError: if there is no such camera, or nothing to see at the address.
    """
    if not isinstance(source, int | str):
        for number, picture in enumerate(source):
            yield picture_pixels(picture, f"Frame {number}")
        return
    address, format_name = _camera(source) if isinstance(source, int) else (source, None)
    try:
        container = av.open(address, format=format_name, timeout=(10.0, 30.0))
    except av.FFmpegError as error:
        raise UnreadableVideoError(f"Cannot open {address}: {error.strerror}") from error
    with closing(container):
        try:
            stream = video_stream(container)
        except LookupError as error:
            raise UnreadableVideoError(f"Cannot open {address}: {error.args[0]}") from error
        stream.thread_type = "SLICE"  # decoding several frames at once would deliver each of them later
        matrix = None
        for number, frame in enumerate(decoded_frames(container, stream)):
            matrix = display_matrix(frame) if number == 0 else matrix
            yield upright_pixels(frame, matrix)


def _camera(number: int) -> tuple[str, str]:
    if sys.platform not in CAMERAS:
        raise InvalidInputError("Cameras have no numbers on this system; give the address of a stream.")
    format_name, name = CAMERAS[sys.platform]
    return name.format(number), format_name
