import gc

import numpy as np
import pytest
from PIL import Image
from tests.support.video_files import moving_square, played, write_small_video

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media import decoded_frames, video_file, video_reader
from masklet.media.frame_file import FrameRead, damage
from masklet.media.video_file import VideoFile
from masklet.media.video_reader import open_video

COUNT = 30
KINDS = {
    "b-frames.mp4": {"bf": "3"},
    "open-groups.mkv": {"x264-params": "open-gop=1:bframes=3"},
    "key-frames-only.mp4": {"key_every": 1},
    "hidden-frames.webm": {"codec": "libvpx", "auto-alt-ref": "1", "lag-in-frames": "12"},
    "vp9.webm": {"codec": "libvpx-vp9", "lag-in-frames": "8", "deadline": "realtime", "cpu-used": "8"},
    "animation.gif": {"codec": "gif", "pixel_format": "rgb8"},
    "transport.ts": {"bf": "2"},
    "without-times.h264": {"bf": "2"},
    "decoding-times.avi": {"bf": "2"},
    "ten-bits.mkv": {"pixel_format": "yuv420p10le"},
}


def assert_frames_equal(frames, expected):
    assert len(frames) == len(expected)
    for frame, other in zip(frames, expected, strict=True):
        np.testing.assert_array_equal(frame, other)


@pytest.mark.parametrize("name", KINDS)
def test_any_order_gives_the_frames_of_playing(tmp_path, name):
    path = write_small_video(tmp_path / name, moving_square(COUNT), **KINDS[name])
    expected = played(path)
    assert len(expected) == COUNT
    jumps = np.random.default_rng(0).integers(0, COUNT, 20).tolist()
    with open_video(path) as video:
        assert (len(video), video.height, video.width) == (COUNT, 48, 64)
        for number in (*range(COUNT), *reversed(range(COUNT)), *jumps, -1):
            np.testing.assert_array_equal(video[number], expected[number], err_msg=str(number))
        assert_frames_equal(list(video), expected)
        assert video.problems == []


@pytest.mark.parametrize("name", ["b-frames.mp4", "open-groups.mkv", "transport.ts", "without-times.h264"])
def test_first_access_anywhere(tmp_path, name):
    path = write_small_video(tmp_path / name, moving_square(COUNT), **KINDS[name])
    expected = played(path)
    for number in (COUNT - 1, 13, 8, 7, 1):
        with open_video(path) as video:
            np.testing.assert_array_equal(video[number], expected[number], err_msg=str(number))


def test_a_few_frames_back_and_out_of_order_need_no_seek(tmp_path, monkeypatch):
    path = write_small_video(tmp_path / "v.mp4", moving_square(COUNT), key_every=100, bf="2")
    expected, file, seeks = played(path), VideoFile(path), []
    go_to = VideoFile._go_to
    monkeypatch.setattr(VideoFile, "_go_to", lambda self, start: (seeks.append(start), go_to(self, start)))
    for number in (20, 19, 18, 23, 21, 22, 29, 22):
        np.testing.assert_array_equal(file.read(number).pixels, expected[number], err_msg=str(number))
    assert seeks == []
    np.testing.assert_array_equal(file.read(3).pixels, expected[3])
    assert seeks == [0]


@pytest.mark.parametrize("held", [1, 40_000])
def test_frames_that_are_passed_take_bounded_memory(tmp_path, monkeypatch, held):
    monkeypatch.setattr(video_file, "PASSED_BYTES", held)
    path = write_small_video(tmp_path / "v.mp4", moving_square(COUNT))
    expected, file = played(path), VideoFile(path)
    for number in (20, 19, 17, 25):
        np.testing.assert_array_equal(file.read(number).pixels, expected[number])
        planes = [plane for _, frame in file._run.passed for plane in frame.planes]
        assert len(file._run.passed) == 1 or sum(plane.buffer_size for plane in planes) <= held


def test_odd_sizes_and_colours(tmp_path):
    frames = [np.full((33, 51, 3), (200, 40, 90), np.uint8)] * 3
    with open_video(write_small_video(tmp_path / "odd.mkv", frames, "ffv1", "bgr0")) as video:
        np.testing.assert_array_equal(video[2], frames[2])


def test_a_frame_of_ten_bits_is_scaled_to_eight(tmp_path):
    grey = [np.full((48, 64, 3), 180, np.uint8)] * 2
    with open_video(write_small_video(tmp_path / "deep.mkv", grey, "ffv1", "yuv444p10le")) as video:
        assert abs(video[1].astype(int) - 180).max() <= 2


def test_variable_frame_rates_keep_their_times(tmp_path):
    times = [0, 4, 8, 40, 44, 100]
    with open_video(write_small_video(tmp_path / "v.mkv", moving_square(6), times=times)) as video:
        assert [round(100 * video.time_of(number)) for number in range(6)] == times
        assert float(video.frame_rate) == pytest.approx(5.0, rel=0.02)


