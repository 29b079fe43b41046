import numpy as np
import pytest
from PIL import Image
from tests.support.forked import found_in_fork
from tests.support.video_files import moving_square

from masklet.errors import InvalidInputError, UnreadableVideoError
from masklet.media.video_reader import open_video

COUNT = 12


def write_stack(path, frames, **options):
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [("v.tif", {}), ("v.tiff", {"compression": "tiff_lzw"}), ("v.webp", {"lossless": True}), ("v.png", {}), ("v", {})],
)
def test_stacks_and_animations_play_all_their_images(tmp_path, name, options):
    frames = moving_square(COUNT)
    path = write_stack(tmp_path / name, frames, format="TIFF" if name == "v" else None, **options)
    with open_video(path) as video:
        assert (len(video), video.height, video.width) == (COUNT, 48, 64)
        for number in (*range(COUNT), *reversed(range(COUNT)), 7, 2):
            np.testing.assert_array_equal(video[number], frames[number], err_msg=str(number))
        assert found_in_fork(lambda: np.array_equal(video[5], frames[5]))
        assert video.problems == []


def test_an_animation_is_as_fast_as_it_says(tmp_path):
    with open_video(write_stack(tmp_path / "v.webp", moving_square(3), duration=40, lossless=True)) as video:
        assert video.frame_rate == 25
    with open_video(write_stack(tmp_path / "v.tif", moving_square(3))) as video:
        assert video.frame_rate == 24


def test_images_of_several_sizes_are_refused_by_their_number(tmp_path):
    path = write_stack(tmp_path / "v.tif", [np.zeros((4, 6, 3), np.uint8), np.zeros((5, 6, 3), np.uint8)])
    with open_video(path) as video, pytest.raises(InvalidInputError, match=r"image 1 is 6 x 5 .* 6 x 4"):
        video[1]


def test_a_stack_that_is_cut_off_in_its_first_image_is_refused(tmp_path):
    (tmp_path / "v.tif").write_bytes(b"II*\0")
    with pytest.raises(UnreadableVideoError, match=r"Cannot read the video .*v\.tif"):
        open_video(tmp_path / "v.tif")


def test_deep_images_of_a_stack_have_one_white(tmp_path):
    frames = [np.full((8, 8), value, np.uint16) for value in (500, 1000, 2000, 4000)]
    path = write_stack(tmp_path / "v.tif", frames)
    with open_video(path) as video:
        brightness = [int(frame[0, 0, 0]) for frame in video]
    assert brightness == [round(value * 255 / 4095) for value in (500, 1000, 2000, 4000)]
