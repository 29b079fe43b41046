"""One training step on clips, as in the SAM 2 paper (appendix D.2): prompt, track, correct, learn from every answer.

What differs from the reference's training:

- Memory is the tracker's. There, frames also attend to the pointers of prompted frames to come, which tracking never
  does.
- Masks are compared with soft targets at a quarter of the resolution, with sharp ones in close-ups only, and before
  those of objects that are taken for absent are wiped out, so that a mask learns even where its object score is wrong.
- Losses are divided by the number of frames, and clips with few objects count as much as those with many.
- Loose boxes are larger than the object only, and of an absent object that is to be boxed two clicks say where it is
  not.
"""

import numpy as np
import torch
from torch import Tensor

from masklet.modeling.outputs import DecodedMasks
from masklet.modeling.video_network import VideoNetwork
from masklet.training.procedure.clip_plan import draw_plan
from masklet.training.procedure.following import Follower, Lesson
from masklet.training.procedure.losses import RoundLoss, measured_iou, round_loss
from masklet.training.procedure.stills_step import StepLoss
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.close_ups import joined


def clip_step(model: VideoNetwork, batch: ClipBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """The loss of following all objects of the clips, which have equally many frames.

    `step` is the number of the step and of the part of it. The plan is the same for all parts, so that processes stay
    in step; where clicks lie and what is left out is each part's own chance. All of it comes from the recipe's seed.

    Losses of all answers on all frames add up, as in the reference, and are divided by the number of frames, so that
    steps on clips and on stills weigh alike. All clips count the same, and in each all objects.

    Of the curves, `clip/measured_iou` is that of the frames after the first, where an object that is rightly missed
    counts as 1; `clip/first_iou` and `clip/last_iou` those of two frames. Losses are those of an average answer.
    """
    number, _ = step
    plan = draw_plan(batch.frames, recipe.tracking, np.random.default_rng((recipe.seed, number)))
    rng = np.random.default_rng((recipe.seed, *step))
    torch.manual_seed(int(rng.integers(2**31)))  # for stochastic depth and dropout
    follower = Follower(model, batch, plan, recipe.tracking, recipe.annotator.annotator(rng))
    follower.follow()
    counts = batch.counts(follower.masks.device)
    loss = _mean_loss(follower.lessons, counts, recipe.losses)
    total = loss.total * (len(follower.lessons) / plan.frames)
    return StepLoss(total, _curves(total, loss, (_shown_iou(follower) * counts).sum(-1)))


def _mean_loss(lessons: list[Lesson], counts: Tensor, weights: LossWeights) -> RoundLoss:
    """The loss of an average lesson, all of them at once; `counts` [objects] says how much each object counts."""
    decoded = DecodedMasks(
        masks=torch.cat([lesson.decoded.masks for lesson in lessons]),
        iou=torch.cat([lesson.decoded.iou for lesson in lessons]),
        tokens=torch.cat([lesson.decoded.tokens for lesson in lessons]),
        object_score=torch.cat([lesson.decoded.object_score for lesson in lessons]),
        attentions=[],
    )
    targets = torch.cat([lesson.targets for lesson in lessons])
    each = torch.tensor([lesson.is_ambiguous for lesson in lessons], device=counts.device)
    is_ambiguous = each.repeat_interleave(len(counts)).unsqueeze(1)
    close_ups = joined([lesson.close_ups for lesson in lessons])
    counts = counts.repeat(len(lessons)).unsqueeze(1)
    return round_loss(decoded, targets, is_ambiguous, counts, weights, close_ups)


def _shown_iou(follower: Follower) -> Tensor:
    """Of the last word on each frame: [frames, objects]."""
    shown = [follower.outcomes[frame].logits.detach() for frame in range(follower.plan.frames)]
    return measured_iou(torch.stack(shown), follower.targets)


def _curves(total: Tensor, loss: RoundLoss, iou_of_frames: Tensor) -> dict[str, float]:
    later = iou_of_frames[1:] if len(iou_of_frames) > 1 else iou_of_frames
    shown_iou = {"measured_iou": later.mean(), "first_iou": iou_of_frames[0], "last_iou": iou_of_frames[-1]}
    values = {"total": total, **{f"clip/{name}": value for name, value in {**loss.parts, **shown_iou}.items()}}
    numbers = torch.stack([value.detach().float() for value in values.values()]).tolist()  # one transfer for all
    return dict(zip(values, numbers, strict=True))
