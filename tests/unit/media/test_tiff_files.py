"""TIFF files that Pillow does not read, and the choice of bands."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import masklet
from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.images import read_image
from masklet.media.mask_images import read_mask_image

BANDS = np.random.default_rng(0).integers(0, 256, (6, 9, 8), dtype=np.uint8)
BANDS[0, 0] = 255
MANY = {"photometric": "minisblack", "planarconfig": "contig"}


def written(path: Path, values: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, values, **options)
    return path


def assert_shows(image: Image.Image, expected: np.ndarray) -> None:
    assert image.mode == "RGB"
    np.testing.assert_allclose(np.asarray(image).astype(int), expected, atol=1)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [3, 4])
def test_floats_in_colour_are_read(kind: type, channels: int, tmp_path: Path) -> None:
    values = (BANDS[..., :channels] / 255).astype(kind)
    path = written(tmp_path / "a.tif", values, photometric="rgb", compression="deflate")
    assert_shows(read_image(path), BANDS[..., :3])
    with path.open("rb") as file:
        assert_shows(read_image(file), BANDS[..., :3])


def test_floats_of_double_precision_in_grey_are_read(tmp_path: Path) -> None:
    assert_shows(read_image(written(tmp_path / "a.tif", BANDS[..., 0] / 255)), BANDS[..., [0, 0, 0]])


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 4095), (np.uint16, 65535), (np.float32, 1)])
def test_one_or_three_of_many_bands_are_shown(kind: type, white: float, planar: bool, tmp_path: Path) -> None:
    values = BANDS * (white / 255)
    values = values.astype(kind) if kind is np.float32 else np.round(values).astype(kind)
    options = {**MANY, "planarconfig": "separate" if planar else "contig"}
    path = written(tmp_path / "a.tif", np.moveaxis(values, -1, 0) if planar else values, **options)
    assert_shows(read_image(path, bands=(8, 3, 1)), BANDS[..., [7, 2, 0]])
    assert_shows(masklet.read_image(path, bands=[5]), BANDS[..., [4, 4, 4]])


def test_which_of_many_bands_has_to_be_said(tmp_path: Path) -> None:
    path = written(tmp_path / "many.tif", BANDS, **MANY)
    with pytest.raises(ValueError, match=r"many\.tif is a TIFF with 8 bands of uint8.*--bands 3,2,1.*read_image"):
        read_image(path)


@pytest.mark.parametrize("bands", [(9, 1, 1), (0,), (1, 2), (), (1, 2, 3, 4)])
def test_bands_that_are_not_there_are_refused(bands: tuple[int, ...], tmp_path: Path) -> None:
    path = written(tmp_path / "many.tif", BANDS, **MANY)
    with pytest.raises(InvalidInputError, match=r"one or three numbers from 1 to 8 for .*many\.tif"):
        read_image(path, bands=bands)


def test_bands_are_chosen_of_kinds_that_pillow_reads_too(tmp_path: Path) -> None:
    path = written(tmp_path / "four.tif", BANDS[..., :4], **MANY)
    assert_shows(read_image(path, bands=(4, 2, 1)), BANDS[..., [3, 1, 0]])
    Image.fromarray(BANDS[..., :3]).save(tmp_path / "a.png")
    with pytest.raises(InvalidInputError, match=r"TIFF files only; .*a\.png is none"):
        read_image(tmp_path / "a.png", bands=(1,))


def test_kinds_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "waves.tif", BANDS[..., 0].astype(np.complex64))
    with pytest.raises(UnreadableImageError, match=r"waves\.tif is a TIFF with 1 band of complex64.*is not read"):
        read_image(path)


def test_kinds_that_no_mask_has_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "mask.tif", BANDS[..., :3] / 255, photometric="rgb")
    with pytest.raises(UnreadableImageError, match=r"mask\.tif \(a TIFF with 3 bands of float64, compression NONE\)"):
        read_mask_image(path)


def test_a_broken_tiff_and_one_above_the_limit_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "many.tif", BANDS, **MANY)
    (tmp_path / "cut.tif").write_bytes(path.read_bytes()[:40])
    with pytest.raises(UnreadableImageError, match=r"cut\.tif"):
        read_image(tmp_path / "cut.tif", bands=(1,))
    masklet.set_max_image_pixels(53)
    with pytest.raises(UnreadableImageError, match=r"many\.tif is too large: 9 x 6 pixels"):
        read_image(path, bands=(1,))


@pytest.mark.parametrize(("side", "size"), [("ImageWidth", "0 x 6"), ("ImageLength", "9 x 0")])
def test_a_tiff_without_pixels_is_refused(side: str, size: str, tmp_path: Path) -> None:
    path = written(tmp_path / "empty.tif", BANDS[..., :3] / 255, photometric="rgb")
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags[side].overwrite(0)
    with pytest.raises(UnreadableImageError, match=rf"empty\.tif has no pixels: it is {size}"):
        read_image(path)


@pytest.mark.parametrize("bands", [200, 1000])
def test_more_bytes_than_the_limit_of_pixels_allows_are_refused(bands: int, tmp_path: Path) -> None:
    path = written(tmp_path / "many.tif", np.zeros((6, 9, bands)), **MANY, compression="deflate")
    masklet.set_max_image_pixels(54)
    message = (
        rf"many\.tif is a TIFF with {bands} bands of float64.*too large: {54 * 8 * bands:,} bytes.*216 allowed.*--max"
    )
    with pytest.raises(UnreadableImageError, match=message):
        read_image(path, bands=(1,))
    masklet.set_max_image_pixels(108 * bands)
    assert read_image(path, bands=(1,)).size == (9, 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_bands_are_turned_upright_as_pillow_turns_images(orientation: int, tmp_path: Path) -> None:
    tag = [(274, "H", 1, orientation, True)]
    colours = BANDS[..., :3]
    path = written(tmp_path / "floats.tif", colours / 255, photometric="rgb", extratags=tag)
    expected = read_image(written(tmp_path / "bytes.tif", colours, photometric="rgb", extratags=tag))
    assert expected.size == ((6, 9) if orientation > 4 else (9, 6))
    assert_shows(read_image(path), np.asarray(expected))
    assert_shows(read_image(tmp_path / "bytes.tif", bands=(1, 2, 3)), np.asarray(expected))
