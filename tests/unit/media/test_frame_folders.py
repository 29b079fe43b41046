import numpy as np
import pytest
from PIL import Image
from tests.support.litter import litter
from tests.support.video_files import moving_square

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media.frame_folders import FrameImages, frames_of_folder
from masklet.media.video_reader import open_video


def write_frames(folder, names, frames=None):
    for name, frame in zip(names, frames or moving_square(len(names)), strict=True):
        Image.fromarray(frame).save(folder / name)


def test_numbers_are_sorted_as_numbers(tmp_path):
    names = ["frame9.png", "frame10.png", "frame010b.png", "Frame2.PNG", "x-1-10.png", "x-1-9.png", "7.png"]
    write_frames(tmp_path, names)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.png").mkdir()
    litter(tmp_path)
    assert [path.name for path in frames_of_folder(tmp_path)] == [
        "7.png",
        "Frame2.PNG",
        "frame9.png",
        "frame10.png",
        "frame010b.png",
        "x-1-9.png",
        "x-1-10.png",
    ]


def test_a_folder_is_a_video(tmp_path):
    frames = moving_square(12)
    write_frames(tmp_path, [f"{number}.png" for number in range(12)], frames)
    with open_video(str(tmp_path)) as video:
        assert (len(video), video.height, video.width) == (12, 48, 64)
        assert video.time_of(12) == 0.5
        for number in (11, 0, 10, 2):
            np.testing.assert_array_equal(video[number], frames[number])


def test_a_broken_image_is_replaced_and_reported(tmp_path):
    frames = moving_square(4)
    write_frames(tmp_path, ["0.png", "1.png", "2.png", "3.png"], frames)
    (tmp_path / "0.png").write_bytes(b"no picture")
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:100])
    with open_video(tmp_path) as video:
        shown = list(video)
        assert video.problems == [
            "Frame 0 cannot be decoded; frame 1 stands in its place.",
            "Frame 2 cannot be decoded; frame 1 stands in its place.",
        ]
    for frame, expected in zip(shown, (1, 1, 1, 3), strict=True):
        np.testing.assert_array_equal(frame, frames[expected])


def test_a_folder_without_frames_is_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UnreadableVideoError, match="has no frames"):
        open_video(tmp_path)
    with pytest.raises(UnreadableVideoError, match="has no frames"):
        open_video([])


def test_images_of_which_none_can_be_read_are_refused(tmp_path):
    for name in ("0.png", "1.png"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(UnreadableVideoError, match="None of the 2 images"):
        open_video(tmp_path)


def test_frame_files_that_are_missing_are_reported_and_not_replaced(tmp_path):
    write_frames(tmp_path, ["0.png", "2.png"])
    listed = [tmp_path / f"{number}.png" for number in range(3)]
    with pytest.raises(UnreadableVideoError, match=r"of 3 frames the files of 1 are missing: .*1\.png\.$"):
        open_video(listed)
    with pytest.raises(UnreadableVideoError, match=r"of 21 frames the files of 19 are missing: .*4\.png and more\.$"):
        open_video([str(tmp_path / f"{number}.png") for number in range(21)])
    (tmp_path / "1.png").symlink_to(tmp_path / "unmounted" / "1.png")
    with pytest.raises(UnreadableVideoError, match=r"of 3 frames the files of 1 are missing: .*1\.png\.$"):
        open_video(tmp_path)


def test_frames_of_several_sizes_are_refused_by_name(tmp_path):
    write_frames(tmp_path, ["0.png", "1.png"], [np.zeros((4, 6, 3), np.uint8), np.zeros((5, 6, 3), np.uint8)])
    with open_video(tmp_path) as video, pytest.raises(InvalidInputError, match=r"1\.png.* 6 x 5 .* 6 x 4"):
        video[1]


def test_arrays_of_other_kinds_are_refused():
    with pytest.raises(InvalidInputError, match=r"Frame 0 is float64 \[4, 6, 3\]"):
        FrameImages([np.zeros((4, 6, 3))], "the list")


def test_images_without_pixels_are_no_frames():
    for image in (np.zeros((0, 6, 3), np.uint8), Image.new("L", (6, 0)), Image.new("I;16", (6, 0))):
        with pytest.raises(InvalidInputError, match="has no pixels"):
            FrameImages([image], "the list")


def test_frames_of_sixteen_bits_share_one_white(tmp_path):
    """Each stretched by itself, the second of these would be four times as bright as the others."""
    for number, highest in enumerate((3000, 900, 4000)):
        values = np.full((4, 6), 800, np.uint16)
        values[0, 0] = highest
        Image.fromarray(values).save(tmp_path / f"{number}.png")
    video = FrameImages(frames_of_folder(tmp_path), "frames")
    assert [video.read(number).pixels[2, 2].tolist() for number in range(3)] == [[50, 50, 50]] * 3
