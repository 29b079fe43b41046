"""What is done to the masks of an image once they are found: cleaned, thinned out, made disjoint, put into order."""

from collections.abc import Sequence

import numpy as np

from masklet.automask.filtering import Bounds, stability_of
from masklet.automask.masks import AutomaticMasks
from masklet.masks.counts import area_of
from masklet.masks.run_length import counts_of
from masklet.masks.segmentation import Floats, Segmentation
from masklet.masks.suppression import Places, cleaned_mask, cleaned_masks, flat_layers, without_contained


def selected(found: AutomaticMasks, bounds: Sequence[Bounds | None] = ()) -> AutomaticMasks:
    """Return the masks that the settings leave, in their order and numbered from 1, and how many each step left.

    Args:
        found: the masks.
        bounds: of each, for masks that are cleaned up.
    """
    settings = found.settings
    if settings.min_mask_region_area > 0:
        found = _counted("regions", _cleaned(found, bounds))
    if settings.containment is not None:
        found = _counted("containment", found.taken(without_contained(found.run_lengths, keep=settings.containment)))
    if settings.max_masks is not None:
        best = np.argsort(-ranking(found), kind="stable")[: settings.max_masks]
        found = _counted("max_masks", found.taken(np.sort(best)))
    if settings.layers == "flat":
        flat = found.changed(flat_layers(found))
        found = _counted("layers", flat.taken(np.flatnonzero(flat.areas)))
    return found.taken(_order(found), object_ids=range(1, len(found) + 1))


def ranking(found: AutomaticMasks) -> Floats:
    """Return what ranks masks, float32 [N]: predicted IoU or, where they are ordered by quality, times stability.

    Of annotated objects, more are among the first masks by the product than by predicted IoU alone.
    """
    if found.settings.order != "quality":
        return found.scores
    return found.scores * np.nan_to_num(found.stability_scores)  # nan: of an empty mask


def _cleaned(found: AutomaticMasks, bounds: Sequence[Bounds | None]) -> AutomaticMasks:
    """Return masks without small regions, with the stability of what is left; what others then equal is dropped."""
    settings, area, stability = found.settings, found.settings.min_mask_region_area, found.stability_scores.copy()
    threshold = max(settings.box_nms_thresh, settings.crop_nms_thresh)
    masks, places = cleaned_masks(found.run_lengths, area, threshold)
    for place, (before, after) in enumerate(zip(found.run_lengths, masks, strict=True)):
        its_bounds = bounds[place] if bounds else None
        if its_bounds is not None and before["counts"] != after["counts"]:
            counts = (counts_of(cleaned_mask(each, area), *found.size) for each in its_bounds)
            stability[place] = stability_of(*map(area_of, counts))
    cleaned = Segmentation.from_run_lengths(masks, found.size, found.scores, found.object_ids)
    return found.changed(cleaned, stability_scores=stability).taken(places)


def _counted(step: str, found: AutomaticMasks) -> AutomaticMasks:
    return found.changed(counts=found.counts.plus(**{step: len(found)}))


def _order(found: AutomaticMasks) -> Places:
    """Return the places of the masks in the order that was asked for; of equal ones the first comes first."""
    if found.settings.order == "area":
        return np.argsort(-found.areas, kind="stable")
    if found.settings.order == "position":
        return np.lexsort((found.boxes[:, 0], found.boxes[:, 1]))
    if found.settings.order == "quality":
        return np.argsort(-ranking(found), kind="stable")
    return np.arange(len(found))
