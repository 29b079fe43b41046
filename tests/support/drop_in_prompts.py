"""What clients of the layouts of other programs are given: a small model, an image, clicks and boxes on it."""

from pathlib import Path

import numpy as np
import torch
from tests.support.small_models import randomised, small_backbone, small_config

from masklet import ImageSegmenter, Sam2Model, Sam2Processor

SIDE = 96
IMAGE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
CLICKS = [((20, 30), 1), ((60, 50), 0)]
BOX, OTHER_BOX = (10, 20, 70, 60), (40, 5, 90, 45)


def save_model_of_few_blocks(folder: Path) -> Path:
    """A checkpoint that is quickly exported: recording takes its time a layer."""
    config = small_config(SIDE)
    config.vision_config.backbone_config = small_backbone(blocks_per_stage=[1, 1, 2, 1], global_attention_blocks=[3])
    torch.manual_seed(0)
    randomised(Sam2Model(config)).save_pretrained(folder)
    Sam2Processor(size=SIDE).save_pretrained(folder)
    return folder


def best_masks(checkpoint: Path) -> list[np.ndarray]:
    """The best of three masks for the clicks, then for each box."""
    segmenter = ImageSegmenter.from_pretrained(checkpoint)
    encoded = segmenter.encode(IMAGE)
    points, labels = ([[each[index] for each in CLICKS]] for index in (0, 1))
    clicked = segmenter.segment(encoded, points=points, labels=labels, multimask=True)
    boxed = segmenter.segment(encoded, boxes=[BOX, OTHER_BOX], multimask=True)
    return [clicked.mask(0), boxed.mask(0), boxed.mask(1)]
