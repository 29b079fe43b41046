"""The mask decoder against its plain statement, in float64; objects and images do not see each other."""

import copy

import pytest
import torch
from tests.support.small_models import random_pixels, random_points, small_model
from tests.unit.modeling.plain_decoder import plain_decode
from torch import Tensor

from masklet.modeling import upscaling
from masklet.modeling.outputs import DecodedMasks

OBJECTS = 5


@pytest.fixture(scope="module")
def model():
    return small_model(64).double()


@pytest.fixture(scope="module")
def embeddings(model) -> list[Tensor]:
    return model.get_image_embeddings(random_pixels(64, batch=2).double())


def mask_prompts(kind: str) -> Tensor | None:
    count = {"none": 0, "shared": 1, "one an object": OBJECTS}[kind]
    masks = torch.randn(2, count, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return masks * 4 if count else None


def decode(model, embeddings: list[Tensor], points: Tensor, masks: Tensor | None) -> DecodedMasks:
    return model.decoded_masks(embeddings, points, input_masks=masks, keep_attentions=True)


@pytest.mark.parametrize("kind", ["none", "shared", "one an object"])
@pytest.mark.parametrize("points", [2, 12], ids=["few tokens", "many tokens"])
@pytest.mark.parametrize("gradients", [True, False])
def test_equals_the_plain_statement(model, embeddings, kind: str, points: int, gradients: bool) -> None:
    coordinates, masks = random_points(2, OBJECTS, points, 64).double(), mask_prompts(kind)
    with torch.set_grad_enabled(gradients):
        decoded = decode(model, embeddings, coordinates, masks)
    labels = torch.ones(coordinates.shape[:-1], dtype=torch.long)
    with torch.no_grad():
        sparse = model.prompt_encoder.sparse(coordinates, labels, None)
        dense = model.prompt_encoder.dense(masks, 2).expand(-1, OBJECTS, -1, -1, -1)
        positions = model.shared_image_embedding.grid(4, 4)
    assert decoded.masks.shape == (2, OBJECTS, 4, 16, 16)
    for image in range(2):
        levels = tuple(level[image] for level in embeddings)
        for each in range(OBJECTS):
            expected = plain_decode(model.mask_decoder, levels, positions, sparse[image, each], dense[image, each])
            got = decoded.masks[image, each], decoded.iou[image, each], decoded.object_score[image, each]
            torch.testing.assert_close(tuple(t.detach() for t in got), expected, rtol=1e-8, atol=1e-8)


@torch.inference_mode()
def test_weights_of_the_upscaling_are_brought_into_order_once(model, embeddings, monkeypatch) -> None:
    """And anew once they have changed."""
    ordered, plain, own = [], upscaling._as_matrix, copy.deepcopy(model)
    monkeypatch.setattr(upscaling, "_as_matrix", lambda weight: (ordered.append(weight), plain(weight))[1])
    points = random_points(2, OBJECTS, 2, 64).double()
    for expected in (2, 1):  # the second time one of two weights is another
        ordered.clear()
        decode(own, embeddings, points, None)
        found = decode(own, embeddings, points, None)
        assert len(ordered) == expected
        torch.testing.assert_close(found.masks, decode(copy.deepcopy(own), embeddings, points, None).masks)
        own.mask_decoder.upscale_conv1.weight.mul_(2)


@pytest.mark.parametrize("kind", ["none", "shared", "one an object"])
@torch.no_grad()
def test_objects_are_independent(model, embeddings, kind: str) -> None:
    points, masks = random_points(2, OBJECTS, 3, 64).double(), mask_prompts(kind)
    together = decode(model, embeddings, points, masks)
    for each in range(OBJECTS):
        own_masks = masks[:, each : each + 1] if kind == "one an object" else masks
        alone = decode(model, embeddings, points[:, each : each + 1], own_masks)
        for name in ("masks", "iou", "object_score", "tokens"):
            torch.testing.assert_close(getattr(together, name)[:, each : each + 1], getattr(alone, name))
        for taken_together, taken_alone in zip(together.attentions, alone.attentions, strict=True):
            torch.testing.assert_close(taken_together[:, each : each + 1], taken_alone)


@torch.no_grad()
def test_images_of_a_batch_are_independent(model, embeddings) -> None:
    points, masks = random_points(2, OBJECTS, 3, 64).double(), mask_prompts("one an object")
    together = decode(model, embeddings, points, masks)
    for image in range(2):
        part = slice(image, image + 1)
        alone = decode(model, [level[part] for level in embeddings], points[part], masks[part])
        torch.testing.assert_close(together.masks[part], alone.masks)
        torch.testing.assert_close(together.iou[part], alone.iou)


@torch.no_grad()
def test_similarity_and_target_belong_to_their_object(model, embeddings) -> None:
    """Guidance of five objects gives what each object's own guidance gives it alone."""
    generator = torch.Generator().manual_seed(5)
    points = random_points(1, OBJECTS, 2, 64).double()
    image = [level[:1] for level in embeddings]
    similarity = torch.randn(OBJECTS, 1, 1, 16, dtype=torch.float64, generator=generator) * 3
    target = torch.randn(1, OBJECTS, 1, 64, dtype=torch.float64, generator=generator)
    guidance = {"attention_similarity": similarity, "target_embedding": target}
    together = model.decoded_masks(image, points, **guidance)
    assert not torch.allclose(together.masks, model.decoded_masks(image, points).masks)
    for each in range(OBJECTS):
        part = slice(each, each + 1)
        alone = model.decoded_masks(
            image, points[:, part], attention_similarity=similarity[part], target_embedding=target[:, part]
        )
        torch.testing.assert_close(together.masks[:, part], alone.masks)
