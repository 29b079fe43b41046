"""The losses of promptable segmentation (SAM 2 paper, appendix D.2; SAM paper, appendix A)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.modeling.values import MaskOutputs
from masklet.training.settings.procedure import LossWeights
from masklet.training.targets import CropTargets, binary_targets


def focal_loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Compute the focal loss, averaged over the last two dimensions; targets in 0..1 may be soft."""
    cross_entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    missed = (targets - logits.sigmoid()).abs() ** gamma
    balance = alpha * targets + (1 - alpha) * (1 - targets)
    return (balance * missed * cross_entropy).mean((-2, -1))


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute 1 - Dice coefficient of probabilities and targets over the last two dimensions, smoothed by one pixel."""
    probabilities = logits.sigmoid()
    overlap = 2 * (probabilities * targets).sum((-2, -1))
    return 1 - (overlap + 1) / (probabilities.sum((-2, -1)) + targets.sum((-2, -1)) + 1)


def measured_iou(logits: Tensor, targets: Tensor) -> Tensor:
    """Measure the IoU of `logits > 0` and binary `targets` over the last two dimensions; 1 if both are empty."""
    predicted, wanted = logits > 0, binary_targets(targets)
    union = (predicted | wanted).sum((-2, -1))
    return torch.where(union > 0, (predicted & wanted).sum((-2, -1)) / union.clamp(min=1), 1.0)


@dataclass
class RoundLoss:
    """The loss of one prompt round.

    Attributes:
        total: the weighted sum of the losses.
        parts: each loss, and the measured IoU.
        chosen_logits: the masks that a user would have got, [batch, objects, h, w].
    """

    total: Tensor
    parts: dict[str, Tensor]
    chosen_logits: Tensor


def round_loss(
    outputs: MaskOutputs,
    targets: Tensor,
    is_ambiguous: Tensor,
    counts: Tensor,
    weights: LossWeights,
    crops: CropTargets | None = None,
) -> RoundLoss:
    """Compute the loss of one prompt round, averaged over all objects.

    As in the reference, but for masks, which are compared at a quarter of the image's resolution, and before those of
    objects that are predicted to be absent are emptied.

    Args:
        outputs: the decoder's outputs [batch, objects, ...].
        targets: soft targets [batch, objects, h, w] in 0..1. Of an absent object (its target is empty) only the object
            score is supervised; it counts in all averages.
        is_ambiguous: [batch, objects] bool. On a single click the best of the multimask outputs learns its mask (of a
            fraction `weights.shared` of the loss all of them) and all of them their IoU; elsewhere output 0 alone.
        counts: [batch, objects], the weights of objects in averages (0: not at all).
        weights: of the loss terms.
        crops: [batch, objects], needed where `weights.cropped` is above 0: that fraction of the mask losses is measured
            in them, and the IoU.
    """
    logits = outputs.logits.float()
    focal, dice, measured = _compared(logits, targets, weights, crops)
    mask_loss = weights.focal * focal + weights.dice * dice
    with torch.no_grad():
        learning = _learning(mask_loss, is_ambiguous, weights.shared)
        best_to_show = torch.where(is_ambiguous, 1 + outputs.iou[:, :, 1:].argmax(-1), 0)
    iou_error = (outputs.iou.float() - measured).abs()
    iou_loss = torch.where(is_ambiguous, iou_error[:, :, 1:].mean(-1), iou_error[:, :, 0])
    is_present = targets.amax((-2, -1)) > 0
    score_loss = F.binary_cross_entropy_with_logits(outputs.object_score.float(), is_present.float(), reduction="none")
    parts = {
        "focal": _mean((focal * learning).sum(-1) * is_present, counts),
        "dice": _mean((dice * learning).sum(-1) * is_present, counts),
        "iou": _mean(iou_loss * is_present, counts),
        "object_score": _mean(score_loss, counts),
    }
    total = sum((getattr(weights, name) * value for name, value in parts.items()), logits.new_zeros(()))
    index = best_to_show[..., None, None, None].expand(-1, -1, 1, *logits.shape[-2:])
    shown = measured.gather(2, best_to_show.unsqueeze(-1)).squeeze(-1)
    parts["measured_iou"] = _mean(shown, counts * is_present)
    return RoundLoss(total, parts, logits.detach().gather(2, index).squeeze(2))


def _compared(
    logits: Tensor, targets: Tensor, weights: LossWeights, crops: CropTargets | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute focal and Dice loss and IoU, each [batch, objects, outputs], of all outputs with the same targets."""
    wanted = targets.unsqueeze(2).float().expand_as(logits)
    focal, dice = focal_loss(logits, wanted, weights.focal_alpha), dice_loss(logits, wanted)
    if not weights.cropped:
        return focal, dice, measured_iou(logits, wanted)
    assert crops is not None, "the cropped loss is measured in crops: they must be given"
    cropped = crops.sample_logits(logits)
    inside = crops.inside.unsqueeze(2).float().expand_as(cropped)
    focal = torch.lerp(focal, focal_loss(cropped, inside, weights.focal_alpha), weights.cropped)
    dice = torch.lerp(dice, dice_loss(cropped, inside), weights.cropped)
    return focal, dice, _iou_of_crops(logits, cropped, crops)


def _iou_of_crops(logits: Tensor, cropped: Tensor, crops: CropTargets) -> Tensor:
    """Measure the IoU [batch, objects, outputs] of whole images.

    Sample points are counted in crops, and low-resolution pixels outside of them.
    """
    predicted, inside = cropped > 0, crops.inside.unsqueeze(2)
    spilt = (logits > 0) & crops.pixels_outside(*logits.shape[-2:]).unsqueeze(2)
    area = crops.sample_area().unsqueeze(2)
    union = area * (predicted | inside).sum((-2, -1)) + spilt.float().mean((-2, -1))
    return torch.where(union > 0, area * (predicted & inside).sum((-2, -1)) / union.clamp(min=1e-9), 1.0)


def _learning(mask_loss: Tensor, is_ambiguous: Tensor, shared: float) -> Tensor:
    """Return the weights [batch, objects, outputs] of the outputs' mask losses, 1 in all."""
    outputs = mask_loss.shape[-1]
    best = F.one_hot(1 + mask_loss[:, :, 1:].argmin(-1), outputs)
    first = F.one_hot(torch.zeros_like(is_ambiguous, dtype=torch.long), outputs)
    ambiguous = (1 - shared) * best + shared / (outputs - 1) * (1 - first)
    return torch.where(is_ambiguous.unsqueeze(-1), ambiguous, first)


def _mean(values: Tensor, over: Tensor) -> Tensor:
    """Average values with the weights `over`."""
    return (values * over).sum() / over.sum().clamp(min=1e-6)
