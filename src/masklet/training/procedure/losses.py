"""The losses of promptable segmentation (SAM 2 paper, appendix D.2; SAM paper, appendix A)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.modeling.outputs import DecodedMasks
from masklet.training.settings.procedure import LossWeights
from masklet.training.supply.cells import cells_of
from masklet.training.supply.close_ups import CloseUps


def focal_loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss, averaged over the last two dimensions. Targets are shares of a pixel in 0..1, so they may be soft."""
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    missed = (targets - logits.sigmoid()).abs() ** gamma
    balance = alpha * targets + (1 - alpha) * (1 - targets)
    return (balance * missed * cross_entropy).mean((-2, -1))


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """1 - Dice coefficient of probabilities and targets, over the last two dimensions, smoothed by one pixel."""
    probabilities = logits.sigmoid()
    overlap = 2 * (probabilities * targets).sum((-2, -1))
    return 1 - (overlap + 1) / (probabilities.sum((-2, -1)) + targets.sum((-2, -1)) + 1)


def measured_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """IoU of `logits > 0` and the cells of `targets` over the last two dimensions; 1 if both are empty."""
    predicted, wanted = logits > 0, cells_of(targets)
    union = (predicted | wanted).sum((-2, -1))
    return torch.where(union > 0, (predicted & wanted).sum((-2, -1)) / union.clamp(min=1), 1.0)


@dataclass
class RoundLoss:
    """The loss of one round of prompts, its parts, and the logits [batch, objects, h, w] a user would have got."""

    total: Tensor
    parts: dict[str, Tensor]
    chosen_logits: Tensor


def round_loss(
    decoded: DecodedMasks,
    targets: Tensor,
    is_ambiguous: Tensor,
    counts: Tensor,
    weights: LossWeights,
    close_ups: CloseUps | None = None,
) -> RoundLoss:
    """The loss averaged over all objects, each of which counts as `counts` [batch, objects] says (0: not at all).

    `targets` [batch, objects, h, w] in 0..1. Where `is_ambiguous` [batch, objects] (a single click), the best of the
    multimask outputs learns its mask (a share `weights.shared` of it all of them) and all of them their IoU; elsewhere
    output 0 learns alone. Of an object that is not in the picture (its target is empty) only the object score learns;
    it counts in all averages.

    As in the reference, but for masks, which are compared at a quarter of the picture's resolution, and before those of
    objects that are taken for absent are wiped out. A share `weights.close_up` of the mask losses, and with it IoU, is
    measured in `close_ups` [batch, objects], which are needed only then.
    """
    logits = decoded.masks.float()
    focal, dice, truth = _compared(logits, targets, weights, close_ups)
    mask_loss = weights.focal * focal + weights.dice * dice
    with torch.no_grad():
        learning = _learning(mask_loss, is_ambiguous, weights.shared)
        best_to_show = torch.where(is_ambiguous, 1 + decoded.iou[:, :, 1:].argmax(-1), 0)
    iou_error = (decoded.iou.float() - truth).abs()
    iou_loss = torch.where(is_ambiguous, iou_error[:, :, 1:].mean(-1), iou_error[:, :, 0])
    is_present = targets.amax((-2, -1)) > 0
    score_loss = F.binary_cross_entropy_with_logits(
        decoded.object_score.float().squeeze(-1), is_present.float(), reduction="none"
    )
    parts = {
        "focal": _mean((focal * learning).sum(-1) * is_present, counts),
        "dice": _mean((dice * learning).sum(-1) * is_present, counts),
        "iou": _mean(iou_loss * is_present, counts),
        "object_score": _mean(score_loss, counts),
    }
    total = sum((getattr(weights, name) * value for name, value in parts.items()), logits.new_zeros(()))
    index = best_to_show[..., None, None, None].expand(-1, -1, 1, *logits.shape[-2:])
    shown = truth.gather(2, best_to_show.unsqueeze(-1)).squeeze(-1)
    parts["measured_iou"] = _mean(shown, counts * is_present)
    return RoundLoss(total, parts, logits.detach().gather(2, index).squeeze(2))


def _compared(
    logits: Tensor, targets: Tensor, weights: LossWeights, close_ups: CloseUps | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Focal and Dice loss and IoU, each [batch, objects, outputs], of all answers to the same targets."""
    wanted = targets.unsqueeze(2).float().expand_as(logits)
    focal, dice = focal_loss(logits, wanted, weights.focal_alpha), dice_loss(logits, wanted)
    if not weights.close_up:
        return focal, dice, measured_iou(logits, wanted)
    assert close_ups is not None, "a share of the losses is measured in close-ups: they must be given"
    near = close_ups.of_answers(logits)
    inside = close_ups.inside.unsqueeze(2).float().expand_as(near)
    focal = torch.lerp(focal, focal_loss(near, inside, weights.focal_alpha), weights.close_up)
    dice = torch.lerp(dice, dice_loss(near, inside), weights.close_up)
    return focal, dice, _iou_from_near(logits, near, close_ups)


def _iou_from_near(logits: Tensor, near: Tensor, close_ups: CloseUps) -> Tensor:
    """IoU [batch, objects, outputs] of the picture, in whose windows places are counted, and around them cells."""
    predicted, inside = near > 0, close_ups.inside.unsqueeze(2)
    spilt = (logits > 0) & close_ups.cells_outside(*logits.shape[-2:]).unsqueeze(2)
    area = close_ups.place_area().unsqueeze(2)
    union = area * (predicted | inside).sum((-2, -1)) + spilt.float().mean((-2, -1))
    return torch.where(union > 0, area * (predicted & inside).sum((-2, -1)) / union.clamp(min=1e-9), 1.0)


def _learning(mask_loss: Tensor, is_ambiguous: Tensor, shared: float) -> Tensor:
    """How much each output [batch, objects, outputs] learns its mask, 1 in all."""
    outputs = mask_loss.shape[-1]
    best = F.one_hot(1 + mask_loss[:, :, 1:].argmin(-1), outputs)
    first = F.one_hot(torch.zeros_like(is_ambiguous, dtype=torch.long), outputs)
    ambiguous = (1 - shared) * best + shared / (outputs - 1) * (1 - first)
    return torch.where(is_ambiguous.unsqueeze(-1), ambiguous, first)


def _mean(values: Tensor, over: Tensor) -> Tensor:
    """The mean of values, each of which counts as much as `over` says."""
    return (values * over).sum() / over.sum().clamp(min=1e-6)
