"""Clips as tensors, with the first prompts already simulated (in the loader's processes)."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from masklet.datasets.sampling import ClipSource, SkippedSample
from masklet.datasets.scenes.clips import Clip
from masklet.training.batches import SceneBatch, SceneBatches, normalized
from masklet.training.prompting import PointPrompts, first_prompt
from masklet.training.recipe import ClipStage


@dataclass
class ClipSample:
    """`pixel_values` [frames, 3, S, S] uint8; `targets` [frames, objects, S/4, S/4] in 0..1 (share of each cell that
    the object covers); of the first frame the `masks` [objects, S, S] bool, and the first click or box an object:
    `prompts` [objects, 1, points(, 2)]."""

    pixel_values: Tensor
    targets: Tensor
    masks: Tensor
    prompts: PointPrompts

    def to(self, device: torch.device) -> "ClipSample":
        """The clip on a device."""
        prompts = PointPrompts(self.prompts.points.to(device), self.prompts.labels.to(device))
        return ClipSample(self.pixel_values.to(device), self.targets.to(device), self.masks.to(device), prompts)

    def normalized(self) -> Tensor:
        """Pixels as the network takes them."""
        return normalized(self.pixel_values)


@dataclass
class ClipBatch:
    """The clips of one step; each has objects of its own number."""

    clips: list[ClipSample]
    skipped: tuple[SkippedSample, ...] = ()

    def to(self, device: torch.device) -> "ClipBatch":
        """The clips on a device."""
        return ClipBatch([clip.to(device) for clip in self.clips])


class ClipBatches(Dataset[ClipBatch | SceneBatch]):
    """Batches by number, each of its own range of clip seeds; those of stills steps are what `stills` gives."""

    def __init__(self, generator: ClipSource, stills: SceneBatches, stage: ClipStage):
        self.generator, self.stills, self.stage = generator, stills, stage

    def __len__(self) -> int:
        return len(self.stills)

    def __getitem__(self, index: int) -> ClipBatch | SceneBatch:
        step, recipe = self.stills.first_batch + index, self.stills.recipe
        if self.stage.is_stills_step(step):
            return self.stills[index]
        cv2.setNumThreads(0)
        number = recipe.first_scene + step * self.stage.clips_per_step
        numbers = self.stills.share.of(range(number, number + self.stage.clips_per_step))
        rng = np.random.default_rng((recipe.seed, numbers[0]))
        box_share, objects = recipe.prompts.box_among_points, self.stage.objects_per_clip
        return ClipBatch([sample_clip(self.generator.clip(each), objects, box_share, rng) for each in numbers])


def sample_clip(clip: Clip, objects: int, box_share: float, rng: np.random.Generator) -> ClipSample:
    """Choose at most `objects` objects at random, large ones sooner."""
    sides = np.sqrt(clip.masks[0].mean((1, 2)))
    chosen = rng.choice(len(sides), min(objects, len(sides)), replace=False, p=sides / sides.sum())
    masks = clip.masks[:, chosen]
    prompts = [first_prompt(mask, box_share, rng) for mask in masks[0]]
    side = clip.frames.shape[1] // 4
    cells = [[cv2.resize(m.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) for m in ms] for ms in masks]
    return ClipSample(
        pixel_values=torch.from_numpy(clip.frames).permute(0, 3, 1, 2).contiguous(),
        targets=torch.from_numpy(np.array(cells, np.float32)),
        masks=torch.from_numpy(masks[0]),
        prompts=PointPrompts(
            torch.from_numpy(np.stack([points for points, _ in prompts])).unsqueeze(1),
            torch.from_numpy(np.stack([labels for _, labels in prompts])).long().unsqueeze(1),
        ),
    )
