"""Pictures of what the model in training says about a few of its training samples."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from masklet.atomic_files import written_whole
from masklet.masks.segmentation import Segmentation
from masklet.media.overlays import draw_overlay
from masklet.modeling.mask_selection import is_ambiguous
from masklet.modeling.video_network import VideoNetwork
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, NEGATIVE, POSITIVE
from masklet.training.run.observer import RunOutline
from masklet.training.run.shares import Share
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import Stage
from masklet.training.supply.data_source import open_training_data
from masklet.training.supply.stills_batches import SceneBatch

PICTURES_FOLDER = "pictures"
SAMPLES, OBJECTS = 4, 4
GAP = 4  # white pixels between pictures


class Predictions:
    """Writes `pictures/00000500.jpg` whenever the model is saved: a row a sample, with picture, truth and prediction.

    The samples are the first ones of the recipe's last stage, the same all along; of videos, single frames.
    """

    def began(self, run: RunOutline) -> None:
        """Choose the samples."""
        self._folder = run.folder / PICTURES_FOLDER
        self._batch = sample_batch(run.recipe)
        self._size = run.recipe.stages[-1].image_size

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Nothing: pictures are made when the model is saved."""

    def saved(self, step: int, average: VideoNetwork) -> None:
        """Draw what the averaged model says now."""
        size = average.config.image_size
        average.resize(self._size)
        sheet = predictions_sheet(average, self._batch)
        average.resize(size)
        with written_whole(self._folder / f"{step:08d}.jpg") as unfinished:
            Image.fromarray(sheet).save(unfinished, quality=85)

    def finished(self) -> None:
        """Nothing more."""


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of a run so far, oldest first."""
    return sorted((folder / PICTURES_FOLDER).glob("*.jpg"))


def sample_batch(recipe: Recipe) -> SceneBatch:
    """A few scenes as the last stage of a recipe sees them."""
    last = recipe.stages[-1]
    stills = Stage(**{each.name: getattr(last, each.name) for each in fields(Stage)})
    stills = replace(stills, scenes_per_step=min(SAMPLES, last.scenes_per_step), objects_per_scene=OBJECTS)
    batch = open_training_data(replace(recipe, stages=(stills,))).batches_for(stills, Share(), 0, 1)[0]
    assert isinstance(batch, SceneBatch)
    return batch


@torch.inference_mode()
def predictions_sheet(model: VideoNetwork, batch: SceneBatch) -> npt.NDArray[np.uint8]:
    """Rows of picture, truth with the prompts, and prediction, uint8 [height, width, 3]; the model is on the CPU."""
    embeddings = model.without_memory(model.encode_image(batch.normalized())[0])
    decoded = model.decode(embeddings, batch.prompts.points, batch.prompts.labels)
    is_multimask = torch.zeros(batch.valid.shape, dtype=torch.bool)
    for points in range(batch.prompts.labels.shape[-1] + 1):
        has_so_many = (batch.prompts.labels >= NEGATIVE).sum(-1) == points
        is_multimask |= has_so_many & is_ambiguous(model.config, points, is_first=True)
    logits = model.outcome(decoded, is_multimask).logits.unflatten(0, tuple(batch.valid.shape))
    rows = [
        [
            batch.pixel_values[index].permute(1, 2, 0).numpy(),
            _overlay(batch, index, batch.targets[index] - 0.5, has_prompts=True),
            _overlay(batch, index, logits[index]),
        ]
        for index in range(len(batch.valid))
    ]
    return _joined([_joined(row, axis=1) for row in rows], axis=0)


def _overlay(batch: SceneBatch, index: int, cells: Tensor, has_prompts: bool = False) -> npt.NDArray[np.uint8]:
    """One picture with the masks that cells [objects, S/4, S/4] above 0 make of its objects."""
    valid = batch.valid[index]
    pixels = np.ascontiguousarray(batch.pixel_values[index].permute(1, 2, 0).numpy())
    masks = F.interpolate(cells[None].float(), size=pixels.shape[:2], mode="bilinear")[0, valid] > 0
    count = int(valid.sum())
    said = Segmentation(masks.numpy(), np.ones(count), tuple(range(1, count + 1)))
    points, boxes = _prompts(batch, index) if has_prompts else ([], [])
    return np.array(draw_overlay(pixels, said, points=points, boxes=boxes))


def _prompts(batch: SceneBatch, index: int) -> tuple[list[tuple[float, float, int]], list[list[float]]]:
    """The clicks and boxes of one picture."""
    labels, places = batch.prompts.labels[index, batch.valid[index]], batch.prompts.points[index, batch.valid[index]]
    clicked = (labels == POSITIVE) | (labels == NEGATIVE)
    points = [(float(x), float(y), int(label)) for (x, y), label in zip(places[clicked], labels[clicked], strict=True)]
    has_box = (labels == BOX_UPPER_LEFT).any(-1)
    boxes = [
        [*place[own == BOX_UPPER_LEFT][0].tolist(), *place[own == BOX_LOWER_RIGHT][0].tolist()]
        for place, own in zip(places[has_box], labels[has_box], strict=True)
    ]
    return points, boxes


def _joined(pictures: list[npt.NDArray[np.uint8]], axis: int) -> npt.NDArray[np.uint8]:
    """Pictures side by side (axis 1) or below each other (axis 0), with white between them."""
    gap = [(0, 0), (0, 0), (0, 0)]
    gap[axis] = (0, GAP)
    padded = [np.pad(each, gap, constant_values=255) for each in pictures[:-1]]
    return np.concatenate([*padded, pictures[-1]], axis=axis)
