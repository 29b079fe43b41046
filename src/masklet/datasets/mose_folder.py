"""Annotated videos from a folder in the layout of MOSE."""

from pathlib import Path

from masklet.datasets.label_map_folder import LabelMapFolder, holds_sequences

META = "meta_*.json"


class MoseFolder(LabelMapFolder):
    """The sequences of `root`, every frame of which has a label map; objects may come at any time, and come back.

    What tells it from DAVIS is which objects count: all that any frame shows, not only those of the first.
    """

    NAME = "MOSE"
    LAYOUT = f"as DAVIS, with {META} in ROOT or beside it"
    EVERY_FRAME_IS_ANNOTATED = True

    @classmethod
    def recognises(cls, root: Path) -> bool:
        """Whether there are the two folders of DAVIS, and lists as MOSE has them."""
        return holds_sequences(root) and any(any(each.glob(META)) for each in (root, root.absolute().parent))
