"""Which of the decoder's masks are returned."""

import torch
from torch import Tensor

from masklet.configuration import Sam2MaskDecoderConfig
from masklet.modeling.mask_decoder import DecodedMasks


def multimask_outputs(decoded: DecodedMasks) -> tuple[Tensor, Tensor]:
    """The masks [batch, objects, n, h, w] and IoUs [batch, objects, n] for an ambiguous prompt."""
    return decoded.masks[:, :, 1:], decoded.iou[:, :, 1:]


def single_output(decoded: DecodedMasks, config: Sam2MaskDecoderConfig, training: bool) -> tuple[Tensor, Tensor]:
    """One mask [batch, objects, 1, h, w] and IoU an object: output 0, or the best of the others where it is unstable.

    The fallback (Meta's "dynamic multimask via stability") applies outside training only.
    """
    masks, iou = decoded.masks[:, :, :1], decoded.iou[:, :, :1]
    if training or not config.dynamic_multimask_via_stability:
        return masks, iou
    is_stable = stability(masks, config.dynamic_multimask_stability_delta) >= config.dynamic_multimask_stability_thresh
    best = 1 + decoded.iou[:, :, 1:].argmax(dim=-1, keepdim=True)
    chosen = torch.where(is_stable, 0, best)
    index = chosen[..., None, None].expand(-1, -1, -1, *masks.shape[-2:])
    return decoded.masks.gather(2, index), decoded.iou.gather(2, chosen)


def stability(masks: Tensor, delta: float) -> Tensor:
    """Pixels above +delta per pixel above -delta, over the last two dimensions; 1 where there are none."""
    surely = (masks > delta).sum(dim=(-2, -1)).float()
    perhaps = (masks > -delta).sum(dim=(-2, -1)).float()
    return torch.where(perhaps > 0, surely / perhaps, 1.0)
