"""Small annotated images and videos to train and to measure on."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

GREEN = (0, 255, 0)


def write_images(root: Path, count: int) -> Path:
    """COCO instances: black images with two green objects of 20 pixels."""
    (root / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(count):
        pixels = np.zeros((60, 80, 3), np.uint8)
        images.append({"id": number, "file_name": f"{number}.png", "height": 60, "width": 80})
        for left in (4, 44):
            top = 2 + number % 30
            pixels[top : top + 20, left : left + 20] = GREEN
            outline = [left, top, left + 20, top, left + 20, top + 20, left, top + 20]
            identity = len(annotations)
            annotations.append(
                {"id": identity, "image_id": number, "category_id": 1, "segmentation": [outline], "iscrowd": 0}
            )
        Image.fromarray(pixels).save(root / "images" / f"{number}.png")
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "square"}]}
    (root / "annotations.json").write_text(json.dumps(content))
    return root


def write_videos(root: Path, count: int, frames: int = 5) -> Path:
    """DAVIS: a green object that moves to the right over black."""
    for number in range(count):
        name = f"video{number}"
        for folder in ("JPEGImages", "Annotations"):
            (root / folder / name).mkdir(parents=True)
        for frame in range(frames):
            labels = np.zeros((60, 80), np.uint8)
            labels[10 * number : 10 * number + 20, 5 * frame : 5 * frame + 20] = 1
            Image.fromarray(labels[..., None] * np.array(GREEN, np.uint8)).save(
                root / "JPEGImages" / name / f"{frame:05}.jpg", quality=95
            )
            indexed = Image.fromarray(labels, mode="P")
            indexed.putpalette([0, 0, 0, 128, 0, 0])
            indexed.save(root / "Annotations" / name / f"{frame:05}.png")
    return root
