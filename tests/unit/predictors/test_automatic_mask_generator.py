"""The class that makes automatic masks: what it takes, and what it refuses."""

import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from masklet import (
    AutomaticMaskGenerator,
    AutomaticMasks,
    AutomaticMaskSettings,
    CheckpointError,
    ImageSegmenter,
    Sam2Processor,
    Segmentation,
)
from masklet.errors import InvalidInputError
from masklet.masks.run_length import decode_run_length

HEIGHT, WIDTH = 60, 90
IMAGE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
EVERYTHING = {"points_per_side": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}


@pytest.fixture(scope="module")
def segmenter(saved_model: Path) -> ImageSegmenter:
    return ImageSegmenter.from_pretrained(saved_model)


def generator(segmenter: ImageSegmenter, **options: Any) -> AutomaticMaskGenerator:
    return AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, **{**EVERYTHING, **options})


@pytest.fixture(scope="module")
def found(segmenter: ImageSegmenter) -> AutomaticMasks:
    return generator(segmenter, box_nms_thresh=1.0).generate(IMAGE)


def test_each_candidate_is_the_mask_of_its_point(segmenter: ImageSegmenter, found: AutomaticMasks) -> None:
    assert (len(found), found.counts.points, found.counts.candidates) == (48, 16, 48)
    assert (np.diff(found.scores) <= 0).all()
    encoded = segmenter.encode(IMAGE)
    for place in (0, 20, 47):
        three = segmenter.candidates(encoded, points=[[found.points[place]]])[0]
        nearest = int(np.abs(three.scores - found.scores[place]).argmin())
        assert three.scores[nearest] == pytest.approx(found.scores[place], abs=1e-5)
        assert (three.mask(nearest) != found.mask(place)).mean() < 1e-3


def test_records_have_metas_form(found: AutomaticMasks) -> None:
    in_modes = [found.records(mode) for mode in ("binary_mask", "coco_rle", "uncompressed_rle")]
    for plain, coco, uncompressed in zip(*in_modes, strict=True):
        mask = plain["segmentation"]
        np.testing.assert_array_equal(decode_run_length(coco["segmentation"]), mask)
        np.testing.assert_array_equal(decode_run_length(uncompressed["segmentation"]), mask)
        assert isinstance(uncompressed["segmentation"]["counts"], list)
        assert plain["area"] == mask.sum()
        assert plain["crop_box"] == [0, 0, WIDTH, HEIGHT]
        rows, columns = np.nonzero(mask)
        if rows.size:
            corner = [columns.min(), rows.min()]
            assert plain["bbox"] == [*corner, columns.max() - corner[0], rows.max() - corner[1]]
    with pytest.raises(InvalidInputError, match="output_mode must be one of"):
        found.records("rle")


def test_records_have_the_form_that_was_asked_for(segmenter: ImageSegmenter) -> None:
    record = generator(segmenter, output_mode="coco_rle").generate(IMAGE).records()[0]
    assert isinstance(record["segmentation"]["counts"], str)


def test_parts_keep_where_masks_come_from(found: AutomaticMasks) -> None:
    first, last = found.taken([0, 1]), found.taken([-1], object_ids=[60])
    joined = AutomaticMasks.joined([first, last])
    np.testing.assert_array_equal(joined.points, found.points[[0, 1, -1]])
    np.testing.assert_array_equal(joined.stability_scores, found.stability_scores[[0, 1, -1]])
    np.testing.assert_array_equal(joined.crop_boxes, found.crop_boxes[:3])
    assert (joined.object_ids, joined.counts.points) == ((1, 2, 60), 32)
    with pytest.raises(InvalidInputError, match="others of their kind"):
        AutomaticMasks.joined([first, ImageSegmenter])  # type: ignore[list-item]


def test_masks_of_elsewhere_come_from_nowhere(found: AutomaticMasks) -> None:
    other = AutomaticMasks.from_run_lengths(found.run_lengths, found.size, found.scores, found.object_ids)
    assert np.isnan(other.points).all()
    assert np.isnan(other.stability_scores).all()
    assert other.records()[0]["crop_box"] == [0, 0, WIDTH, HEIGHT]
    assert repr(other.taken([0])) == "AutomaticMasks(1 masks of 60 x 90 pixels, object_ids=(1,))"


def test_batches_do_not_change_masks(segmenter: ImageSegmenter, found: AutomaticMasks) -> None:
    by_threes = generator(segmenter, box_nms_thresh=1.0, points_per_batch=3).generate(IMAGE)
    np.testing.assert_allclose(by_threes.scores, found.scores, atol=1e-5)
    assert np.abs(by_threes.areas - found.areas).max() <= 5


def test_an_encoded_image_gives_the_same(segmenter: ImageSegmenter) -> None:
    made = generator(segmenter)
    direct, encoded = made.generate(IMAGE), made.generate_encoded(segmenter.encode(IMAGE))
    assert direct.run_lengths == encoded.run_lengths
    with pytest.raises(InvalidInputError, match=r"use generate\(image\), or crop_n_layers=0"):
        generator(segmenter, crop_n_layers=1).generate_encoded(segmenter.encode(IMAGE))


