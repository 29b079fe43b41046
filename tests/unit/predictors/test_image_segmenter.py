"""An image encoded once, then prompted: the same numbers as processor and model give by hand."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from masklet import ImageSegmenter, Prompt, Sam2Processor, Segmentation
from masklet.errors import InvalidInputError
from masklet.predictors.image_segmenter import EncodedImage

HEIGHT, WIDTH = 60, 90
PICTURE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
CLICK, OTHER_CLICK, BOX = [40, 20], [70, 50], [10, 5, 80, 55]


@pytest.fixture(scope="module")
def segmenter(saved_model: Path) -> ImageSegmenter:
    return ImageSegmenter.from_pretrained(saved_model)


@pytest.fixture(scope="module")
def encoded(segmenter: ImageSegmenter) -> EncodedImage:
    return segmenter.encode(PICTURE)


def by_hand(
    segmenter: ImageSegmenter, multimask: bool, index: int = 0, **prompts: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mask, score and logits of one object, the best by predicted IoU."""
    inputs = segmenter.processor(images=PICTURE, **prompts, return_tensors="pt")
    with torch.no_grad():
        output = segmenter.model(**inputs, multimask_output=multimask)
    best = output.iou_scores[0, index].argmax()
    masks = segmenter.processor.post_process_masks(output.pred_masks, inputs["original_sizes"])[0]
    return tuple(each[index, best].numpy() for each in (masks, output.iou_scores[0], output.pred_masks[0]))


def assert_is(result: Segmentation, expected: tuple[np.ndarray, np.ndarray, np.ndarray], index: int = 0) -> None:
    mask, score, logits = expected
    assert result.low_resolution_logits is not None
    np.testing.assert_allclose(result.low_resolution_logits[index], logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.scores[index], score, rtol=1e-4)
    assert (result.masks[index] != mask).mean() < 1e-3


