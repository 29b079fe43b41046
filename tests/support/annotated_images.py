"""Small annotated images to measure on."""

import json

import numpy as np
from PIL import Image

from masklet.masks.run_length import encode_run_length

SIZE = (24, 32)


def square(left, top, side):
    mask = np.zeros(SIZE, dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def write_domain(root, pictures):
    """Write one image for each list of masks; its red channel tells its number."""
    (root / "images").mkdir(parents=True)
    images, annotations = [], []
    for number, masks in enumerate(pictures):
        Image.new("RGB", SIZE[::-1], (number, 0, 0)).save(root / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "height": SIZE[0], "width": SIZE[1]})
        annotations += [{"image_id": number, "segmentation": encode_run_length(mask)} for mask in masks]
    (root / "annotations.json").write_text(json.dumps({"images": images, "annotations": annotations}))


PICTURES = [[square(2, 3, 5), square(12, 8, 9)], [square(20, 1, 11)]]
