"""Small video files, written as the tests need them, and their frames as playing from the start shows them."""

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

SUFFIX_OF_CODEC = {"gif": ".gif", "libvpx-vp9": ".webm", "libx264": ".mp4"}


def moving_square(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Frames that all differ: a square that moves over a gradient, and a grey that brightens."""
    frames = []
    for number in range(count):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[..., 0] = np.arange(width) * 3
        frame[..., 2] = 40 + 2 * number
        left = number % (width - 12)
        frame[12:24, left : left + 12] = (230, 200, 40)
        frames.append(frame)
    return frames


def write_small_video(
    path: Path,
    frames: Sequence[np.ndarray],
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    *,
    key_every: int = 8,
    times: Sequence[int] | None = None,
    prepare: Callable[[av.VideoStream], None] = lambda stream: None,
    **options: str,
) -> Path:
    """Write `frames` at 25 frames a second, or at `times` (in hundredths of a second)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.gop_size = key_every
        stream.codec_context.time_base = Fraction(1, 100)
        prepare(stream)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, 100), times[number] if times else 4 * number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def played(path: Path) -> list[np.ndarray]:
    """All frames, decoded in order by FFmpeg alone."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def exif_of(orientation: int) -> Image.Exif:
    """EXIF data of a camera that was held so; 0: it does not say how."""
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    if orientation:
        exif[0x0112] = orientation
    return exif


def jpeg_of_corners(orientation: int) -> bytes:
    """A JPEG file of 48 x 64 pixels with four corners of four colours, and EXIF data."""
    corners = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8)
    image = Image.fromarray(corners).resize((64, 48), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif_of(orientation), subsampling=0, quality=95)
    return buffer.getvalue()


def write_motion_jpeg(path: Path, jpegs: Sequence[bytes]) -> Path:
    """Write a video whose packets are JPEG files of 48 x 64 pixels as they are, as cameras do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=12)
        stream.height, stream.width = 48, 64
        stream.pix_fmt = "yuvj444p"
        for number, content in enumerate(jpegs):
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 12)
            packet.pts = packet.dts = number
            container.mux(packet)
    return path
