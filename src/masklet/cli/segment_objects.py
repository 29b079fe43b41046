"""Objects with prompts of different kinds, segmented in one encoded picture."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from masklet.cli.mask_prompts import empty_mask_error, mask_of_prompt
from masklet.masks.geometry import Mask
from masklet.masks.segmentation import Segmentation
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.prompts.object_prompts import ObjectPrompt


def segment_objects(segmenter: ImageSegmenter, encoded: EncodedImage, objects: Sequence[ObjectPrompt]) -> Segmentation:
    """Return one mask per object, by ascending number; errors as `ImageSegmenter.segment` raises them."""
    return _by_number(
        segmenter.segment(encoded, **_arguments(alike, encoded), object_ids=[each.object_id for each in alike])
        for alike in _groups(objects)
    )


def segment_candidates(
    segmenter: ImageSegmenter, encoded: EncodedImage, objects: Sequence[ObjectPrompt]
) -> list[Segmentation]:
    """Return the best, second and third mask of every object, by predicted IoU: one `Segmentation` per rank."""
    parts_of_rank: dict[int, list[Segmentation]] = defaultdict(list)
    for alike in _groups(objects):
        for prompt, of_object in zip(alike, segmenter.candidates(encoded, **_arguments(alike, encoded)), strict=True):
            for rank in range(len(of_object)):
                parts_of_rank[rank].append(of_object.taken(rank, [prompt.object_id]))
    return [_by_number(parts) for parts in parts_of_rank.values()]


def _groups(objects: Sequence[ObjectPrompt]) -> Iterator[list[ObjectPrompt]]:
    """Yield objects with prompts of the same shape together: nothing is padded, so none changes another's mask."""
    groups: dict[tuple[int, bool, bool], list[ObjectPrompt]] = defaultdict(list)
    for each in objects:
        groups[len(each.points), each.box is not None, each.mask is not None].append(each)
    yield from groups.values()


def _arguments(alike: Sequence[ObjectPrompt], encoded: EncodedImage) -> dict[str, Any]:
    """The arguments of `ImageSegmenter.segment` for objects with prompts of the same shape."""
    arguments: dict[str, Any] = {}
    if alike[0].points:
        arguments["points"] = [[(x, y) for x, y, _ in each.points] for each in alike]
        arguments["labels"] = [[label for _, _, label in each.points] for each in alike]
    if alike[0].box is not None:
        arguments["boxes"] = [each.box for each in alike]
    if alike[0].mask is not None:
        arguments["masks"] = np.stack([_mask(each, encoded) for each in alike])
    return arguments


def _mask(prompt: ObjectPrompt, encoded: EncodedImage) -> Mask:
    mask = mask_of_prompt(prompt, encoded.height, encoded.width, "its photo")
    if not mask.any():
        raise empty_mask_error(prompt.mask)
    return mask


def _by_number(parts: Iterable[Segmentation]) -> Segmentation:
    joined = Segmentation.joined(list(parts))
    return joined.taken(np.argsort(joined.object_ids))
