"""Pictures of what the model in training says about a few of its training samples."""

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
from masklet.modeling.mask_selection import is_ambiguous
from masklet.modeling.video_network import VideoNetwork
from masklet.prompts.point_labels import BOX_LOWER_RIGHT, BOX_UPPER_LEFT, NEGATIVE, POSITIVE
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.training.procedure.clip_plan import ClipPlan
from masklet.training.procedure.clip_rollout import ClipRollout
from masklet.training.run.observer import RunOutline
from masklet.training.settings.procedure import ClipTracking
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.data_source import TrainingData
from masklet.training.supply.image_batches import SceneBatch
from masklet.training.supply.micro_batches import StepSlice
from masklet.training.supply.prompting import PromptKind
from masklet.training.targets import target_logits

PICTURES_FOLDER = "pictures"
SAMPLES, OBJECTS = 4, 4
GAP = 4  # white pixels between pictures


class Predictions:
    """Writes `pictures/00000500.jpg` whenever the model is saved: a row a sample, with picture, truth and prediction.

    The samples are the first ones of the recipe's last stage, the same all along. Of videos these are single frames;
    below them a clip is followed, if that stage is on clips.
    """

    def began(self, run: RunOutline) -> None:
        """Choose the samples."""
        self._folder = run.folder / PICTURES_FOLDER
        self._batch, self._clip = sample_batch(run.data), sample_clips(run.data)
        self._size = run.recipe.stages[-1].image_size

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """Nothing: pictures are made when the model is saved."""

    def saved(self, step: int, ema_network: VideoNetwork) -> None:
        """Draw what the averaged model says now."""
        size = ema_network.config.image_size
        ema_network.resize(self._size)
        sheet = predictions_sheet(ema_network, self._batch)
        if self._clip is not None:
            sheet = joined([sheet, clip_sheet(ema_network, self._clip)], axis=0)
        ema_network.resize(size)
        with written_whole(self._folder / f"{step:08d}.jpg") as unfinished:
            Image.fromarray(sheet).save(unfinished, quality=85)

    def finished(self) -> None:
        """Nothing more."""


def pictures_of(folder: Path) -> list[Path]:
    """The pictures of a run so far, oldest first."""
    return matching(folder / PICTURES_FOLDER, "*.jpg")


def sample_batch(data: TrainingData) -> SceneBatch:
    """A few scenes as the last stage of a recipe sees them."""
    last = data.recipe.stages[-1]
    stills = Stage(**{each.name: getattr(last, each.name) for each in fields(Stage)})
    stills = replace(stills, scenes_per_step=min(SAMPLES, last.scenes_per_step), objects_per_scene=OBJECTS)
    batch = data.batches_for(stills, StepSlice(), 0, 1)[0]
    assert isinstance(batch, SceneBatch)
    return batch


def sample_clips(data: TrainingData) -> ClipBatch | None:
    """One clip as the last stage of a recipe sees it; None if that is on stills."""
    last = data.recipe.stages[-1]
    if not isinstance(last, ClipStage):
        return None
    stage = replace(last, clips_per_step=1, objects_per_clip=OBJECTS, images_every=0)
    batch = data.batches_for(stage, StepSlice(), 0, 1)[0]
    assert isinstance(batch, ClipBatch)
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
            _picture(batch.pixel_values[index]),
            _overlay(batch, index, target_logits(batch.targets[index]), has_prompts=True),
            _overlay(batch, index, logits[index]),
        ]
        for index in range(len(batch.valid))
    ]
    return joined([joined(row, axis=1) for row in rows], axis=0)


@torch.inference_mode()
def clip_sheet(model: VideoNetwork, batch: ClipBatch) -> npt.NDArray[np.uint8]:
    """The frames of the first clip at half their size, left to right: the truth, and below it what the model follows
    from the first frame's masks, which are its prompt; uint8 [height, width, 3]. The model is on the CPU."""
    batch = ClipBatch(batch.clips[:1])
    plan = ClipPlan(batch.frames, {0: PromptKind.MASK}, frozenset())
    rollout = ClipRollout(model, batch, plan, ClipTracking(), SimulatedAnnotator(np.random.default_rng(0)))
    rollout.run()
    frames = [_picture(pixels) for pixels in batch.clips[0].pixel_values]
    truth = [_marked(frame, target_logits(cells)) for frame, cells in zip(frames, rollout.targets, strict=True)]
    answers = [_marked(frame, rollout.outcomes[number].logits) for number, frame in enumerate(frames)]
    said = [truth[0], *answers[1:]]
    return joined([joined([_halved(each) for each in row], axis=1) for row in (truth, said)], axis=0)


def _overlay(batch: SceneBatch, index: int, cells: Tensor, has_prompts: bool = False) -> npt.NDArray[np.uint8]:
    """One picture with the masks that cells [objects, S/4, S/4] above 0 make of its objects."""
    points, boxes = _prompts(batch, index) if has_prompts else ([], [])
    return _marked(_picture(batch.pixel_values[index]), cells[batch.valid[index]], points, boxes)


def _marked(
    pixels: npt.NDArray[np.uint8],
    cells: Tensor,
    points: Sequence[tuple[float, float, int]] = (),
    boxes: Sequence[Sequence[float]] = (),
) -> npt.NDArray[np.uint8]:
    masks = F.interpolate(cells[None].float(), size=pixels.shape[:2], mode="bilinear")[0] > 0
    said = Segmentation(masks.numpy(), np.ones(len(masks)), tuple(range(1, len(masks) + 1)))
    return np.array(draw_overlay(pixels, said, points=points, boxes=boxes))


def _halved(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _picture(pixel_values: Tensor) -> npt.NDArray[np.uint8]:
    """Pixels uint8 [height, width, 3] of a tensor [3, height, width]."""
    return np.ascontiguousarray(pixel_values.permute(1, 2, 0).numpy())


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


def joined(pictures: Sequence[npt.NDArray[np.uint8]], axis: int) -> npt.NDArray[np.uint8]:
    """Pictures side by side (axis 1) or below each other (axis 0), with white between them and beside smaller ones."""
    across = 1 - axis
    most = max(each.shape[across] for each in pictures)
    padded = []
    for number, each in enumerate(pictures, 1):
        margins = [(0, 0), (0, 0), (0, 0)]
        margins[axis], margins[across] = (0, GAP if number < len(pictures) else 0), (0, most - each.shape[across])
        padded.append(np.pad(each, margins, constant_values=255))
    return np.concatenate(padded, axis=axis)
