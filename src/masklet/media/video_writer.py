"""Video files that any player shows: H.264 in mp4, complete under their name or not there at all."""

import os
import platform
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, shown
from masklet.media.forks import never_freed_after_fork
from masklet.media.images import Pixels
from masklet.whole_numbers import is_whole_number

# The first of these that FFmpeg was built with. mpeg4, which every FFmpeg has, makes larger files.
ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "mpeg4")
# With AVX-512, x264's look-ahead reads memory that it has not written, and the file depends on what was there. Without,
# the same frames give the same bytes.
PLAIN_INSTRUCTIONS = {"x264-params": "asm=SSE4.2"} if platform.machine().lower() in ("x86_64", "amd64") else {}
BITS_PER_PIXEL = 0.25  # for encoders without a quality of their own
TICKS = Fraction(1, 60_000)  # holds the usual frame rates exactly, and every other one well
LONGEST_SIDE = 16_384  # in pixels, of H.264
SLOWEST, FASTEST = Fraction(1, 1000), Fraction(60_000)  # in frames a second
LATEST = 10**9  # second at which a frame may be shown
BT_709 = 1


@dataclass(frozen=True)
class Encoding:
    """How frames are compressed.

    Attributes:
        x264_options: of libx264; other encoders have none.
        key_every: so many frames at most from one key frame to the next; None: as the encoder finds best.
        threads: of the encoder; 0: as many as it finds best.
    """

    x264_options: dict[str, str]
    key_every: int | None = None
    threads: int = 0


TO_PLAY = Encoding({"crf": "20", "preset": "veryfast", **PLAIN_INSTRUCTIONS})


class VideoWriter:
    """A video being written; comes from `write_video`. For one thread at a time, of the process that opened it."""

    def __init__(
        self, container: OutputContainer, height: int, width: int, frame_rate: Fraction, encoding: Encoding
    ) -> None:
        self._container, self._process = container, os.getpid()
        never_freed_after_fork(self)
        self._shape = (height, width, 3)
        self._frame_rate = frame_rate
        self._reformatter = VideoReformatter()  # one for all frames; each frame's own would start its own threads
        try:
            self._stream = _encoding_stream(container, height, width, frame_rate, encoding)
        except BaseException:
            self.close()  # an open file cannot be deleted everywhere, and the caller has no writer to close
            raise
        self._last_tick, self._next_tick = -1, 0

    def write(self, pixels: Pixels, time: float | None = None) -> None:
        """Append a frame, uint8 [H, W, 3] RGB, to be shown from `time` on (seconds; default: one frame's length later).

        InvalidInputError for other pixels and times, and in a process that was forked meanwhile.
        """
        self._check_process()
        if time is not None and not (is_finite_number(time) and 0 <= time <= LATEST):
            raise InvalidInputError(f"A frame is shown 0 to {LATEST} seconds from the start; got {shown(time)}.")
        if pixels.dtype != np.uint8 or pixels.shape != self._shape:
            raise InvalidInputError(
                f"A frame of this video is uint8 {list(self._shape)}; got {pixels.dtype} {list(pixels.shape)}."
            )
        self._last_tick = max(self._last_tick + 1, self._next_tick if time is None else round(time / TICKS))
        self._next_tick = self._last_tick + round(1 / (self._frame_rate * TICKS))
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(_with_even_sides(pixels), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.time_base, frame.pts = TICKS, self._last_tick
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder still holds back; InvalidInputError without frames, and in a forked process."""
        self._check_process()
        if self._last_tick < 0:
            raise InvalidInputError("A video needs at least one frame.")
        self._container.mux(self._stream.encode(None))

    def close(self) -> None:
        """Close the file, if this process opened it: a forked one has not the threads that FFmpeg would wait for."""
        if self._process == os.getpid():
            self._container.close()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise InvalidInputError("This video is written by the process that this one was forked from.")


@contextmanager
def write_video(
    path: str | os.PathLike[str], height: int, width: int, frame_rate: Fraction | float
) -> Iterator[VideoWriter]:
    """Yield a writer of an mp4 file that is renamed to `path` when the block ends, and deleted on an error.

    Encoded as H.264, yuv420p, or as MPEG-4 part 2 where FFmpeg has no H.264 encoder (ENCODERS). Odd heights and widths,
    which yuv420p cannot hold, are made even by repeating the last row or column.

    A process that is forked within the block writes nothing and changes nothing of the file.

    Args:
        path: of the file.
        height: 1 to 16384 pixels.
        width: likewise.
        frame_rate: frames a second, above 0; what is below 0.001 or above 60,000 becomes that.

    Raises:
        InvalidInputError: for other sizes and rates, ones that the encoder refuses, and if FFmpeg has no encoder.
        OSError: if the file cannot be written.

    Example:
        >>> import numpy as np
        >>> from masklet import write_video
        >>> with write_video("black.mp4", height=48, width=64, frame_rate=25) as out:
        ...     out.write(np.zeros((48, 64, 3), np.uint8))
    """
    with write_encoded_video(path, height, width, frame_rate, TO_PLAY) as writer:
        yield writer


@contextmanager
def write_encoded_video(
    path: str | os.PathLike[str], height: int, width: int, frame_rate: Fraction | float, encoding: Encoding
) -> Iterator[VideoWriter]:
    """Yield a writer as `write_video` does, of frames that are compressed in a certain way."""
    if not all(is_whole_number(side) and 1 <= side <= LONGEST_SIDE for side in (height, width)):
        raise InvalidInputError(
            f"A video has 1 x 1 to {LONGEST_SIDE} x {LONGEST_SIDE} pixels; got {shown(width)} x {shown(height)}."
        )
    if not (is_finite_number(frame_rate) and frame_rate > 0):
        raise InvalidInputError(f"A video has more than 0 frames a second; got {shown(frame_rate)}.")
    exact = Fraction(frame_rate if isinstance(frame_rate, Rational) else float(frame_rate))
    rate = min(max(exact, SLOWEST), FASTEST).limit_denominator(1001)
    with written_whole(path) as unfinished:
        container = av.open(os.path.abspath(unfinished), "w", format="mp4", options={"movflags": "+faststart"})
        with closing(VideoWriter(container, height, width, rate, encoding)) as writer:
            yield writer
            writer.finish()


written_video = write_video  # the earlier spelling


def _encoding_stream(
    container: OutputContainer, height: int, width: int, frame_rate: Fraction, encoding: Encoding
) -> VideoStream:
    name = next((name for name in ENCODERS if name in av.codecs_available), None)
    if name is None:
        raise InvalidInputError(f"The FFmpeg of PyAV has no video encoder; needed is one of {', '.join(ENCODERS)}.")
    stream = container.add_stream(name, rate=frame_rate, options=encoding.x264_options if name == "libx264" else {})
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = height + height % 2, width + width % 2
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = TICKS
    context.colorspace = context.color_primaries = context.color_trc = BT_709
    context.color_range = ColorRange.MPEG
    context.thread_count = encoding.threads
    if encoding.key_every is not None:
        context.gop_size = encoding.key_every
    if name != "libx264":
        context.bit_rate = round(stream.height * stream.width * frame_rate * BITS_PER_PIXEL)
    try:
        context.open()
    except (av.FFmpegError, OverflowError) as error:
        video = f"a video of {width} x {height} pixels and {float(frame_rate):g} frames a second"
        raise InvalidInputError(f"{name} cannot encode {video}: {error}") from error
    return stream


def _with_even_sides(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels)
