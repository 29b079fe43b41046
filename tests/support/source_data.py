"""Annotated data of any masks, as what conversions between formats start from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tests.support.annotated_folders import write_json

from masklet.masks.run_length import encode_run_length

Objects = Sequence[tuple[str, np.ndarray]]
"""The category and the mask (bool [H, W]) of each object."""


def write_frame(path: Path, size: tuple[int, int], red: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size[::-1], (red, 20, 30)).save(path)


def write_images(root: Path, images: Mapping[str, Objects], size: tuple[int, int], **fields: object) -> Path:
    """A COCO file of images by their file names, in which all annotations have the fields."""
    categories = sorted({category for objects in images.values() for category, _ in objects})
    entries, annotations = [], []
    for number, (name, objects) in enumerate(images.items()):
        write_frame(root / "images" / name.replace("\\", "/"), size)
        entries.append({"id": number, "file_name": name, "height": size[0], "width": size[1]})
        annotations += [
            {
                "image_id": number,
                "category_id": categories.index(each),
                "segmentation": encode_run_length(mask),
                **fields,
            }
            for each, mask in objects
        ]
    named = [{"id": number, "name": name} for number, name in enumerate(categories)]
    content = {"images": entries, "annotations": annotations, "categories": named}
    write_json(root / "annotations.json", content)
    return root


def write_video(root: Path, masks: np.ndarray, categories: Sequence[str] = (), name: str = "walk") -> Path:
    """A file of YouTube-VIS with one video, of masks bool [N, T, H, W]; a mask of no pixel is null there."""
    _, count, *size = masks.shape
    names = [f"{name}/{frame:05}.png" for frame in range(count)]
    for frame, each in enumerate(names):
        write_frame(root / "JPEGImages" / each, tuple(size), red=frame)
    annotations = [
        {
            "id": number,
            "video_id": 1,
            "category_id": number,
            "segmentations": [encode_run_length(mask) if mask.any() else None for mask in of_object],
        }
        for number, of_object in enumerate(masks, start=1)
    ]
    video = {"id": 1, "height": size[0], "width": size[1], "length": count, "file_names": names}
    named = [{"id": number, "name": each} for number, each in enumerate(categories, start=1)]
    write_json(root / "instances.json", {"videos": [video], "annotations": annotations, "categories": named})
    return root
