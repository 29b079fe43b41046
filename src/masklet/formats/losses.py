"""What a format can hold, and what of an image or a video it therefore loses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from masklet.errors import InvalidInputError
from masklet.formats.items import ImageItem, ItemObject, VideoItem
from masklet.formats.reading.annotated import CATEGORY
from masklet.masks.outlines import Piece, pieces_of
from masklet.masks.overlap import intersection_over_union
from masklet.masks.polygons import counts_of_polygons
from masklet.masks.run_length import mask_of
from masklet.media.frame_folders import FRAME_RATE
from masklet.media.mask_files import label_map_of

LEAST_IOU = 0.95
"""Of a mask with what is written of it; less is reported beside the reason."""


class Loss(StrEnum):
    """What is lost: what stands in a sentence after its number."""

    HOLES = "masks lose their holes"
    CHANGED = "masks have an IoU below 0.95 with what is written of them"
    PIECES = "masks of several pieces keep the largest only"
    OVERLAPS = "masks lose pixels to others that they overlap"
    SHAPES = "masks become boxes"
    IDS = "masks of videos lose their object's id"
    RENUMBERED = "objects get other ids"
    CATEGORIES = "objects lose their category"
    CHARACTERS = "objects lose characters of their category that no file holds"
    SCORES = "masks lose their score"
    CROWDS = "regions of crowds are left out"
    FRAMES = "frames without annotations are left out"
    FRAME_RATES = "videos lose their frame rate"


@dataclass(frozen=True)
class Holds:
    """What a format can hold; the table of docs/formats.md shows it.

    Attributes:
        images, videos: whether it is a format of single images, of videos with objects through time, or of both.
        masks: whether of pixels and not only of boxes.
        holes: masks with holes.
        pieces: masks of several pieces.
        overlaps: pixels of several objects.
        ids: an object's id from frame to frame.
        most_objects: how many a video may have, with the ids from 1 on; None: any ids.
        categories: names of the objects' kinds.
        scores: of masks.
        crowds: regions of many objects.
        gaps: frames of a video that nobody has annotated.
        every: which frames are annotated where others are not: each of so many, from the first on.
        frame_rates: of videos.
    """

    images: bool = True
    videos: bool = False
    masks: bool = True
    holes: bool = True
    pieces: bool = True
    overlaps: bool = True
    ids: bool = True
    most_objects: int | None = None
    categories: bool = True
    scores: bool = False
    crowds: bool = False
    gaps: bool = True
    every: int = 1
    frame_rates: bool = False


def losses_of_image(item: ImageItem, holds: Holds) -> Counter[Loss]:
    """Return how much of an image, or of a frame, a format loses that holds so much."""
    found: Counter[Loss] = Counter()
    crowds = [each for each in item.objects if each.is_crowd]
    objects = item.objects if holds.crowds else [each for each in item.objects if not each.is_crowd]
    found[Loss.CROWDS] = 0 if holds.crowds else len(crowds)
    found[Loss.CATEGORIES] = 0 if holds.categories else sum(each.category != CATEGORY for each in objects)
    found[Loss.SCORES] = 0 if holds.scores else sum(each.score is not None for each in objects)
    found[Loss.IDS] = len(objects) if item.video is not None and not holds.ids else 0
    found[Loss.SHAPES] = 0 if holds.masks else len(objects)
    if holds.masks and not (holds.holes and holds.pieces):
        pieces = [pieces_of(each.mask) for each in objects]
        changes = (_is_changed(*pair, holds) for pair in zip(objects, pieces, strict=True))
        found[Loss.CHANGED] = sum(changes)
        found[Loss.HOLES] = 0 if holds.holes else sum(any(each.hole_count for each in few) for few in pieces)
        found[Loss.PIECES] = 0 if holds.pieces else sum(len(few) > 1 for few in pieces)
    if holds.masks and not holds.overlaps:
        found[Loss.OVERLAPS] = _overlapped(item)
    return +found


def _is_changed(each: ItemObject, pieces: Sequence[Piece], holds: Holds) -> bool:
    """Return whether a mask without its holes, or without its smaller pieces, is another one."""
    written = pieces if holds.pieces else pieces[:1]
    if len(written) == len(pieces) and not any(piece.hole_count for piece in pieces):
        return False
    counts = counts_of_polygons([piece.outline for piece in written], each.height, each.width)
    shown = mask_of(counts, each.height, each.width)
    return bool(intersection_over_union(shown, each.mask) < LEAST_IOU)


def _overlapped(item: ImageItem) -> int:
    """Return how many masks lose a pixel where the one with the highest score shows."""
    segmentation = item.segmentation.taken(range(len(item.segmentation)), range(1, len(item.segmentation) + 1))
    labels = label_map_of(segmentation, is_deep=True)
    shown = np.bincount(labels.ravel(), minlength=max(segmentation.object_ids, default=0) + 1)
    return sum(
        int(shown[object_id]) != area
        for object_id, area in zip(segmentation.object_ids, segmentation.areas.tolist(), strict=True)
    )


def losses_of_video(item: VideoItem, holds: Holds) -> Counter[Loss]:
    """Return what of a video is lost beside what its frames lose."""
    found: Counter[Loss] = Counter()
    holds_gaps = holds.gaps or item.is_annotated_every(holds.every)
    found[Loss.FRAMES] = 0 if holds_gaps else len(item.frame_names) - len(item.annotated_frames)
    found[Loss.FRAME_RATES] = int(not holds.frame_rates and item.frame_rate != FRAME_RATE)
    return +found


def listed(losses: Mapping[Loss, int]) -> str:
    """Return losses as part of a sentence."""
    return ", ".join(f"{count} {loss}" for loss, count in sorted(losses.items()) if count)


def refuse(name: str, losses: Mapping[Loss, int], format_name: str) -> None:
    """Raise InvalidInputError, naming the item, if anything is lost."""
    if any(losses.values()):
        raise InvalidInputError(f"{format_name} cannot hold all of {name}: {listed(losses)}.")
