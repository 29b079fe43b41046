"""DATA FORMAT: masks and polygons as datumaro reads them."""

import sys
from pathlib import Path

import numpy as np
from answer import print_masks
from datumaro.components.annotation import AnnotationType
from datumaro.components.dataset import Dataset
from pycocotools import mask as coco_mask

dataset = Dataset.import_from(sys.argv[1], sys.argv[2])
labels = dataset.categories()[AnnotationType.label]


def pixels(annotation, size):
    if annotation.type == AnnotationType.mask:
        return annotation.image
    outlines = coco_mask.frPyObjects([annotation.points], *size)
    return coco_mask.decode(coco_mask.merge(outlines))


found = {}
for item in dataset:
    size = item.media.size if item.media is not None else None
    shown = [each for each in item.annotations if each.type in (AnnotationType.mask, AnnotationType.polygon)]
    shown = [each for each in shown if not each.attributes.get("outside")]
    found[Path(item.id).name] = [(labels[each.label].name, np.asarray(pixels(each, size))) for each in shown]
print_masks(found)
