"""One mask an object: selected among the decoder's outputs, or given as a prompt.

Dimensions as in `masklet.runtimes.protocol`.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.configuration import Sam2Config
from masklet.masks.logits import certain_logits
from masklet.modeling.mask_selection import best_output, stable_output, taken
from masklet.runtimes.protocol import ImageFeatures, MaskOutputs, Runtime

ABSENT_LOGIT = -1024.0  # everywhere in the mask of an object that is not in the image


@dataclass(frozen=True)
class ObjectMask:
    """The masks of n objects on a frame.

    Attributes:
        logits: [n, 4h, 4w], -1024 everywhere where the object is absent.
        iou: [n], predicted.
        object_score: [n] logits, the object being there above 0.
        pointer: [n, c].
    """

    logits: Tensor
    iou: Tensor
    object_score: Tensor
    pointer: Tensor


def select_mask(
    outputs: MaskOutputs, is_multimask: Tensor, config: Sam2Config, *, is_training: bool = False
) -> ObjectMask:
    """Select one output an object.

    Args:
        outputs: of n objects, or [images, objects]: the result has these axes, too.
        is_multimask: bool [n]: whether the prompt is ambiguous, so that the best of the three masks counts. Otherwise
            output 0 does or, where it is unstable, the best mask with the pointer of output 0, as in the reference.
        config: of the network.
        is_training: leave unstable masks as they are.
    """
    logits, iou = select_output(outputs, is_multimask, config, is_training=is_training)
    is_present = (outputs.object_score > 0)[..., None, None]
    return ObjectMask(
        logits=torch.where(is_present, logits, ABSENT_LOGIT),
        iou=iou,
        object_score=outputs.object_score,
        pointer=taken(outputs.pointers, torch.where(is_multimask, best_output(outputs.iou), 0)),
    )


def select_output(
    outputs: MaskOutputs, is_multimask: Tensor, config: Sam2Config, *, is_training: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the logits [n, 4h, 4w] and the IoU [n] of one output an object, whether the object is there or not.

    Arguments as of `select_mask`.
    """
    single = stable_output(outputs.logits, outputs.iou, config.mask_decoder_config, is_training)
    index = torch.where(is_multimask, best_output(outputs.iou), single)
    return taken(outputs.logits, index), taken(outputs.iou, index)


def use_mask_as_output(runtime: Runtime, features: ImageFeatures, masks: Tensor) -> ObjectMask:
    """Take mask prompts for the objects' masks; an empty one means that the object is absent.

    The pointer is that of the decoder's output 0 for the mask as a prompt.

    Args:
        runtime: the network.
        features: of the frame (one image, or one an object) as `encode_image` gives them: nothing marks the missing
            memory here.
        masks: [n, S, S] in 0..1.
    """
    masks = masks.to(features.stride16.dtype)
    logits = F.interpolate(
        certain_logits(masks.float().unsqueeze(1)), scale_factor=0.25, mode="bilinear", antialias=True
    )
    outputs = runtime.decode(features, mask_logits=runtime.embed_mask(masks))
    is_present = masks.flatten(1).any(dim=1)
    return ObjectMask(
        logits=logits.squeeze(1).to(masks.dtype),
        iou=masks.new_ones(len(masks)),
        object_score=certain_logits(is_present),
        pointer=torch.where(is_present.unsqueeze(-1), outputs.pointers[:, 0], runtime.no_object_pointer),
    )


def is_ambiguous(config: Sam2Config, points: int, *, is_first: bool) -> bool:
    """Whether a prompt of so many points leaves open what is meant, so that the best of three masks counts.

    A box is two points, a frame that is only tracked none. `is_first`: the object is seen without memories.
    """
    is_on = config.multimask_output_in_sam and (is_first or config.multimask_output_for_tracking)
    return is_on and config.multimask_min_pt_num <= points <= config.multimask_max_pt_num


def is_binarized(config: Sam2Config, *, has_points: bool) -> bool:
    """Whether a prompted frame's mask is encoded as certain: a given one is, one of clicks or a box by config."""
    return not has_points or config.binarize_mask_from_pts_for_mem_enc
