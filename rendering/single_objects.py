"""Single things, transparent around them: `python -m rendering.single_objects MODELS PICTURES... -o FOLDER`."""

import argparse
from pathlib import Path

import cv2
import numpy as np

from rendering.arrangements import any_light
from rendering.backdrops import swatches_and_backdrops
from rendering.cameras import direction, looking_at, perspective
from rendering.catalogue import Model, read_libraries
from rendering.looks import look_of
from rendering.photograph import Photograph
from rendering.studio import Placed, Studio, View

VIEWS = {"Characters": 10, "Vehicles": 6}
OTHER_VIEWS = 4
SIDE, LONGEST_SIDE = 512, 224  # pixels: as rendered, as written
SMALLEST_AREA = 4000


def photograph_of(studio: Studio, model: Model, rng: np.random.Generator) -> Photograph:
    """The whole of a model from any side."""
    angle = np.deg2rad(rng.uniform(25, 60))
    target, distance = np.array([0, model.size[1] / 2, 0]), model.radius / np.sin(angle / 2)
    eye = target + distance * direction(rng.uniform(0, 2 * np.pi), np.deg2rad(np.clip(rng.gamma(2, 9), 2, 60)))
    view = View(eye, looking_at(eye, target), perspective(angle, 1, 0.1 * distance, 4 * distance), (SIDE, SIDE))
    is_repainted = rng.random() < 0.3
    looks = [look_of(part, rng, len(studio.swatches), is_repainted) for part in model.parts]
    light = any_light(rng, target, 1.2 * model.radius)
    return studio.photograph([Placed(model, np.eye(4), looks, 1)], view, light, None)


def cut_out(photograph: Photograph) -> np.ndarray:
    """RGBA uint8 [height, width, 4]: what is seen of the thing, made smaller without what is around shining through."""
    mask = (photograph.numbers > 0).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(mask)
    around = (slice(max(0, top - 2), top + height + 2), slice(max(0, left - 2), left + width + 2))
    opaque = mask[around][..., None].astype(np.float32)
    layers = np.concatenate([photograph.picture[around] * opaque, 255 * opaque], axis=2)
    scale = min(1, LONGEST_SIDE / max(layers.shape[:2]))
    small = cv2.resize(layers, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small[..., :3] /= np.maximum(small[..., 3:], 1) / 255
    return np.clip(small, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="a folder of unpacked Sweet Home 3D libraries")
    parser.add_argument("pictures", type=Path, nargs="+", help="folders of photographs and material swatches")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write")
    options = parser.parse_args()
    models = read_libraries(options.models)
    studio = Studio(*swatches_and_backdrops(options.pictures))
    options.output.mkdir(parents=True, exist_ok=True)
    for index, model in enumerate(models):
        for side in range(VIEWS.get(model.category, OTHER_VIEWS)):
            photograph = photograph_of(studio, model, np.random.default_rng((index, side)))
            if np.count_nonzero(photograph.numbers) >= SMALLEST_AREA:
                picture = cv2.cvtColor(cut_out(photograph), cv2.COLOR_RGBA2BGRA)
                cv2.imwrite(str(options.output / f"{index:04d}_{side}.png"), picture)


if __name__ == "__main__":
    main()
