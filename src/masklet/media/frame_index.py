"""Which frames a video file has, and from which of them decoding can begin.

Both are read from the packets: nothing is decoded for it where packets have timestamps.
"""

import os
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from masklet.media.video_input import file_input


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a video file in the order in which they are shown.

    Attributes:
        timestamps: of each frame, ascending, in units of the stream's time base; of a stream without timestamps the
            numbers 0, 1, 2, ...
        starts: the timestamps of the frames from which decoding can begin, ascending; the first is that of frame 0.
        problems: what is wrong with the file.
        is_counted: whether the stream has no timestamps, so that frames are identified by counting only.
    """

    timestamps: "array[int]"
    starts: "array[int]"
    problems: tuple[str, ...] = ()
    is_counted: bool = False

    def __len__(self) -> int:
        return len(self.timestamps)

    def number_of(self, timestamp: int) -> int | None:
        """Return the number of the frame with exactly this timestamp, None if the video shows none."""
        place = bisect_left(self.timestamps, timestamp)
        return place if place < len(self) and self.timestamps[place] == timestamp else None

    def start_before(self, number: int) -> int:
        """Return the place in `starts` from which frame `number` is decoded soonest."""
        return max(0, bisect_right(self.starts, self.timestamps[number]) - 1)

    def near_start(self, number: int) -> int:
        """Return the frame nearest to frame `number` from which decoding can begin."""
        place = self.start_before(number)
        begins = [bisect_left(self.timestamps, start) for start in self.starts[place : place + 2]]
        return min(begins, key=lambda begin: abs(begin - number))

    def decoded_for_one(self) -> float:
        """Return how many frames are decoded to show one of them, on average."""
        begins = [bisect_left(self.timestamps, start) for start in self.starts]
        lengths = [end - begin for begin, end in pairwise([*begins, len(self)])]
        return sum(length * (length + 1) / 2 for length in lengths) / max(1, len(self))


def index_frames(path: str | os.PathLike[str]) -> FrameIndex:
    """Return the frames of the best video stream of a file by reading all its packets.

    Packets that are there for decoding only (an edit list hides their frames) count as no frames. A file that is cut
    off has the frames before the cut. UnreadableVideoError if the file cannot be opened.
    """
    with file_input(path) as video:
        format_name, stream = video.container.format.name, video.stream
        is_reordered_avi = format_name == "avi" and stream.codec_context.has_b_frames
        packets = [(packet.pts, packet.is_keyframe, packet.is_discard) for packet in video.packets()]
        announced = stream.frames if "mp4" in format_name else 0  # others count what is not there
    timestamps = {pts for pts, _, is_hidden in packets if pts is not None and not is_hidden}
    if is_reordered_avi or any(pts is None for pts, _, _ in packets):  # avi stores when to decode, not when to show
        return _counted(path)
    shown = array("q", sorted(timestamps))
    keys = {pts for pts, is_key, _ in packets if is_key and pts is not None}
    starts = array("q", [*shown[:1], *sorted(key for key in keys if shown and key > shown[0])])
    is_cut = len(packets) < announced
    problems = (f"The file is cut off: it has {len(packets)} of {announced} frames.",) if is_cut else ()
    return FrameIndex(shown, starts, problems)


def _counted(path: str | os.PathLike[str]) -> FrameIndex:
    with file_input(path) as video:
        count = sum(1 for _ in video.frames())
    return FrameIndex(array("q", range(count)), array("q", range(min(count, 1))), is_counted=True)
