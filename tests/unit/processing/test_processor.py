"""Images and prompts together; checklist of the references' own tests."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.configuration import Sam2Config
from masklet.errors import CheckpointError, InvalidInputError
from masklet.processing import Sam2ImageProcessorFast, Sam2Processor

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 400, 3), dtype=np.uint8))


@pytest.fixture
def processor() -> Sam2Processor:
    return Sam2Processor(size=64)


def test_images_alone_are_what_the_image_processor_makes() -> None:
    processor = Sam2Processor()
    own, parts = processor(images=PICTURE), processor.image_processor(PICTURE)
    assert set(own) == set(parts) == set(processor.model_input_names)
    assert torch.equal(own.pixel_values[0], parts.pixel_values[0])
    assert own.pixel_values[0].shape == (3, 1024, 1024)
    assert own.original_sizes == [(30, 400)]
    assert own.reshaped_input_sizes == [(1024, 1024)]


def test_labels_of_maps(processor: Sam2Processor) -> None:
    inputs = processor(PICTURE, np.ones((30, 400)), return_tensors="pt")
    assert inputs.labels.shape == (1, 256, 256)


def test_the_example_of_the_documentation(processor: Sam2Processor) -> None:
    raw_image = PICTURE.resize((700, 650)).convert("RGB")
    input_points = [[[[450, 600]]]]

    inputs = processor(raw_image, input_points=input_points, return_tensors="pt").to("cpu")
    assert isinstance({**inputs}["input_points"], torch.Tensor)
    outputs = SimpleNamespace(pred_masks=torch.randn(1, 1, 3, 16, 16))

    masks = processor.image_processor.post_process_masks(
        outputs.pred_masks.cpu(), inputs["original_sizes"].cpu(), inputs["reshaped_input_sizes"].cpu()
    )
    assert [(mask.shape, mask.dtype) for mask in masks] == [((1, 3, 650, 700), torch.bool)]
    torch.testing.assert_close(inputs.input_points[0, 0, 0], torch.tensor([450 * 64 / 700, 600 * 64 / 650]))


def test_all_prompts_at_once(processor: Sam2Processor) -> None:
    inputs = processor(
        [PICTURE, PICTURE],
        input_points=[[[[200, 15]]], [[[100, 3], [0, 0]]]],
        input_labels=[[[1]], [[1, 0]]],
        input_boxes=[[[0, 0, 400, 30]], [[0, 15, 200, 30]]],
        input_masks=torch.zeros(2, 16, 16),
        return_tensors="pt",
    )
    shapes = {name: tuple(value.shape) for name, value in inputs.items()}
    assert shapes == {
        "pixel_values": (2, 3, 64, 64),
        "original_sizes": (2, 2),
        "reshaped_input_sizes": (2, 2),
        "input_points": (2, 1, 2, 2),
        "input_labels": (2, 1, 2),
        "input_boxes": (2, 1, 4),
        "input_masks": (2, 1, 16, 16),
    }
    assert inputs.input_points[:, 0].tolist() == [[[32, 32], [-10, -10]], [[16, pytest.approx(6.4)], [0, 0]]]
    assert inputs.input_boxes[1].tolist() == [[0, 32, 32, 64]]


def test_prompts_are_tensors_without_return_tensors_and_arrays_on_demand(processor: Sam2Processor) -> None:
    assert isinstance(processor(PICTURE, input_points=[[[[1, 2]]]])["input_points"], torch.Tensor)
    arrays = processor(PICTURE, input_points=[[[[1, 2]]]], return_tensors="np")
    assert {type(value) for value in arrays.values()} == {np.ndarray}


def test_labels_are_there_where_they_were_given_or_mark_padding(processor: Sam2Processor) -> None:
    one, two = [[[[1, 2]]]], [[[[1, 2]], [[3, 4], [5, 6]]]]
    assert "input_labels" not in processor(PICTURE, input_points=one)
    assert processor(PICTURE, input_points=one, input_labels=[[[0]]]).input_labels.tolist() == [[[0]]]
    assert processor(PICTURE, input_points=two).input_labels.tolist() == [[[1, -10], [1, 1]]]


def test_prompts_without_images(processor: Sam2Processor) -> None:
    for sizes in ([[30, 400]], torch.tensor([[30, 400]]), np.array([[30, 400]]), [torch.Size((30, 400))]):
        inputs = processor(input_points=[[[[200, 15]]]], original_sizes=sizes, return_tensors="pt")
        assert set(inputs) == {"original_sizes", "input_points"}
        assert inputs.input_points.tolist() == [[[[32, 32]]]]
        assert inputs.original_sizes.tolist() == [[30, 400]]
    with pytest.raises(ValueError, match="Prompts alone need original_sizes"):
        processor(input_points=[[[[1, 2]]]])


def test_prompts_may_count_the_pixels_of_another_size(processor: Sam2Processor) -> None:
    inputs = processor([PICTURE] * 2, input_points=[[[[400, 30]]]] * 2, original_sizes=[[60, 800]], return_tensors="pt")
    assert inputs.original_sizes.tolist() == [[60, 800]] * 2
    assert inputs.input_points.flatten().tolist() == [32] * 4
    with pytest.raises(ValueError, match=re.escape("original_sizes has 2 sizes for 3 images")):
        processor([PICTURE] * 3, original_sizes=[[1, 2], [3, 4]])


def test_the_target_follows_the_size_unless_it_is_given(processor: Sam2Processor) -> None:
    def scaled(with_processor: Sam2Processor, **options: Any) -> float:
        return float(with_processor(PICTURE, input_points=[[[[400, 30]]]], **options)["input_points"].flatten()[0])

    assert processor.target_size == 64
    assert scaled(processor) == 64
    assert scaled(processor, size=32) == 32
    assert scaled(processor, size={"height": 16, "width": 16}) == 16
    assert scaled(Sam2Processor(Sam2ImageProcessorFast(size=64), target_size=10)) == 10


def test_another_padding_value_does_not_hide_padding_from_the_network() -> None:
    processor = Sam2Processor(size=64, point_pad_value=-99)
    inputs = processor(PICTURE, input_points=[[[[1, 2]], [[3, 4], [5, 6]]]])
    assert inputs.input_points[0, 0, 1].tolist() == [-99, -99]
    assert inputs.input_labels[0, 0].tolist() == [1, -10]
    ragged = processor([PICTURE] * 2, input_boxes=[[[1, 1, 2, 2]], [[1, 1, 2, 2], [-99] * 4]])
    assert ragged.input_boxes[:, 1].tolist() == [[-10] * 4] * 2, "the prompt encoder knows padded boxes by -10"


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({"input_points": [[[1, 2]]]}, "nested 4 levels deep"),
        ({"input_points": "1,2"}, "got str"),
        ({"input_points": [[[[401, 2]]]]}, "width 400 and height 30"),
        ({"input_points": [[[[1, 2]]]] * 2}, "for 2 images but 1 images"),
        ({"input_points": [[[[1, 2]]]], "input_labels": [[[1, 1]]]}, "Each point has one label"),
        ({"input_points": [[[[1, 2]]]], "input_labels": [[[5]]]}, "a label must be"),
        ({"input_labels": [[[1]]]}, "without input_points"),
        ({"input_boxes": [[[5, 1, 4, 3]]]}, "x1 < x2"),
        ({"input_boxes": [[1, 1, 4, 3]]}, "nested 3 levels deep"),
        ({"input_masks": np.zeros((2, 4, 4))}, "for 2 images but 1 images"),
        (
            {"input_points": [[[[1, 2]]]], "input_boxes": [[[1, 1, 4, 3], [1, 1, 4, 3]]]},
            "Image 0 has points of 1 objects and boxes of 2",
        ),
        ({"do_rescal": True}, "Unknown options"),
    ],
)
def test_bad_prompts_are_refused(processor: Sam2Processor, prompts: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        processor(PICTURE, **prompts)


def test_points_and_boxes_must_match_in_every_image(processor: Sam2Processor) -> None:
    """After padding the batch both have two objects; in each image they do not."""
    with pytest.raises(InvalidInputError, match="points of 2 objects and boxes of 1"):
        processor(
            [PICTURE] * 2,
            input_points=[[[[1, 2]], [[3, 4]]], [[[1, 2]]]],
            input_boxes=[[[1, 1, 4, 3]], [[1, 1, 4, 3], [1, 1, 4, 3]]],
        )


def test_post_processing_is_the_image_processors(processor: Sam2Processor) -> None:
    logits, sizes = torch.randn(1, 2, 3, 8, 8), [[20, 30]]
    for positional, options in (
        ((0.5,), {}),
        (([[64, 64]], 0.5), {}),
        ((), {"mask_threshold": 0.5, "binarize": False}),
    ):
        own = processor.post_process_masks(logits, sizes, *positional, **options)
        parts = processor.image_processor.post_process_masks(logits, sizes, *positional, **options)
        assert torch.equal(own[0], parts[0])
    for masks in ([torch.ones(1, 3, 5, 5)], [np.ones((1, 3, 5, 5))]):
        for original_sizes in ([[176, 264]], torch.tensor([[176, 264]]), np.array([[176, 264]])):
            assert processor.post_process_masks(masks, original_sizes)[0].shape == (1, 3, 176, 264)
    for kind in (ValueError, TypeError):
        with pytest.raises(kind):
            processor.post_process_masks([[1, 0], [0, 1]], [[176, 264]])


def test_saving_and_loading(tmp_path: Path) -> None:
    processor = Sam2Processor(Sam2ImageProcessorFast(size=48, padding_value=1.0), target_size=50, point_pad_value=-7)
    assert processor.save_pretrained(tmp_path) == [str(tmp_path / "processor_config.json")]
    loaded = Sam2Processor.from_pretrained(tmp_path)
    assert loaded.to_dict() == processor.to_dict() == json.loads(loaded.to_json_string())
    assert (loaded.target_size, loaded.point_pad_value) == (50, -7)
    assert isinstance(loaded.image_processor, Sam2ImageProcessorFast)
    assert Sam2ImageProcessorFast.from_pretrained(tmp_path).to_dict() == processor.image_processor.to_dict()


def test_overrides_while_loading(tmp_path: Path) -> None:
    Sam2Processor(size=48).save_pretrained(tmp_path)
    loaded = Sam2Processor.from_pretrained(tmp_path, do_normalize=False, point_pad_value=-20)
    wanted = Sam2ImageProcessorFast(size=48, do_normalize=False)
    assert loaded.image_processor.to_json_string() == wanted.to_json_string()
    assert loaded.point_pad_value == -20
    assert Sam2Processor.from_pretrained(tmp_path, size=32).target_size == 32
    other = Sam2ImageProcessorFast(size=16)
    loaded = Sam2Processor.from_pretrained(tmp_path, image_processor=other)
    assert loaded.image_processor is other
    assert loaded.target_size == 16


def test_overrides_that_are_no_options_are_refused_and_those_of_transformers_understood(tmp_path: Path) -> None:
    Sam2Processor(size=48).save_pretrained(tmp_path)
    with pytest.raises(InvalidInputError, match=r"\['do_normalise'\].*do_normalize"):
        Sam2Processor.from_pretrained(tmp_path, do_normalise=False)
    loaded = Sam2Processor.from_pretrained(tmp_path, use_fast=True, trust_remote_code=False, token="...")
    assert not hasattr(loaded.image_processor, "use_fast")


def test_the_files_of_earlier_versions_load(tmp_path: Path) -> None:
    Sam2ImageProcessorFast(size=48).save_pretrained(tmp_path / "part")
    own = {"point_pad_value": -10, "processor_class": "Sam2VideoProcessor", "target_size": 48}
    (tmp_path / "part" / "processor_config.json").write_text(json.dumps(own))
    loaded = Sam2Processor.from_pretrained(tmp_path, subfolder="part")
    assert loaded.to_dict() == Sam2Processor(size=48).to_dict()
    (tmp_path / "part" / "processor_config.json").unlink()
    assert Sam2Processor.from_pretrained(tmp_path / "part").target_size == 48


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target_size": "1e999"}, "target_size must be a whole number from 1 to 8192; got '1e999'"),
        ({"target_size": -1}, "target_size must be a whole number"),
        ({"point_pad_value": [1]}, r"point_pad_value must be a whole number .*; got \[1\]"),
    ],
)
def test_settings_that_are_no_numbers_are_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": {"size": 48}, **settings}))
    with pytest.raises(InvalidInputError, match=message):
        Sam2Processor.from_pretrained(tmp_path)


def test_missing_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json"):
        Sam2Processor.from_pretrained(tmp_path)
    with pytest.raises(OSError, match="nowhere"):
        Sam2Processor.from_pretrained(tmp_path / "nowhere")


def test_options_beside_an_image_processor_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="do_resize"):
        Sam2Processor(Sam2ImageProcessorFast(), do_resize=False)


def test_a_failed_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(self: Path, *args: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    for part in (Sam2Processor(), Sam2ImageProcessorFast()):
        with pytest.raises(OSError, match="No space"):
            part.save_pretrained(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_nothing_but_a_model_gives_the_size_of_its_images(tmp_path: Path) -> None:
    Sam2Config(image_size=96).save_pretrained(tmp_path)
    assert Sam2Processor.from_pretrained(tmp_path).to_dict() == Sam2Processor(size=96).to_dict()
