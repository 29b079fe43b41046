"""Scenes as batches of tensors, with the first prompts already simulated (in the loader's processes)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from masklet.datasets.sampling import SceneSource, SkippedSample
from masklet.datasets.scenes import Scene
from masklet.masks.geometry import box_fill
from masklet.training.settings.procedure import AnnotatorShares
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import Stage
from masklet.training.supply.micro_batches import StepSlice
from masklet.training.supply.prompting import PointPrompts, first_prompt, part_in_a_box
from masklet.training.targets import CropTargets, concatenated

Batch = TypeVar("Batch")

CUT_SHARE = 0.35  # of boxes that reach over a part of an object

IMAGE_MEAN, IMAGE_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass
class SceneBatch:
    """Scenes with their first prompts and targets.

    Attributes:
        pixel_values: uint8 [batch, 3, S, S].
        targets: soft targets [batch, objects, S/4, S/4] in 0..1.
        crops: object crops of the targets [batch, objects].
        valid: bool [batch, objects], False where a scene has fewer objects.
        prompts: the first prompts.
        skipped: damaged samples, which others took the place of.
    """

    pixel_values: Tensor
    targets: Tensor
    crops: CropTargets
    valid: Tensor
    prompts: PointPrompts
    skipped: tuple[SkippedSample, ...] = ()

    def to(self, device: torch.device) -> "SceneBatch":
        """Move the batch to a device."""
        return SceneBatch(
            self.pixel_values.to(device),
            self.targets.to(device),
            self.crops.map(lambda each: each.to(device)),
            self.valid.to(device),
            PointPrompts(self.prompts.points.to(device), self.prompts.labels.to(device)),
        )

    def normalized(self) -> Tensor:
        """Normalize the pixels for the network."""
        return normalized(self.pixel_values)


def normalized(pixel_values: Tensor) -> Tensor:
    """Normalize pixels [..., 3, S, S] uint8 for the network."""
    mean = torch.tensor(IMAGE_MEAN, device=pixel_values.device).view(3, 1, 1) * 255
    deviation = torch.tensor(IMAGE_DEVIATION, device=pixel_values.device).view(3, 1, 1) * 255
    return (pixel_values.float() - mean) / deviation


class SceneBatches(Dataset[SceneBatch]):
    """A micro-batch of each step, by number, each of its own scene seeds: a resumed run continues where it stopped."""

    def __init__(
        self,
        generator: SceneSource,
        recipe: Recipe,
        stage: Stage,
        part: StepSlice,
        first_batch: int,
        batches: int,
    ):
        self.generator, self.recipe, self.stage = generator, recipe, stage
        self.part, self.first_batch, self.batches = part, first_batch, batches
        self._first_scene = recipe.first_scene + recipe.scenes_before(first_batch)

    def __len__(self) -> int:
        return self.batches

    def __getitem__(self, index: int) -> SceneBatch:
        cv2.setNumThreads(0)
        number = self._first_scene + self.stage.scenes_in(range(self.first_batch, self.first_batch + index))
        numbers = self.part.of(range(number, number + self.stage.scenes_per_step))
        rng = np.random.default_rng((self.recipe.seed, numbers[0]))
        scenes = [self.generator.scene(each) for each in numbers]
        box_share, annotator = self.recipe.prompts.box_among_points, self.recipe.annotator
        objects = self.stage.objects_per_scene
        return collate([sample_objects(scene, objects, box_share, rng, annotator) for scene in scenes])


def loaded(batches: Dataset[Batch], workers: int) -> Iterator[Batch]:
    """Return the batches in order, made ahead of time by that many processes."""
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="fork" if workers else None,
    )
    return iter(loader)


@dataclass
class SampledObjects:
    """One scene's image with `objects` of its masks and their first prompts; repeated masks are not valid."""

    image: np.ndarray
    targets: np.ndarray
    crops: CropTargets
    valid: np.ndarray
    points: np.ndarray
    labels: np.ndarray


def sample_objects(
    scene: Scene,
    objects: int,
    box_share: float,
    rng: np.random.Generator,
    shares: AnnotatorShares = AnnotatorShares(),  # noqa: B008  # it is frozen
) -> SampledObjects:
    """Choose `objects` masks at random, without repetition as long as there are enough; a third is always left out.

    Crowds of small objects would otherwise outnumber everything: chances grow with the root of an object's side. They
    also grow with how much of its box it fills, since what people box is compact and what scenes leave of an object
    often is not. Some boxes reach over a part of an object only, and ask for that part.
    """
    chances = scene.masks.mean((1, 2)) ** 0.25 * np.array([box_fill(mask) for mask in scene.masks]) ** 2
    count = min(objects, -(-2 * len(chances) // 3))
    order = rng.choice(len(chances), count, replace=False, p=chances / chances.sum())
    valid = np.arange(objects) < len(order)
    masks = scene.masks[np.resize(order, objects)].copy()
    is_cut = rng.random(objects) < box_share * CUT_SHARE
    for index in np.flatnonzero(is_cut):
        masks[index] = part_in_a_box(masks[index], rng)
    among_uncut = box_share * (1 - CUT_SHARE) / (1 - box_share * CUT_SHARE)
    boxes, annotator = np.where(is_cut, 1.0, among_uncut), shares.annotator(rng)
    prompts = [first_prompt(mask, share, annotator, rng) for mask, share in zip(masks, boxes, strict=True)]
    size = scene.image.shape[0] // 4
    targets = np.stack([cv2.resize(m.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA) for m in masks])
    return SampledObjects(
        image=scene.image,
        targets=targets,
        crops=CropTargets.of(torch.from_numpy(masks)),
        valid=valid,
        points=np.stack([points for points, _ in prompts]),
        labels=np.stack([labels for _, labels in prompts]),
    )


def collate(samples: list[SampledObjects]) -> SceneBatch:
    """Stack the samples of one step."""
    return SceneBatch(
        pixel_values=torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2).contiguous(),
        targets=torch.from_numpy(np.stack([s.targets for s in samples])),
        crops=concatenated([s.crops.map(lambda each: each.unsqueeze(0)) for s in samples]),
        valid=torch.from_numpy(np.stack([s.valid for s in samples])),
        prompts=PointPrompts(
            torch.from_numpy(np.stack([s.points for s in samples])),
            torch.from_numpy(np.stack([s.labels for s in samples])).long(),
        ),
    )
