"""Which of the masks found on a frame are taken up."""

import numpy as np
import pytest

from masklet import EverythingPolicy, Segmentation
from masklet.automask.found_masks import prepared_masks, roomy

SIZE = 20


def boxes(*corners: tuple[int, int, int, int]) -> Segmentation:
    masks = np.zeros((len(corners), SIZE, SIZE), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, corners, strict=True):
        mask[y1:y2, x1:x2] = True
    return Segmentation(masks, np.linspace(0.9, 0.5, len(corners)), range(1, len(corners) + 1))


WHOLE, PART, OTHER = (2, 2, 12, 12), (4, 4, 8, 8), (14, 14, 18, 18)
GROUND, ALL = (0, 10, 20, 20), (0, 0, 20, 20)


@pytest.mark.parametrize(
    ("granularity", "corners", "ids", "areas"),
    [
        ("surest", (WHOLE, PART, OTHER), (1, 3), (100, 16)),  # nothing is left of the part
        ("surest", (PART, WHOLE, OTHER), (1, 2, 3), (16, 84, 16)),
        ("surest", ((2, 2, 8, 12), WHOLE, (8, 2, 16, 12)), (1, 3), (60, 80)),  # what goes claims no pixels
        ("surest", (GROUND, OTHER), (1, 2), (184, 16)),
        ("surest", (), (), ()),
        ("wholes", (WHOLE, PART, OTHER), (1, 3), (100, 16)),
        ("parts", (WHOLE, PART, OTHER), (1, 2, 3), (84, 16, 16)),
        ("wholes", (PART, (14, 14, 16, 16)), (1,), (16,)),  # one is too small
        ("wholes", (ALL, PART), (2,), (16,)),  # one is too large
        ("wholes", (GROUND, OTHER), (1, 2), (184, 16)),  # what stands on the ground is no part of it
        ("wholes", (), (), ()),
        ("parts", (), (), ()),
        ("parts", ((2, 2, 6, 6), (2, 2, 6, 7)), (1,), (16,)),  # of the larger one too little is left
    ],
)
def test_granularity(
    granularity: str, corners: tuple[tuple[int, ...], ...], ids: tuple[int, ...], areas: tuple[int, ...]
) -> None:
    policy = EverythingPolicy(min_area=5, granularity=granularity)  # type: ignore[arg-type]
    found = prepared_masks(boxes(*corners), policy)  # type: ignore[arg-type]
    assert found.object_ids == ids
    assert tuple(found.areas.tolist()) == areas
    assert found.masks.sum(axis=0).max(initial=0) <= 1


@pytest.mark.parametrize(("free", "ids"), [(3, (1, 2, 3)), (2, (2, 3)), (1, (2,)), (0, ()), (-1, ())])
def test_ground_is_last_in_the_budget(free: int, ids: tuple[int, ...]) -> None:
    assert roomy(boxes(GROUND, WHOLE, OTHER), free).object_ids == ids
