"""One training step: on images, on clips, and as one call of one module, so that DDP and FSDP see all that it does."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from masklet.modeling.image_model import Sam2Model
from masklet.modeling.values import MaskOutputs
from masklet.modeling.video_network import VideoNetwork
from masklet.prompts.point_labels import NOT_A_POINT, POSITIVE
from masklet.training.procedure.clip_rollout import ClipRollout, SupervisedOutput, draw_plan
from masklet.training.procedure.losses import RoundLoss, measured_iou, round_loss
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.recipe import Recipe
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.image_batches import SceneBatch
from masklet.training.supply.prompting import PointPrompts, coarse_mask_logits, correcting_clicks
from masklet.training.targets import concatenated

Batch = SceneBatch | ClipBatch


@dataclass
class StepLoss:
    """The loss to go back from, and the metrics of the step."""

    total: Tensor
    metrics: dict[str, float]


def image_step(model: Sam2Model, batch: SceneBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """Encode the scenes once, prompt all their objects for several prompt rounds, and compute the mean loss of these.

    All chance comes from the seed and `step`, the numbers of the step and of the micro-batch in it.
    """
    rng = np.random.default_rng((recipe.seed, *step))
    annotator = recipe.annotator.annotator(rng)
    torch.manual_seed(int(rng.integers(2**31)))  # for stochastic depth
    features = model.without_memory(model.encode_image(batch.normalized()))
    prompts, masks = _first_prompts(batch, recipe, rng)
    rounds: list[RoundLoss] = []
    for number in range(recipe.prompt_rounds):
        is_click = (prompts.labels == POSITIVE).sum(-1).eq(1) & (prompts.labels > POSITIVE).sum(-1).eq(0)
        is_ambiguous = is_click & (number == 0) & (masks is None)
        outputs = model.decode_images(features, prompts.points, prompts.labels, masks)
        result = round_loss(outputs, batch.targets, is_ambiguous, batch.valid, recipe.losses, batch.crops)
        rounds.append(result)
        masks = result.chosen_logits
        if number + 1 < recipe.prompt_rounds:
            prompts = prompts.followed_by(correcting_clicks(masks, batch.targets, 4, annotator))
    total = torch.stack([result.total for result in rounds]).mean()
    return StepLoss(total, _image_metrics(rounds))


def _first_prompts(batch: SceneBatch, recipe: Recipe, rng: np.random.Generator) -> tuple[PointPrompts, Tensor | None]:
    """Return the loader's clicks and boxes, or for a whole step mask prompts and no points."""
    if rng.random() >= recipe.prompts.mask:
        return batch.prompts, None
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    nothing = batch.prompts.labels[..., :1].clone().fill_(NOT_A_POINT)
    return (
        PointPrompts(torch.zeros_like(batch.prompts.points[..., :1, :]), nothing),
        coarse_mask_logits(batch.targets, generator),
    )


def _image_metrics(rounds: list[RoundLoss]) -> dict[str, float]:
    last = len(rounds) - 1
    metrics = {
        f"round_{number}/{name}": float(value.detach())
        for number in (0, last)
        for name, value in rounds[number].parts.items()
    }
    return {"total": float(torch.stack([result.total.detach() for result in rounds]).mean()), **metrics}


def clip_step(model: VideoNetwork, batch: ClipBatch, recipe: Recipe, step: tuple[int, int]) -> StepLoss:
    """Compute the loss of tracking all objects of the clips, which have equally many frames.

    Losses of all outputs on all frames add up, as in the reference, and are divided by the number of frames, so that
    steps on clips and on images weigh alike. All clips count the same, and in each all objects.

    It follows the SAM 2 paper (appendix D.2): prompt, track, correct, supervise every output. What differs from the
    reference's training:

    - The memory bank is the tracker's. There, frames also attend to the pointers of prompted frames to come, which
      tracking never does.
    - Masks are compared with soft targets at a quarter of the resolution, with binary ones in object crops only, and
      before those of objects that are predicted to be absent are emptied, so that a mask learns even where its object
      score is wrong.
    - Losses are divided by the number of frames, and clips with few objects count as much as those with many.
    - Loose boxes are only ever larger than the object, and an absent object that would get a box gets two negative
      clicks.

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
    return StepLoss(total, _clip_metrics(total, loss, (_shown_iou(rollout) * counts).sum(-1)))


def _mean_loss(supervised_outputs: list[SupervisedOutput], counts: Tensor, weights: LossWeights) -> RoundLoss:
    """Compute the mean loss of all outputs at once; `counts` [objects] are the weights of objects."""
    outputs = MaskOutputs(
        *(
            torch.cat(tensors).unsqueeze(1)
            for tensors in zip(*(output.outputs for output in supervised_outputs), strict=True)
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


def _clip_metrics(total: Tensor, loss: RoundLoss, iou_of_frames: Tensor) -> dict[str, float]:
    later = iou_of_frames[1:] if len(iou_of_frames) > 1 else iou_of_frames
    shown_iou = {"measured_iou": later.mean(), "first_iou": iou_of_frames[0], "last_iou": iou_of_frames[-1]}
    values = {"total": total, **{f"clip/{name}": value for name, value in {**loss.parts, **shown_iou}.items()}}
    numbers = torch.stack([value.detach().float() for value in values.values()]).tolist()  # one transfer for all
    return dict(zip(values, numbers, strict=True))


class MicroBatch:
    """A batch and the numbers of its step and of the micro-batch in that.

    A plain object: Fabric would round the tensors of others.
    """

    def __init__(self, batch: Batch, step: tuple[int, int]) -> None:
        self.batch, self.step = batch, step


class TrainingStep(nn.Module):
    """The network under a recipe: a micro-batch in, its loss out."""

    def __init__(self, network: VideoNetwork, recipe: Recipe) -> None:
        super().__init__()
        self.network, self.recipe = network, recipe

    def forward(self, micro_batch: MicroBatch) -> tuple[Tensor, dict[str, float]]:
        """Compute the loss to go back from, and the metrics; the batch is on the network's device."""
        if isinstance(micro_batch.batch, ClipBatch):
            loss = clip_step(self.network, micro_batch.batch, self.recipe, micro_batch.step)
        else:
            loss = image_step(self.network, micro_batch.batch, self.recipe, micro_batch.step)
        return loss.total + self._touch_all_parameters(), loss.metrics

    def _touch_all_parameters(self) -> Tensor:
        """Return zero, with a gradient of zero for every weight.

        Prompts differ, but processes must agree on which gradients they exchange. The backbone's blocks take part in
        every step anyway, and under FSDP have no weights between their calls.
        """
        between = [each for name, each in self.network.named_parameters() if ".blocks." not in name]
        return sum((each.sum() * 0 for each in between if each.requires_grad), start=between[0].new_zeros(()))
