"""Annotated videos from a folder in the layout of DAVIS 2016 or 2017."""

from pathlib import Path

from masklet.formats.reading.label_map_folder import ANNOTATIONS, FRAMES, LabelMapFolder
from masklet.formats.reading.label_map_video import LabelMapVideo
from masklet.formats.reading.problems import listing
from masklet.media.label_maps import UnknownLabelError, object_ids_in
from masklet.media.mask_pixels import FEW

RESOLUTIONS = ("480p", "Full-Resolution")
MISSING_SHARE = 4  # the first frame shows less than one in so many


class DavisVideo(LabelMapVideo):
    """A sequence whose objects are those of its first frame."""

    @property
    def object_ids(self) -> tuple[int, ...]:
        """1 to the highest id in the first frame, as DAVIS' tool counts; those between may appear later, or never.

        UnknownLabelError if nearly all of them would be missing, as of masks in 0 and 128.
        """
        shown = object_ids_in(self.first_labels)
        highest = max(shown, default=0)
        if highest > FEW and MISSING_SHARE * len(shown) < highest:
            raise UnknownLabelError(
                f"{self.annotation_paths[0]} shows the values {listing(shown)}, which do not count objects from 1, as "
                "ids do in the layout of DAVIS. Save one object as 0 and 255, several as 0, 1, 2 and so on."
            )
        return tuple(range(1, highest + 1))


class DavisFolder(LabelMapFolder):
    """The sequences of `root`, every frame of which has a label map.

    Where DAVIS' folders of resolutions are, `480p` is taken, or else `Full-Resolution`.
    """

    NAME = "DAVIS"
    LAYOUT = (
        f"{FRAMES}/SEQUENCE/FRAME.jpg and {ANNOTATIONS}/SEQUENCE/FRAME.png for every frame, perhaps in 480p, "
        "or the path of a text file in it that names sequences"
    )
    EVERY_FRAME_IS_ANNOTATED = True

    @classmethod
    def _is_layout_of(cls, folder: Path) -> bool:
        """Return True: YouTube-VOS and MOSE are recognised before."""
        return True

    def _folder(self, folder: Path) -> Path:
        folder = super()._folder(folder)
        return next((folder / each for each in RESOLUTIONS if (folder / each).is_dir()), folder)

    def _video(
        self, name: str, frames: tuple[Path, ...], annotated: tuple[int, ...], paths: tuple[Path, ...]
    ) -> DavisVideo:
        return DavisVideo(name, frames, annotated, paths)
