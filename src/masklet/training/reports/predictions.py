"""Predictions of the model in training on a few of its training samples, as images."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from masklet.atomic_files import written_whole
from masklet.folders import matching
from masklet.masks.segmentation import Segmentation
from masklet.media.overlays import draw_overlay
from masklet.modeling.video_network import VideoNetwork
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, NEGATIVE, POSITIVE
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.runtimes.object_masks import is_ambiguous, select_mask
from masklet.training.procedure.clip_rollout import ClipPlan, ClipRollout
from masklet.training.run.observer import RunOutline
from masklet.training.settings.procedure import ClipTracking
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.data_source import TrainingData
from masklet.training.supply.image_batches import SceneBatch
from masklet.training.supply.micro_batches import StepSlice
from masklet.training.supply.prompting import PromptKind
from masklet.training.targets import target_logits

PREDICTIONS_FOLDER = "predictions"
OLDER_FOLDER = "pictures"  # of runs that an earlier version began
SAMPLES, OBJECTS = 4, 4
GAP = 4  # white pixels between images


class Predictions:
    """Writes `predictions/00000500.jpg` whenever the model is saved: a row a sample, image, ground truth, prediction.

    The samples are the first ones of the recipe's last stage, the same all along. Of videos these are single frames;
    below them a clip is tracked, if that stage is on clips.
    """

    def began(self, run: RunOutline) -> None:
        """Choose the samples."""
        self._folder = run.folder / PREDICTIONS_FOLDER
        self._batch, self._clip = sample_batch(run.data), sample_clips(run.data)
        self._size = run.recipe.stages[-1].image_size

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Do nothing: predictions are made when the model is saved."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Draw what the network with EMA weights predicts now."""
        size = ema_network.config.image_size
        ema_network.resize(self._size)
        sheet = predictions_sheet(ema_network, self._batch)
        if self._clip is not None:
            sheet = joined([sheet, clip_sheet(ema_network, self._clip)], axis=0)
        ema_network.resize(size)
        with written_whole(self._folder / f"{step:08d}.jpg") as unfinished:
            Image.fromarray(sheet).save(unfinished, quality=85)

    def finished(self) -> None:
        """Do nothing more."""


def prediction_images(folder: Path) -> list[Path]:
    """Find the images of a run so far, oldest first."""
    return [path for each in (OLDER_FOLDER, PREDICTIONS_FOLDER) for path in matching(folder / each, "*.jpg")]


def sample_batch(data: TrainingData) -> SceneBatch:
    """Take a few scenes as the last stage of a recipe sees them."""
    last = data.recipe.stages[-1]
    image_stage = Stage(**{each.name: getattr(last, each.name) for each in fields(Stage)})
    image_stage = replace(image_stage, scenes_per_step=min(SAMPLES, last.scenes_per_step), objects_per_scene=OBJECTS)
    batch = data.batches_for(image_stage, StepSlice(), 0, 1)[0]
    assert isinstance(batch, SceneBatch)
    return batch


def sample_clips(data: TrainingData) -> ClipBatch | None:
    """Take one clip as the last stage of a recipe sees it; None if that is on images."""
    last = data.recipe.stages[-1]
    if not isinstance(last, ClipStage):
        return None
    stage = replace(last, clips_per_step=1, objects_per_clip=OBJECTS, images_every=0)
    batch = data.batches_for(stage, StepSlice(), 0, 1)[0]
    assert isinstance(batch, ClipBatch)
    return batch


@torch.inference_mode()
def predictions_sheet(model: VideoNetwork, batch: SceneBatch) -> npt.NDArray[np.uint8]:
    """Draw rows of image, ground truth with the prompts, and prediction, uint8 [height, width, 3].

    The model is on the CPU.
    """
    features = model.without_memory(model.encode_image(batch.normalized()))
    outputs = model.decode_images(features, batch.prompts.points, batch.prompts.labels)
    is_multimask = torch.zeros(batch.valid.shape, dtype=torch.bool)
    for points in range(batch.prompts.labels.shape[-1] + 1):
        has_so_many = (batch.prompts.labels >= NEGATIVE).sum(-1) == points
        is_multimask |= has_so_many & is_ambiguous(model.config, points, is_first=True)
    logits = select_mask(outputs, is_multimask, model.config).logits
    rows = [
        [
            _image(batch.pixel_values[index]),
            _overlay(batch, index, target_logits(batch.targets[index]), has_prompts=True),
            _overlay(batch, index, logits[index]),
        ]
        for index in range(len(batch.valid))
    ]
    return joined([joined(row, axis=1) for row in rows], axis=0)