def test_the_frame_rate_is_that_of_the_file(tmp_path):
    with open_video(write_small_video(tmp_path / "v.mp4", moving_square(6))) as video:
        assert video.frame_rate == 25


def test_the_rotation_of_phones_is_applied(tmp_path):
    frames = [np.zeros((48, 64, 3), np.uint8)] * 3
    frames[0][:24, :32] = 255  # top left
    path = write_small_video(tmp_path / "v.mp4", frames, prepare=lambda stream: stream.set_display_rotation(-90))
    with open_video(path) as video:
        assert (video.height, video.width) == video[1].shape[:2] == (64, 48)
        assert video[1][:30, 26:].min() > 200  # top right: turned clockwise
        assert video[1][:, :22].max() < 50


def test_the_rotation_is_asked_of_one_frame_only(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(video_file, "display_matrix", asked.append)  # a frame that was asked is freed late
    with open_video(write_small_video(tmp_path / "v.mp4", moving_square(20))) as video:
        assert len([frame for order in (video, reversed(video)) for frame in order]) == 40
    assert len(asked) == 1


# damaged files


def overwrite(path, start, count):
    content = bytearray(path.read_bytes())
    content[start : start + count] = b"\xa5" * count
    path.write_bytes(content)


def packet_places(path):
    import av

    with av.open(str(path)) as container:
        return [(packet.pos, packet.size, packet.pts) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("order", [range(20), range(19, -1, -1), [7, 8, 6]], ids=["forwards", "backwards", "jumping"])
def test_a_packet_that_cannot_be_decoded_is_replaced_and_reported(tmp_path, order):
    path = write_small_video(tmp_path / "v.avi", moving_square(20), "ffv1", "bgr0", key_every=1)
    expected = played(path)
    expected[7] = expected[6]
    position, size, _ = packet_places(path)[7]
    overwrite(path, position + 8, size - 8)
    with open_video(path) as video:
        assert len(video) == 20
        for number in order:
            np.testing.assert_array_equal(video[number], expected[number], err_msg=str(number))
        assert video.problems == ["Frame 7 cannot be decoded; frame 6 stands in its place."]


@pytest.mark.parametrize("order", [range(24), range(23, -1, -1), [12, 20, 9]], ids=["forwards", "backwards", "jumping"])
def test_a_lost_stretch_shows_the_last_good_frame(tmp_path, order):
    path = write_small_video(tmp_path / "v.avi", moving_square(24), "ffv1", "bgr0", key_every=1)
    expected = played(path)
    for position, size, _ in packet_places(path)[8:16]:
        overwrite(path, position + 8, size - 8)
    expected[8:16] = [expected[7]] * 8
    with open_video(path) as video:
        for number in order:
            np.testing.assert_array_equal(video[number], expected[number], err_msg=str(number))
        assert len(video.problems) == len({*order} & {*range(8, 16)})


def test_without_its_first_frames_a_video_begins_with_the_first_good_one(tmp_path):
    path = write_small_video(tmp_path / "v.avi", moving_square(6), "ffv1", "bgr0", key_every=1)
    expected = played(path)
    for position, size, _ in packet_places(path)[:2]:
        overwrite(path, position + 8, size - 8)
    with open_video(path) as video:
        assert_frames_equal(list(video), [expected[2], expected[2], *expected[2:]])


def test_a_frame_that_the_decoder_mended_is_reported(tmp_path):
    path = write_small_video(tmp_path / "v.mkv", moving_square(24), bf="0")
    expected = played(path)
    position, size, _ = packet_places(path)[8]
    overwrite(path, position + 10, size - 10)
    with open_video(path) as video:
        frames = list(video)
        assert video.problems == ["Frame 8 is damaged."]
    assert_frames_equal(frames[:8] + frames[16:], expected[:8] + expected[16:])


@pytest.mark.parametrize("name", ["v.mkv", "v.mp4"])
def test_a_file_that_is_cut_off_has_the_frames_before_the_cut(tmp_path, name):
    def index_first(stream):
        stream.container.options["movflags"] = "+faststart"

    path = write_small_video(tmp_path / name, moving_square(40), prepare=index_first, bf="0")
    expected = played(path)
    path.write_bytes(path.read_bytes()[: packet_places(path)[25][0]])
    with open_video(path) as video:
        assert 24 <= len(video) <= 26
        assert_frames_equal(list(video)[:24], expected[:24])
        assert bool(video.problems) == (name == "v.mp4")  # only the mp4 says how many frames there should be


def test_a_size_that_changes_midway_is_an_error_that_names_the_frame(tmp_path):
    first = write_small_video(tmp_path / "a.ts", moving_square(6))
    second = write_small_video(tmp_path / "b.ts", moving_square(6, 32, 48), times=range(24, 48, 4))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with open_video(joined) as video:
        np.testing.assert_array_equal(video[5], played(first)[5])
        with pytest.raises(InvalidInputError, match="48 x 32 pixels, the first one 64 x 48"):
            list(video)


def test_what_is_no_video_is_refused(tmp_path):
    with pytest.raises(UnreadableVideoError, match="No such video"):
        open_video(tmp_path / "nothing.mp4")
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(UnreadableVideoError, match=r"text\.mp4"):
        open_video(tmp_path / "text.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(UnreadableVideoError, match=r"empty\.mp4"):
        open_video(str(tmp_path / "empty.mp4"))


@pytest.mark.parametrize(("name", "codec"), [("sound.m4a", "aac"), ("sound.mkv", "pcm_s16le")])
def test_a_file_with_sound_only_is_refused(tmp_path, name, codec):
    import av

    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UnreadableVideoError, match="no video stream"):
        open_video(tmp_path / name)


# the reader


class CountingFile:
    """A video of one-coloured frames that remembers what was read; frame 5 is broken."""

    name, height, width, frame_rate, problems = "the counting file", 4, 6, 25, ()

    def __init__(self, count):
        self.count, self.reads, self.is_open = count, [], True

    def __len__(self):
        return self.count

    def read(self, number):
        self.reads.append(number)
        shown = 4 if number == 5 else number
        return FrameRead(np.full((4, 6, 3), shown, np.uint8), damage(number, shown))

    def time_of(self, number):
        return number / 25

    def close(self):
        self.is_open = False


def test_frames_outside_are_an_index_error():
    with video_reader.VideoReader(CountingFile(9)) as video:
        for number in (9, -10):
            with pytest.raises(IndexError, match="frames 0 to 8"):
                video[number]
        assert video[-1][0, 0, 0] == 8


def test_a_closed_video_says_so():
    with video_reader.VideoReader(CountingFile(9)) as video:
        name = video.name
    with pytest.raises(UnreadableVideoError, match=rf"{name} was closed; open it again to read frame 3"):
        video[3]


def test_few_frames_are_held_and_each_is_decoded_once_in_a_pass():
    file = CountingFile(100)
    with video_reader.VideoReader(file) as video:
        for number, frame in enumerate(video):
            assert frame[0, 0, 0] == (4 if number == 5 else number)
        assert len(video._held) <= decoded_frames.MOST_HELD_FRAMES
        assert file.reads == list(range(100))
        assert video.problems == ["Frame 5 cannot be decoded; frame 4 stands in its place."]


def test_many_readers_share_what_is_held(monkeypatch):
    frame = video_reader.VideoReader(CountingFile(9))[0].nbytes
    monkeypatch.setattr(decoded_frames, "HELD_BYTES", 40 * frame)
    monkeypatch.setattr(decoded_frames, "ALL_HELD_BYTES", 80 * frame)
    monkeypatch.setattr(decoded_frames, "_open", set())
    readers = [video_reader.VideoReader(CountingFile(100)) for _ in range(8)]
    for reader in readers:
        assert [pixels[0, 0, 0] for pixels in reader][-1] == 99
    assert {len(reader._held) for reader in readers} == {10}
    for reader in readers[2:]:
        reader.close()
    del reader
    assert [len([*readers[0]]), len(readers[0]._held)] == [100, 40]
    readers.clear()
    gc.collect()
    assert decoded_frames._open == set()


def test_backwards_stretches_are_decoded_forwards():
    file = CountingFile(100)
    with video_reader.VideoReader(file) as video:
        for number in reversed(range(100)):
            assert video[number][0, 0, 0] == (4 if number == 5 else number)
    assert sorted(file.reads) == list(range(100))
    assert sum(later == earlier + 1 for earlier, later in zip(file.reads, file.reads[1:], strict=False)) > 70
    assert not file.is_open


def test_jumps_decode_nothing_in_advance():
    file = CountingFile(100)
    with video_reader.VideoReader(file) as video:
        for number in (50, 10, 90):
            video[number]
    assert file.reads == [50, 10, 90]


def test_large_frames_are_held_in_smaller_numbers():
    file = CountingFile(100)
    file.height, file.width = 2160, 3840
    with video_reader.VideoReader(file) as video:
        for _ in video:
            assert len(video._held) <= 4


def test_a_list_of_images_is_a_video(tmp_path):
    frames = moving_square(3)
    Image.fromarray(frames[0]).save(tmp_path / "a.png")
    with open_video([tmp_path / "a.png", Image.fromarray(frames[1]), frames[2]]) as video:
        assert_frames_equal(list(video), frames)


def test_the_address_of_a_stream_is_named_as_it_was_given():
    with pytest.raises(UnreadableVideoError, match=r"^rtsp://camera/1 is the address of a stream, .*live_frames"):
        open_video("rtsp://camera/1")
