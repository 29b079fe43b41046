"""One training step on clips, as in the SAM 2 paper (appendix D.2): prompt, track, correct, supervise every output.

What differs from the reference's training:

- The memory bank is the tracker's. There, frames also attend to the pointers of prompted frames to come, which tracking
  never does.
- Masks are compared with soft targets at a quarter of the resolution, with binary ones in object crops only, and before
  those of objects that are predicted to be absent are emptied, so that a mask learns even where its object score is
  wrong.
- Losses are divided by the number of frames, and clips with few objects count as much as those with many.
- Loose boxes are only ever larger than the object, and an absent object that would get a box gets two negative clicks.
"""

from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from masklet.modeling.values import MaskOutputs
from masklet.modeling.video_network import VideoNetwork
from masklet.training.procedure.clip_rollout import ClipRollout, SupervisedOutput, draw_plan
from masklet.training.procedure.image_step import StepLoss
from masklet.training.procedure.losses import RoundLoss, measured_iou, round_loss
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.targets import concatenated


def clip_step(model: VideoNetwork, batch: ClipBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """Compute the loss of tracking all objects of the clips, which have equally many frames.

    Losses of all outputs on all frames add up, as in the reference, and are divided by the number of frames, so that
    steps on clips and on images weigh alike. All clips count the same, and in each all objects.

    Of the metrics, `clip/measured_iou` is the mean IoU of the frames after the first, where an absent object without a
    mask counts as 1; `clip/first_iou` and `clip/last_iou` are those of two frames. Losses are those of a mean output.

    Args:
        model: the network.
        batch: the clips of a micro-batch.
        recipe: prompts, losses and the seed, from which all chance comes.
        step: the numbers of the step and of the micro-batch in it. The plan is the same for all micro-batches of a
            step, so that processes take equally long; positions of clicks and dropout are drawn for each.
    """
    number, _ = step
    plan = draw_plan(batch.frames, recipe.tracking, np.random.default_rng((recipe.seed, number)))
    rng = np.random.default_rng((recipe.seed, *step))
    torch.manual_seed(int(rng.integers(2**31)))  # for stochastic depth and dropout
    rollout = ClipRollout(model, batch, plan, recipe.tracking, recipe.annotator.annotator(rng))
    rollout.run()
    counts = batch.counts(rollout.masks.device)
    loss = _mean_loss(rollout.supervised_outputs, counts, recipe.losses)
    total = loss.total * (len(rollout.supervised_outputs) / plan.frames)
    return StepLoss(total, _metrics(total, loss, (_shown_iou(rollout) * counts).sum(-1)))


def _mean_loss(supervised_outputs: list[SupervisedOutput], counts: Tensor, weights: LossWeights) -> RoundLoss:
    """Compute the mean loss of all outputs at once; `counts` [objects] are the weights of objects."""
    outputs = MaskOutputs(
        *(
            torch.cat([getattr(output.outputs, each.name) for output in supervised_outputs]).unsqueeze(1)
            for each in fields(MaskOutputs)
        )
    )
    targets = torch.cat([output.targets for output in supervised_outputs])
    each = torch.tensor([output.is_ambiguous for output in supervised_outputs], device=counts.device)
    is_ambiguous = each.repeat_interleave(len(counts)).unsqueeze(1)
    crops = concatenated([output.crops for output in supervised_outputs])
    counts = counts.repeat(len(supervised_outputs)).unsqueeze(1)
    return round_loss(outputs, targets, is_ambiguous, counts, weights, crops)


def _shown_iou(rollout: ClipRollout) -> Tensor:
    """Measure the IoU of the last masks of each frame: [frames, objects]."""
    shown = [rollout.final_masks[frame].logits.detach() for frame in range(rollout.plan.frames)]
    return measured_iou(torch.stack(shown), rollout.targets)


def _metrics(total: Tensor, loss: RoundLoss, iou_of_frames: Tensor) -> dict[str, float]:
    later = iou_of_frames[1:] if len(iou_of_frames) > 1 else iou_of_frames
    shown_iou = {"measured_iou": later.mean(), "first_iou": iou_of_frames[0], "last_iou": iou_of_frames[-1]}
    values = {"total": total, **{f"clip/{name}": value for name, value in {**loss.parts, **shown_iou}.items()}}
    numbers = torch.stack([value.detach().float() for value in values.values()]).tolist()  # one transfer for all
    return dict(zip(values, numbers, strict=True))
