"""Annotated videos from a folder in the layout of MOSE."""

import re
from pathlib import Path

from masklet.folders import folders_in, matching
from masklet.formats.reading.label_map_folder import ANNOTATIONS, LabelMapFolder

META = "meta_*.json"
NAME_OF_VIDEO = re.compile("[0-9a-f]{8}")
"""As 00b72f4d; those of YouTube-VOS have ten digits."""


class MoseFolder(LabelMapFolder):
    """The sequences of `root`, every frame of which has a label map; objects may come at any time, and come back.

    It differs from DAVIS in the objects that count: all that any frame shows, not only those of the first. In the
    validation set, whose ground truth is not public, only the first frames have a label map.
    """

    NAME = "MOSE"
    LAYOUT = f"as DAVIS, with videos named as 00b72f4d, or {META} in ROOT or beside it"
    EVERY_FRAME_IS_ANNOTATED = True

    @classmethod
    def _is_layout_of(cls, folder: Path) -> bool:
        """Return whether there are the names or the lists that MOSE has."""
        names = [each.name for each in folders_in(folder / ANNOTATIONS)]
        has_its_names = bool(names) and all(NAME_OF_VIDEO.fullmatch(each) for each in names)
        return has_its_names or any(matching(each, META) for each in (folder, folder.absolute().parent))

    def _unpaired(self, frames: dict[str, Path], annotations: dict[str, Path]) -> set[str]:
        is_of_validation = list(annotations) == list(frames)[:1]
        return set() if is_of_validation else super()._unpaired(frames, annotations)
