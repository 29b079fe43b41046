"""Which of many overlapping masks stay: non-maximum suppression."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


def box_suppression(boxes: npt.NDArray[np.floating], scores: npt.NDArray[np.floating], threshold: float) -> Indices:
    """Return the places of the boxes that stay, highest score first; those with equal scores keep their order.

    Box after box, from the highest score down, suppresses all later ones whose intersection over union with it is above
    the threshold. This is torchvision's `nms` on a processor to the bit: float32, areas without + 1 for inclusive
    edges. Two boxes without any area have no intersection over union and never suppress each other.

    Args:
        boxes: [n, 4] (x1, y1, x2, y2).
        scores: [n].
        threshold: 0..1.
    """
    order = np.argsort(-np.asarray(scores, np.float32), kind="stable")
    left, top, right, bottom = np.asarray(boxes, np.float32).reshape(-1, 4)[order].T
    areas = (right - left) * (bottom - top)
    is_left = np.ones(len(order), dtype=bool)
    for place in range(len(order)):
        if not is_left[place]:
            continue
        later = place + 1 + np.flatnonzero(is_left[place + 1 :])
        across = np.minimum(right[place], right[later]) - np.maximum(left[place], left[later])
        down = np.minimum(bottom[place], bottom[later]) - np.maximum(top[place], top[later])
        shared = across.clip(min=0) * down.clip(min=0)
        with np.errstate(invalid="ignore"):  # 0 / 0 of two boxes without area
            overlaps = shared / (areas[place] + areas[later] - shared)
        is_left[later] = ~(overlaps > np.float64(threshold))
    return order[is_left]
