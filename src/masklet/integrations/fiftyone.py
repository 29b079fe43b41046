"""Results as labels of FiftyOne."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from masklet.errors import InvalidInputError
from masklet.masks.segmentation import Segmentation

_ONE_KIND: Mapping[int, str] = MappingProxyType({})


def fiftyone_detections(segmentation: Segmentation, labels: Mapping[int, str] = _ONE_KIND) -> Any:
    """Return the objects as `fiftyone.Detections`: each its box, the mask in it, its score and its id as `index`.

    Objects without a pixel are left out.

    Args:
        segmentation: of one image.
        labels: the names of the objects' kinds by their ids; those without are "object".

    Raises:
        InvalidInputError: if FiftyOne is not installed.
    """
    try:
        from fiftyone import Detection, Detections
    except ImportError as error:
        raise InvalidInputError("Labels are FiftyOne's: pip install fiftyone.") from error
    height, width = segmentation.size
    found = []
    for place, object_id in enumerate(segmentation.object_ids):
        left, top, right, bottom = segmentation.boxes[place].astype(int).tolist()
        if right > left:
            found.append(
                Detection(
                    label=labels.get(object_id, "object"),
                    bounding_box=[left / width, top / height, (right - left) / width, (bottom - top) / height],
                    mask=segmentation.mask(place)[top:bottom, left:right],
                    confidence=float(segmentation.scores[place]),
                    index=object_id,
                )
            )
    return Detections(detections=found)
