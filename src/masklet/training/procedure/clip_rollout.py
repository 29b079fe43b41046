"""Tracking of a training clip, frame by frame as the tracker does it, with gradients and with corrective clicks.

Which frames are prompted and corrected is drawn before (SAM 2 paper, section 4 and appendix D.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from masklet.masks.logits import fed_back
from masklet.modeling.object_memory import stacked_memory
from masklet.modeling.values import ImageFeatures, MaskOutputs
from masklet.modeling.video_network import VideoNetwork
from masklet.prompts.simulated_annotator import SimulatedAnnotator
from masklet.runtimes.object_masks import ObjectMask, is_ambiguous, is_binarized, select_mask, use_mask_as_output
from masklet.tracking.selection import attended_frames
from masklet.training.settings.procedure import ClipTracking
from masklet.training.supply.clip_batches import TARGET_STRIDE, ClipBatch
from masklet.training.supply.prompting import PointPrompts, PromptKind, correcting_clicks, first_prompts
from masklet.training.targets import CropTargets


@dataclass(frozen=True)
class ClipPlan:
    """The prompts of a clip; the same for all clips of a step, so that their objects stay one batch.

    Attributes:
        frames: how many the clip has.
        prompts: the frames whose objects are prompted before anything is tracked, frame 0 first.
        corrected: the frames that get corrective clicks, right after they were prompted or tracked.
    """

    frames: int
    prompts: Mapping[int, PromptKind]
    corrected: frozenset[int]

    def order(self) -> list[int]:
        """Return all frames in the order of the rollout: the prompted ones, then the others in temporal order."""
        return [*self.prompts, *(frame for frame in range(self.frames) if frame not in self.prompts)]


def draw_plan(frames: int, tracking: ClipTracking, rng: np.random.Generator) -> ClipPlan:
    """Draw a plan for clips of so many frames, at least 1.

    The first frame is always prompted; how many others are, and how many frames are corrected in all, is drawn
    uniformly. Of a clip all prompts are masks, which need no correction, or all are clicks and boxes, each frame's of
    one kind. Of the frames of a clip one at least is neither prompted by a mask nor the only one.
    """
    shares = tracking.prompts
    is_masked = frames > 1 and rng.random() < shares.mask
    others = rng.permutation(np.arange(1, frames)).tolist()
    prompted = int(rng.integers(1, min(tracking.prompted_frames, max(frames - 1, 1)), endpoint=True))
    corrected = int(rng.integers(prompted, max(min(tracking.corrected_frames, frames), prompted), endpoint=True))
    prompts = {
        frame: PromptKind.MASK
        if is_masked
        else PromptKind.BOX
        if rng.random() < shares.box_among_points
        else PromptKind.CLICK
        for frame in [0, *others][:prompted]
    }
    is_corrected = not is_masked and tracking.corrections > 0
    return ClipPlan(frames, prompts, frozenset([0, *others][:corrected] if is_corrected else ()))


@dataclass(frozen=True)
class SupervisedOutput:
    """One output of the decoder for the objects of a frame, and its targets.

    Attributes:
        frame: its index in the clip.
        prompts: all prompts of the frame so far [objects, 1, ...]; None where it was only tracked.
        outputs: the decoder's outputs [objects, ...].
        targets: soft targets [objects, 1, h, w] in 0..1.
        crops: crops of the targets [objects, 1].
        is_ambiguous: whether the multimask outputs were supervised: on a single click.
        mask: the selected masks.
    """

    frame: int
    prompts: PointPrompts | None
    outputs: MaskOutputs
    targets: Tensor
    crops: CropTargets
    is_ambiguous: bool
    mask: ObjectMask


class ClipRollout:
    """Steps through clips by a plan; all objects of all clips are one batch.

    The memory bank is that of the tracker: `attended_frames` selects what a frame attends to. Two things differ in
    training mode only, as in the reference: masks of prompted frames are not binarized before they are encoded as
    memories, since no gradient passes a threshold, and the decoder's unstable masks are not replaced.

    Attributes:
        supervised_outputs: every output of the decoder so far, with its targets.
        final_masks: the last masks of each frame.
    """

    def __init__(
        self,
        model: VideoNetwork,
        batch: ClipBatch,
        plan: ClipPlan,
        tracking: ClipTracking,
        annotator: SimulatedAnnotator,
    ):
        self.model, self.plan, self.tracking, self.annotator = model, plan, tracking, annotator
        features = model.encode_image(torch.cat([clip.normalized() for clip in batch.clips]))
        self.features = [level.unflatten(0, (len(batch.clips), plan.frames)) for level in features]
        self.masks = torch.cat([clip.masks for clip in batch.clips], dim=1)
        self.targets = torch.cat([clip.targets() for clip in batch.clips], dim=1)
        self.crops = CropTargets.of(self.masks)
        self.clip_of_object = batch.clip_of_object(self.masks.device)
        self.conditioning: list[int] = []
        self.memories: dict[int, Tensor] = {}
        self.final_masks: dict[int, ObjectMask] = {}
        self.supervised_outputs: list[SupervisedOutput] = []

    def run(self) -> None:
        """Step through all frames of the plan."""
        for frame in self.plan.order():
            self.step(frame, self.plan.prompts.get(frame), self.tracking.corrections * (frame in self.plan.corrected))

    def step(self, frame: int, kind: PromptKind | None, corrections: int) -> None:
        """Prompt the objects of a frame, or track them to it (None); correct the masks; add the last ones to memory."""
        features = self._view(frame)
        if kind is PromptKind.MASK:
            mask = use_mask_as_output(self.model, features, self.masks[frame])
        else:
            prompts = None if kind is None else first_prompts(self.masks[frame], kind, self.annotator)
            conditioned = features.conditioned(self._conditioned(features.stride16, frame, is_first=kind is not None))
            mask = self._decode(frame, conditioned, prompts, None)
            for _ in range(corrections):
                prompts = self._corrected(frame, mask, prompts)
                mask = self._decode(frame, conditioned, prompts, mask)
        if kind is not None or corrections:
            self.conditioning.append(frame)
        self._encode_memory(frame, features.stride16, mask)

    def _view(self, frame: int) -> ImageFeatures:
        """Return the features of a frame: [1, ...] of a single clip, which all objects share, else [objects, ...]."""
        views = [level[:, frame] for level in self.features]
        return ImageFeatures(*(view if len(view) == 1 else view[self.clip_of_object] for view in views))

    def _conditioned(self, stride16: Tensor, frame: int, *, is_first: bool) -> Tensor:
        """Condition the deepest level on memory, for every object: [objects, channels, h, w]."""
        config = self.model.config
        attended = attended_frames(
            frame,
            () if is_first else self.conditioning,
            () if is_first else self.memories,
            num_maskmem=config.num_maskmem,
            max_pointers=config.max_object_pointers_in_encoder,
            max_conditioning=config.max_cond_frame_num,
            num_frames=None if self.tracking.as_excerpt else self.plan.frames,
        )
        memory = stacked_memory(
            config,
            [self.memories[other] for other, _ in attended.spatial],
            [position for _, position in attended.spatial],
            [self.final_masks[other].pointer for other, _ in attended.pointers],
            [distance for _, distance in attended.pointers],
            attended.pointer_span,
            device=stride16.device,
        )
        conditioned = self.model.condition(stride16, memory)
        return conditioned.expand(len(self.clip_of_object), -1, -1, -1)

    def _decode(
        self,
        frame: int,
        features: ImageFeatures,
        prompts: PointPrompts | None,
        refined: ObjectMask | None,
    ) -> ObjectMask:
        """Decode every object as an image of its own: prompts are [objects, 1, ...]."""
        points, labels = (None, None) if prompts is None else (prompts.points[:, 0], prompts.labels[:, 0])
        masks = None if refined is None else fed_back(self._fed(refined))
        outputs = self.model.decode(features, points, labels, masks)
        count = 0 if labels is None else labels.shape[-1]
        ambiguous = is_ambiguous(self.model.config, count, is_first=frame in self.plan.prompts)
        is_multimask = torch.full(outputs.object_score.shape, ambiguous, device=outputs.object_score.device)
        mask = select_mask(outputs, is_multimask, self.model.config, is_training=self.model.training)
        targets, crops = self.targets[frame].unsqueeze(1), self.crops.map(lambda each: each[frame].unsqueeze(1))
        self.supervised_outputs.append(SupervisedOutput(frame, prompts, outputs, targets, crops, ambiguous, mask))
        return mask

    def _corrected(self, frame: int, mask: ObjectMask, prompts: PointPrompts | None) -> PointPrompts:
        """Add one corrective click for every object to the prompts."""
        logits, targets = mask.logits.detach().unsqueeze(1), self.targets[frame].unsqueeze(1)
        click = correcting_clicks(logits, targets, TARGET_STRIDE, self.annotator)
        return click if prompts is None else prompts.followed_by(click)

    def _encode_memory(self, frame: int, stride16: Tensor, mask: ObjectMask) -> None:
        """Encode the masks of a frame into the memory bank."""
        has_points = self.plan.prompts.get(frame) is not PromptKind.MASK
        is_prompted = frame in self.conditioning and not self.model.training
        is_certain = is_prompted and is_binarized(self.model.config, has_points=has_points)
        binarize = torch.full(mask.object_score.shape, is_certain, device=stride16.device)
        self.memories[frame] = self.model.encode_memory(stride16, self._fed(mask), mask.object_score, binarize)
        self.final_masks[frame] = mask

    def _fed(self, mask: ObjectMask) -> Tensor:
        """Return the masks as later frames and prompt rounds use them."""
        return mask.logits.detach() if self.tracking.detach_masks else mask.logits
