"""The data of a recipe: the procedural world, annotated data, or both, as the batches of steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeGuard, TypeVar

import numpy as np
from torch.utils.data import Dataset

from masklet.datasets.sampling import (
    ClipSource,
    FramesAsImages,
    MixedClips,
    MixedScenes,
    ObjectCrops,
    RecordedClips,
    RecordedImages,
    SceneSource,
    SkippedSamples,
)
from masklet.datasets.scenes import ClipGenerator, ImageBank, MosaicScenes, SceneGenerator
from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImages, AnnotatedVideos
from masklet.formats.reading.opening import holds_videos, open_dataset
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.clip_batches import ClipBatch, ClipBatches
from masklet.training.supply.image_batches import SceneBatch, SceneBatches
from masklet.training.supply.micro_batches import StepSlice

Batches = Dataset[SceneBatch | ClipBatch]
Source = TypeVar("Source", AnnotatedImages, AnnotatedVideos)
Weighted = tuple[Source, float]  # a dataset, and how often it is drawn from relative to others


@dataclass(frozen=True)
class TrainingData:
    """The data of a recipe, opened: annotated data, and the procedural world if that has a part in it.

    `skipped` counts the damaged samples that steps have met so far.
    """

    recipe: Recipe
    images: tuple[Weighted[AnnotatedImages], ...]
    videos: tuple[Weighted[AnnotatedVideos], ...]
    skipped: SkippedSamples

    @cached_property
    def bank(self) -> ImageBank | None:
        """The material of the procedural world; None if that has no part in the run."""
        recipe = self.recipe
        return ImageBank.load(recipe.image_folders, recipe.panoptic_folder) if _is_procedural(recipe) else None

    def read_images(self) -> None:
        """Read the material of the procedural world now, which may take a while: once, before processes share it.

        InvalidInputError if there are no images, `UnreadableImageError` for a broken one.
        """
        _ = self.bank

    def batches_for(self, stage: Stage, part: StepSlice, first_step: int, steps: int) -> Batches:
        """Return the micro-batches of so many steps of a stage; index 0 is step `first_step`.

        A batch follows from the recipe's seed, the step and the part alone; its `skipped` names what could not be read
        for it, and is to be given to `skipped.note`.
        """
        scenes, scene_weights = self._scene_sources(stage.image_size)
        seen = ObjectCrops(MixedScenes(scenes, scene_weights), self.recipe.object_crops, self.recipe.seed)
        image_batches = SceneBatches(seen, self.recipe, stage, part, first_step, steps)
        if not isinstance(stage, ClipStage):
            return ReportingBatches(image_batches, scenes)
        clips, clip_weights = self._clip_sources(stage.image_size, stage.clip_length)
        return ReportingBatches(ClipBatches(MixedClips(clips, clip_weights), image_batches, stage), [*scenes, *clips])

    def _scene_sources(self, size: int) -> tuple[list[SceneSource], list[float]]:
        recipe = self.recipe
        augmentation = recipe.data.images
        sources: list[SceneSource] = [
            RecordedImages(images, size, augmentation, seed) for seed, (images, _) in _seeded(recipe, self.images)
        ] or [FramesAsImages(videos, size, augmentation, seed) for seed, (videos, _) in _seeded(recipe, self.videos)]
        weights = [weight for _, weight in self.images or self.videos]
        if self.bank:
            sources.append(self._procedural_scenes(self.bank, size))
            weights.append(recipe.data.procedural_weight)
        return sources, weights

    def _procedural_scenes(self, bank: ImageBank, size: int) -> SceneSource:
        if not self.recipe.mosaic:
            return SceneGenerator(bank, size, self.recipe.mixture, self.recipe.seed)
        return MosaicScenes(bank, size, self.recipe.mixture, self.recipe.mosaic, self.recipe.seed)

    def _clip_sources(self, size: int, length: int) -> tuple[list[ClipSource], list[float]]:
        recipe = self.recipe
        sources: list[ClipSource] = [
            RecordedClips(videos, size, length, recipe.data.clips, recipe.data.videos, seed)
            for seed, (videos, _) in _seeded(recipe, self.videos)
        ]
        weights = [weight for _, weight in self.videos]
        if self.bank:
            sources.append(ClipGenerator(self.bank, size, length, recipe.clip_mixture, recipe.seed))
            weights.append(recipe.data.procedural_weight)
        return sources, weights


class ReportingBatches(Batches):
    """Batches that list what had to be skipped to make them."""

    def __init__(self, batches: SceneBatches | ClipBatches, sources: Sequence[SceneSource | ClipSource]) -> None:
        self.batches = batches
        self.recorded = [each for each in sources if isinstance(each, RecordedImages | FramesAsImages | RecordedClips)]

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> SceneBatch | ClipBatch:
        batch = self.batches[index]
        return replace(batch, skipped=tuple(each for source in self.recorded for each in source.collect_skipped()))


def open_training_data(recipe: Recipe) -> TrainingData:
    """Open everything that a recipe trains on.

    InvalidInputError if a root is in no known layout or empty, a stage is on clips and there is nothing that moves, or
    procedural scenes are wanted and there are no images to make them of. Images are not read yet.
    """
    weighted = [
        (open_dataset(root), weight) for root, weight in zip(recipe.data.roots, recipe.data.root_weights, strict=True)
    ]
    videos = tuple((each, weight) for each, weight in weighted if holds_videos(each))
    images = tuple((each, weight) for each, weight in weighted if _holds_images(each))
    if recipe.first_clip_step is not None and not videos and not _is_procedural(recipe):
        raise InvalidInputError(
            f"The recipe {recipe.name!r} trains on clips, but {', '.join(map(str, recipe.data.roots))} hold images "
            "only. Add a root of videos, or give the procedural world a weight (data.procedural)."
        )
    if _is_procedural(recipe) and not recipe.image_folders and recipe.panoptic_folder is None:
        raise InvalidInputError(
            f"data.procedural={recipe.data.procedural} needs procedural scenes, and there are no images to make "
            "them of: add a folder of images without annotations."
        )
    return TrainingData(recipe, images, videos, SkippedSamples(sum(len(each) for each, _ in weighted)))


def _seeded(recipe: Recipe, datasets: Sequence[Weighted[Source]]) -> Iterator[tuple[int, Weighted[Source]]]:
    """Yield datasets with a seed each, the first with the run's.

    All of them have a sample 0, 1, ..., whose chance must not be the same.
    """
    others: list[int] = np.random.SeedSequence(recipe.seed).generate_state(len(datasets)).tolist()
    return zip([recipe.seed, *others], datasets, strict=False)


def _is_procedural(recipe: Recipe) -> bool:
    return recipe.data.procedural_weight > 0


def _holds_images(dataset: AnnotatedImages | AnnotatedVideos) -> TypeGuard[AnnotatedImages]:
    return not holds_videos(dataset)
