import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.support.video_files import exif_of, jpeg_of_corners, moving_square, write_motion_jpeg

from masklet.media.display_matrix import turned
from masklet.media.images import read_image
from masklet.media.live_frames import live_frames
from masklet.media.video_reader import open_video

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
ONE = 1 << 16


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[ONE, 0], [0, ONE]], PIXELS),
        ([[-ONE, 0], [0, -ONE]], PIXELS[::-1, ::-1]),
        ([[-ONE, 0], [0, ONE]], PIXELS[:, ::-1]),
        ([[ONE, 0], [0, -ONE]], PIXELS[::-1]),
        ([[0, ONE], [-ONE, 0]], np.rot90(PIXELS, -1)),  # clockwise: a phone held upright
        ([[0, -ONE], [ONE, 0]], np.rot90(PIXELS)),
        ([[0, ONE], [ONE, 0]], PIXELS.swapaxes(0, 1)),
        ([[0, -ONE], [-ONE, 0]], PIXELS.swapaxes(0, 1)[::-1, ::-1]),
        ([[ONE, 700], [-700, ONE]], PIXELS),
    ],
)
def test_quarters_and_mirrors(matrix, expected):
    full = np.zeros((3, 3), np.int32)
    full[:2, :2] = matrix
    result = turned(PIXELS, full)
    np.testing.assert_array_equal(result, expected)
    assert result.flags.c_contiguous


# frames that come with EXIF, which PyAV has no name for


def assert_same_corners(pixels, expected):
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).max() < 40  # another JPEG decoder; corners differ by 255


@pytest.mark.parametrize("orientation", range(9))
def test_motion_jpeg_with_exif_is_shown_as_its_images_are(tmp_path, orientation):
    path = write_motion_jpeg(tmp_path / "v.avi", [jpeg_of_corners(orientation)] * 3)
    with Image.open(io.BytesIO(jpeg_of_corners(orientation))) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    with open_video(path) as video:
        assert len(video) == 3
        for frame in video:
            assert_same_corners(frame, expected)
    assert_same_corners(next(live_frames(str(path))), expected)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1", "I;16"])
def test_images_of_any_mode_with_exif_are_videos_of_one_frame(tmp_path, mode):
    path = tmp_path / "v.png"
    ramp = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 21
    image = Image.fromarray(ramp) if mode == "I;16" else Image.fromarray((ramp >> 8).astype(np.uint8)).convert(mode)
    image.save(path, exif=exif_of(6))
    with open_video(path) as video:
        assert len(video) == 1
        expected = np.asarray(read_image(path))
        assert np.abs(video[0].astype(int) - expected).max() <= 1  # 16 bits to 8


def test_animations_with_exif_are_turned_as_a_whole(tmp_path):
    images = [Image.fromarray(frame) for frame in moving_square(4)]
    images[0].save(tmp_path / "v.png", save_all=True, append_images=images[1:], exif=exif_of(8))
    with open_video(tmp_path / "v.png") as video:
        for frame, image in zip(video, images, strict=True):
            np.testing.assert_array_equal(frame, np.asarray(image.transpose(Image.Transpose.ROTATE_90)))