def test_several_images_and_progress(segmenter: ImageSegmenter) -> None:
    steps: list[tuple[int, int]] = []
    made = generator(segmenter, crop_n_layers=1, crop_n_points_downscale_factor=2, points_per_batch=10)
    first, second = made.generate([IMAGE, IMAGE[:30]], progress=lambda done, all_: steps.append((done, all_)))
    assert (first.size, second.size) == ((60, 90), (30, 90))
    assert steps == 2 * [(10, 32), (16, 32), (20, 32), (24, 32), (28, 32), (32, 32)]
    with pytest.raises(InvalidInputError, match="Several images are given as a list; got a batch of 2"):
        made.generate(np.stack([IMAGE, IMAGE]))


@pytest.mark.parametrize("crop_n_layers", [0, 1])
def test_nothing_found_is_an_empty_result(segmenter: ImageSegmenter, crop_n_layers: int) -> None:
    found = generator(segmenter, pred_iou_thresh=1.0, crop_n_layers=crop_n_layers).generate(IMAGE)
    assert (len(found), found.records(), found.masks.shape) == (0, [], (0, HEIGHT, WIDTH))


def test_options_are_checked_before_a_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="pred_iou_thresh must be"):
        AutomaticMaskGenerator.from_pretrained(tmp_path, pred_iou_thresh=2)


def test_from_pretrained_tells_options_of_masks_and_of_the_model_apart(saved_model: Path) -> None:
    made = AutomaticMaskGenerator.from_pretrained(saved_model, "thorough", image_size=128, points_per_side=5)
    assert (made.model.config.image_size, made.processor.target_size) == (128, 128)
    assert (made.settings.points_per_side, made.settings.use_m2m) == (5, True)
    with pytest.raises(InvalidInputError, match="does not know point_per_side"):
        AutomaticMaskGenerator.from_pretrained(saved_model, point_per_side=5)


