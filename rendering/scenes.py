"""Scenes as annotated data (COCO instances): `python -m rendering.scenes MODELS PICTURES... -o FOLDER`."""

import argparse
import json
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as run_lengths

from masklet.atomic_files import written_whole
from rendering.arrangements import any_photograph
from rendering.backdrops import swatches_and_backdrops
from rendering.catalogue import read_libraries
from rendering.studio import Studio

ATTEMPTS = 6


def finished(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a camera might leave it: a little out of focus, darker or lighter, with noise."""
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.0))
    exposed = (picture.astype(np.float32) / 255) ** rng.uniform(0.75, 1.3)
    return (np.clip(exposed + rng.normal(0, rng.uniform(0.0, 0.03), exposed.shape), 0, 1) * 255).astype(np.uint8)


def _annotation(mask: np.ndarray, number: int, picture: int) -> dict[str, object]:
    """An object in COCO's terms."""
    code = run_lengths.encode(np.asfortranarray(mask, np.uint8))
    return {
        "id": number,
        "image_id": picture,
        "category_id": 1,
        "iscrowd": 0,
        "area": int(mask.sum()),
        "bbox": run_lengths.toBbox(code).tolist(),
        "segmentation": {"size": code["size"], "counts": code["counts"].decode()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="a folder of unpacked Sweet Home 3D libraries")
    parser.add_argument("pictures", type=Path, nargs="+", help="folders of photographs and material swatches")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write")
    parser.add_argument("--count", type=int, default=2400, help="pictures (default 2400)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first, from which all chance comes")
    parser.add_argument("--near", type=float, default=0.1, help="share of pictures of a thing from near (default 0.1)")
    options = parser.parse_args()
    models = read_libraries(options.models)
    studio = Studio(*swatches_and_backdrops(options.pictures))
    folder = options.output / "images"
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations, ids = [], [], count(1)
    for number in range(options.first, options.first + options.count):
        rng = np.random.default_rng(number)
        tries = (any_photograph(studio, models, rng, options.near) for _ in range(ATTEMPTS))
        photograph = next((each for each in tries if each.is_worth_keeping), None)
        if photograph is None:
            continue
        height, width = photograph.numbers.shape
        name = f"{number:06d}.jpg"
        pixels = finished(photograph.picture, rng)[..., ::-1]
        cv2.imwrite(str(folder / name), pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 97))])
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        annotations += [_annotation(mask, next(ids), number) for mask in photograph.masks()]
    dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]}
    with written_whole(options.output / "annotations.json") as path:
        path.write_text(json.dumps(dataset))
    print(f"{len(images)} pictures with {len(annotations)} objects in {options.output}")


if __name__ == "__main__":
    main()
