import json
import sys
from pathlib import Path

import numpy as np
from answer import print_masks
from label_studio_sdk.converter.brush import decode_rle
from label_studio_sdk.label_interface import LabelInterface

root = Path(sys.argv[1])
interface = LabelInterface((root / "label_config.xml").read_text(encoding="utf-8"))
found = {}
for task in json.loads((root / "tasks.json").read_text(encoding="utf-8")):
    (annotation,) = task["annotations"]
    errors = interface.validate_prediction({"model_version": "masklet", **annotation}, return_errors=True)
    assert errors == [], errors
    masks = []
    for result in annotation["result"]:
        size = result["original_height"], result["original_width"], 4
        pixels = np.reshape(decode_rle(result["value"]["rle"]), size)[..., 3]
        masks.append((result["value"]["brushlabels"][0], pixels))
    found[Path(task["data"]["image"]).stem] = masks
print_masks(found)
