"""Frames whose masks are known and not reported yet: what is found later may have been there already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from masklet.automask.layers import by_logit, outside
from masklet.errors import InvalidInputError
from masklet.json_files import shown, whole_number
from masklet.masks.run_length import RunLength, counts_of
from masklet.masks.segmentation import Segmentation


@dataclass(frozen=True)
class HeldMask:
    """A mask under the number of its track, with its score."""

    number: int
    mask: RunLength
    score: float


@dataclass(frozen=True)
class HeldFrame:
    """A frame and its masks."""

    frame: int
    masks: tuple[HeldMask, ...] = ()

    @property
    def numbers(self) -> set[int]:
        """The numbers of the tracks that have a mask here."""
        return {each.number for each in self.masks}

    def with_masks(self, found: Segmentation, *, is_flat: bool) -> Self:
        """Return the frame with more masks, under their numbers.

        Where masks are flat, those there before keep their pixels, and of the new ones each pixel goes by the logit.
        """
        masks: Iterable[RunLength] = found.run_lengths
        if is_flat:
            masks = outside(by_logit(found), [each.mask for each in self.masks], found.size)
        new = zip(found.object_ids, masks, found.scores.tolist(), strict=True)
        return replace(self, masks=(*self.masks, *(HeldMask(*each) for each in new)))

    def segmentation(self, names: Mapping[int, int], size: tuple[int, int]) -> Segmentation:
        """Return the masks of tracks that have an id, in frames of that (height, width), without empty ones.

        Two tracks of one id were one object that was lost and found again: the first that is there counts.
        """
        named: dict[int, HeldMask] = {}
        for each in self.masks:
            if each.number in names:
                named.setdefault(names[each.number], each)
        found = Segmentation.from_run_lengths(
            [each.mask for each in named.values()], size, np.array([each.score for each in named.values()]), named
        )
        return found.taken(np.flatnonzero(found.areas))

    def to_json(self) -> list[Any]:
        """Return it as plain JSON."""
        return [self.frame, [[each.number, each.mask, each.score] for each in self.masks]]

    @classmethod
    def from_json(cls, value: object, size: tuple[int, int]) -> Self:
        """Return the frame that `to_json` described; InvalidInputError for anything else."""
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
            raise InvalidInputError(f"A frame that is not reported yet is {shown(value)}.")
        masks = []
        for number, mask, score in value[1]:
            counts_of(mask, *size)
            masks.append(HeldMask(whole_number(number, "number", least=1), mask, float(score)))
        return cls(whole_number(value[0], "frame"), tuple(masks))
