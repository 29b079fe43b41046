"""The image processor's options, inputs and files; the checklist of the references' own tests."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.errors import CheckpointError, InvalidInputError, UnreadableImageError
from masklet.processing import BatchFeature, Sam2ImageProcessorFast

SETTINGS: dict[str, Any] = {
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "do_normalize": True,
    "do_resize": True,
    "size": {"height": 20, "width": 20},
    "mask_size": {"height": 12, "width": 12},
}


def pictures(count: int = 7, channels: int = 3) -> list[np.ndarray]:
    """Images [H, W, channels] of different sizes from 30 to 400 pixels."""
    random = np.random.default_rng(0)
    sizes = random.integers(30, 400, (count, 2))
    return [random.integers(0, 256, (*size, channels), dtype=np.uint8) for size in sizes]


@pytest.fixture
def processor() -> Sam2ImageProcessorFast:
    return Sam2ImageProcessorFast(**SETTINGS)


def test_defaults_are_those_of_the_released_checkpoints() -> None:
    processor = Sam2ImageProcessorFast()
    assert processor.size == {"height": 1024, "width": 1024}
    assert processor.mask_size == {"height": 256, "width": 256}
    assert processor.image_mean == [0.485, 0.456, 0.406]
    assert processor.image_std == [0.229, 0.224, 0.225]
    assert processor.do_resize and processor.do_rescale and processor.do_normalize and processor.do_convert_rgb  # noqa: PT018
    assert (processor.resample, processor.rescale_factor, processor.data_format) == (2, 1 / 255, "channels_first")
    assert processor.do_pad is processor.pad_size is processor.mask_pad_size is None


def test_from_dict_and_spellings_of_sizes() -> None:
    assert Sam2ImageProcessorFast.from_dict(SETTINGS).size == {"height": 20, "width": 20}
    assert Sam2ImageProcessorFast.from_dict(SETTINGS, size=42).size == {"height": 42, "width": 42}
    assert Sam2ImageProcessorFast(size=(3, 4)).size == {"height": 3, "width": 4}


@pytest.mark.parametrize("as_kind", [Image.fromarray, np.asarray, lambda p: torch.from_numpy(p).permute(2, 0, 1)])
def test_images_of_every_kind(processor: Sam2ImageProcessorFast, as_kind: Any) -> None:
    batch = [as_kind(image) for image in pictures()]
    assert processor(batch[0], return_tensors="pt").pixel_values.shape == (1, 3, 20, 20)
    inputs = processor(batch, return_tensors="pt")
    assert isinstance(inputs, BatchFeature)
    assert inputs.pixel_values.shape == (7, 3, 20, 20)
    assert inputs.pixel_values.dtype == torch.float32
    assert inputs.original_sizes.tolist() == [list(image.shape[:2]) for image in pictures()]
    assert inputs.reshaped_input_sizes.tolist() == [[20, 20]] * 7
    assert inputs.original_sizes.dtype == inputs.reshaped_input_sizes.dtype == torch.int64
    assert torch.equal(inputs.pixel_values, processor(pictures(), return_tensors="pt").pixel_values)


def test_a_batch_is_its_images(processor: Sam2ImageProcessorFast) -> None:
    batch = np.random.default_rng(0).integers(0, 256, (2, 31, 17, 3), dtype=np.uint8)
    inputs = processor(batch, return_tensors="pt")
    assert torch.equal(inputs.pixel_values[1:], processor(batch[1], return_tensors="pt").pixel_values)


def test_four_channels_with_four_means(processor: Sam2ImageProcessorFast) -> None:
    inputs = processor(
        pictures(channels=4),
        return_tensors="pt",
        input_data_format="channels_last",
        image_mean=[0.0, 0.0, 0.0, 0.0],
        image_std=(1.0, 1.0, 1.0, 1.0),
    )
    assert inputs.pixel_values.shape == (7, 4, 20, 20)


def test_files_are_read_upright(processor: Sam2ImageProcessorFast, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = pictures(1)[0]
    Image.fromarray(image).save(tmp_path / "turned.png", exif=exif)
    inputs = processor(str(tmp_path / "turned.png"), return_tensors="pt")
    assert inputs.original_sizes.tolist() == [[image.shape[1], image.shape[0]]]
    upright = processor(np.rot90(image, -1), return_tensors="pt")
    assert torch.equal(inputs.pixel_values, upright.pixel_values)


def test_labels(processor: Sam2ImageProcessorFast) -> None:
    maps = [np.random.default_rng(0).integers(0, 256, image.shape[:2]) for image in pictures()]
    inputs = processor(pictures(), maps, return_tensors="pt")
    assert inputs["labels"].shape == (7, 12, 12)
    assert inputs["labels"].dtype == torch.int64
    assert set(inputs["labels"][0].unique().tolist()) <= set(np.unique(maps[0]).tolist())
    assert processor(pictures(1), Image.fromarray(maps[0].astype(np.uint8)), return_tensors="pt").labels.shape == (
        1,
        12,
        12,
    )
    with pytest.raises(InvalidInputError, match="7 images but 2 segmentation_maps"):
        processor(pictures(), maps[:2])


def test_return_tensors(processor: Sam2ImageProcessorFast) -> None:
    lists = processor(pictures(2))
    assert [tuple(pixels.shape) for pixels in lists.pixel_values] == [(3, 20, 20)] * 2
    assert lists.original_sizes == [image.shape[:2] for image in pictures(2)]
    arrays = processor(pictures(2), return_tensors="np")
    assert isinstance(arrays.pixel_values, np.ndarray)
    np.testing.assert_array_equal(arrays.pixel_values, torch.stack(lists.pixel_values))
    with pytest.raises(InvalidInputError, match="'tf'"):
        processor(pictures(1), return_tensors="tf")


def test_options_of_one_call_leave_the_processor_alone(processor: Sam2ImageProcessorFast) -> None:
    before = processor.to_dict()
    image = np.full((8, 10, 3), 51, dtype=np.uint8)
    plain = processor(image, do_resize=False, do_rescale=False, do_normalize=False)
    assert (plain.pixel_values[0] == 51).all()
    assert plain.pixel_values[0].dtype == torch.float32
    assert plain.reshaped_input_sizes == [(8, 10)]
    assert processor(
        image, do_normalize=False, size=4, return_tensors="pt"
    ).pixel_values.unique().item() == pytest.approx(0.2)
    unscaled = processor(image, do_rescale=False, image_mean=50, image_std=2, return_tensors="pt").pixel_values
    assert unscaled.unique().tolist() == [0.5]
    last = processor(image, data_format="channels_last", return_tensors="pt").pixel_values
    assert last.shape == (1, 20, 20, 3)
    cropped = processor(image, do_center_crop=True, crop_size=6, do_pad=True, pad_size=(9, 7), return_tensors="pt")
    assert cropped.pixel_values.shape == (1, 3, 9, 7)
    assert (cropped.pixel_values[:, :, 6:] == 0).all()
    assert processor(image, device="cpu", disable_grouping=True, size=None)["reshaped_input_sizes"] == [(20, 20)]
    assert processor.to_dict() == before


def test_attributes_can_be_set_and_are_not_shared(processor: Sam2ImageProcessorFast) -> None:
    processor.size["height"] = 5
    processor.image_mean[0] = 9.0
    processor.do_resize = False
    fresh = Sam2ImageProcessorFast()
    assert (fresh.size["height"], fresh.image_mean[0], fresh.do_resize) == (1024, 0.485, True)
    assert processor(np.zeros((8, 9, 3), dtype=np.uint8))["pixel_values"][0].shape == (3, 8, 9)


def test_images_of_different_sizes_cannot_be_stacked(processor: Sam2ImageProcessorFast) -> None:
    assert len(processor(pictures(2), do_resize=False)["pixel_values"]) == 2
    with pytest.raises(InvalidInputError, match="pixel_values of different shapes"):
        processor(pictures(2), do_resize=False, return_tensors="pt")


def test_float_images(processor: Sam2ImageProcessorFast) -> None:
    image = pictures(1)[0]
    as_bytes = processor(image, return_tensors="pt").pixel_values
    as_floats = processor(image.astype(np.float64), return_tensors="pt").pixel_values
    torch.testing.assert_close(as_floats, as_bytes, atol=1.01 / 127.5, rtol=0)
    assert not torch.equal(as_floats, as_bytes), "floats are resized without rounding"
    scaled = image / 255
    torch.testing.assert_close(processor(scaled, do_rescale=False, return_tensors="pt").pixel_values, as_floats)
    torch.testing.assert_close(processor(scaled, return_tensors="pt").pixel_values, as_floats)
    assert scaled.max() <= 1, "the caller's array is not changed"


def test_floats_from_0_to_1_are_scaled_where_bytes_would_be(processor: Sam2ImageProcessorFast) -> None:
    image = pictures(1)[0]
    as_floats = processor(image.astype(np.float32), return_tensors="pt").pixel_values
    scaled = torch.from_numpy(image / 255).permute(2, 0, 1)
    sharpened = scaled * 1.2 - 0.1  # a sharp filter leaves floats a little beyond 0 and 1
    expected = processor(sharpened.numpy() * 255, input_data_format="channels_first", return_tensors="pt").pixel_values
    for given, result in ((scaled, as_floats), (scaled.half(), as_floats), (sharpened, expected)):
        torch.testing.assert_close(processor(given, return_tensors="pt").pixel_values, result, atol=0.01, rtol=0)
    own = processor(scaled, rescale_factor=1.0, return_tensors="pt").pixel_values
    torch.testing.assert_close(own, processor(scaled, do_rescale=False, return_tensors="pt").pixel_values)
    dark = np.full((8, 9, 3), 2.0)  # of 255
    torch.testing.assert_close(processor(dark)["pixel_values"][0], processor(dark.astype(np.uint8))["pixel_values"][0])


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 20_000)])
def test_extreme_sizes(size: tuple[int, int]) -> None:
    inputs = Sam2ImageProcessorFast(size=64)(np.full((*size, 3), 200, dtype=np.uint8), return_tensors="pt")
    assert inputs.pixel_values.shape == (1, 3, 64, 64)
    assert len(inputs.pixel_values.unique()) == 3, "a picture of one colour stays one"
    assert inputs.original_sizes.tolist() == [list(size)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": {"shortest_edge": 3}}, "size must be"),
        ({"size": 0}, "size must be"),
        ({"size": (2, 2.5)}, "size must be"),
        ({"mask_size": "big"}, "mask_size must be"),
        ({"size": "64"}, "size must be"),
        ({"size": True}, "size must be"),
        ({"size": (float("inf"), 2)}, "size must be"),
        ({"size": 10**6}, "size is 1000000; height and width are at most 8192"),
        ({"rescale_factor": 10**400}, "rescale_factor must be a number"),
        ({"image_mean": [float("nan")] * 3}, "image_mean must be a number"),
        ({"device": "toaster"}, "The device 'toaster' cannot be used here"),
        ({"resample": 1}, "resample must be"),
        ({"resample": "bilinear"}, "resample must be a number.*'bilinear'"),
        ({"rescale_factor": "1/255"}, "rescale_factor must be a number"),
        ({"image_mean": "imagenet"}, "image_mean must be"),
        ({"image_std": [1.0, 0.0, 1.0]}, "image_std"),
        ({"rescale_factor": 0}, "rescale_factor"),
        ({"data_format": "hwc"}, "data_format"),
        ({"do_pad": True}, "needs a pad_size"),
        ({"do_center_crop": True}, "needs a crop_size"),
        ({"image_mean": [0.5, 0.5], "image_std": [1, 1]}, "1 or 2 channels, got 3"),
        ({"do_normalise": False}, "Unknown options.*do_normalise"),
    ],
)
def test_bad_options_are_named(processor: Sam2ImageProcessorFast, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        processor(np.zeros((4, 4, 3), dtype=np.uint8), **options)


def test_bad_images_are_refused(processor: Sam2ImageProcessorFast, tmp_path: Path) -> None:
    cut = tmp_path / "cut.png"
    Image.fromarray(pictures(1)[0]).save(cut)
    cut.write_bytes(cut.read_bytes()[:300])
    with pytest.raises(UnreadableImageError, match=r"cut\.png"):
        processor(cut)
    with pytest.raises(ValueError, match="NaN"):
        processor(np.full((4, 4, 3), np.nan))


def test_json(processor: Sam2ImageProcessorFast, tmp_path: Path) -> None:
    assert SETTINGS.items() <= json.loads(processor.to_json_string()).items()
    path = tmp_path / "settings.json"
    processor.to_json_file(path)
    assert Sam2ImageProcessorFast.from_json_file(path).to_dict() == processor.to_dict()
    path.write_text("[]")
    with pytest.raises(CheckpointError, match=r"settings\.json must contain a JSON object"):
        Sam2ImageProcessorFast.from_json_file(path)


def test_saving_and_loading_keep_everything(tmp_path: Path) -> None:
    processor = Sam2ImageProcessorFast(**SETTINGS, padding_value=1.0, image_mean_note="kept", device="cpu")
    processor.save_pretrained(tmp_path / "folder")
    loaded = Sam2ImageProcessorFast.from_pretrained(tmp_path / "folder")
    assert loaded.to_dict() == processor.to_dict()
    assert loaded.padding_value == 1.0  # type: ignore[attr-defined]
    assert loaded.device is None, "where one machine worked says nothing about the next"
    assert Sam2ImageProcessorFast.from_pretrained(tmp_path, subfolder="folder", size=7).size["width"] == 7


def test_a_file_of_another_version_loads(tmp_path: Path) -> None:
    written_elsewhere = {
        **SETTINGS, "crop_size": None, "data_format": "channels_first", "device": None, "do_center_crop": None,
        "image_processor_type": "Sam2ImageProcessorFast", "input_data_format": None,
        "processor_class": "Sam2VideoProcessor",
        "return_tensors": None, "disable_grouping": None, "do_rescale": True, "rescale_factor": 0.00392156862745098,
    }  # fmt: skip
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(written_elsewhere))
    processor = Sam2ImageProcessorFast.from_pretrained(tmp_path)
    assert processor(pictures(1), return_tensors="pt").pixel_values.shape == (1, 3, 20, 20)
    nested = {"image_processor": {**written_elsewhere, "size": {"height": 8, "width": 8}}}
    (tmp_path / "processor_config.json").write_text(json.dumps(nested))
    assert Sam2ImageProcessorFast.from_pretrained(tmp_path).size["height"] == 8


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json"):
        Sam2ImageProcessorFast.from_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("{")
    with pytest.raises(OSError, match=r"preprocessor_config\.json"):
        Sam2ImageProcessorFast.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"size": 1e999}', "size must be"),
        ('{"size": {"height": -1, "width": 4}}', "size must be"),
        ('{"image_std": {"x": 1}}', "image_std must be a number"),
        ('{"x": ' + "[" * 1000 + "]" * 1000 + "}", "nested too deeply"),
    ],
)
def test_a_checkpoint_is_named_with_what_is_wrong_in_its_settings(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(CheckpointError, match=f"{re.escape(str(tmp_path))}.*{message}"):
        Sam2ImageProcessorFast.from_pretrained(tmp_path)


def test_a_keyword_that_is_wrong_is_no_fault_of_the_checkpoint(tmp_path: Path) -> None:
    Sam2ImageProcessorFast().save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match="size must be") as caught:
        Sam2ImageProcessorFast.from_pretrained(tmp_path, size=0)
    assert not isinstance(caught.value, CheckpointError)


def test_no_setting_of_a_file_takes_the_place_of_a_method(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text('{"to_dict": 5, "settings": 6, "preprocess": "x"}')
    processor = Sam2ImageProcessorFast.from_pretrained(tmp_path)
    assert processor.to_dict() == Sam2ImageProcessorFast().to_dict()


def test_a_pickle_checkpoint_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "sam2.1_hiera_tiny.pt").write_bytes(b"")
    loaded = Sam2ImageProcessorFast.from_pretrained(tmp_path / "sam2.1_hiera_tiny.pt")
    assert loaded.to_dict() == Sam2ImageProcessorFast().to_dict()


def test_casting_the_batch(processor: Sam2ImageProcessorFast) -> None:
    inputs = processor(pictures(2), return_tensors="pt")
    inputs.update({"input_ids": torch.tensor([[1, 2, 3]])})
    inputs = inputs.to(torch.float16)
    assert inputs.pixel_values.dtype == torch.float16
    assert inputs.input_ids.dtype == torch.int64


def test_sizes_by_attribute() -> None:
    size = Sam2ImageProcessorFast(size=(3, 4)).size
    assert (size.height, size.width) == (3, 4)
    assert size == {"height": 3, "width": 4}


def test_a_step_that_is_none_is_left_out() -> None:
    pixels = np.full((4, 6, 3), 255, np.uint8)
    processor = Sam2ImageProcessorFast(do_resize=None, do_normalize=None, image_mean=None)
    assert processor.do_resize is None
    assert processor.image_mean == [0.485, 0.456, 0.406]
    inputs = processor(pixels, return_tensors="pt")
    assert torch.equal(inputs.pixel_values, torch.ones(1, 3, 4, 6))
