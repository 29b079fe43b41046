"""Which of the decoder's masks are returned."""

import torch
from torch import Tensor

from masklet.configuration import Sam2MaskDecoderConfig
from masklet.modeling.outputs import DecodedMasks


def multimask_outputs(decoded: DecodedMasks) -> tuple[Tensor, Tensor]:
    """Return the masks [batch, objects, n, h, w] and IoUs [batch, objects, n] for an ambiguous prompt."""
    return decoded.masks[:, :, 1:], decoded.iou[:, :, 1:]


def single_output(decoded: DecodedMasks, config: Sam2MaskDecoderConfig, training: bool) -> tuple[Tensor, Tensor]:
    """One mask [batch, objects, 1, h, w] and IoU an object: output 0, or the best of the others where it is unstable.

    The fallback (Meta's "dynamic multimask via stability") applies outside training only.
    """
    index = stable_output(decoded.masks, decoded.iou, config, training)
    return taken(decoded.masks, index).unsqueeze(2), taken(decoded.iou, index).unsqueeze(2)


def best_output(iou: Tensor) -> Tensor:
    """Return the number [...] of the multimask output with the best predicted IoU, of `iou` [..., outputs]."""
    return 1 + iou[..., 1:].argmax(dim=-1)


def stable_output(logits: Tensor, iou: Tensor, config: Sam2MaskDecoderConfig, training: bool) -> Tensor:
    """Return the number [...] of the output for an unambiguous prompt: 0 unless it is unstable.

    `logits` [..., outputs, h, w], `iou` [..., outputs].
    """
    if training or not config.dynamic_multimask_via_stability:
        return torch.zeros_like(iou[..., 0], dtype=torch.long)
    measured = stability(logits[..., 0, :, :], config.dynamic_multimask_stability_delta)
    return torch.where(measured >= config.dynamic_multimask_stability_thresh, 0, best_output(iou))


def taken(outputs: Tensor, index: Tensor) -> Tensor:
    """Take one output an object: of [..., outputs, ...] and `index` [...] what [..., ...] is left."""
    axis, rest = index.ndim, outputs.shape[index.ndim + 1 :]
    spread = index.view(*index.shape, 1, *[1] * len(rest)).expand(*index.shape, 1, *rest)
    return outputs.gather(axis, spread).squeeze(axis)


def stability(masks: Tensor, delta: float) -> Tensor:
    """Pixels above +delta per pixel above -delta, over the last two dimensions; 1 where there are none."""
    surely = (masks > delta).sum(dim=(-2, -1)).float()
    perhaps = (masks > -delta).sum(dim=(-2, -1)).float()
    return torch.where(perhaps > 0, surely / perhaps, 1.0)
