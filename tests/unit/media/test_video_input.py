import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest
from tests.support.files_that_name_others import scripts, write_external_reference
from tests.support.video_files import moving_square, played, write_small_video

from masklet.errors import UnreadableVideoError
from masklet.media.live_frames import live_frames
from masklet.media.video_input import is_address
from masklet.media.video_reader import open_video
from masklet.media.video_writer import write_video

KINDS = list(scripts(""))


class Served:
    """A web server of this machine for the files of a folder, and the paths that were asked for."""

    def __init__(self, folder):
        self.asked = asked = []

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *details):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def secret(tmp_path):
    """A video beside the files that name it."""
    return write_small_video(tmp_path / "secret.ts", moving_square(6))


def assert_refused(path):
    with pytest.raises(UnreadableVideoError, match="Cannot read the video"):
        open_video(path)
    with pytest.raises(UnreadableVideoError, match="Cannot read the video"):
        list(live_frames(str(path)))


@pytest.mark.parametrize("suffix", [".mp4", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_names_another_one_does_not_make_us_read_it(tmp_path, secret, kind, suffix):
    for number, target in enumerate((secret.name, str(secret), f"file://{secret}")):
        path = tmp_path / f"script{number}{suffix or kind}"
        path.write_text(scripts(target)[kind])
        assert_refused(path)


@pytest.mark.parametrize("suffix", [".mp4", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_names_an_address_does_not_make_us_ask_there(tmp_path, secret, kind, suffix):
    path = tmp_path / f"script{suffix or kind}"
    with Served(tmp_path) as server:
        path.write_text(scripts(f"{server.address}/{secret.name}")[kind])
        assert_refused(path)
        assert server.asked == []


@pytest.mark.parametrize(("kind", "suffix"), [(".ffconcat", ".mp4"), (".m3u8", ".m3u8")])
def test_ffmpeg_alone_would_follow_the_scripts(tmp_path, secret, kind, suffix):
    path = tmp_path / f"script{suffix}"
    path.write_text(scripts(secret.name)[kind])
    assert len(played(path)) == 6


def test_a_movie_that_keeps_its_frames_in_another_file_does_not_make_us_read_that(tmp_path):
    movie = write_small_video(tmp_path / "movie.mov", moving_square(6))
    path = write_external_reference(tmp_path / "reference.mov", movie)
    with av.open(str(path), container_options={"enable_drefs": "1"}) as container:
        assert len(list(container.decode(video=0))) == 6
    with pytest.raises(UnreadableVideoError, match="no frame of it can be decoded"):
        open_video(path)
    assert list(live_frames(str(path))) == []


def test_a_name_that_looks_like_a_pattern_is_no_sequence_of_other_files(tmp_path):
    from PIL import Image

    for number in range(3):
        Image.fromarray(moving_square(3)[number]).save(tmp_path / f"frame{number}.png")
    (tmp_path / "frame%d.png").write_bytes(b"")
    assert_refused(tmp_path / "frame%d.png")


def test_a_playlist_at_an_address_is_followed_to_addresses_and_not_to_files(tmp_path, secret):
    with Served(tmp_path) as server:
        (tmp_path / "good.m3u8").write_text(scripts(secret.name)[".m3u8"])
        assert len(list(live_frames(f"{server.address}/good.m3u8"))) == 6
        for number, target in enumerate((f"file://{secret}", str(secret))):
            (tmp_path / f"bad{number}.m3u8").write_text(scripts(target)[".m3u8"])
            with pytest.raises(UnreadableVideoError, match=f"bad{number}"):
                list(live_frames(f"{server.address}/bad{number}.m3u8"))
        (tmp_path / "script.ffconcat").write_text(scripts(f"{server.address}/{secret.name}")[".ffconcat"])
        with pytest.raises(UnreadableVideoError, match="none of the kinds"):
            list(live_frames(f"{server.address}/script.ffconcat"))


def test_a_video_at_an_address_is_a_stream_and_no_video_file(tmp_path, secret):
    with Served(tmp_path) as server:
        address = f"{server.address}/{secret.name}"
        for frame, expected in zip(live_frames(address), played(secret), strict=True):
            np.testing.assert_array_equal(frame, expected)
        server.asked.clear()
        with pytest.raises(UnreadableVideoError, match="live_frames"):
            open_video(address)
        assert server.asked == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://camera/1", True),
        ("https://example.org/a.m3u8", True),
        ("udp://@:1234", True),
        ("pipe:0", True),
        ("a.mp4", False),
        ("C:\\a.mp4", False),
        ("concat:a.ts|b.ts", False),
        ("subfile,,start,0,end,9,,:a.mp4", False),
        ("file:///a.mp4", False),
        ("lavfi:testsrc", False),
        ("crypto+file:a.ts", False),
    ],
)
def test_which_texts_are_addresses(text, expected):
    assert is_address(text) is expected


NAMES = ["take 1: a.mp4", "http:a.mp4", "file:a.mp4", "concat:a|b.mp4", "50%03d?#[a]*.mp4", "-", "r\u00e9sum\u00e9.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file_is_read_and_written(tmp_path, monkeypatch, name):
    plain = write_small_video(tmp_path / "plain.mp4", moving_square(4))
    (tmp_path / name).write_bytes(plain.read_bytes())
    monkeypatch.chdir(tmp_path)
    for path in (name, tmp_path / name):
        with open_video(path) as video:
            assert len(video) == 4
    assert len(list(live_frames(name))) == 4
    with write_video(f"{name}.copy.mp4", 48, 64, 25) as out:
        out.write(moving_square(1)[0])
    assert len(played(tmp_path / f"{name}.copy.mp4")) == 1


def test_names_and_titles_may_be_in_no_encoding_of_today(tmp_path):
    with av.open(str(tmp_path / "titled.avi"), "w") as container:
        container.metadata["title"] = "caf?"
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "bgr0"
        for pixels in moving_square(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    content = (tmp_path / "titled.avi").read_bytes()
    assert b"caf?" in content
    path = os.fsencode(tmp_path) + b"/caf\xe9.avi"
    with open(path, "wb") as file:
        file.write(content.replace(b"caf?", b"caf\xe9"))
    with open_video(os.fsdecode(path)) as video:
        assert len(video) == 4


def test_a_pipe_is_no_video_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UnreadableVideoError, match=r"pipe\.mp4 is no file"):
        open_video(tmp_path / "pipe.mp4")


CONTAINERS = {
    **dict.fromkeys(["v.mp4", "v.mov", "v.m4v", "v.3gp", "v.f4v", "v.mkv", "v.ts", "v.m2ts", "h264.flv"], "libx264"),
    **dict.fromkeys(["v.mxf", "v.m2v", "v.vob", "v.wtv"], "mpeg2video"),
    **{"v.avi": "mpeg4", "v.flv": "flv", "v.swf": "flv", "v.wmv": "wmv2", "v.rm": "rv10", "v.ivf": "libvpx"},
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_containers_of_today_and_yesterday_are_read(tmp_path, name):
    path = write_small_video(tmp_path / name, moving_square(8), CONTAINERS[name])
    path = path.rename(tmp_path / "without-suffix")
    with open_video(path) as video:
        assert len(video) == 8
        np.testing.assert_array_equal(video[7], played(path)[7])
