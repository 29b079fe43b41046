"""Masks above a bound of predicted IoU: those that decoding everything gives, with and without the quick verb."""

import pytest
import torch
from tests.support.checked_runtime import CheckedRuntime
from tests.support.small_models import random_pixels, random_points, small_model
from tests.support.small_video_models import small_video_model
from torch import Tensor

from masklet import Sam2Model
from masklet.modeling.values import CandidateMasks
from masklet.runtimes.candidates import ALL, candidates_above
from masklet.runtimes.object_masks import select_output
from masklet.runtimes.protocol import ImageFeatures

OBJECTS = 7


@pytest.fixture(scope="module")
def model() -> Sam2Model:
    return without_fallback()


@pytest.fixture(scope="module")
def features(model: Sam2Model) -> ImageFeatures:
    with torch.inference_mode():
        return model.without_memory(model.encode_image(random_pixels()))


def without_fallback() -> Sam2Model:
    """A model whose single mask is output 0, whether that is stable or not."""
    model = small_model()
    model.config.mask_decoder_config.dynamic_multimask_via_stability = False
    return model


def prompts() -> tuple[Tensor, Tensor]:
    points = random_points(1, OBJECTS, 1)[0]
    return points, torch.ones(points.shape[:2], dtype=torch.long)


def assert_same(found: CandidateMasks, expected: CandidateMasks) -> None:
    torch.testing.assert_close(found.iou, expected.iou, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.logits, expected.logits, rtol=1e-4, atol=1e-4)
    assert found.prompts.tolist() == expected.prompts.tolist()


@torch.inference_mode()
@pytest.mark.parametrize("multimask", [True, False])
@pytest.mark.parametrize("has_masks", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.45, 0.9, 1.0])
def test_the_quick_verb_gives_what_decoding_everything_gives(
    model: Sam2Model, features: ImageFeatures, share: float, has_masks: bool, multimask: bool
) -> None:
    points, labels = prompts()
    masks = 5 * torch.randn(OBJECTS, 24, 24, generator=torch.Generator().manual_seed(0)) if has_masks else None
    decoded = model.decode(features, points, labels, masks)
    outputs = slice(1, 4) if multimask else slice(0, 1)
    logits, iou = decoded.logits[:, outputs], decoded.iou[:, outputs]
    least = float(iou.quantile(share)) + 1e-4 if share else ALL
    expected = CandidateMasks.above(least, logits, iou)
    assert len(expected.iou) == {0.0: iou.numel(), 1.0: 0}.get(share, len(expected.iou))
    assert_same(candidates_above(model, features, points, labels, least, masks, multimask=multimask), expected)


@torch.inference_mode()
def test_a_runtime_without_the_verb_decodes_everything(model: Sam2Model, features: ImageFeatures) -> None:
    points, labels = prompts()
    video_model = small_video_model()
    quick, plain = video_model, CheckedRuntime(video_model)
    side = video_model.config.image_size
    encoded = plain.without_memory(plain.encode_image(random_pixels(side)))
    least = float(video_model.decode(encoded, points, labels).iou[:, 1:].median())
    found = candidates_above(plain, encoded, points, labels, least)
    assert 0 < len(found.iou) < 3 * OBJECTS
    assert_same(candidates_above(quick, encoded, points, labels, least), found)
    assert "decode" in plain.calls


@torch.inference_mode()
def test_objects_are_decoded_in_pieces(
    model: Sam2Model, features: ImageFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, labels = prompts()
    whole = candidates_above(model, features, points, labels, 0.5)
    monkeypatch.setattr("masklet.modeling.pieces.NUMBERS_PER_THREAD", 2 * 36)  # two objects of 6 x 6 cells
    assert_same(candidates_above(model, features, points, labels, 0.5), whole)


@torch.inference_mode()
def test_a_decoder_that_is_watched_is_called(features: ImageFeatures) -> None:
    model, calls = without_fallback(), []
    points, labels = prompts()
    expected = candidates_above(model, features, points, labels, 0.5)
    hook = model.mask_decoder.register_forward_hook(lambda *_: calls.append(1))
    assert_same(candidates_above(model, features, points, labels, 0.5), expected)
    hook.remove()
    assert calls == [1]


@torch.inference_mode()
def test_a_mask_that_is_chosen_by_stability_is_no_case_for_the_quick_verb(features: ImageFeatures) -> None:
    model = small_model()
    assert model.config.mask_decoder_config.dynamic_multimask_via_stability
    points, labels = prompts()
    chosen = select_output(model.decode(features, points, labels), torch.zeros(OBJECTS, dtype=torch.bool), model.config)
    found = candidates_above(model, features, points, labels, ALL, multimask=False)
    assert_same(found, CandidateMasks(*chosen, torch.arange(OBJECTS)))
