"""From the network's mask logits to the result that everything shares."""

from collections.abc import Sequence

from torch import Tensor

from masklet.masks.segmentation import Segmentation
from masklet.processing.post_processing import post_process_masks


def segmentation_of(
    logits_nhw: Tensor, scores_n: Tensor, object_ids: Sequence[int], size: tuple[int, int]
) -> Segmentation:
    """Return the masks of N objects at the size of their picture.

    Args:
        logits_nhw: low-resolution mask logits [N, h, w].
        scores_n: how good each mask is expected to be [N].
        object_ids: N integers above 0.
        size: (height, width) of the picture.
    """
    logits_nhw = logits_nhw.float()
    masks_n1hw = post_process_masks([logits_nhw.unsqueeze(1)], [size])[0]
    return Segmentation(
        masks=masks_n1hw[:, 0].cpu().numpy(),
        scores=scores_n.float().cpu().numpy(),
        object_ids=tuple(object_ids),
        low_resolution_logits=logits_nhw.cpu().numpy(),
    )
