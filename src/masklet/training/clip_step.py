"""One training step on clips: prompt the first frame, follow the objects through the others, learn from every frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from masklet.modeling.mask_decoder import DecodedMasks
from masklet.modeling.object_pointers import PointerMemory
from masklet.modeling.prompt_encoder import POSITIVE
from masklet.modeling.video_network import ObjectOutcome, SpatialMemory, VideoNetwork
from masklet.tracking.selection import attended_frames
from masklet.training.clip_batches import ClipBatch, ClipSample
from masklet.training.losses import measured_iou, round_loss
from masklet.training.prompting import PointPrompts, correcting_clicks
from masklet.training.recipe import ClipTracking, Recipe
from masklet.training.step import StepLoss

SUREST_LOGIT = 32.0  # of a mask that is fed back as a prompt


@dataclass
class _Tape:
    """What the objects of a clip are remembered by, and what there is to learn from, frame by frame."""

    memories: dict[int, Tensor] = field(default_factory=dict)
    pointers: dict[int, Tensor] = field(default_factory=dict)
    conditioning: list[int] = field(default_factory=list)
    outcomes: list[ObjectOutcome] = field(default_factory=list)
    decoded: list[DecodedMasks] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    is_ambiguous: list[Tensor] = field(default_factory=list)


def clip_step(model: VideoNetwork, batch: ClipBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """The mean loss over the clips; all chance comes from the seed and `step`, the numbers of step and process."""
    rng = np.random.default_rng((recipe.seed, *step))
    torch.manual_seed(int(rng.integers(2**31)))  # for stochastic depth and dropout
    losses = [_clip_loss(model, clip, recipe, rng) for clip in batch.clips]
    names = {name for loss in losses for name in loss.curves}
    curves = {
        name: float(np.mean([loss.curves[name] for loss in losses if name in loss.curves])) for name in sorted(names)
    }
    total = torch.stack([loss.total for loss in losses]).mean()
    return StepLoss(total, {"total": float(total.detach()), **curves})


def _clip_loss(model: VideoNetwork, clip: ClipSample, recipe: Recipe, rng: np.random.Generator) -> StepLoss:
    tape = follow(model, clip, recipe.tracking, rng)
    decoded = _joined(tape.decoded)
    targets, is_ambiguous = torch.cat(tape.targets).unsqueeze(1), torch.cat(tape.is_ambiguous)
    loss = round_loss(decoded, targets, is_ambiguous, torch.ones_like(is_ambiguous), recipe.losses)
    shown = torch.stack([outcome.logits.detach() for outcome in tape.outcomes])
    truth = measured_iou(shown, clip.targets)
    curves = {f"clip/{name}": float(value.detach()) for name, value in loss.parts.items()}
    curves |= {"clip/first_iou": float(truth[0].mean()), "clip/last_iou": float(truth[-1].mean())}
    if len(truth) > 1:
        curves["clip/measured_iou"] = float(truth[1:].mean())
    return StepLoss(loss.total, curves)


def follow(model: VideoNetwork, clip: ClipSample, prompts: ClipTracking, rng: np.random.Generator) -> _Tape:
    """Prompt all objects on the first frame and track them to the last, as a tracker would.

    One later frame may get a correcting click, and is a conditioning frame from then on.
    """
    levels, _ = model.encode_image(clip.normalized())
    frames = len(clip.pixel_values)
    corrected = int(rng.integers(1, frames)) if frames > 1 and rng.random() < prompts.correction_share else None
    tape = _Tape()
    for frame in range(frames):
        views = [level[frame : frame + 1] for level in levels]
        if frame == 0:
            outcome = _prompted(model, clip, views, prompts, rng, tape)
        else:
            outcome = _tracked(model, clip, views, frame, tape)
            if frame == corrected:
                outcome = _corrected(model, clip, views, frame, outcome, rng, tape)
        if frame in (0, corrected):
            tape.conditioning.append(frame)
        tape.outcomes.append(outcome)
        if frame + 1 < frames:
            nobody = torch.zeros_like(outcome.object_score, dtype=torch.bool)
            logits = outcome.logits.detach() if prompts.detach_masks else outcome.logits
            tape.memories[frame] = model.remember(views[2], logits, outcome.object_score, nobody)
            tape.pointers[frame] = outcome.pointer
    return tape


def _prompted(
    model: VideoNetwork,
    clip: ClipSample,
    views: Sequence[Tensor],
    prompts: ClipTracking,
    rng: np.random.Generator,
    tape: _Tape,
) -> ObjectOutcome:
    """The first frame: the mask itself, or what the decoder makes of clicks and boxes."""
    if rng.random() < prompts.mask_share:
        return model.adopt(views, clip.masks)
    objects, labels = len(clip.masks), clip.prompts.labels
    conditioned = model.condition(views[2], (), (), 2).expand(objects, -1, -1, -1)
    is_click = (labels == POSITIVE).sum(-1).eq(1) & (labels > POSITIVE).sum(-1).eq(0)
    return _decoded(model, (*views[:2], conditioned), clip, 0, tape, is_click, clip.prompts)


def _tracked(model: VideoNetwork, clip: ClipSample, views: Sequence[Tensor], frame: int, tape: _Tape) -> ObjectOutcome:
    """A later frame, seen with what is remembered of the frames before."""
    always = torch.ones(len(clip.masks), 1, dtype=torch.bool, device=views[2].device)
    return _decoded(model, _conditioned(model, clip, views, frame, tape), clip, frame, tape, always)


def _corrected(
    model: VideoNetwork,
    clip: ClipSample,
    views: Sequence[Tensor],
    frame: int,
    outcome: ObjectOutcome,
    rng: np.random.Generator,
    tape: _Tape,
) -> ObjectOutcome:
    """The frame again, with a click on the error of each object."""
    logits = outcome.logits.detach().unsqueeze(1)
    points, labels = correcting_clicks(logits, clip.targets[frame].unsqueeze(1), 4, rng)
    prompts = PointPrompts(points.unsqueeze(2), labels.unsqueeze(2))
    never = torch.zeros_like(labels, dtype=torch.bool)
    masks = logits.clamp(-SUREST_LOGIT, SUREST_LOGIT)
    conditioned = _conditioned(model, clip, views, frame, tape)
    return _decoded(model, conditioned, clip, frame, tape, never, prompts, masks)


def _conditioned(
    model: VideoNetwork, clip: ClipSample, views: Sequence[Tensor], frame: int, tape: _Tape
) -> tuple[Tensor, ...]:
    config = model.config
    attended = attended_frames(
        frame,
        tape.conditioning,
        tape.memories,
        num_maskmem=config.num_maskmem,
        max_pointers=config.max_object_pointers_in_encoder,
        max_conditioning=config.max_cond_frame_num,
    )
    spatial = [SpatialMemory(tape.memories[other], slot) for other, slot in attended.spatial]
    pointers = [PointerMemory(tape.pointers[other], distance) for other, distance in attended.pointers]
    return (*views[:2], model.condition(views[2], spatial, pointers, attended.pointer_span))


def _decoded(
    model: VideoNetwork,
    views: Sequence[Tensor],
    clip: ClipSample,
    frame: int,
    tape: _Tape,
    is_ambiguous: Tensor,
    prompts: PointPrompts | None = None,
    masks: Tensor | None = None,
) -> ObjectOutcome:
    """Decode all objects, each as a picture of its own, and put down what there is to learn."""
    if prompts is None:
        decoded = model.decode(views)
    else:
        decoded = model.decode(views, prompts.points, prompts.labels, input_masks=masks)
    tape.decoded.append(decoded)
    tape.targets.append(clip.targets[frame])
    tape.is_ambiguous.append(is_ambiguous)
    return model.outcome(decoded, is_ambiguous)


def _joined(decoded: list[DecodedMasks]) -> DecodedMasks:
    """The objects of all frames one below the other."""
    return DecodedMasks(
        masks=torch.cat([each.masks for each in decoded]),
        iou=torch.cat([each.iou for each in decoded]),
        tokens=torch.cat([each.tokens for each in decoded]),
        object_score=torch.cat([each.object_score for each in decoded]),
        attentions=[],
    )
