"""Which of the decoder's masks are returned."""

import torch
from torch import Tensor

from masklet.configuration import Sam2Config, Sam2MaskDecoderConfig
from masklet.modeling.outputs import DecodedMasks


def is_ambiguous(config: Sam2Config, points: int, *, is_first: bool) -> bool:
    """Whether a prompt of so many points leaves open what is meant, so that the best of three masks counts.

    A box is two points, a frame that is only tracked none. `is_first`: the object is seen without memories.
    """
    is_on = config.multimask_output_in_sam and (is_first or config.multimask_output_for_tracking)
    return is_on and config.multimask_min_pt_num <= points <= config.multimask_max_pt_num


def multimask_outputs(decoded: DecodedMasks) -> tuple[Tensor, Tensor]:
    """The masks [batch, objects, n, h, w] and IoUs [batch, objects, n] for an ambiguous prompt."""
    return decoded.masks[:, :, 1:], decoded.iou[:, :, 1:]


def single_output(decoded: DecodedMasks, config: Sam2MaskDecoderConfig, training: bool) -> tuple[Tensor, Tensor]:
    """One mask [batch, objects, 1, h, w] and IoU an object: output 0, or the best of the others where it is unstable.

    The fallback (Meta's "dynamic multimask via stability") applies outside training only.
    """
    index = _stable_output(decoded, config, training)
    return _taken(decoded.masks, index).unsqueeze(2), _taken(decoded.iou, index).unsqueeze(2)


def chosen_outputs(
    decoded: DecodedMasks, is_multimask: Tensor, config: Sam2MaskDecoderConfig, training: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """One mask [batch, objects, h, w], its IoU and its token [batch, objects, channels] for every object.

    Where `is_multimask` [batch, objects]: of the multimask output with the best IoU. Elsewhere as `single_output`; the
    token is then that of output 0, fallback or not, as in the reference.
    """
    best = _best_of_multimask(decoded)
    mask_index = torch.where(is_multimask, best, _stable_output(decoded, config, training))
    token_index = torch.where(is_multimask, best, 0)
    return _taken(decoded.masks, mask_index), _taken(decoded.iou, mask_index), _taken(decoded.tokens, token_index)


def _taken(outputs: Tensor, index: Tensor) -> Tensor:
    """One output an object: [batch, objects, outputs, ...] to [batch, objects, ...]."""
    return outputs.take_along_dim(index.view(*index.shape, 1, *[1] * (outputs.ndim - 3)), dim=2).squeeze(2)


def _best_of_multimask(decoded: DecodedMasks) -> Tensor:
    return 1 + decoded.iou[:, :, 1:].argmax(dim=-1)


def _stable_output(decoded: DecodedMasks, config: Sam2MaskDecoderConfig, training: bool) -> Tensor:
    """The output [batch, objects] for an unambiguous prompt."""
    if training or not config.dynamic_multimask_via_stability:
        return torch.zeros_like(decoded.iou[:, :, 0], dtype=torch.long)
    measured = stability(decoded.masks[:, :, 0], config.dynamic_multimask_stability_delta)
    return torch.where(measured >= config.dynamic_multimask_stability_thresh, 0, _best_of_multimask(decoded))


def stability(masks: Tensor, delta: float) -> Tensor:
    """Pixels above +delta per pixel above -delta, over the last two dimensions; 1 where there are none."""
    surely = (masks > delta).sum(dim=(-2, -1)).float()
    perhaps = (masks > -delta).sum(dim=(-2, -1)).float()
    return torch.where(perhaps > 0, surely / perhaps, 1.0)
