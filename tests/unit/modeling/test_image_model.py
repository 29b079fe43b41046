"""`Sam2Model` as a user calls it: shapes, reuse of embeddings, options, refusals."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.support.small_models import random_pixels, random_points, randomised, small_config, small_model
from torch import Tensor, nn

from masklet import Sam2Model, Sam2VisionModel
from masklet.errors import InvalidInputError

BOX = [8.0, 8, 60, 70]


@pytest.fixture(scope="module")
def model() -> Sam2Model:
    return small_model()


@pytest.fixture(scope="module")
def embeddings(model: Sam2Model) -> list[Tensor]:
    return model.get_image_embeddings(random_pixels(batch=2))


PROMPTS: dict[str, tuple[int, dict[str, Tensor]]] = {
    "nothing": (1, {}),
    "points": (3, {"input_points": random_points(2, 3, 4), "input_labels": torch.ones(2, 3, 4, dtype=torch.long)}),
    "points without labels": (3, {"input_points": random_points(2, 3, 4)}),
    "boxes": (2, {"input_boxes": torch.tensor([[BOX, BOX]] * 2)}),
    "points and boxes": (2, {"input_points": random_points(2, 2, 1), "input_boxes": torch.tensor([[BOX, BOX]] * 2)}),
    "a mask": (1, {"input_masks": torch.randn(2, 1, 24, 24)}),
    "a mask an object": (4, {"input_masks": torch.randn(2, 4, 24, 24)}),
    "points and one mask": (3, {"input_points": random_points(2, 3, 1), "input_masks": torch.randn(2, 1, 50, 30)}),
}


@pytest.mark.parametrize(("objects", "prompts"), PROMPTS.values(), ids=PROMPTS)
@pytest.mark.parametrize(("multimask", "masks"), [(True, 3), (False, 1)])
@torch.no_grad()
def test_shapes(
    model: Sam2Model, embeddings: list[Tensor], objects: int, prompts: dict[str, Tensor], multimask: bool, masks: int
) -> None:
    output = model(image_embeddings=embeddings, multimask_output=multimask, **prompts)
    assert output.iou_scores.shape == (2, objects, masks)
    assert output.pred_masks.shape == (2, objects, masks, 24, 24)
    assert output.object_score_logits.shape == (2, objects, 1)
    assert [tuple(level.shape) for level in output.image_embeddings] == [(2, 8, 24, 24), (2, 16, 12, 12), (2, 64, 6, 6)]


@torch.no_grad()
def test_points_without_labels_are_positive(model: Sam2Model, embeddings: list[Tensor]) -> None:
    points = random_points(2, 3, 4)
    unlabelled = model(image_embeddings=embeddings, input_points=points)
    labelled = model(image_embeddings=embeddings, input_points=points, input_labels=torch.ones(2, 3, 4).long())
    assert torch.equal(unlabelled.pred_masks, labelled.pred_masks)


@torch.no_grad()
def test_embeddings_may_be_used_again(model: Sam2Model) -> None:
    pixels, points = random_pixels(batch=2), random_points(2, 2, 1)
    whole = model(pixels, input_points=points)
    for embeddings in (model.get_image_embeddings(pixels), whole.image_embeddings):
        again = model(input_points=points, image_embeddings=embeddings)
        assert torch.equal(again.pred_masks, whole.pred_masks)
        assert torch.equal(again.iou_scores, whole.iou_scores)


@torch.no_grad()
def test_every_prompt_matters(model: Sam2Model, embeddings: list[Tensor]) -> None:
    masks = [model(image_embeddings=embeddings, **prompts).pred_masks[:, :1] for _, prompts in PROMPTS.values()]
    same = {(a, b) for a in range(len(masks)) for b in range(a) if torch.allclose(masks[a], masks[b], atol=1e-3)}
    assert same == {(2, 1)}  # points with and without positive labels


@torch.no_grad()
def test_images_of_a_batch_are_independent(model: Sam2Model) -> None:
    pixels, points = random_pixels(batch=2), random_points(2, 2, 3)
    together = model(pixels, points)
    for image in range(2):
        part = slice(image, image + 1)
        alone = model(pixels[part], points[part])
        torch.testing.assert_close(together.pred_masks[part], alone.pred_masks, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_results_by_position(model: Sam2Model, embeddings: list[Tensor]) -> None:
    by_name = model(image_embeddings=embeddings)
    as_tuple = model(image_embeddings=embeddings, return_dict=False)
    assert isinstance(as_tuple, tuple)
    assert len(as_tuple) == 4
    assert torch.equal(as_tuple[1], by_name.pred_masks)
    assert model.vision_encoder(random_pixels(), return_dict=False)[0].ndim == 4


@pytest.mark.parametrize("through", ["argument", "configuration"])
@torch.no_grad()
def test_hidden_states_and_attentions(through: str) -> None:
    wanted = {"output_hidden_states": True, "output_attentions": True}
    model = small_model(**(wanted if through == "configuration" else {}))
    output = model(random_pixels(), random_points(1, 2, 1), **(wanted if through == "argument" else {}))
    assert len(output.vision_hidden_states) == 9
    assert output.vision_hidden_states[0].shape == (1, 24, 24, 8)
    assert len(output.vision_attentions) == 8
    assert [tuple(taken.shape) for taken in output.mask_decoder_attentions] == [(2, 1, 36, 64)] * 2


@torch.no_grad()
def test_helper_methods(model: Sam2Model) -> None:
    sparse, dense = model.get_prompt_embeddings(random_points(2, 3, 4), input_masks=torch.randn(2, 1, 24, 24))
    assert (sparse.shape, dense.shape) == ((2, 3, 5, 64), (2, 64, 6, 6))
    assert model.get_prompt_embeddings(input_masks=torch.randn(2, 1, 24, 24))[0] is None
    masks = torch.randn(2, 3, 24, 24)
    of_objects = model.get_prompt_embeddings(input_masks=masks)[1]
    assert of_objects.shape == (2, 3, 64, 6, 6)
    torch.testing.assert_close(of_objects[:, 2], model.get_prompt_embeddings(input_masks=masks[:, 2:])[1])
    positions = model.get_image_wide_positional_embeddings()
    assert positions.shape == (1, 64, 6, 6)
    expected = model.prompt_encoder.shared_embedding(torch.tensor([(2 + 0.5) / 6, (1 + 0.5) / 6]))
    torch.testing.assert_close(positions[0, :, 1, 2], expected)
    assert model.get_input_embeddings() is model.vision_encoder.backbone.patch_embed
    assert model.get_output_embeddings() is None


@torch.no_grad()
def test_vision_model() -> None:
    vision = randomised(Sam2VisionModel(small_config().vision_config))
    output = vision(random_pixels(batch=2))
    assert output.last_hidden_state.shape == (2, 3, 3, 64)
    assert [tuple(level.shape) for level in output.fpn_hidden_states] == [(2, 64, side, side) for side in (24, 12, 6)]
    assert [table.shape for table in output.fpn_position_encoding] == [
        level.shape for level in output.fpn_hidden_states
    ]
    # Only the deepest two levels meet: the finest is nothing but its own stage.
    stages = vision.encode(random_pixels(batch=2)).intermediate_hidden_states
    finest = vision.neck.convs[3](stages[0].permute(0, 3, 1, 2))
    torch.testing.assert_close(output.fpn_hidden_states[0], finest)
    above = nn.functional.interpolate(vision.neck.convs[0](stages[3].permute(0, 3, 1, 2)), scale_factor=2.0)
    expected = vision.neck.convs[1](stages[2].permute(0, 3, 1, 2)) + above
    torch.testing.assert_close(output.fpn_hidden_states[2], expected)


@pytest.mark.parametrize("image_size", [96, 160, 416])
@torch.no_grad()
def test_other_image_sizes(image_size: int) -> None:
    output = small_model(image_size)(random_pixels(image_size), random_points(1, 1, 1, image_size))
    assert output.pred_masks.shape == (1, 1, 3, image_size // 4, image_size // 4)
    assert output.pred_masks.isfinite().all()


@torch.no_grad()
def test_resized_model_equals_one_built_for_the_size() -> None:
    resized = small_model(96)
    resized(random_pixels(96), random_points(1, 1, 1))
    resized.resize(160)
    pixels, points = random_pixels(160), random_points(1, 1, 1, 160)
    assert torch.equal(resized(pixels, points).pred_masks, small_model(160)(pixels, points).pred_masks)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_half_precision(model: Sam2Model, dtype: torch.dtype) -> None:
    half = copy.deepcopy(model).to(dtype)
    mask = torch.randn(1, 1, 30, 30, generator=torch.Generator().manual_seed(0))
    prompts = {"input_points": random_points(1, 2, 2), "input_boxes": torch.tensor([[BOX, BOX]]), "input_masks": mask}
    output = half(random_pixels().to(dtype), **prompts)
    for field in (output.pred_masks, output.iou_scores, output.object_score_logits, *output.image_embeddings):
        assert field.dtype == dtype
    expected = model(random_pixels(), **prompts)
    scale = expected.pred_masks.abs().max()
    assert (output.pred_masks.float() - expected.pred_masks).abs().max() < 0.1 * scale
    assert half(random_pixels().to(dtype)).pred_masks.isfinite().all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@torch.no_grad()
def test_copies_after_use(model: Sam2Model, copied: Callable[[Sam2Model], Sam2Model]) -> None:
    pixels, points = random_pixels(), random_points(1, 1, 1)
    expected = model(pixels, points).pred_masks
    twin = copied(model)
    assert torch.equal(twin(pixels, points).pred_masks, expected)
    twin.vision_encoder.backbone.pos_embed.add_(1)
    assert not torch.equal(twin(pixels, points).pred_masks, expected)
    assert torch.equal(model(pixels, points).pred_masks, expected)


def test_the_positional_embedding_starts_equal_in_both_places() -> None:
    fresh = Sam2Model(small_config())
    assert torch.equal(
        fresh.shared_image_embedding.positional_embedding,
        fresh.prompt_encoder.shared_embedding.positional_embedding,
    )


def test_initial_weights() -> None:
    torch.manual_seed(0)
    fresh = Sam2Model(small_config(initializer_range=0.05))
    linear = fresh.mask_decoder.transformer.layers[0].mlp.proj_in
    assert linear.weight.std().item() == pytest.approx(0.05, rel=0.1)
    assert not linear.bias.any()
    assert fresh.vision_encoder.backbone.blocks[1].mlp.proj_in.weight.std().item() == pytest.approx(0.02, rel=0.15)
    assert not fresh.no_memory_embedding.any()
    assert not fresh.vision_encoder.backbone.pos_embed.any()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "as pixel_values, or as image_embeddings; got neither"),
        ({"pixel_values": random_pixels(64)}, r"\[1, 3, 64, 64\]; this model takes \[batch, 3, 96, 96\]"),
        ({"pixel_values": torch.zeros(1, 1, 96, 96)}, r"\[1, 1, 96, 96\]; this model takes"),
        ({"pixel_values": torch.zeros(3, 96, 96)}, r"\[3, 96, 96\]; this model takes"),
        ({"input_points": torch.zeros(2, 3, 2)}, r"input_points has shape \[2, 3, 2\].*\(4 dimensions\)"),
        ({"input_points": torch.zeros(2, 1, 1, 3)}, r"input_points has shape \[2, 1, 1, 3\]"),
        ({"input_boxes": torch.zeros(2, 4)}, r"input_boxes has shape \[2, 4\].*\(3 dimensions\)"),
        ({"input_boxes": torch.zeros(2, 1, 5)}, r"input_boxes has shape \[2, 1, 5\]"),
        (
            {"input_points": torch.zeros(2, 1, 3, 2), "input_labels": torch.ones(2, 1, 2)},
            r"input_labels has shape \[2, 1, 2\]; one label a point makes it \[2, 1, 3\]",
        ),
        (
            {"input_points": torch.zeros(2, 3, 1, 2), "input_boxes": torch.zeros(2, 2, 4)},
            "input_points has 3 objects, input_boxes 2",
        ),
        (
            {"input_points": torch.zeros(2, 3, 1, 2), "input_masks": torch.zeros(2, 2, 8, 8)},
            r"input_masks has shape \[2, 2, 8, 8\]; .*\[batch, 3, h, w\]",
        ),
        ({"input_masks": torch.zeros(2, 8, 8)}, r"input_masks has shape \[2, 8, 8\]"),
        ({"input_points": torch.zeros(3, 1, 1, 2)}, "input_points is for 3 images, but 2 images were given"),
        ({"input_boxes": torch.zeros(1, 1, 4)}, "input_boxes is for 1 images, but 2"),
        ({"input_masks": torch.zeros(3, 1, 8, 8)}, "input_masks is for 3 images, but 2"),
        ({"input_masks": torch.full((2, 1, 8, 8), 1e20)}, "logits from -60000 to 60000; got 1e"),
        ({"input_masks": torch.full((2, 1, 8, 8), torch.nan)}, "NaN"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    model: Sam2Model, embeddings: list[Tensor], inputs: dict[str, Any], message: str
) -> None:
    if inputs and "pixel_values" not in inputs:
        inputs = {**inputs, "image_embeddings": embeddings}
    with pytest.raises(InvalidInputError, match=message):
        model(**inputs)


def test_pixels_and_embeddings_together_are_refused(model: Sam2Model, embeddings: list[Tensor]) -> None:
    with pytest.raises(InvalidInputError, match="got both"):
        model(random_pixels(batch=2), image_embeddings=embeddings)


def test_embeddings_of_other_levels_or_sizes_are_refused(model: Sam2Model, embeddings: list[Tensor]) -> None:
    for wrong in (embeddings[:2], embeddings[::-1], [level[..., :2, :2] for level in embeddings], embeddings[2]):
        with pytest.raises(InvalidInputError, match="the levels of an image are"):
            model(image_embeddings=wrong)


def test_vision_models_need_pixels(model: Sam2Model) -> None:
    with pytest.raises(ValueError, match="pixel_values is None"):
        model.vision_encoder(None)
    with pytest.raises(ValueError, match="pixel_values is None"):
        model.vision_encoder.backbone(None)


@torch.no_grad()
def test_further_inputs_of_the_processor_are_ignored(model: Sam2Model, embeddings: list[Tensor]) -> None:
    sizes = torch.tensor([[10, 10]] * 2)
    output = model(image_embeddings=embeddings, original_sizes=sizes, reshaped_input_sizes=sizes)
    assert torch.equal(output.pred_masks, model(image_embeddings=embeddings).pred_masks)
