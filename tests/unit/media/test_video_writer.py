import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from tests.support.video_files import moving_square, played

from masklet.errors import InvalidInputError
from masklet.media import video_writer
from masklet.media.video_reader import open_video
from masklet.media.video_writer import write_video

COLOURS = [(200, 40, 90), (10, 220, 30), (30, 60, 240), (255, 255, 255), (0, 0, 0)]


def codec_of(path):
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.name, stream.codec_context.pix_fmt


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
def test_frames_and_colours_come_back(tmp_path, monkeypatch, encoder):
    monkeypatch.setattr(video_writer, "ENCODERS", ("no-such-encoder", encoder))
    with write_video(tmp_path / "v.mp4", 40, 60, Fraction(30000, 1001)) as writer:
        for colour in COLOURS:
            writer.write(np.full((40, 60, 3), colour, np.uint8))
    with open_video(tmp_path / "v.mp4") as video:
        assert (len(video), video.height, video.width) == (len(COLOURS), 40, 60)
        assert video.frame_rate == Fraction(30000, 1001)
        for frame, colour in zip(video, COLOURS, strict=True):
            assert np.abs(frame[20, 30].astype(int) - colour).max() <= 3
    assert codec_of(tmp_path / "v.mp4") == ("h264" if encoder == "libx264" else "mpeg4", "yuv420p")


def test_moving_images_stay_recognisable(tmp_path):
    frames = moving_square(20)
    with write_video(tmp_path / "v.mp4", 48, 64, 25) as writer:
        for frame in frames:
            writer.write(frame)
    for frame, original in zip(played(tmp_path / "v.mp4"), frames, strict=True):
        assert np.abs(frame.astype(int) - original).mean() < 8


def test_odd_sides_are_made_even_by_repeating(tmp_path):
    frame = np.zeros((33, 51, 3), np.uint8)
    frame[:, 40:] = 255
    with write_video(tmp_path / "v.mp4", 33, 51, 25) as writer:
        writer.write(frame)
    (result,) = played(tmp_path / "v.mp4")
    assert result.shape == (34, 52, 3)
    assert result[33, 51].min() > 240
    assert result[33, 10].max() < 15


class NotedContainer:
    """A container that is asked whether it was closed."""

    def __init__(self, container):
        self.add_stream, self._close, self.is_closed = container.add_stream, container.close, False

    def close(self):
        self._close()
        self.is_closed = True


@pytest.mark.parametrize(
    ("encoder", "height", "message"),
    [
        ("mpeg4", 16_384, "mpeg4 cannot encode a video of 60 x 16384 pixels and 25 frames a second"),
        ("no-such-encoder", 40, "has no video encoder; needed is one of no-such-encoder"),
    ],
)
def test_what_cannot_be_encoded_leaves_no_file_and_none_open(tmp_path, monkeypatch, encoder, height, message):
    opened, av_open = [], video_writer.av.open

    def noted_open(*arguments, **options):
        opened.append(NotedContainer(av_open(*arguments, **options)))
        return opened[-1]

    monkeypatch.setattr(video_writer.av, "open", noted_open)
    monkeypatch.setattr(video_writer, "ENCODERS", (encoder,))
    with pytest.raises(InvalidInputError, match=message), write_video(tmp_path / "v.mp4", height, 60, 25):
        pass
    assert [each.is_closed for each in opened] == [True]
    assert not list(tmp_path.iterdir())


def test_times_are_kept(tmp_path):
    times = [0.0, 0.04, 0.5, 0.52, 2.0]
    with write_video(tmp_path / "v.mp4", 48, 64, 25) as writer:
        for frame, time in zip(moving_square(5), times, strict=True):
            writer.write(frame, time)
    with open_video(tmp_path / "v.mp4") as video:
        assert [video.time_of(number) for number in range(5)] == pytest.approx(times, abs=1e-3)


