"""The result that segmenting, drawing, writing and evaluating share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, Self, SupportsIndex

import numpy as np
import numpy.typing as npt

from masklet.errors import InvalidInputError
from masklet.json_files import shown
from masklet.masks.counts import Counts, area_of, box_of, checked_size, counts_of_mask
from masklet.masks.detections import AsDetections
from masklet.masks.geometry import Mask
from masklet.masks.run_length import RunLength, counts_of, mask_of, run_length_of
from masklet.whole_numbers import is_whole_number

Floats = npt.NDArray[np.floating]


class _Encoded(NamedTuple):
    """N masks as run lengths, with what their counts showed, so that no run length is decoded to find it again.

    Attributes:
        run_lengths: of each mask.
        areas: int64 [N].
        boxes: float32 [N, 4]; zeros for an empty mask.
    """

    run_lengths: tuple[RunLength, ...]
    areas: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Segmentation(AsDetections):
    """The masks of N objects in one image of H x W pixels, held as run lengths.

    A mask takes some kilobytes, whatever the size of its image, and is decoded when it is asked for: `masks` decodes
    all of them, `mask` one. Nothing decoded is kept.

    Args:
        masks: bool [N, H, W].
        scores: float [N]: how good the model expects each mask to be (predicted IoU, about 0 to 1).
        object_ids: N different integers above 0, the caller's names of the objects (0 is the background in mask files).
        low_resolution_logits: float [N, h, w], the masks as the network gave them, to be fed back with the next
            prompt; None where the masks do not come from the network.

    Attributes:
        run_lengths: of each mask, in COCO's compressed form.
        height, width: of the image, in pixels.

    InvalidInputError if the shapes do not fit together.

    Example:
        >>> import numpy as np
        >>> from masklet import Segmentation
        >>> masks = np.zeros((1, 4, 6), dtype=bool)
        >>> masks[0, 1:3, 2:6] = True
        >>> found = Segmentation(masks, scores=np.array([0.9]), object_ids=[1])
        >>> found.areas.tolist(), found.boxes.tolist()
        ([8], [[2.0, 1.0, 6.0, 3.0]])
    """

    run_lengths: tuple[RunLength, ...]
    height: int
    width: int
    scores: Floats
    object_ids: tuple[int, ...]
    low_resolution_logits: Floats | None
    _areas: npt.NDArray[np.int64]
    _boxes: npt.NDArray[np.float32]

    def __init__(
        self,
        masks: Mask,
        scores: Floats,
        object_ids: Iterable[SupportsIndex],
        low_resolution_logits: Floats | None = None,
    ) -> None:
        masks = np.asarray(masks)
        if masks.ndim != 3 or masks.dtype != np.bool_:
            raise InvalidInputError(f"Masks are bool [N, H, W]; got {masks.dtype} {list(masks.shape)}.")
        self._hold(_encoded(masks, masks.shape[1:]), masks.shape[1:], scores, object_ids, low_resolution_logits)

    @classmethod
    def from_masks(
        cls,
        masks: Iterable[Mask],
        size: Sequence[int],
        scores: Floats,
        object_ids: Iterable[SupportsIndex],
        low_resolution_logits: Floats | None = None,
    ) -> Self:
        """Return the segmentation of masks that come one after the other, so that no two need to be there at once.

        Args:
            masks: N masks, bool [H, W], say of a generator.
            size: (height, width) of the image, in pixels.
            scores: float [N].
            object_ids: N different integers above 0.
            low_resolution_logits: float [N, h, w] or None.

        Raises:
            InvalidInputError: if a mask has another type or size, or the shapes do not fit together.
        """
        size = checked_size(size)
        return cls._holding(_encoded(masks, size), size, scores, object_ids, low_resolution_logits)

    @classmethod
    def from_run_lengths(
        cls,
        run_lengths: Iterable[RunLength],
        size: Sequence[int],
        scores: Floats,
        object_ids: Iterable[SupportsIndex],
        low_resolution_logits: Floats | None = None,
    ) -> Self:
        """Return the segmentation of masks that are encoded already, say by another program.

        Args:
            run_lengths: of N masks, in any form that COCO has; `counts` may be bytes, as pycocotools writes them.
            size: (height, width) of the image, in pixels.
            scores: float [N].
            object_ids: N different integers above 0.
            low_resolution_logits: float [N, h, w] or None.

        Raises:
            InvalidInputError: if run lengths are of another size or damaged, or the shapes do not fit together.
        """
        size = checked_size(size)
        encoded = _measured((counts_of(each, *size) for each in run_lengths), size)
        return cls._holding(encoded, size, scores, object_ids, low_resolution_logits)

    @classmethod
    def _holding(
        cls,
        encoded: _Encoded,
        size: Sequence[int],
        scores: Floats,
        object_ids: Iterable[SupportsIndex],
        logits: Floats | None,
    ) -> Self:
        """Return the segmentation of masks that are encoded and known to be of that size."""
        segmentation = cls.__new__(cls)
        segmentation._hold(encoded, size, scores, object_ids, logits)
        return segmentation

    def _hold(
        self,
        encoded: _Encoded,
        size: Sequence[int],
        scores: Floats,
        object_ids: Iterable[SupportsIndex],
        logits: Floats | None,
    ) -> None:
        """Check what belongs to the masks and set all fields."""
        height, width = size
        ids, scores = as_object_ids(object_ids), np.asarray(scores)
        logits = None if logits is None else np.asarray(logits)
        _check_together(len(encoded.run_lengths), scores, ids, logits)
        fields = {
            "run_lengths": encoded.run_lengths,
            "height": height,
            "width": width,
            "scores": scores,
            "object_ids": ids,
            "low_resolution_logits": logits,
            "_areas": encoded.areas,
            "_boxes": encoded.boxes,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.run_lengths)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({len(self)} masks of {self.height} x {self.width} pixels, object_ids={self.object_ids})"

    @property
    def size(self) -> tuple[int, int]:
        """The height and the width of the image, in pixels."""
        return self.height, self.width

    @property
    def masks(self) -> Mask:
        """The masks, bool [N, H, W]: decoded anew each time, as many bytes as pixels; see `mask` for one of them."""
        masks = np.zeros((len(self), *self.size), dtype=bool)
        for index in range(len(self)):
            self._decode_into(masks[index], index)
        return masks

    def mask(self, index: int) -> Mask:
        """Return one of the masks, bool [H, W], by its place among the objects; decoded anew each time."""
        mask = np.zeros(self.size, dtype=bool)
        self._decode_into(mask, index)
        return mask

    def _decode_into(self, empty: Mask, index: int) -> None:
        left, top, right, bottom = self._boxes[index].astype(int)
        decoded = mask_of(counts_of(self.run_lengths[index], *self.size), *self.size)
        empty[top:bottom, left:right] = decoded[top:bottom, left:right]

    @property
    def areas(self) -> npt.NDArray[np.int64]:
        """The number of pixels of each mask, int64 [N]."""
        return self._areas.copy()

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """The tight boxes (x1, y1, x2, y2) in pixels, along pixel edges, float32 [N, 4]; zeros for an empty mask."""
        return self._boxes.copy()

    def taken(self, indices: npt.ArrayLike, object_ids: Iterable[SupportsIndex] | None = None) -> Self:
        """Return objects by their places, in that order, under new ids where given; InvalidInputError for no place."""
        places, logits = _places(indices, len(self)), self.low_resolution_logits
        run_lengths = tuple(self.run_lengths[place] for place in places)
        return self._holding(
            _Encoded(run_lengths, self._areas[places], self._boxes[places]),
            self.size,
            self.scores[places],
            [self.object_ids[place] for place in places] if object_ids is None else object_ids,
            None if logits is None else logits[places],
        )

    @classmethod
    def joined(cls, parts: Sequence["Segmentation"]) -> Self:
        """Return the objects of one or more segmentations of one image, part by part; all have logits, or none stay.

        InvalidInputError if the sizes differ or an id occurs twice.
        """
        if not parts or len({part.size for part in parts}) > 1:
            raise InvalidInputError(
                f"Masks of one image are joined; got those of the sizes {[part.size for part in parts]}."
            )
        logits = [part.low_resolution_logits for part in parts if part.low_resolution_logits is not None]
        encoded = _Encoded(
            tuple(chain.from_iterable(part.run_lengths for part in parts)),
            np.concatenate([part._areas for part in parts]),
            np.concatenate([part._boxes for part in parts]),
        )
        return cls._holding(
            encoded,
            parts[0].size,
            np.concatenate([part.scores for part in parts]),
            list(chain.from_iterable(part.object_ids for part in parts)),
            np.concatenate(logits) if len(logits) == len(parts) else None,
        )


def as_object_ids(object_ids: Iterable[SupportsIndex]) -> tuple[int, ...]:
    """Return whole numbers of any kind as a tuple; InvalidInputError for anything else."""
    ids = tuple(object_ids) if isinstance(object_ids, Iterable) else None
    if ids is None or not all(map(is_whole_number, ids)):
        raise InvalidInputError(f"Object ids are a list of whole numbers above 0; got {shown(object_ids)}.")
    return tuple(int(each) for each in ids)


def _encoded(masks: Iterable[Mask], size: Sequence[int]) -> _Encoded:
    """Encode masks (bool [H, W]) of one size one after the other; InvalidInputError for any other."""
    return _measured((_counts_of_mask(mask, *size) for mask in masks), size)


def _counts_of_mask(mask: Mask, height: int, width: int) -> Counts:
    checked_size((height, width))
    if mask.shape != (height, width) or mask.dtype != np.bool_:
        raise InvalidInputError(f"Each mask is bool [{height}, {width}]; got {mask.dtype} {list(mask.shape)}.")
    return counts_of_mask(mask)


def _places(indices: npt.ArrayLike, count: int) -> npt.NDArray[np.int64]:
    """Return the places of some of `count` objects, int64 [n], of which those below 0 count from the last one."""
    places = np.asarray(indices).reshape(-1)
    if places.size and (places.dtype.kind not in "iu" or places.min() < -count or places.max() >= count):
        raise InvalidInputError(f"Objects are taken by places, whole numbers below {count}; got {shown(indices)}.")
    return places.astype(np.int64)


def _measured(counts_of_each: Iterable[Counts], size: Sequence[int]) -> _Encoded:
    """Return masks by their counts as run lengths, with the areas and boxes that the counts show."""
    height, width = size
    found = [(run_length_of(each, height, width), area_of(each), box_of(each, height)) for each in counts_of_each]
    return _Encoded(
        tuple(run_length for run_length, _, _ in found),
        np.array([area for _, area, _ in found], dtype=np.int64),
        np.array([box or (0.0, 0.0, 0.0, 0.0) for _, _, box in found], dtype=np.float32).reshape(-1, 4),
    )


def _check_together(count: int, scores: Floats, object_ids: tuple[int, ...], logits: Floats | None) -> None:
    """Raise InvalidInputError unless scores, ids and logits are those of `count` masks."""
    if scores.shape != (count,):
        raise InvalidInputError(f"{count} masks need scores of the shape [{count}]; got {list(scores.shape)}.")
    if len(object_ids) != count or len(set(object_ids)) != count or min(object_ids, default=1) < 1:
        raise InvalidInputError(f"{count} masks need {count} different object ids above 0; got {object_ids}.")
    if logits is not None and (logits.ndim != 3 or len(logits) != count):
        raise InvalidInputError(f"{count} masks need logits of the shape [{count}, h, w]; got {list(logits.shape)}.")