def test_encoding_keeps_the_size_of_the_image(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    assert (encoded.height, encoded.width) == (HEIGHT, WIDTH)
    pixels = segmenter.processor(images=PICTURE, return_tensors="pt").pixel_values
    for level, expected in zip(encoded.embeddings, segmenter.model.get_image_embeddings(pixels), strict=True):
        torch.testing.assert_close(level, expected)


def test_a_single_click_gives_the_best_of_three(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    result = segmenter.segment(encoded, points=[[CLICK]])
    assert (result.masks.shape, result.masks.dtype, result.object_ids) == ((1, HEIGHT, WIDTH), np.bool_, (1,))
    assert_is(result, by_hand(segmenter, True, input_points=[[[CLICK]]]))


@pytest.mark.parametrize(
    ("prompts", "inputs"),
    [
        (
            {"points": [[CLICK, OTHER_CLICK]], "labels": [[1, 0]]},
            {"input_points": [[[CLICK, OTHER_CLICK]]], "input_labels": [[[1, 0]]]},
        ),
        ({"points": [[CLICK]], "labels": [[0]]}, {"input_points": [[[CLICK]]], "input_labels": [[[0]]]}),
        ({"boxes": [BOX]}, {"input_boxes": [[BOX]]}),
        ({"points": [[CLICK]], "boxes": [BOX]}, {"input_points": [[[CLICK]]], "input_boxes": [[BOX]]}),
    ],
    ids=["two clicks", "a click off the object", "a box", "a click and a box"],
)
def test_clear_prompts_give_the_single_mask(
    segmenter: ImageSegmenter, encoded: EncodedImage, prompts: dict[str, Any], inputs: dict[str, Any]
) -> None:
    assert_is(segmenter.segment(encoded, **prompts), by_hand(segmenter, False, **inputs))


@pytest.mark.parametrize("multimask", [True, False])
def test_multimask_on_demand(segmenter: ImageSegmenter, encoded: EncodedImage, multimask: bool) -> None:
    of_box = segmenter.segment(encoded, boxes=[BOX], multimask=multimask)
    assert_is(of_box, by_hand(segmenter, multimask, input_boxes=[[BOX]]))
    of_click = segmenter.segment(encoded, points=[[CLICK]], multimask=multimask)
    assert_is(of_click, by_hand(segmenter, multimask, input_points=[[[CLICK]]]))


def test_each_object_is_as_ambiguous_as_its_own_prompt(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    points = [[CLICK], [CLICK, OTHER_CLICK], np.zeros((0, 2))]
    result = segmenter.segment(encoded, points=points, object_ids=[7, 3, 5])
    assert result.object_ids == (7, 3, 5)
    for index, multimask in enumerate((True, False, False)):
        assert_is(result, by_hand(segmenter, multimask, index, input_points=[points]), index)


def test_prompts_of_any_kinds_do_not_change_each_other(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    """As if each object were alone: none is filled up, and what is found is in the order of the prompts."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:30, 10:60] = True
    alone: list[tuple[Prompt, bool, dict[str, Any]]] = [
        (
            Prompt([CLICK, OTHER_CLICK], [1, 0]),
            False,
            {"input_points": [[[CLICK, OTHER_CLICK]]], "input_labels": [[[1, 0]]]},
        ),
        (Prompt([CLICK]), True, {"input_points": [[[CLICK]]]}),
        (Prompt(box=BOX), False, {"input_boxes": [[BOX]]}),
        (Prompt(mask=mask), False, {"input_masks": [mask]}),
        (Prompt([OTHER_CLICK]), True, {"input_points": [[[OTHER_CLICK]]]}),
        (
            Prompt([CLICK], [0], BOX),
            False,
            {"input_points": [[[CLICK]]], "input_labels": [[[0]]], "input_boxes": [[BOX]]},
        ),
    ]
    prompts = [prompt for prompt, _, _ in alone]
    together = segmenter.segment(encoded, prompts=prompts, object_ids=range(10, 16))
    assert together.object_ids == tuple(range(10, 16))
    candidates = segmenter.candidates(encoded, prompts=prompts)
    for index, (_, multimask, inputs) in enumerate(alone):
        assert_is(together, by_hand(segmenter, multimask, **inputs), index)
        assert_is(candidates[index], by_hand(segmenter, True, **inputs))


def test_prompts_and_lists_are_the_same_question(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    first = segmenter.segment(encoded, points=[[CLICK], [OTHER_CLICK]], labels=[[1], [0]], boxes=[BOX, BOX])
    again = segmenter.segment(encoded, prompts=[Prompt([CLICK], [1], BOX), Prompt([OTHER_CLICK], [0], BOX)])
    for name in ("masks", "scores", "low_resolution_logits"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prompts": [Prompt([CLICK]), Prompt()]}, r"Object 2 needs a Prompt with points, .* got Prompt\(\)"),
        ({"prompts": [Prompt([CLICK]), {"box": BOX}]}, "Object 2 needs a Prompt"),
        ({"prompts": Prompt([CLICK])}, r"a list with one Prompt for each object; got Prompt\("),
        ({"prompts": iter([Prompt([CLICK])])}, "a list with one Prompt for each object"),
        ({"prompts": [Prompt([CLICK])], "boxes": [BOX]}, "not both"),
        ({"prompts": [Prompt([CLICK]), Prompt([[5, HEIGHT + 1]])]}, "Object 2: The point"),
        ({"prompts": [Prompt([CLICK]), Prompt(box=[WIDTH, 0, WIDTH + 9, 9])]}, "Object 2: The box"),
    ],
)
def test_prompts_that_are_none(
    segmenter: ImageSegmenter, encoded: EncodedImage, arguments: dict[str, Any], message: str
) -> None:
    for ask in (segmenter.segment, segmenter.candidates):
        with pytest.raises(InvalidInputError, match=message):
            ask(encoded, **arguments)
    assert len(segmenter.segment(encoded, prompts=[])) == 0


def test_padding_in_lists_is_left_out(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    padded = segmenter.segment(encoded, points=[[CLICK, [2, 2]]], labels=[[1, -10]])
    np.testing.assert_array_equal(padded.scores, segmenter.segment(encoded, points=[[CLICK]]).scores)


def test_floats_from_0_to_1_and_deep_integers_are_the_image_that_bytes_are(
    segmenter: ImageSegmenter, encoded: EncodedImage
) -> None:
    expected = segmenter.segment(encoded, boxes=[BOX]).low_resolution_logits
    deep = np.round(PICTURE * (4095 / 255)).astype(np.uint16)
    for image in (PICTURE / 255, torch.from_numpy(PICTURE / 255).permute(2, 0, 1), PICTURE * 1.0, deep):
        found = segmenter.segment(segmenter.encode(image), boxes=[BOX]).low_resolution_logits
        np.testing.assert_allclose(found, expected, atol=0.05 * np.abs(expected).max())


def test_an_earlier_mask_is_taken_into_account(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    first = segmenter.segment(encoded, points=[[CLICK]])
    again = segmenter.segment(encoded, points=[[CLICK]], masks=first.low_resolution_logits)
    expected = by_hand(segmenter, False, input_points=[[[CLICK]]], input_masks=[first.low_resolution_logits])
    assert_is(again, expected)
    alone = segmenter.segment(encoded, masks=first.masks)
    assert_is(alone, by_hand(segmenter, False, input_masks=[first.masks]))


def test_candidates_are_all_three_masks_best_first(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    per_object = segmenter.candidates(encoded, points=[[CLICK], [OTHER_CLICK]])
    assert [len(three) for three in per_object] == [3, 3]
    for three, click in zip(per_object, (CLICK, OTHER_CLICK), strict=True):
        assert (np.diff(three.scores) <= 0).all()
        assert_is(three, by_hand(segmenter, True, input_points=[[[click]]]))


@pytest.mark.parametrize(
    "prompts",
    [
        {"boxes": []},
        {"boxes": np.empty((0, 4))},
        {"points": []},
        {"points": [], "labels": []},
        {"masks": np.empty((0, 24, 24))},
        {"boxes": [], "masks": np.empty((0, HEIGHT, WIDTH), bool)},
    ],
)
def test_prompts_of_no_object_give_no_mask(
    segmenter: ImageSegmenter, encoded: EncodedImage, prompts: dict[str, Any]
) -> None:
    result = segmenter.segment(encoded, **prompts)
    assert result.masks.shape == (0, HEIGHT, WIDTH)
    assert (result.scores.shape, result.object_ids) == ((0,), ())
    one = segmenter.segment(encoded, boxes=[BOX])
    assert result.low_resolution_logits.shape == (0, *one.low_resolution_logits.shape[1:])
    assert segmenter.candidates(encoded, **prompts) == []
    assert len(segmenter.segment(encoded, masks=result.low_resolution_logits)) == 0


def test_no_object_beside_one_is_refused(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    with pytest.raises(InvalidInputError, match="points of 1, boxes of 0"):
        segmenter.segment(encoded, boxes=[], points=[[CLICK]])
    with pytest.raises(InvalidInputError, match="prompts are empty"):
        segmenter.segment(encoded, points=[[]])
    with pytest.raises(InvalidInputError, match=r"given to encode\(...\) first"):
        segmenter.segment(np.zeros((HEIGHT, WIDTH, 3), np.uint8), boxes=[])


def test_a_transposed_mask_is_refused(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    for kind in (bool, np.uint8, np.float32):
        with pytest.raises(InvalidInputError, match=f"{HEIGHT} x {WIDTH} pixels, but its image {WIDTH} x {HEIGHT}"):
            segmenter.segment(encoded, masks=np.ones((1, WIDTH, HEIGHT), kind))


def test_a_single_row_may_stand_for_one(segmenter: ImageSegmenter, encoded: EncodedImage) -> None:
    assert len(segmenter.segment(encoded, boxes=np.array(BOX))) == 1
    assert len(segmenter.segment(encoded, points=[CLICK, OTHER_CLICK])) == 2


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({}, "Nothing to segment by: give prompts, points, boxes or masks"),
        ({"points": [[[1, 2, 3]]]}, r"points must have the shape \[n, 2\]; got \[1, 3\]"),
        ({"points": [[[1, 2, 3, 4]]]}, r"points must have the shape \[n, 2\]; got \[1, 4\]"),
        ({"points": [["here"]]}, "Object 1: points must be an array of numbers"),
        ({"points": [[CLICK, [1]]]}, "points must be an array of numbers, got lists of different lengths"),
        ({"points": 5}, "points must be a list with one entry for each object; got 5"),
        ({"points": [[CLICK]], "labels": 1}, "labels must be a list with one entry for each object; got 1"),
        ({"points": [[[-10, -10]]], "labels": [[1]]}, r"point \(-10, -10\) is outside its image"),
        ({"boxes": [BOX, [-10, -10, -10, -10]]}, r"Object 2: box \(-10, .* x1 < x2"),
        ({"boxes": [[1, 2, 3]]}, r"box must be \(x1, y1, x2, y2\); got the shape \[3\]"),
        ({"points": [[[WIDTH + 1, 5]]]}, rf"point \({WIDTH + 1}, 5\) is outside its image of {WIDTH} x {HEIGHT}"),
        ({"points": [[CLICK]], "labels": [[1, 0]]}, r"1 points need labels of the shape \[1\]; got \[2\]"),
        ({"points": [[CLICK]], "labels": [[0.5]]}, "label must be 1 .*; got 0.5"),
        ({"points": [[CLICK]], "boxes": [BOX, BOX]}, "points of 1, boxes of 2"),
        ({"points": [[CLICK]], "masks": np.zeros((2, 24, 24))}, "points of 1, masks of 2"),
        ({"masks": np.zeros((0, WIDTH), bool)}, r"mask must have the shape \[h, w\]; got \[0, 90\]"),
        ({"masks": torch.zeros(0, 0)}, r"mask must have the shape \[h, w\]; got \[0, 0\]"),
        ({"masks": np.full((HEIGHT, WIDTH), -1e20)}, "Input masks of floats are logits from -60000 to 60000; got -1e"),
        ({"points": [[CLICK]], "object_ids": [1, 2]}, "1 masks need 1 different object ids"),
        ({"points": [[CLICK]], "object_ids": [0]}, "object ids above 0"),
    ],
)
def test_prompts_that_cannot_be_used_are_named(
    segmenter: ImageSegmenter, encoded: EncodedImage, prompts: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        segmenter.segment(encoded, **prompts)


@pytest.mark.parametrize(
    "prompts",
    [
        {"points": np.array(5.0)},
        {"points": 5},
        {"points": torch.zeros(2, 2).to_sparse()},
        {"points": torch.empty(1, 1, 2, device="meta")},
        {"points": [[CLICK]], "labels": torch.empty(1, 1, device="meta")},
        {"boxes": [[10**400, 0, 1, 1]]},
        {"boxes": np.full((1, 4), 1e300)},
        {"boxes": np.full((1, 4), 1j)},
        {"boxes": [BOX], "object_ids": 7},
    ],
    ids=str,
)
def test_containers_without_prompts_are_refused(
    segmenter: ImageSegmenter, encoded: EncodedImage, prompts: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        segmenter.segment(encoded, **prompts)


@pytest.mark.parametrize("as_kind", [list, np.array, lambda given: torch.tensor(given, dtype=torch.float32), iter])
def test_clicks_in_any_container(segmenter: ImageSegmenter, encoded: EncodedImage, as_kind: Any) -> None:
    points, labels = [[CLICK, OTHER_CLICK]], [[1, 0]]
    expected = segmenter.segment(encoded, points=points, labels=labels)
    found = segmenter.segment(encoded, points=as_kind(points), labels=labels)
    np.testing.assert_array_equal(found.masks, expected.masks)


def test_one_image_at_a_time(segmenter: ImageSegmenter) -> None:
    with pytest.raises(InvalidInputError, match="One image is encoded at a time; got 2"):
        segmenter.encode([PICTURE, PICTURE])


def test_the_processor_follows_the_models_size_and_keeps_its_other_settings(saved_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "model"
    shutil.copytree(saved_model, folder)
    Sam2Processor(size=96, image_mean=[0.1, 0.2, 0.3]).save_pretrained(folder)
    segmenter = ImageSegmenter.from_pretrained(tmp_path / "repository", subfolder="model", image_size=160)
    assert segmenter.processor.image_processor.size == {"height": 160, "width": 160}
    assert segmenter.processor.target_size == 160
    assert segmenter.processor.image_processor.image_mean == [0.1, 0.2, 0.3]
    assert segmenter.segment(segmenter.encode(PICTURE), points=[[CLICK]]).masks.shape == (1, HEIGHT, WIDTH)


def test_half_precision(saved_model: Path) -> None:
    segmenter = ImageSegmenter.from_pretrained(saved_model, dtype="bfloat16")
    first = segmenter.segment(segmenter.encode(PICTURE), points=[[CLICK]])
    again = segmenter.segment(segmenter.encode(PICTURE), boxes=[BOX], masks=first.low_resolution_logits)
    assert (first.scores.dtype, again.low_resolution_logits.dtype) == (np.float32, np.float32)
    assert segmenter.encode(PICTURE).embeddings[0].dtype == torch.bfloat16


def test_a_model_in_training_mode_is_put_into_evaluation(segmenter: ImageSegmenter) -> None:
    segmenter.model.train()
    ImageSegmenter(segmenter.model, segmenter.processor)
    assert not segmenter.model.training


def test_an_image_that_was_not_encoded_is_refused(segmenter: ImageSegmenter) -> None:
    with pytest.raises(InvalidInputError, match=r"given to encode\(\.\.\.\) first, got ndarray"):
        segmenter.segment(PICTURE, points=[[CLICK]])  # type: ignore[arg-type]


RING = np.full((24, 24), -3.0, np.float32)
RING[4:20, 4:20] = 3.0
RING[8:12, 8:12] = -3.0  # 16 of 256 pixels
IN_THE_HOLE, ON_THE_RING = [37, 25], [60, 25]  # the hole is x 30 to 45, y 20 to 30 of the image


@pytest.fixture
def sees_a_ring(segmenter: ImageSegmenter, monkeypatch: pytest.MonkeyPatch) -> ImageSegmenter:
    def best(_: Any, __: Any, prompts: list[Prompt], ___: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(RING).expand(len(prompts), -1, -1), torch.full((len(prompts),), 0.5)

    monkeypatch.setattr(ImageSegmenter, "_best_of_batch", best)
    return segmenter


def test_holes_stay_unless_the_checkpoint_has_them_filled(
    sees_a_ring: ImageSegmenter, encoded: EncodedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.zeros((HEIGHT, WIDTH), bool)
    whole[10:50, 15:75] = True
    x, y = IN_THE_HOLE
    for share, is_filled in ((0.0, False), (0.06, False), (0.0625, True)):
        monkeypatch.setattr(sees_a_ring.model.config, "max_hole_share", share)
        result = sees_a_ring.segment(encoded, boxes=[BOX])
        assert result.masks[0, y, x] == is_filled
        assert not (result.masks[0] & ~whole).any()
        assert result.masks[0, 12:48, 18:72].all() == is_filled
        assert result.low_resolution_logits is not None
        np.testing.assert_array_equal(result.low_resolution_logits[0], RING)


def test_a_hole_with_a_click_off_the_object_in_it_stays(
    sees_a_ring: ImageSegmenter, encoded: EncodedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sees_a_ring.model.config, "max_hole_share", 0.1)
    points = [[IN_THE_HOLE, ON_THE_RING], [IN_THE_HOLE, ON_THE_RING], [IN_THE_HOLE, ON_THE_RING]]
    result = sees_a_ring.segment(encoded, points=points, labels=[[0, 1], [1, 0], [1, 1]])
    x, y = IN_THE_HOLE
    assert result.masks[:, y, x].tolist() == [False, True, True]


def test_holes_of_candidates_are_filled_too(
    segmenter: ImageSegmenter, encoded: EncodedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: dict[str, Any] = {"points": [[CLICK, OTHER_CLICK]], "labels": [[1, 0]]}
    plain = segmenter.candidates(encoded, **prompts)[0].masks
    monkeypatch.setattr(segmenter.model.config, "max_hole_share", 1.0)
    filled = segmenter.candidates(encoded, **prompts)[0].masks
    assert not (plain & ~filled).any()
    assert (filled & ~plain).any()
    x, y = OTHER_CLICK
    assert np.array_equal(filled[:, y, x], plain[:, y, x])
