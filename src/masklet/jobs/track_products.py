"""The names of what can be written of a tracked video; loads nothing, so that `masklet --help` can list them."""

from enum import StrEnum


class Product(StrEnum):
    """What is written beside the JSON file of all masks."""

    OVERLAY = "overlay"
    CONTACT_SHEET = "contact-sheet"
    LABEL_MAPS = "label-maps"
    MASK_VIDEOS = "mask-videos"
    YOUTUBE_VIS = "youtube-vis"
    SAV = "sa-v"
    MOT = "mot"
    OBJECTS = "objects"
    NONE = "none"
