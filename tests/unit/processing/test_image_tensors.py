"""Images of every kind become the same pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.errors import InvalidInputError, UnreadableImageError
from masklet.processing.image_tensors import image_list, image_pixels, label_maps

HWC = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
CHW = torch.from_numpy(HWC.transpose(2, 0, 1).copy())


def test_images_arrays_tensors_and_paths_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(HWC).save(path)
    read_only = HWC.copy()
    read_only.flags.writeable = False
    images = [
        Image.fromarray(HWC), HWC, HWC.transpose(2, 0, 1), CHW, CHW.permute(1, 2, 0), path, str(path),
        HWC[::-1][::-1], read_only, HWC.astype(np.int64), HWC.astype(np.uint16) * 257, CHW.to(torch.uint16) * 257,
    ]  # fmt: skip
    for picture in images:
        pixels = image_pixels(picture)
        assert pixels.dtype == torch.uint8
        assert torch.equal(pixels, CHW)


def test_grey_is_repeated_and_alpha_dropped() -> None:
    for grey in (HWC[..., 0], HWC[..., :1], CHW[0], CHW[:1], Image.fromarray(HWC[..., 0])):
        assert torch.equal(image_pixels(grey), CHW[:1].expand(3, -1, -1))
    rgba = np.concatenate([HWC, HWC[..., :1]], axis=-1)
    for picture in (rgba, Image.fromarray(rgba), torch.from_numpy(rgba).permute(2, 0, 1)):
        assert torch.equal(image_pixels(picture), CHW)
    assert image_pixels(rgba, channels=4).shape == (4, 6, 9)
    assert image_pixels(HWC[..., :1], convert=False).shape == (1, 6, 9)


def test_floats_keep_their_values_and_bool_is_black_and_white() -> None:
    pixels = image_pixels(HWC.astype(np.float64) / 2)
    assert pixels.dtype == torch.float32
    assert torch.equal(pixels, CHW / 2)
    assert torch.equal(image_pixels(CHW > 100), (CHW > 100).to(torch.uint8) * 255)


def test_where_both_ends_look_like_channels_the_usual_layout_decides() -> None:
    pixels = np.arange(9, dtype=np.uint8).reshape(1, 3, 3)
    assert image_pixels(pixels).tolist() == pixels.transpose(2, 0, 1).tolist()
    assert image_pixels(torch.from_numpy(pixels)).tolist() == np.repeat(pixels, 3, axis=0).tolist()
    forced = image_pixels(pixels, input_data_format="channels_first")
    assert forced.tolist() == np.repeat(pixels, 3, axis=0).tolist()


def test_a_deep_image_in_memory_is_scaled() -> None:
    deep = Image.fromarray(HWC[..., 0].astype(np.uint16) * 257)
    assert torch.equal(image_pixels(deep)[1], CHW[0])


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_deep_arrays_are_scaled_by_the_bits_that_they_hold(bits: int) -> None:
    white = 2**bits - 1
    deep = np.round(HWC.astype(np.float64) * (white / 255)).astype(np.uint16)
    deep[0, 0, 0] = white
    for given in (deep, torch.from_numpy(deep), deep.astype(">u2")):
        difference = image_pixels(given)[:, 1:].int() - CHW[:, 1:].int()
        assert difference.abs().max() <= 1
    darker = image_pixels(deep, white=2.0 * white)
    torch.testing.assert_close(darker[:, 1:].float(), CHW[:, 1:] / 2, atol=1, rtol=0)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.full((2, 2, 3), np.nan), "NaN"),
        (torch.full((3, 2, 2), float("inf")), "infinite"),
        (np.zeros((0, 4, 3), dtype=np.uint8), "empty"),
        (np.zeros((0, 4), dtype=np.uint16), "empty"),
        (np.zeros((5, 5, 5), dtype=np.uint8), r"channels.*\(5, 5, 5\)"),
        (np.zeros((2, 2, 2, 2, 3), dtype=np.uint8), "2 or 3 dimensions"),
        (np.zeros(7, dtype=np.uint8), "2 or 3 dimensions"),
        (np.full((2, 2, 3), 256), "0..255, got 256..256"),
        (np.full((2, 2, 3), -1), "got -1..-1"),
        (np.full((2, 2, 3), "a"), "dtype"),
        (b"bytes", "got bytes"),
        (None, "got NoneType"),
        ([[1, 2], [3, 4]], "got list"),
    ],
)
def test_what_is_no_image_is_refused(picture: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        image_pixels(picture)  # type: ignore[arg-type]


def test_other_refusals() -> None:
    with pytest.raises(InvalidInputError, match="'hwc'"):
        image_pixels(HWC, input_data_format="hwc")
    with pytest.raises(InvalidInputError, match=r"1, 3 or 4 channels, got 9"):
        image_pixels(HWC.transpose(0, 2, 1), input_data_format="channels_last")
    with pytest.raises(UnreadableImageError, match=r"nothing\.png"):
        image_pixels("nothing.png")


def test_lists_and_batches_are_taken_apart() -> None:
    assert image_list(HWC)[0] is HWC
    assert len(image_list(HWC)) == 1
    assert len(image_list((HWC, CHW, "a.png"))) == 3
    assert torch.equal(image_list(torch.stack([CHW, CHW + 1]))[1], CHW + 1)
    with pytest.raises(InvalidInputError, match="empty"):
        image_list([])


def test_label_maps() -> None:
    numbers = np.array([[0, 1], [2, 255]])
    palette = Image.fromarray(numbers.astype(np.uint8)).convert("P")
    palette.putpalette([9] * 768)
    for maps in (numbers, [numbers], numbers[None], torch.from_numpy(numbers), [palette]):
        (tensor,) = label_maps(maps)
        assert tensor.tolist() == numbers.tolist()
    with pytest.raises(InvalidInputError, match="segmentation map"):
        label_maps([np.zeros((2, 2, 3))])


@pytest.mark.parametrize(
    "as_kind",
    [
        lambda pixels: pixels[::-1, ::-1].copy()[::-1, ::-1],  # negative strides
        lambda pixels: np.broadcast_to(pixels, pixels.shape),  # may not be written to
        lambda pixels: pixels.astype(np.uint32),
        lambda pixels: pixels.astype(">i4"),
        lambda pixels: torch.from_numpy(pixels).permute(2, 0, 1).to(torch.uint64),
    ],
)
def test_any_strides_byte_order_and_width_of_integers_will_do(as_kind: Any) -> None:
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    taken = image_pixels(as_kind(pixels))
    assert taken.dtype == torch.uint8
    np.testing.assert_array_equal(taken.permute(1, 2, 0), pixels)


@pytest.mark.parametrize("dtype", [">f4", np.float64, np.longdouble])
def test_floats_of_any_width_and_byte_order_will_do(dtype: Any) -> None:
    taken = image_pixels(np.full((2, 2, 3), 7.5, dtype))
    assert taken.dtype == torch.float32
    assert (taken == 7.5).all()


@pytest.mark.parametrize(
    "picture", [torch.zeros(3, 4, 4, device="meta"), torch.zeros(3, 4, 4).to_sparse(), torch.zeros(3, 4, 4) + 0j]
)
def test_tensors_without_pixels_in_memory_are_refused(picture: torch.Tensor) -> None:
    with pytest.raises(InvalidInputError, match="must be an array of numbers, got a"):
        image_pixels(picture)


def test_premultiplied_grey_is_converted() -> None:
    image = Image.new("LA", (2, 3), (100, 255)).convert("La")
    assert image_pixels(image).unique().tolist() == [100]
