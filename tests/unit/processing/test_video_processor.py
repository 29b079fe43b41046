"""Videos of every kind to model inputs, and the settings of the video processor on disk."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masklet import Sam2ImageProcessorFast, Sam2Processor, Sam2VideoProcessor
from masklet.errors import InvalidInputError

SIZE = {"height": 16, "width": 16}


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 20, 30, 3), dtype=np.uint8)


def test_frames_are_prepared_as_images_are(frames: np.ndarray) -> None:
    of_pictures = Sam2ImageProcessorFast(size=SIZE)(list(frames), return_tensors="pt")
    of_video = Sam2VideoProcessor(size=SIZE)(frames, return_tensors="pt")
    assert of_video["pixel_values_videos"].shape == (1, 4, 3, 16, 16)
    assert torch.equal(of_video["pixel_values_videos"][0], of_pictures["pixel_values"])
    assert of_video["original_sizes"].tolist() == [[20, 30]]
    assert of_video["reshaped_input_sizes"].tolist() == [[16, 16]]


@pytest.mark.parametrize("kind", ["pictures", "arrays", "tensor", "list of one video", "batch"])
def test_kinds_of_videos_agree(frames: np.ndarray, kind: str) -> None:
    video: Any = {
        "pictures": [Image.fromarray(frame) for frame in frames],
        "arrays": list(frames),
        "tensor": torch.from_numpy(frames).permute(0, 3, 1, 2),
        "list of one video": [list(frames)],
        "batch": frames[None],
    }[kind]
    processor = Sam2VideoProcessor(size=SIZE)
    expected = processor(frames, return_tensors="pt")["pixel_values_videos"]
    assert torch.equal(processor(video, return_tensors="pt")["pixel_values_videos"], expected)


def test_a_batch_of_videos(frames: np.ndarray) -> None:
    inputs = Sam2VideoProcessor(size=SIZE)(videos=[frames, frames[::-1, :10]])
    assert [video.shape for video in inputs["pixel_values_videos"]] == [(4, 3, 16, 16)] * 2
    assert inputs["original_sizes"] == [(20, 30), (10, 30)]


def test_options_of_a_call(frames: np.ndarray) -> None:
    inputs = Sam2VideoProcessor(size=SIZE)(frames, size=8, do_normalize=False, data_format="channels_last")
    assert inputs["pixel_values_videos"][0].shape == (4, 8, 8, 3)
    assert 0 <= inputs["pixel_values_videos"][0].min() < inputs["pixel_values_videos"][0].max() <= 1


def test_masks_at_the_size_of_the_video() -> None:
    logits = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    masks = Sam2VideoProcessor().post_process_masks([logits], original_sizes=[[20, 30]], binarize=False)
    expected = torch.nn.functional.interpolate(logits, (20, 30), mode="bilinear", align_corners=False)
    assert torch.allclose(masks[0], expected)


@pytest.mark.parametrize(
    ("video", "message"),
    [
        ([], "The video has no frames"),
        (np.zeros((0, 20, 30, 3), np.uint8), "The video has no frames"),
        (np.zeros((20, 30, 3), np.uint8), "One image is no video; pass it in a list"),
        (Image.new("RGB", (3, 3)), "A video must be a path, a list .* got Image. Frames that come one by one are a"),
        ((frame for frame in range(3)), "got generator. Frames that come one by one are a stream"),
        ([Image.new("RGB", (3, 4)), Image.new("RGB", (4, 3))], "Frame 1 has 4 x 3 pixels, the video's first one 3 x 4"),
        ([Image.new("RGB", (3, 4)), "no such file.png"], "No such image file: no such file.png"),
    ],
)
def test_what_is_no_video(video: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sam2VideoProcessor()(video)


def test_unknown_options_are_refused(frames: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match=r"Unknown options \['fps'\]"):
        Sam2VideoProcessor()(frames, fps=3)


def test_settings_alone_survive_saving(tmp_path: Path) -> None:
    processor = Sam2VideoProcessor(size=SIZE, image_mean=0.5, fps=25)
    assert [Path(path).name for path in processor.save_pretrained(tmp_path)] == ["video_preprocessor_config.json"]
    saved = json.loads((tmp_path / "video_preprocessor_config.json").read_text())
    assert saved["video_processor_type"] == "Sam2VideoProcessor"
    loaded = Sam2VideoProcessor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict()
    assert not hasattr(loaded, "video_processor_type")


def test_settings_inside_a_processor_survive_saving(tmp_path: Path) -> None:
    processor = Sam2Processor(Sam2ImageProcessorFast(size=32), Sam2VideoProcessor(size=SIZE, image_std=0.25))
    processor.save_pretrained(tmp_path)
    loaded = Sam2Processor.from_pretrained(tmp_path)
    assert loaded.video_processor is not None
    assert (loaded.video_processor.size, loaded.video_processor.image_std) == (SIZE, [0.25])
    assert Sam2VideoProcessor.from_pretrained(tmp_path).size == SIZE
    assert Sam2Processor.from_pretrained(tmp_path, video_processor=Sam2VideoProcessor(size=8)).to_dict() != (
        loaded.to_dict()
    )


def test_settings_in_the_older_layout_are_read(tmp_path: Path) -> None:
    Sam2ImageProcessorFast(size=32).save_pretrained(tmp_path)
    assert Sam2VideoProcessor.from_pretrained(tmp_path).size == {"height": 32, "width": 32}
    assert "image_processor_type" not in Sam2VideoProcessor.from_pretrained(tmp_path).to_dict()
    assert Sam2Processor.from_pretrained(tmp_path).video_processor is None
    Sam2VideoProcessor(size=SIZE).save_pretrained(tmp_path)
    assert Sam2VideoProcessor.from_pretrained(tmp_path).size == SIZE
    loaded = Sam2Processor.from_pretrained(tmp_path)
    assert loaded.video_processor is not None
    assert loaded.video_processor.size == SIZE


def test_made_of_its_parts(frames: np.ndarray) -> None:
    images, videos = Sam2ImageProcessorFast(size=32), Sam2VideoProcessor(size=SIZE)
    processor = Sam2VideoProcessor(image_processor=images, video_processor=videos)
    assert processor.image_processor is images
    assert processor.video_processor.size == SIZE
    assert processor.target_size == 16
    assert processor.init_video_session(video=frames).get_frame(0).shape == (3, 16, 16)
    assert Sam2VideoProcessor(image_processor=images).size == {"height": 32, "width": 32}
    assert Sam2VideoProcessor(images, videos, target_size=64).target_size == 64


def test_the_whole_is_saved_under_the_names_that_transformers_reads(tmp_path: Path) -> None:
    processor = Sam2VideoProcessor(Sam2ImageProcessorFast(size=32), Sam2VideoProcessor(size=SIZE), point_pad_value=-20)
    assert [Path(path).name for path in processor.save_pretrained(tmp_path)] == ["processor_config.json"]
    saved = json.loads((tmp_path / "processor_config.json").read_text())
    assert saved["processor_class"] == "Sam2VideoProcessor"
    assert saved["image_processor"]["image_processor_type"] == "Sam2ImageProcessorFast"
    assert saved["video_processor"]["video_processor_type"] == "Sam2VideoVideoProcessor"
    loaded = Sam2VideoProcessor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict()
    assert (loaded.image_processor.size.height, loaded.size.height, loaded.point_pad_value) == (32, 16, -20)
    assert Sam2VideoProcessor.from_pretrained(tmp_path, size=8).target_size == 8
    other = Sam2ImageProcessorFast(size=48)
    assert Sam2VideoProcessor.from_pretrained(tmp_path, image_processor=other).image_processor is other


def test_the_frames_part_of_a_processor_has_the_name_that_transformers_gives_it(tmp_path: Path) -> None:
    Sam2Processor(video_processor=Sam2VideoProcessor(size=SIZE)).save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "processor_config.json").read_text())
    assert saved["video_processor"]["video_processor_type"] == "Sam2VideoVideoProcessor"


def test_images_and_prompts_are_prepared_as_by_the_processor_of_images(frames: np.ndarray) -> None:
    processor = Sam2VideoProcessor(Sam2ImageProcessorFast(size=32), Sam2VideoProcessor(size=32))
    prompts: dict[str, Any] = {"input_points": [[[[3, 4]]]], "input_labels": [[[1]]], "return_tensors": "pt"}
    whole = Sam2Processor(Sam2ImageProcessorFast(size=32))
    for given in ({"images": frames[0]}, {"original_sizes": [[20, 30]]}):
        ours, expected = processor(**given, **prompts), whole(**given, **prompts)
        assert set(ours) == set(expected)
        assert all(torch.equal(ours[name], expected[name]) for name in expected)
    with pytest.raises(InvalidInputError, match="Give either videos or images"):
        processor(frames, images=frames[0])


@pytest.mark.parametrize(
    "option", [{"target_size": 0}, {"target_size": "wide"}, {"target_size": 10**6}, {"point_pad_value": None}]
)
def test_sizes_and_padding_that_are_no_numbers_are_refused(option: dict[str, Any], tmp_path: Path) -> None:
    (name,) = option
    with pytest.raises(InvalidInputError, match=f"{name} must be a whole number"):
        Sam2VideoProcessor(**option)
    Sam2VideoProcessor(Sam2ImageProcessorFast()).save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match=f"{name} must be a whole number"):
        Sam2VideoProcessor.from_pretrained(tmp_path, **option)


def test_the_saved_target_size_goes_with_the_saved_size(tmp_path: Path) -> None:
    Sam2VideoProcessor(Sam2ImageProcessorFast(), target_size=512, point_pad_value=-7).save_pretrained(tmp_path)
    loaded = Sam2VideoProcessor.from_pretrained(tmp_path)
    assert (loaded.target_size, loaded.point_pad_value) == (512, -7)
    assert Sam2VideoProcessor.from_pretrained(tmp_path, size=256).target_size == 256
