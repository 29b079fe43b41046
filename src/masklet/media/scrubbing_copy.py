"""Small copies of videos to scrub through: a key frame is near to any frame, so that each is shown at once."""

import os
from collections.abc import Callable
from contextlib import closing

from masklet.media.image_stack import is_image_stack
from masklet.media.video_file import VideoFile
from masklet.media.video_writer import Encoding, write_encoded_video

LONGEST_SIDE = 960
SLOW = 25_000_000
"""Pixels decoded to show one frame, above which that takes more than some 50 ms."""
_ENCODING = Encoding({"preset": "ultrafast", "crf": "28"}, key_every=12, threads=1)
_FRAME_RATE = 25  # of any video: frames are found by their numbers


def scrubbing_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of the copy of a video: even ones, as its pixel format needs them."""
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    return 2 * max(1, round(height * scale / 2)), 2 * max(1, round(width * scale / 2))


def write_scrubbing_copy(
    source: str | os.PathLike[str], target: str | os.PathLike[str], before_each: Callable[[], None]
) -> bool:
    """Write a small copy of a video file whose frames have the same numbers; return False if it is not worth it.

    It takes one processor. Frames that cannot be decoded are replaced as `VideoReader` does it.

    Args:
        source: the video.
        target: the mp4 file, complete or absent.
        before_each: called before each frame; what it raises ends the copy.
    """
    if is_image_stack(source):
        return False
    with closing(VideoFile(source, threads=1)) as video:
        if video.pixels_decoded_for_one() <= SLOW:
            return False
        height, width = scrubbing_size(video.height, video.width)
        with write_encoded_video(target, height, width, _FRAME_RATE, _ENCODING) as copy:
            for number in range(len(video)):
                before_each()
                copy.write(video.read_scaled(number, height, width))
    return True