def test_known_masks_are_not_prompted(segmenter: ImageSegmenter, found: AutomaticMasks) -> None:
    left_half = np.zeros((1, HEIGHT, WIDTH), dtype=bool)
    left_half[:, :, : WIDTH // 2] = True
    known = Segmentation(left_half, np.ones(1), [1])
    made = generator(segmenter, box_nms_thresh=1.0)
    right = made.generate(IMAGE, known=known)
    assert right.counts.points == 8
    assert (right.points[:, 0] > WIDTH / 2).all()
    assert right.run_lengths == made.generate_encoded(segmenter.encode(IMAGE), known=known).run_lengths
    everything = Segmentation(np.ones((1, HEIGHT, WIDTH), dtype=bool), np.ones(1), [1])
    nothing = made.generate(IMAGE, known=everything)
    assert (len(nothing), nothing.counts.points, nothing.counts.candidates) == (0, 0, 0)


def test_known_masks_are_those_of_the_image(segmenter: ImageSegmenter, found: AutomaticMasks) -> None:
    made = generator(segmenter)
    with pytest.raises(InvalidInputError, match=r"image of \(60, 90\) pixels; this one has \(30, 90\)"):
        made.generate(IMAGE[:30], known=found)
    with pytest.raises(InvalidInputError, match="Known masks are those of one image"):
        made.generate([IMAGE], known=found)
    with pytest.raises(InvalidInputError, match="Known masks are a Segmentation; got a ndarray"):
        made.generate_encoded(segmenter.encode(IMAGE), known=found.masks)


def test_large_masks_are_dropped_before_they_suppress(segmenter: ImageSegmenter, found: AutomaticMasks) -> None:
    most = float(np.median(found.areas)) + 0.5
    small = generator(segmenter, box_nms_thresh=1.0, max_area=most / (HEIGHT * WIDTH)).generate(IMAGE)
    assert small.areas.max() <= most
    assert small.counts.max_area == len(small) == (found.areas <= most).sum() < len(found)


def test_duplicates_by_mask_are_other_ones_than_by_box(segmenter: ImageSegmenter) -> None:
    by_mask = generator(segmenter, duplicates="mask", box_nms_thresh=0.6).generate(IMAGE)
    masks = by_mask.masks
    for place, mask in enumerate(masks):
        for other in masks[:place]:
            assert (mask & other).sum() <= 0.6 * (mask | other).sum()
    assert len(by_mask) != len(generator(segmenter, box_nms_thresh=0.6).generate(IMAGE))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE * 1.0, "Floats are pixels in 0..1; got up to 255"),
        (torch.full((3, 8, 8), 2.0), "Floats are pixels in 0..1; got up to 2"),
        (np.zeros((8, 9, 4), np.uint8), "The image has an alpha channel"),
        (Image.new("RGBA", (8, 9)), r'convert\("RGB"\)'),
        (np.zeros((0, 9, 3), np.uint8), "The image is empty"),
        (3, "An image must be"),
    ],
)
def test_what_is_no_image_is_refused(segmenter: ImageSegmenter, image: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        generator(segmenter).generate(image)


@pytest.mark.parametrize("size", [(1, 1), (50, 20_000), (1, 40)])
@pytest.mark.parametrize("crop_n_layers", [0, 1])
def test_images_of_any_shape(segmenter: ImageSegmenter, size: tuple[int, int], crop_n_layers: int) -> None:
    """Of one colour, so that no mask means anything."""
    image = np.full((*size, 3), 120, dtype=np.uint8)
    found = generator(segmenter, points_per_side=2, crop_n_layers=crop_n_layers).generate(image)
    assert found.size == size
    assert found.counts.candidates % 12 == 0
    assert (found.boxes[:, 2] <= size[1]).all()
    assert all(np.isfinite(record["area"]) for record in found.records("coco_rle"))


def test_coarse_to_fine_decodes_fewer_points_of_the_same_grid(segmenter: ImageSegmenter) -> None:
    """All candidates of a point that is decoded are there; what all neighbours agree on is not asked for again."""
    steps: list[tuple[int, int]] = []
    options = {"points_per_side": 8, "box_nms_thresh": 0.5, "pred_iou_thresh": 0.52}
    exact = generator(segmenter, **options).generate(IMAGE)
    made = generator(segmenter, point_search="coarse_to_fine", **options)
    quick = made.generate(IMAGE, progress=lambda done, all_: steps.append((done, all_)))
    assert 16 <= quick.counts.points <= exact.counts.points == 64
    assert steps[0] == (16, 64)
    assert steps[-1] == (64, 64)
    whole = generator(segmenter, points_per_side=8, box_nms_thresh=1.0).generate(IMAGE)
    places = {tuple(point) for point in whole.points.tolist()}
    assert {tuple(point) for point in quick.points.tolist()} <= places


def test_memory_does_not_grow_with_masks(segmenter: ImageSegmenter) -> None:
    """192 masks that overlap: together as pixels 1.2 gigabytes."""
    image = np.random.default_rng(1).integers(0, 256, (2000, 3000, 3), dtype=np.uint8)
    tracemalloc.start()
    found = generator(segmenter, points_per_side=8, box_nms_thresh=1.0).generate(image)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 192
    assert most < 60e6


def test_memory_does_not_grow_with_batches(segmenter: ImageSegmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []
    decode_above = type(segmenter.runtime).decode_above

    def counted(self: Any, features: Any, points: torch.Tensor, *others: Any, **options: Any) -> Any:
        together.append(len(points))
        return decode_above(self, features, points, *others, **options)

    monkeypatch.setattr(type(segmenter.runtime), "decode_above", counted)
    generator(segmenter, points_per_side=8, points_per_batch=1000).generate(IMAGE)
    assert together == [32, 32]


def test_a_checkpoint_has_options_of_its_own(saved_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(saved_model, tmp_path / "model")
    load = AutomaticMaskGenerator.from_pretrained
    assert load(folder).settings == AutomaticMaskSettings()
    (folder / "automatic_masks.json").write_text('{"pred_iou_thresh": 0.3, "points_per_side": 5}')
    own = AutomaticMaskSettings(pred_iou_thresh=0.3, points_per_side=5)
    assert load(folder).settings == own
    assert load(folder, points_per_side=6).settings == replace(own, points_per_side=6)
    assert load(folder, "fast").settings == replace(own, point_search="coarse_to_fine")
    assert load(folder, "default").settings == AutomaticMaskSettings()
    (folder / "automatic_masks.json").write_text('{"pred_iou": 0.3}')
    with pytest.raises(InvalidInputError, match="no option pred_iou"):
        load(folder)
    (folder / "automatic_masks.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"automatic_masks\.json"):
        load(folder)


def test_options_of_the_bundled_model_have_a_name() -> None:
    own = Sam2Processor.from_pretrained().automatic_masks
    assert AutomaticMaskSettings.of_preset("bundled") == AutomaticMaskSettings(**own) != AutomaticMaskSettings()
    assert AutomaticMaskSettings.of_preset(None, own) == AutomaticMaskSettings(**own)
    assert AutomaticMaskSettings.of_preset("thorough", own).pred_iou_thresh == 0.7


def test_options_of_a_checkpoint_are_saved_with_its_processor(saved_model: Path, tmp_path: Path) -> None:
    processor = Sam2Processor(size=96, automatic_masks={"points_per_side": 3})
    assert AutomaticMaskGenerator(ImageSegmenter.from_pretrained(saved_model).runtime, processor).settings == (
        AutomaticMaskSettings(points_per_side=3)
    )
    paths = processor.save_pretrained(tmp_path)
    assert [Path(path).name for path in paths] == ["processor_config.json", "automatic_masks.json"]
    assert Sam2Processor.from_pretrained(tmp_path).automatic_masks == {"points_per_side": 3}
