"""Which frames a video file has, by what its packets say: nothing is decoded for it where packets have timestamps."""

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.packet import Packet
from av.video.stream import VideoStream


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a video file in the order in which they are shown.

    Attributes:
        timestamps: of each frame, ascending, in units of the stream's time base; of a stream without timestamps the
            numbers 0, 1, 2, ...
        starts: the timestamps of the frames from which decoding can begin, ascending; the first is that of frame 0.
        problems: what is wrong with the file.
        is_counted: whether the stream has no timestamps, so that frames are told apart by counting only.
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


def index_frames(path: str | os.PathLike[str]) -> FrameIndex:
    """Return the frames of the best video stream of a file by reading all its packets.

    Packets that are there for decoding only (an edit list hides their frames) count as no frames. A file that is cut
    off has the frames before the cut. av.FFmpegError if the file cannot be opened.
    """
    with av.open(os.fspath(path)) as container:
        stream = video_stream(container)
        is_reordered_avi = container.format.name == "avi" and stream.codec_context.has_b_frames
        packets = [(packet.pts, packet.is_keyframe, packet.is_discard) for packet in _packets(container, stream)]
        announced = stream.frames if "mp4" in container.format.name else 0  # others count what is not there
    timestamps = {pts for pts, _, is_hidden in packets if pts is not None and not is_hidden}
    if is_reordered_avi or any(pts is None for pts, _, _ in packets):  # avi says when to decode, not when to show
        return _counted(path)
    shown = array("q", sorted(timestamps))
    keys = {pts for pts, is_key, _ in packets if is_key and pts is not None}
    starts = array("q", [*shown[:1], *sorted(key for key in keys if shown and key > shown[0])])
    is_cut = len(packets) < announced
    problems = (f"The file is cut off: it has {len(packets)} of {announced} frames.",) if is_cut else ()
    return FrameIndex(shown, starts, problems)


def video_stream(container: av.container.InputContainer) -> VideoStream:
    """Return the stream that a player would show; LookupError if there is none."""
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream):
        raise LookupError("it has no video stream")
    stream.thread_type = "AUTO"
    return stream


def _packets(container: av.container.InputContainer, stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """Yield the packets up to the end or to where the file is damaged beyond the demuxer's skill."""
    try:
        yield from (packet for packet in container.demux(stream) if packet.size)
    except av.FFmpegError:
        return


def decoded_frames(container: av.container.InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Yield all frames from the current place on that can be decoded; packets that cannot are passed over."""
    for packet in _packets(container, stream):
        yield from _decoded(stream, packet)
    yield from _decoded(stream, None)


def _decoded(stream: VideoStream, packet: "Packet[VideoStream] | None") -> list[av.VideoFrame]:
    try:
        return stream.decode(packet)
    except av.FFmpegError:
        return []


def _counted(path: str | os.PathLike[str]) -> FrameIndex:
    with av.open(os.fspath(path)) as container:
        count = sum(1 for _ in decoded_frames(container, video_stream(container)))
    return FrameIndex(array("q", range(count)), array("q", range(min(count, 1))), is_counted=True)
