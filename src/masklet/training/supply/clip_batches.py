"""Clips as tensors."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset

from masklet.datasets.sampling import ClipSource, SkippedSample
from masklet.datasets.scenes.clips import Clip
from masklet.errors import InvalidInputError
from masklet.training.settings.stages import ClipStage
from masklet.training.supply.image_batches import SceneBatch, SceneBatches, normalized

TARGET_STRIDE = 4  # pixels of a frame in a pixel of a target


@dataclass
class ClipSample:
    """A clip with its objects.

    Attributes:
        pixel_values: uint8 [frames, 3, S, S].
        masks: visible parts of the objects, bool [frames, objects, S, S]; empty where an object is not visible.
    """

    pixel_values: Tensor
    masks: Tensor

    def to(self, device: torch.device) -> "ClipSample":
        """Move the clip to a device."""
        return ClipSample(self.pixel_values.to(device), self.masks.to(device))

    def normalized(self) -> Tensor:
        """Normalize the pixels for the network."""
        return normalized(self.pixel_values)

    def targets(self) -> Tensor:
        """Compute the soft targets of the objects: [frames, objects, S/4, S/4] in 0..1."""
        return F.avg_pool2d(self.masks.float(), TARGET_STRIDE)


@dataclass
class ClipBatch:
    """The clips of one step, all of equally many frames; each has objects of its own number."""

    clips: list[ClipSample]
    skipped: tuple[SkippedSample, ...] = ()

    def __post_init__(self) -> None:
        frames = sorted({len(clip.pixel_values) for clip in self.clips})
        if len(frames) != 1:
            raise InvalidInputError(f"The clips of one step have {frames} frames; they must have equally many.")

    @property
    def frames(self) -> int:
        """The number of frames of each clip."""
        return len(self.clips[0].pixel_values)

    def clip_of_object(self, device: torch.device) -> Tensor:
        """Return the number of the clip of each object, clip by clip: int64 [objects]."""
        counts = torch.tensor([clip.masks.shape[1] for clip in self.clips])
        return torch.repeat_interleave(counts).to(device)

    def counts(self, device: torch.device) -> Tensor:
        """Return the weights of objects in averages: [objects], 1 in all, and all clips the same."""
        objects = [clip.masks.shape[1] for clip in self.clips for _ in range(clip.masks.shape[1])]
        return 1 / (len(self.clips) * torch.tensor(objects, dtype=torch.float32, device=device))

    def to(self, device: torch.device) -> "ClipBatch":
        """Move the clips to a device."""
        return ClipBatch([clip.to(device) for clip in self.clips])


class ClipBatches(Dataset[ClipBatch | SceneBatch]):
    """Batches by number, each of its own range of clip seeds; `image_batches` gives those of steps on images."""

    def __init__(self, generator: ClipSource, image_batches: SceneBatches, stage: ClipStage):
        self.generator, self.image_batches, self.stage = generator, image_batches, stage
        recipe = image_batches.recipe
        self._first_clip = recipe.first_scene + recipe.clips_before(image_batches.first_batch)

    def __len__(self) -> int:
        return len(self.image_batches)

    def __getitem__(self, index: int) -> ClipBatch | SceneBatch:
        first_step, recipe = self.image_batches.first_batch, self.image_batches.recipe
        step = first_step + index
        if self.stage.is_image_step(step):
            return self.image_batches[index]
        cv2.setNumThreads(0)
        number = self._first_clip + self.stage.clips_in(range(first_step, step))
        numbers = self.image_batches.part.of(range(number, number + self.stage.clips_per_step))
        rng = np.random.default_rng((recipe.seed, numbers[0]))
        return ClipBatch([sample_clip(self.generator.clip(each), self.stage.objects_per_clip, rng) for each in numbers])


def sample_clip(clip: Clip, objects: int, rng: np.random.Generator) -> ClipSample:
    """Choose at most `objects` objects that the first frame shows at random, large ones sooner."""
    sides = np.sqrt(clip.masks[0].mean((1, 2)))
    count = min(objects, int(np.count_nonzero(sides)))
    chosen = rng.choice(len(sides), count, replace=False, p=sides / sides.sum())
    return ClipSample(
        pixel_values=torch.from_numpy(clip.frames).permute(0, 3, 1, 2).contiguous(),
        masks=torch.from_numpy(clip.masks[:, chosen]),
    )
