"""Reading image files of every mode, and refusing what is no image."""

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.media.images import read_image, to_rgb, white_of_image

RAMP = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_an_rgb_file_keeps_its_pixels_and_open_files_work(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / "rgb.png")
    np.testing.assert_array_equal(np.asarray(read_image(path)), pixels)
    np.testing.assert_array_equal(np.asarray(read_image(str(path))), pixels)
    with path.open("rb") as file:
        np.testing.assert_array_equal(np.asarray(read_image(file)), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "RGBA"])
def test_every_mode_becomes_rgb_as_pillow_converts_it(mode: str, tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image = Image.fromarray(colours).convert(mode)
    read = read_image(saved(image, tmp_path / "file.tiff"))
    assert read.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(read), np.asarray(image.convert("RGB")))


def test_transparency_is_dropped_not_composited(tmp_path: Path) -> None:
    pixels = np.zeros((3, 3, 4), dtype=np.uint8)
    pixels[..., :3] = (10, 200, 30)  # fully transparent
    read = read_image(saved(Image.fromarray(pixels), tmp_path / "rgba.png"))
    assert (np.asarray(read) == (10, 200, 30)).all()


def test_a_palette_with_transparency_keeps_its_colours_without_a_warning(tmp_path: Path) -> None:
    image = Image.fromarray(RAMP).convert("P")
    path = saved(image, tmp_path / "palette.png", transparency=bytes(range(0, 256)))
    np.testing.assert_array_equal(np.asarray(read_image(path))[..., 1], RAMP)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    deep = RAMP.astype(np.uint16) * 257
    for name in ("deep.png", "deep.tiff"):
        read = np.asarray(read_image(saved(Image.fromarray(deep), tmp_path / name)))
        np.testing.assert_array_equal(read, np.repeat(RAMP[..., None], 3, axis=2))
    np.testing.assert_array_equal(np.asarray(to_rgb(Image.fromarray(deep.astype(np.int32))))[..., 0], RAMP)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_bits_in_sixteen_are_stretched_to_what_they_are(bits: int, tmp_path: Path) -> None:
    deep = np.round(RAMP * ((2**bits - 1) / 255)).astype(np.uint16)
    for name in ("deep.png", "deep.tiff"):
        read = np.asarray(read_image(saved(Image.fromarray(deep), tmp_path / name)))
        np.testing.assert_allclose(read[..., 1].astype(int), RAMP, atol=1)
        half = np.asarray(read_image(tmp_path / name, white=2.0 ** (bits + 1)))
        np.testing.assert_allclose(half[..., 1], RAMP / 2, atol=1)


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("bits", [12, 16])
def test_colours_of_sixteen_bits_are_stretched_too(bits: int, channels: int, suffix: str, tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    colours[..., 3:] = 255  # opaque
    colours[0, 0] = 255
    deep = np.round(colours * ((2**bits - 1) / 255)).astype(np.uint16)
    deep[..., 3:] = 65535
    path = tmp_path / f"deep.{suffix}"
    cv2.imwrite(str(path), deep[..., [2, 1, 0, 3][:channels]])
    np.testing.assert_allclose(np.asarray(read_image(path)).astype(int), colours[..., :3], atol=1)
    with path.open("rb") as file:
        np.testing.assert_array_equal(np.asarray(read_image(file)), np.asarray(read_image(path)))
    white = 2 * (2.0**bits - 1)
    assert white_of_image(path) == (4095 if bits == 12 else None)
    if bits == 12:
        np.testing.assert_allclose(np.asarray(read_image(path, white=white)), colours[..., :3] / 2, atol=1)


def test_stretched_colours_are_turned_upright(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.uint16).reshape(4, 6, 1).repeat(3, axis=2) * 170  # 12 bits
    path = tmp_path / "turned.png"
    cv2.imwrite(str(path), values)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = path.read_bytes()
    chunk = b"eXIf" + exif.tobytes()[6:]
    end = data.rindex(b"IEND") - 4
    packed = (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4)
    path.write_bytes(data[:end] + packed + data[end:])
    expected = np.rot90(np.round(values[..., 0] * (255 / 4095)), -1)
    np.testing.assert_array_equal(np.asarray(read_image(path))[..., 2], expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RAMP / 255, RAMP),
        (RAMP.astype(float), RAMP),
        (RAMP * 1000.0 - 500, np.round(RAMP * (255 / 230))),
        (np.zeros((4, 6)), np.zeros((4, 6))),
        (np.full((4, 6), -3.0), np.zeros((4, 6))),
    ],
    ids=["0..1", "0..255", "beyond", "black", "constant and negative"],
)
def test_float_tiffs_are_scaled_from_their_range(values: np.ndarray, expected: np.ndarray, tmp_path: Path) -> None:
    read = read_image(saved(Image.fromarray(values.astype(np.float32)), tmp_path / "float.tiff"))
    np.testing.assert_allclose(np.asarray(read)[..., 2], expected, atol=1)


def test_float_pixels_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    values = np.array([[0.5, np.nan]], dtype=np.float32)
    with pytest.raises(ValueError, match="NaN"):
        read_image(saved(Image.fromarray(values), tmp_path / "nan.tiff"))
    with pytest.raises(InvalidInputError, match="NaN"):
        to_rgb(Image.fromarray(values))


def test_files_are_turned_upright_by_their_exif_orientation(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    read = read_image(saved(Image.fromarray(RAMP), tmp_path / "rotated.png", exif=exif))
    assert read.size == (4, 6)
    np.testing.assert_array_equal(np.asarray(read)[..., 0], np.rot90(RAMP, -1))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "bmp", "webp"])
def test_truncated_files_are_named(suffix: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = saved(Image.fromarray(pixels), tmp_path / f"cut.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableImageError, match=rf"cut\.{suffix}"):
        read_image(path)


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    for path, reason in (
        (text, "known format"),
        (empty, "known format"),
        (tmp_path / "gone.png", "No such"),
        (tmp_path, ""),
    ):
        with pytest.raises(UnreadableImageError, match=f"{reason}.*{path.name}"):
            read_image(path)
    with text.open("rb") as file, pytest.raises(UnreadableImageError, match=r"notes\.txt"):
        read_image(file)
