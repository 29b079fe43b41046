"""The masks of many prompts, of which only those that are good enough are worth their computation.

Dimensions as in `masklet.runtimes.protocol`.
"""

import torch
from torch import Tensor

from masklet.runtimes.object_masks import select_output
from masklet.runtimes.protocol import CandidateMasks, CandidateRuntime, ImageFeatures, ImageRuntime

ALL = -1.0
"""A bound that every predicted IoU is above."""


def candidates_above(
    runtime: ImageRuntime,
    features: ImageFeatures,
    points: Tensor,
    labels: Tensor,
    least_iou: float,
    mask_logits: Tensor | None = None,
    *,
    multimask: bool = True,
) -> CandidateMasks:
    """Return the masks of one image whose predicted IoU is above a bound; prompts as of `decode`.

    A runtime may have a quicker verb of these arguments, `decode_above`, that computes no other masks. It is asked
    where the choice of a mask depends on predicted IoU alone.

    Args:
        runtime: the network.
        features: of one image.
        points: [n, k, 2].
        labels: [n, k].
        least_iou: the bound, which itself is not above it; `ALL` for all.
        mask_logits: [n, 4h, 4w] or None.
        multimask: the three masks for ambiguous prompts; False: the one for others.
    """
    config = runtime.config
    is_chosen_by_stability = not multimask and config.mask_decoder_config.dynamic_multimask_via_stability
    if isinstance(runtime, CandidateRuntime) and not is_chosen_by_stability:
        return runtime.decode_above(features, points, labels, least_iou, mask_logits, multimask=multimask)
    outputs = runtime.decode(features, points, labels, mask_logits)
    if multimask:
        logits, iou = outputs.logits[:, 1:], outputs.iou[:, 1:]
    else:
        is_multimask = torch.zeros_like(outputs.object_score, dtype=torch.bool)
        logits, iou = (each.unsqueeze(1) for each in select_output(outputs, is_multimask, config))
    return CandidateMasks.above(least_iou, logits, iou)
