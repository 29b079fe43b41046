"""One training step on clips: prompt the first frame, follow the objects through the others, learn from every frame."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from masklet.modeling.mask_decoder import DecodedMasks
from masklet.modeling.object_pointers import PointerMemory
from masklet.modeling.prompt_encoder import POSITIVE
from masklet.modeling.video_network import ObjectOutcome, SpatialMemory, VideoNetwork
from masklet.tracking.selection import attended_frames
from masklet.training.clip_batches import ClipBatch, ClipSample
from masklet.training.losses import RoundLoss, measured_iou, round_loss
from masklet.training.prompting import PointPrompts, correcting_clicks
from masklet.training.recipe import ClipTracking, LossWeights, Recipe
from masklet.training.step import StepLoss

SUREST_LOGIT = 32.0  # of a mask that is fed back as a prompt
TARGET_STRIDE = 4  # pixels of a frame a cell of a target


def clip_step(model: VideoNetwork, batch: ClipBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """The mean loss over the clips; all chance comes from the seed and `step`, the numbers of step and process.

    Of the curves, `clip/measured_iou` is that of the frames after the first, where an object that is rightly missed
    counts as 1; `clip/first_iou` and `clip/last_iou` those of two frames.
    """
    rng = np.random.default_rng((recipe.seed, *step))
    torch.manual_seed(int(rng.integers(2**31)))  # for stochastic depth and dropout
    losses = [_clip_loss(follow(model, clip, recipe.tracking, rng), clip, recipe.losses) for clip in batch.clips]
    total = torch.stack([loss.total for loss in losses]).mean()
    curves = {name: float(np.mean([loss.curves[name] for loss in losses])) for name in losses[0].curves}
    return StepLoss(total, {"total": float(total.detach()), **curves})


@dataclass
class Lesson:
    """What the decoder said of the objects of one frame [objects, 1, ...], and what there is to learn from it."""

    decoded: DecodedMasks
    targets: Tensor
    is_ambiguous: Tensor


class Follower:
    """Follows the objects of one clip from frame to frame as a tracker does, and notes what there is to learn."""

    def __init__(self, model: VideoNetwork, clip: ClipSample, detach_masks: bool):
        self.model, self.clip, self.detach_masks = model, clip, detach_masks
        self.levels, _ = model.encode_image(clip.normalized())
        self.objects = len(clip.masks)
        self.conditioning: list[int] = []
        self.memories: dict[int, Tensor] = {}
        self.pointers: dict[int, Tensor] = {}
        self.lessons: list[Lesson] = []

    def adopt(self) -> ObjectOutcome:
        """The first frame, its masks given."""
        self.conditioning.append(0)
        return self.model.adopt(self._view(0), self.clip.masks)

    def prompt(self) -> ObjectOutcome:
        """The first frame with a click or a box an object."""
        self.conditioning.append(0)
        prompts = self.clip.prompts
        is_click = (prompts.labels == POSITIVE).sum(-1).eq(1) & (prompts.labels > POSITIVE).sum(-1).eq(0)
        return self._decode(0, is_click, prompts)

    def track(self, frame: int) -> ObjectOutcome:
        """A later frame, known from memory only."""
        return self._decode(frame, torch.ones_like(self.clip.prompts.labels[..., 0], dtype=torch.bool))

    def correct(self, frame: int, outcome: ObjectOutcome, rng: np.random.Generator) -> ObjectOutcome:
        """The same frame again, with a click on the error of each object; it counts as a prompted one from now on."""
        logits = outcome.logits.detach().unsqueeze(1)
        points, labels = correcting_clicks(logits, self.clip.targets[frame].unsqueeze(1), TARGET_STRIDE, rng)
        prompts = PointPrompts(points.unsqueeze(2), labels.unsqueeze(2))
        masks = logits.clamp(-SUREST_LOGIT, SUREST_LOGIT)
        outcome = self._decode(frame, torch.zeros_like(labels, dtype=torch.bool), prompts, masks)
        self.conditioning.append(frame)
        return outcome

    def remember(self, frame: int, outcome: ObjectOutcome) -> None:
        """Keep a frame in memory for those after it."""
        logits = outcome.logits.detach() if self.detach_masks else outcome.logits
        soft = torch.zeros_like(outcome.object_score, dtype=torch.bool)
        features = self._view(frame)[2]
        self.memories[frame] = self.model.remember(features, logits, outcome.object_score, soft)
        self.pointers[frame] = outcome.pointer

    def _view(self, frame: int) -> tuple[Tensor, ...]:
        return tuple(level[frame : frame + 1] for level in self.levels)

    def _conditioned(self, frame: int) -> Tensor:
        """The deepest level for every object: [objects, channels, h, w]."""
        config = self.model.config
        attended = attended_frames(
            frame,
            self.conditioning if frame > 0 else (),
            self.memories,
            num_maskmem=config.num_maskmem,
            max_pointers=config.max_object_pointers_in_encoder,
            max_conditioning=config.max_cond_frame_num,
        )
        spatial = [SpatialMemory(self.memories[other], slot) for other, slot in attended.spatial]
        pointers = [PointerMemory(self.pointers[other], distance) for other, distance in attended.pointers]
        conditioned = self.model.condition(self._view(frame)[2], spatial, pointers, attended.pointer_span)
        return conditioned.expand(self.objects, -1, -1, -1)

    def _decode(
        self,
        frame: int,
        is_ambiguous: Tensor,
        prompts: PointPrompts | None = None,
        masks: Tensor | None = None,
    ) -> ObjectOutcome:
        """Every object as a picture of its own: `is_ambiguous` and prompts are [objects, 1, ...]."""
        views = (*self._view(frame)[:2], self._conditioned(frame))
        points, labels = (None, None) if prompts is None else (prompts.points, prompts.labels)
        decoded = self.model.decode(views, points, labels, input_masks=masks)
        self.lessons.append(Lesson(decoded, self.clip.targets[frame].unsqueeze(1), is_ambiguous))
        return self.model.outcome(decoded, is_ambiguous)


@dataclass
class Followed:
    """What was said of every frame of a clip, and the lessons of it."""

    outcomes: list[ObjectOutcome]
    lessons: list[Lesson]


def follow(model: VideoNetwork, clip: ClipSample, tracking: ClipTracking, rng: np.random.Generator) -> Followed:
    """Prompt all objects on the first frame and track them to the last."""
    follower, frames = Follower(model, clip, tracking.detach_masks), len(clip.pixel_values)
    corrected = int(rng.integers(1, frames)) if frames > 1 and rng.random() < tracking.correction_share else None
    outcomes = [follower.adopt() if rng.random() < tracking.mask_share else follower.prompt()]
    for frame in range(1, frames):
        follower.remember(frame - 1, outcomes[-1])
        outcome = follower.track(frame)
        outcomes.append(follower.correct(frame, outcome, rng) if frame == corrected else outcome)
    return Followed(outcomes, follower.lessons)


def _clip_loss(followed: Followed, clip: ClipSample, weights: LossWeights) -> StepLoss:
    loss = _loss_of(followed.lessons, weights)
    shown = torch.stack([outcome.logits.detach() for outcome in followed.outcomes])
    iou = measured_iou(shown, clip.targets).mean(1)
    curves = {f"clip/{name}": float(value.detach()) for name, value in loss.parts.items()}
    shown_iou = {"measured": iou[1:].mean() if len(iou) > 1 else iou[0], "first": iou[0], "last": iou[-1]}
    return StepLoss(loss.total, {**curves, **{f"clip/{name}_iou": float(value) for name, value in shown_iou.items()}})


def _loss_of(lessons: list[Lesson], weights: LossWeights) -> RoundLoss:
    """All lessons at once: every object counts the same, in whichever frame it is seen."""
    decoded = DecodedMasks(
        masks=torch.cat([lesson.decoded.masks for lesson in lessons]),
        iou=torch.cat([lesson.decoded.iou for lesson in lessons]),
        tokens=torch.cat([lesson.decoded.tokens for lesson in lessons]),
        object_score=torch.cat([lesson.decoded.object_score for lesson in lessons]),
        attentions=[],
    )
    targets = torch.cat([lesson.targets for lesson in lessons])
    is_ambiguous = torch.cat([lesson.is_ambiguous for lesson in lessons])
    return round_loss(decoded, targets, is_ambiguous, torch.ones_like(is_ambiguous), weights)
