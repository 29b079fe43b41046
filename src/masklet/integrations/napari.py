"""Results as layers of napari."""

from typing import Any

from masklet.errors import InvalidInputError
from masklet.masks.outlines import pieces_of
from masklet.masks.segmentation import Segmentation
from masklet.media.mask_files import label_map_of


def napari_labels(segmentation: Segmentation, name: str = "masks") -> Any:
    """Return a layer `napari.layers.Labels` of the object ids; where masks overlap, the highest score shows.

    InvalidInputError if napari is not installed, or an object id is above 65535.
    """
    return _layers().Labels(label_map_of(segmentation), name=name)


def napari_shapes(segmentation: Segmentation, name: str = "outlines") -> Any:
    """Return a layer `napari.layers.Shapes` of polygons, one a piece, with the ids and scores as features.

    Holes are not in them. InvalidInputError if napari is not installed.
    """
    outlines, object_ids, scores = [], [], []
    for place, object_id in enumerate(segmentation.object_ids):
        for piece in pieces_of(segmentation.mask(place)):
            outlines.append(piece.outline[:, ::-1] - 0.5)  # rows and columns, of which whole numbers are the centres
            object_ids.append(object_id)
            scores.append(float(segmentation.scores[place]))
    features = {"object_id": object_ids, "score": scores}
    return _layers().Shapes(outlines, shape_type="polygon", features=features, name=name)


def _layers() -> Any:
    try:
        import napari.layers
    except ImportError as error:
        raise InvalidInputError("Layers are napari's: pip install napari.") from error
    return napari.layers
