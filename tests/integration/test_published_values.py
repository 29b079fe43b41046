"""The published expected values of the image model: the real SAM 2.1 tiny checkpoint on real images, from the hub.

Opt-in (`pytest -m hub`), because it downloads 156 MB. The numbers were recorded by transformers' integration tests on a
CUDA device. There, images are resized in float and rounded; on a CPU by a uint8 kernel that differs in about a fifth
of the values by 1/255, hence the wider tolerance.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from masklet import Sam2Model, Sam2Processor

pytestmark = pytest.mark.hub

CHECKPOINT = "facebook/sam2.1-hiera-tiny"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TOLERANCE = {"iou": 1e-4, "logits": 1e-4} if DEVICE == "cuda" else {"iou": 2e-3, "logits": 5e-2}

TRUCK_CLICK: dict[str, Any] = {"input_points": [[[[500, 375]]]], "input_labels": [[[1]]]}


@cache
def picture(name: str) -> Path:
    from huggingface_hub import hf_hub_download

    if name == "dog":
        repository, path = "huggingface/documentation-images", "transformers/model_doc/dog-sam.png"
    else:
        repository, path = "hf-internal-testing/sam2-fixtures", f"{name}.jpg"
    return Path(hf_hub_download(repository, path, repo_type="dataset"))


@pytest.fixture(scope="module")
def model() -> Any:
    return Sam2Model.from_pretrained(CHECKPOINT, device=DEVICE, dtype=torch.float32)


@pytest.fixture(scope="module")
def processor() -> Any:
    return Sam2Processor.from_pretrained(CHECKPOINT)


@pytest.fixture(scope="module")
def segment(model: Any, processor: Any) -> Any:
    """`segment(image names, prompts, **model arguments)` -> the model's outputs."""

    def run(names: list[str], prompts: dict[str, Any], **arguments: Any) -> Any:
        inputs = processor(images=[picture(name) for name in names], return_tensors="pt", **prompts).to(DEVICE)
        with torch.no_grad():
            return model(**inputs, **arguments)

    return run


def assert_published(actual: Tensor, expected: Any, what: str) -> None:
    torch.testing.assert_close(actual.cpu(), torch.tensor(expected), atol=TOLERANCE[what], rtol=1e-4)


def assert_best_mask(outputs: Any, image: int, iou_scores: list[float], corner: list[list[float]]) -> None:
    """The three IoU scores in falling order, and the top left 3x3 logits of the best mask."""
    order = outputs.iou_scores[image, 0].argsort(descending=True)
    assert_published(outputs.iou_scores[image, 0, order], iou_scores, "iou")
    assert_published(outputs.pred_masks[image, 0, order[0], :3, :3], corner, "logits")


def test_one_click_with_three_masks(segment: Any) -> None:
    outputs = segment(["truck"], TRUCK_CLICK)
    assert outputs.pred_masks.shape == (1, 1, 3, 256, 256)
    corner = [[-24.9288, -41.7466, -31.0128], [-34.5113, -31.1054, -36.5913], [-25.2597, -37.5912, -33.4030]]
    assert_best_mask(outputs, 0, [0.9547, 0.4932, 0.0427], corner)


def test_one_click_with_one_mask(segment: Any) -> None:
    outputs = segment(["truck"], TRUCK_CLICK, multimask_output=False)
    assert_published(outputs.iou_scores, [[[0.9364]]], "iou")
    corner = [[-7.0462, -13.3857, -9.6419], [-10.4565, -9.7174, -12.3528], [-7.3704, -12.4391, -10.5539]]
    assert_published(outputs.pred_masks[0, 0, 0, :3, :3], corner, "logits")


