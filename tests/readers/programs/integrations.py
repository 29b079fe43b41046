"""SITE_PACKAGES SOURCE: objects of one image as values of supervision, FiftyOne and napari, read by these."""

import json
import sys

sys.path += sys.argv[1:3]  # behind the environment's own libraries

import numpy as np

from masklet import Segmentation
from masklet.integrations.fiftyone import fiftyone_detections
from masklet.integrations.napari import napari_labels, napari_shapes

LEFT, RIGHT, NOTHING = np.zeros((3, 8, 12), dtype=bool)
LEFT[1:5, 1:4] = RIGHT[2:7, 6:11] = True
found = Segmentation(np.stack([LEFT, RIGHT, NOTHING]), np.array([0.75, 0.5, 0.0]), [3, 300, 9])
none = Segmentation.from_run_lengths([], (8, 12), np.zeros(0), [])

detections = found.to_supervision()
left, right = fiftyone_detections(found, {300: "dog"}).detections
shapes = napari_shapes(found)
answer = {
    "supervision": [detections.tracker_id.tolist(), detections.area.tolist(), len(none.to_supervision())],
    "fiftyone": [[each.label, each.index, each.confidence, int(each.mask.sum())] for each in (left, right)],
    "labels": bool((napari_labels(found).data == 3 * LEFT + 300 * RIGHT).all()),
    "shapes": [
        bool((shapes.to_labels((8, 12)) == LEFT + 2 * RIGHT).all()),
        shapes.features["object_id"].tolist(),
        len(napari_shapes(none).data),
        len(fiftyone_detections(none).detections),
    ],
}
print(json.dumps(answer))
