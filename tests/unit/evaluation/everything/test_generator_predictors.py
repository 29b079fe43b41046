import numpy as np
import pytest
import torch

from masklet import AutomaticMaskGenerator, AutomaticMasks, ImageSegmenter, Sam2VideoModel
from masklet.automask.filter_counts import FilterCounts
from masklet.automask.settings import AutomaticMaskSettings
from masklet.evaluation.everything.generator_predictors import DeliveredMasks, Proposals
from masklet.masks.segmentation import Segmentation
from masklet.training.recipes.compact import compact_model

IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    Sam2VideoModel(compact_model(64)).save_pretrained(folder)
    return ImageSegmenter.from_pretrained(folder)


def test_delivered_masks_are_ranked_by_predicted_iou_proposals_by_its_mean_with_stability(segmenter, monkeypatch):
    masks = Segmentation(np.ones((4, *IMAGE.shape[:2]), bool), np.array([0.9, 0.5, 0.95, 0.7]), (1, 2, 3, 4))
    found = AutomaticMasks.of(
        masks,
        stability_scores=[0.1, 0.9, np.nan, 0.5],
        points=np.zeros((4, 2)),
        crop_boxes=np.zeros((4, 4), int),
        counts=FilterCounts(),
        settings=AutomaticMaskSettings(),
    )
    monkeypatch.setattr(AutomaticMaskGenerator, "generate", lambda generator, image: found)
    generator = AutomaticMaskGenerator(segmenter.runtime, segmenter.processor)
    assert DeliveredMasks(generator).segment(IMAGE).object_ids == (3, 1, 4, 2)
    assert Proposals(generator).segment(IMAGE).object_ids == (2, 4, 1, 3)  # without a pixel there is no stability


def test_proposals_pass_no_threshold_and_keep_the_points(segmenter, monkeypatch):
    used = []
    monkeypatch.setattr(AutomaticMaskGenerator, "generate", lambda generator, image: used.append(generator.settings))
    generator = AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, points_per_side=3, use_m2m=True)
    with pytest.raises(AttributeError):
        Proposals(generator).segment(IMAGE)
    (settings,) = used
    assert (settings.points_per_side, settings.use_m2m) == (3, True)
    assert (settings.pred_iou_thresh, settings.stability_score_thresh, settings.box_nms_thresh) == (0.0, 0.0, 0.9)


def test_other_settings_and_other_weights_are_other_predictors(segmenter):
    few, many = (AutomaticMaskGenerator(segmenter.runtime, segmenter.processor, points_per_side=n) for n in (2, 3))
    prints = {kind(each).fingerprint for kind in (DeliveredMasks, Proposals) for each in (few, many)}
    assert len(prints) == 4
    assert all(segmenter.runtime.fingerprint in each for each in prints)