def test_other_frames_are_refused_and_nothing_is_left(tmp_path):
    def write(*frames):
        with write_video(tmp_path / "v.mp4", 40, 60, 25) as writer:
            for frame in frames:
                writer.write(frame)

    with pytest.raises(InvalidInputError, match=r"uint8 \[40, 60, 3\]; got uint8 \[60, 40, 3\]"):
        write(np.zeros((40, 60, 3), np.uint8), np.zeros((60, 40, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(0, 6), (4, 0), (-4, 6), (2**40, 6), (4, 16_385), (4, 6.5), (None, 6)])
def test_a_video_of_another_size_is_refused(size, tmp_path):
    with pytest.raises(InvalidInputError, match=f"got {size[1]} x {size[0]}"), write_video(tmp_path / "v", *size, 25):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [0, -25, math.inf, math.nan, 10**400, "25", None])
def test_a_video_of_no_frames_a_second_is_refused(rate, tmp_path):
    with (
        pytest.raises(InvalidInputError, match="more than 0 frames a second; got"),
        write_video(tmp_path / "v", 4, 6, rate),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [Fraction(1, 10**6), 1e9, np.float32(29.97), np.int64(25)])
def test_any_other_number_of_frames_a_second_is_written(rate, tmp_path):
    with write_video(tmp_path / "v.mp4", 4, 6, rate) as writer:
        writer.write(np.zeros((4, 6, 3), np.uint8))
    assert len(played(tmp_path / "v.mp4")) == 1


@pytest.mark.parametrize("time", [-0.1, math.nan, math.inf, 1e12, "1"])
def test_a_frame_at_no_time_is_refused(time, tmp_path):
    with (
        pytest.raises(InvalidInputError, match="0 to 1000000000 seconds from the start; got"),
        write_video(tmp_path / "v.mp4", 4, 6, 25) as writer,
    ):
        writer.write(np.zeros((4, 6, 3), np.uint8), time)


def test_no_frames_are_no_video(tmp_path):
    with pytest.raises(InvalidInputError, match="at least one frame"), write_video(tmp_path / "v.mp4", 4, 6, 25):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_file_has_its_name_only_when_it_is_complete(tmp_path):
    with write_video(tmp_path / "v.mp4", 48, 64, 25) as writer:
        writer.write(moving_square(1)[0])
        assert not (tmp_path / "v.mp4").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


PROGRAM = """
import os, sys
import numpy as np
from masklet.media.video_writer import write_video

def frame(number):
    return np.full((480, 640, 3), 40 + 2 * number, np.uint8)

with write_video(sys.argv[1], 480, 640, 25) as writer:
    for number in range(30):  # enough for all threads of the encoder
        writer.write(frame(number))
    child = os.fork()
    if child == 0:
        {child}
    else:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == {code}
        for number in range(30, 60):
            writer.write(frame(number))
"""


@pytest.mark.parametrize(
    ("child", "code"),
    [
        ("sys.exit(7)", 7),
        ("os._exit(7)", 7),
        ("pass", 1),  # leaves the block and is refused
        ("writer.write(frame(0))", 1),
        ("writer.finish()", 1),
        ("del writer; import gc; gc.collect(); sys.exit(7)", 7),
    ],
)
def test_a_process_forked_meanwhile_leaves_the_file_alone(child, code, tmp_path):
    program = PROGRAM.format(child=child, code=code)
    command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "v.mp4")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ("written by the process that this one was forked from" in ended.stderr) is (code == 1)
    with open_video(tmp_path / "v.mp4") as video:
        assert len(video) == 60
        assert [round(frame.mean()) for frame in video] == pytest.approx(range(40, 160, 2), abs=3)
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


WRITES_A_SQUARE = """
import sys
from tests.support.video_files import moving_square
from masklet.media.video_writer import write_video
with write_video(sys.argv[1], 48, 64, 12) as writer:
    for frame in moving_square(40):
        writer.write(frame)
"""


def test_the_same_frames_give_the_same_file_whatever_the_memory_held_before(tmp_path):
    for value in ("0", "85", "170"):
        # glibc fills what a program allocates with bytes made of this value; other systems ignore it
        filled = os.environ | {"MALLOC_PERTURB_": value, "MALLOC_MMAP_THRESHOLD_": "1000000000"}
        command = [sys.executable, "-c", WRITES_A_SQUARE, str(tmp_path / f"{value}.mp4")]
        subprocess.run(command, check=True, env=filled, timeout=120)
    assert len({path.read_bytes() for path in tmp_path.glob("*.mp4")}) == 1
