"""What FFmpeg may open: a video file by itself, and addresses where a stream was asked for.

FFmpeg goes by the content of a file and not by its name. Some contents are no video but name other files and addresses,
which it would open in turn: playlists, ffconcat scripts, session descriptions. So formats and protocols are lists of
what is allowed.
"""

import os
import re
from collections.abc import Iterator

import av
import numpy as np
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from masklet.closing import Closing
from masklet.errors import UnreadableVideoError
from masklet.media.forks import never_freed_after_fork
from masklet.media.images import Pixels

FILE_FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,nut,rm,wtv,gxf,dv,nsv,swf,ivf,nuv,pva,ty,dhav,lmlm4,cine,ser,flic,"
    "smjpeg,yuv4mpegpipe,h264,hevc,vvc,av1,obu,mpegvideo,m4v,h261,h263,vc1,dirac,dnxhd,cavsvideo,avs2,avs3,evc,mjpeg,"
    "mjpeg_2000,gif,apng,jpegxl_anim,"
    "jpeg_pipe,png_pipe,bmp_pipe,gif_pipe,ppm_pipe,pgm_pipe,pbm_pipe,pam_pipe,pfm_pipe,jpegls_pipe,jpegxl_pipe,"
    "j2k_pipe,qoi_pipe,exr_pipe,dpx_pipe,hdr_pipe,psd_pipe,pcx_pipe,sgi_pipe,sunrast_pipe,dds_pipe"
)
"""FFmpeg's names of formats that hold all that they show (of QuickTime files it leaves references to others alone)."""
ADDRESS_FORMATS = f"{FILE_FORMATS},hls,dash,rtsp,rtp,sdp,mpjpeg,live_flv"
ADDRESS_PROTOCOLS = (
    "http,https,httpproxy,tcp,tls,crypto,data,udp,udplite,rtp,srtp,rtsp,rtsps,rtmp,rtmpe,rtmps,rtmpt,rtmpte,rtmpts,"
    "srt,rist,sctp,mmsh,mmst,ftp,sftp"
)
KINDS = "mp4, mov, mkv, webm, avi, mpg, ts, flv, wmv, ogv, gif, png, jpg, raw H.264 and the like"
LIVE_TIMEOUT = (10.0, 30.0)  # seconds to open an address, and to wait for what comes next


class VideoInput(Closing):
    """What FFmpeg reads a video from, and the stream in it that a player would show. For one thread at a time.

    Made by `file_input`, `address_input` and `camera_input`, which raise UnreadableVideoError if it cannot be opened or
    has no video stream.

    Args:
        address: what FFmpeg opens.
        name: what it is called in messages.
        formats, protocols: FFmpeg's names, with commas between, of those that are allowed; all if empty.
        format_name: of the format, where it is not to be guessed.
        timeout: see LIVE_TIMEOUT.
        threads: that decode; 0: as many as FFmpeg finds best.
    """

    def __init__(
        self,
        address: str,
        name: str,
        *,
        formats: str = "",
        protocols: str = "",
        format_name: str | None = None,
        timeout: tuple[float, float] | None = None,
        threads: int = 0,
    ) -> None:
        self.name = name
        lists = {"format_whitelist": formats, "protocol_whitelist": protocols}
        options = {option: allowed for option, allowed in lists.items() if allowed}
        try:
            self.container = av.open(
                address, format=format_name, container_options=options, timeout=timeout, metadata_errors="replace"
            )
        except av.ArgumentError as error:
            reason = f"it is of none of the kinds that are read ({KINDS})" if formats else error.strerror
            raise UnreadableVideoError(f"Cannot read the video {name}: {reason}") from error
        except av.FFmpegError as error:
            raise UnreadableVideoError(f"Cannot read the video {name}: {error.strerror}") from error
        self.stream = self._best_stream(threads)
        # One of each for all frames; each frame's own would start its own threads.
        self._reformatter, self._scaler = VideoReformatter(), VideoReformatter()
        self._process = os.getpid()
        never_freed_after_fork(self)

    def __del__(self) -> None:
        if hasattr(self, "_process"):  # else it could not be opened
            self.close()  # FFmpeg's threads would wait for the garbage collector, which may run in a forked process

    def packets(self) -> Iterator["Packet[VideoStream]"]:
        """Yield the stream's packets up to the end, or to where it is damaged beyond the demuxer's skill.

        UnreadableVideoError in a process that was forked after this was opened: FFmpeg's threads are not there.
        """
        packets = self.container.demux(self.stream)
        while True:
            self._check_process()
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                return
            if packet is None:
                return
            if packet.size:
                yield packet

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield all frames from the current place on that can be decoded; packets that cannot are passed over."""
        for packet in self.packets():
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def pixels(self, frame: av.VideoFrame, size: tuple[int, int] | None = None) -> Pixels:
        """Return a decoded frame of any pixel format as 8-bit RGB [H, W, 3], as it is stored or scaled to a size."""
        if size is not None:  # before they are RGB, of which there is twice as much to scale
            frame = self._scaler.reformat(frame, size[1], size[0], format="yuv420p")
        return np.asarray(self._reformatter.reformat(frame, format="rgb24").to_ndarray())

    def seek(self, timestamp: int) -> None:
        """Go to the last key frame up to `timestamp`; av.FFmpegError from a format that cannot seek."""
        self.container.seek(timestamp, stream=self.stream)

    def close(self) -> None:
        """Close what was opened; do nothing in a process that was forked after that."""
        if self._process == os.getpid():
            self.container.close()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise UnreadableVideoError(f"{self.name} was opened by another process; open it in this one, too.")

    def _best_stream(self, threads: int) -> VideoStream:
        stream = self.container.streams.best("video")
        if isinstance(stream, VideoStream):
            stream.thread_type, stream.thread_count = "AUTO", threads
            return stream
        self.container.close()
        raise UnreadableVideoError(f"Cannot read the video {self.name}: it has no video stream")

    def _decoded(self, packet: "Packet[VideoStream] | None") -> list[av.VideoFrame]:
        try:
            return self.stream.decode(packet)
        except av.FFmpegError:
            return []


def file_input(
    path: str | os.PathLike[str], timeout: tuple[float, float] | None = None, threads: int = 0
) -> VideoInput:
    """Open a video file; no other file is read for it."""
    name = os.fspath(path)
    # An absolute path, because the part before a colon would be taken for a protocol.
    return VideoInput(
        os.path.abspath(name), name, formats=FILE_FORMATS, protocols="file", timeout=timeout, threads=threads
    )


def address_input(address: str) -> VideoInput:
    """Open the address of a stream (see `is_address`); no file is read for it."""
    protocols = "pipe" if address.startswith("pipe:") else ADDRESS_PROTOCOLS
    return VideoInput(address, address, formats=ADDRESS_FORMATS, protocols=protocols, timeout=LIVE_TIMEOUT)


def camera_input(name: str, format_name: str) -> VideoInput:
    """Open a camera by the system's name of it, through FFmpeg's format for cameras of this system."""
    return VideoInput(name, name, format_name=format_name, timeout=LIVE_TIMEOUT)


def is_address(text: str) -> bool:
    """Return whether `text` is the address of a stream: http://, rtsp://, udp:// and so on, or a pipe (pipe:0)."""
    scheme = re.match(r"([a-z]+):", text)
    return scheme is not None and scheme[1] in {*ADDRESS_PROTOCOLS.split(","), "pipe"}
