"""What is done to the masks of an image once they are found: cleaned, thinned out, made disjoint, put into order."""

import numpy as np

from masklet.automask.masks import AutomaticMasks
from masklet.masks.segmentation import Segmentation
from masklet.masks.suppression import Places, cleaned_masks, flat_layers, without_contained


def selected(found: AutomaticMasks) -> AutomaticMasks:
    """Return the masks that the settings leave, in their order and numbered from 1, and how many each step left."""
    settings = found.settings
    if settings.min_mask_region_area > 0:
        found = _counted("regions", _cleaned(found))
    if settings.containment is not None:
        found = _counted("containment", found.taken(without_contained(found.run_lengths, keep=settings.containment)))
    if settings.max_masks is not None:
        best = np.argsort(-found.scores, kind="stable")[: settings.max_masks]
        found = _counted("max_masks", found.taken(np.sort(best)))
    if settings.layers == "flat":
        flat = found.changed(flat_layers(found))
        found = _counted("layers", flat.taken(np.flatnonzero(flat.areas)))
    return found.taken(_order(found), object_ids=range(1, len(found) + 1))


def _cleaned(found: AutomaticMasks) -> AutomaticMasks:
    """Return masks without small regions; those that others then equal are dropped."""
    settings = found.settings
    threshold = max(settings.box_nms_thresh, settings.crop_nms_thresh)
    masks, places = cleaned_masks(found.run_lengths, settings.min_mask_region_area, threshold)
    return found.changed(Segmentation.from_run_lengths(masks, found.size, found.scores, found.object_ids)).taken(places)


def _counted(step: str, found: AutomaticMasks) -> AutomaticMasks:
    return found.changed(counts=found.counts.plus(**{step: len(found)}))


def _order(found: AutomaticMasks) -> Places:
    """Return the places of the masks in the order that was asked for; of equal ones the first comes first."""
    if found.settings.order == "area":
        return np.argsort(-found.areas, kind="stable")
    if found.settings.order == "position":
        return np.lexsort((found.boxes[:, 0], found.boxes[:, 1]))
    return np.arange(len(found))
