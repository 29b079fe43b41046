"""What can be chosen for `masklet track`."""

from enum import StrEnum


class Direction(StrEnum):
    """Where to go from the prompted frames."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


class Product(StrEnum):
    """What is written beside the JSON file of all masks."""

    OVERLAY = "overlay"
    CONTACT_SHEET = "contact-sheet"
    LABEL_MAPS = "label-maps"
    MASK_VIDEOS = "mask-videos"
    NONE = "none"