@torch.inference_mode()
def clip_sheet(model: VideoNetwork, batch: ClipBatch) -> npt.NDArray[np.uint8]:
    """Draw the frames of the first clip at half their size, left to right, uint8 [height, width, 3].

    Above is the ground truth, and below it what the model, on the CPU, tracks from the first frame's
    masks, which are its prompt.
    """
    batch = ClipBatch(batch.clips[:1])
    plan = ClipPlan(batch.frames, {0: PromptKind.MASK}, frozenset())
    rollout = ClipRollout(model, batch, plan, ClipTracking(), SimulatedAnnotator(np.random.default_rng(0)))
    rollout.run()
    frames = [_image(pixels) for pixels in batch.clips[0].pixel_values]
    ground_truth = [
        _marked(frame, target_logits(targets)) for frame, targets in zip(frames, rollout.targets, strict=True)
    ]
    tracked = [_marked(frame, rollout.final_masks[number].logits) for number, frame in enumerate(frames)]
    predicted = [ground_truth[0], *tracked[1:]]
    return joined([joined([_halved(each) for each in row], axis=1) for row in (ground_truth, predicted)], axis=0)


def _overlay(batch: SceneBatch, index: int, logits: Tensor, has_prompts: bool = False) -> npt.NDArray[np.uint8]:
    """Draw one image with the masks of its objects; `logits` are [objects, S/4, S/4]."""
    points, boxes = _prompts(batch, index) if has_prompts else ([], [])
    return _marked(_image(batch.pixel_values[index]), logits[batch.valid[index]], points, boxes)


def _marked(
    pixels: npt.NDArray[np.uint8],
    logits: Tensor,
    points: Sequence[tuple[float, float, int]] = (),
    boxes: Sequence[Sequence[float]] = (),
) -> npt.NDArray[np.uint8]:
    masks = F.interpolate(logits[None].float(), size=pixels.shape[:2], mode="bilinear")[0] > 0
    segmentation = Segmentation(masks.numpy(), np.ones(len(masks)), tuple(range(1, len(masks) + 1)))
    return np.array(draw_overlay(pixels, segmentation, points=points, boxes=boxes))


def _halved(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _image(pixel_values: Tensor) -> npt.NDArray[np.uint8]:
    """Return the pixels uint8 [height, width, 3] of a tensor [3, height, width]."""
    return np.ascontiguousarray(pixel_values.permute(1, 2, 0).numpy())


def _prompts(batch: SceneBatch, index: int) -> tuple[list[tuple[float, float, int]], list[list[float]]]:
    """Return the clicks and boxes of one image."""
    valid = batch.valid[index]
    labels, points_n2 = batch.prompts.labels[index, valid], batch.prompts.points[index, valid]
    clicked = (labels == POSITIVE) | (labels == NEGATIVE)
    points = [
        (float(x), float(y), int(label)) for (x, y), label in zip(points_n2[clicked], labels[clicked], strict=True)
    ]
    has_box = (labels == BOX_UPPER_LEFT).any(-1)
    boxes = [
        [*corners[own == BOX_UPPER_LEFT][0].tolist(), *corners[own == BOX_LOWER_RIGHT][0].tolist()]
        for corners, own in zip(points_n2[has_box], labels[has_box], strict=True)
    ]
    return points, boxes


def joined(images: Sequence[npt.NDArray[np.uint8]], axis: int) -> npt.NDArray[np.uint8]:
    """Put images side by side (axis 1) or below each other (axis 0), with white between and beside smaller ones."""
    across = 1 - axis
    most = max(each.shape[across] for each in images)
    padded = []
    for number, each in enumerate(images, 1):
        margins = [(0, 0), (0, 0), (0, 0)]
        margins[axis], margins[across] = (0, GAP if number < len(images) else 0), (0, most - each.shape[across])
        padded.append(np.pad(each, margins, constant_values=255))
    return np.concatenate(padded, axis=axis)
