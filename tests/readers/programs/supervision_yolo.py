import sys
from pathlib import Path

import supervision
from answer import print_masks

root = Path(sys.argv[1])
dataset = supervision.DetectionDataset.from_yolo(
    str(root / "images/train"), str(root / "labels/train"), str(root / "data.yaml"), force_masks=True
)
found = {}
for path, _, detections in dataset:
    masks = [] if detections.mask is None else detections.mask
    found[Path(path).stem] = [
        (dataset.classes[number], mask) for number, mask in zip(detections.class_id, masks, strict=True)
    ]
print_masks(found)
