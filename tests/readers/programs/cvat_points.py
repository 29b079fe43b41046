"""The masks of a file of NumPy as cvat-sdk encodes them, and those that it decodes of masklet's points."""

import json
import sys

import numpy as np
from cvat_sdk.masks import decode_mask, encode_mask

masks = np.load(sys.argv[1])
points = json.loads(sys.argv[2])
theirs = [encode_mask(mask) for mask in masks]
height, width = masks.shape[1:]
decoded = [decode_mask(each, image_width=width, image_height=height) for each in points]
print(json.dumps([theirs, bool((np.stack(decoded) == masks).all())]))