def test_two_images_with_one_and_two_clicks(segment: Any) -> None:
    prompts = {"input_points": [[[[500, 375]]], [[[770, 200], [730, 120]]]], "input_labels": [[[1]], [[1, 0]]]}
    outputs = segment(["truck", "dog"], prompts)
    truck = [[-22.2555, -37.9250, -27.8928], [-30.8681, -27.9519, -32.8032], [-22.4133, -33.9966, -29.7111]]
    dog = [[-13.1182, -17.3217, -14.9651], [-16.2372, -12.7739, -17.6346], [-13.5013, -17.1549, -15.6614]]
    assert_best_mask(outputs, 0, [0.9586, 0.4913, 0.0448], truck)
    assert_best_mask(outputs, 1, [0.9504, 0.8117, 0.7426], dog)


def test_two_images_with_two_objects_each(segment: Any) -> None:
    prompts = {
        "input_points": [[[[500, 375]], [[650, 750]]], [[[400, 300]], [[630, 300], [550, 300]]]],
        "input_labels": [[[1], [1]], [[1], [1, 1]]],
    }
    outputs = segment(["truck", "groceries"], prompts, multimask_output=False)
    assert_published(outputs.iou_scores[..., 0], [[0.9500, 0.9718], [0.9568, 0.9114]], "iou")
    corners = [
        [[-5.8131, -11.3020, -8.6487, -8.0690], [-4.7731, -8.7606, -6.2399, -7.0738]],
        [[-13.8661, -19.1254, -20.2477, -14.1636], [-8.8229, -10.2760, -11.3797, -8.7189]],
    ]
    assert_published(outputs.pred_masks[..., 0, :2, :2].flatten(2), corners, "logits")


def test_four_boxes_on_each_of_two_images(segment: Any) -> None:
    boxes = [
        [[75, 275, 1725, 850], [425, 600, 700, 875], [1375, 550, 1650, 800], [1240, 675, 1400, 750]],
        [[450, 170, 520, 350], [350, 190, 450, 350], [500, 170, 580, 350], [580, 170, 640, 350]],
    ]
    outputs = segment(["truck", "groceries"], {"input_boxes": boxes}, multimask_output=False)
    iou_scores = [[0.9904, 0.9689, 0.9770, 0.9079], [0.9739, 0.9816, 0.9838, 0.9781]]
    assert_published(outputs.iou_scores[..., 0], iou_scores, "iou")
    first_logits = [[-11.1540, -19.3144, -24.2983, -25.4313], [-22.5539, -23.6637, -25.2987, -26.3150]]
    assert_published(outputs.pred_masks[:, :, 0, 0, 0], first_logits, "logits")
    assert_published(outputs.pred_masks[0, 0, 0, :2, :2], [[-11.1540, -18.3994], [-12.4230, -17.4403]], "logits")


@pytest.mark.parametrize(
    ("second_label", "iou_score", "corner"),
    [
        (1, 0.9738, [[-5.3899, -9.7908, -8.4931], [-5.5144, -8.8731, -8.3000], [-5.5976, -9.9249, -9.0761]]),
        (0, 0.9719, [[-15.5081, -21.8641, -18.0479], [-17.4401, -17.4754, -23.6469], [-14.3975, -19.4346, -18.5884]]),
    ],
    ids=["positive second click", "negative second click"],
)
def test_a_second_click_on_the_best_mask_of_the_first(
    segment: Any, model: Any, processor: Any, second_label: int, iou_score: float, corner: list[list[float]]
) -> None:
    first = segment(["truck"], TRUCK_CLICK)
    width, height = Image.open(picture("truck")).size
    inputs = processor(
        input_points=[[[[500, 375], [1125, 625]]]],
        input_labels=[[[1, second_label]]],
        original_sizes=[[height, width]],
        return_tensors="pt",
    ).to(DEVICE)
    with torch.no_grad():
        outputs = model(
            **inputs,
            input_masks=first.pred_masks[:, :, first.iou_scores.argmax()],
            image_embeddings=first.image_embeddings,
            multimask_output=False,
        )
    assert_published(outputs.iou_scores, [[[iou_score]]], "iou")
    assert_published(outputs.pred_masks[0, 0, 0, :3, :3], corner, "logits")
