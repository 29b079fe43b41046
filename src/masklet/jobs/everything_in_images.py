"""Everything in many images: the results of each are files, and a journal knows which images are finished."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from PIL import Image

from masklet.atomic_files import remove_unfinished
from masklet.automask.masks import AutomaticMasks
from masklet.errors import InvalidInputError
from masklet.formats.sa1b import write_sa1b_json
from masklet.jobs.journal import ItemJournal
from masklet.media.images import read_image
from masklet.media.mask_files import write_layered_label_map
from masklet.media.overlays import draw_overlay, write_overlay
from masklet.predictors.automatic_mask_generator import AutomaticMaskGenerator

JOB = {"job": "everything in images"}  # on the first line of the journal
OVERLAY, LABEL_MAP, MASKS = "_overlay.png", "_mask.png", ".json"


@dataclass(frozen=True)
class FinishedImage:
    """An image whose results are written.

    Attributes:
        made_by: a hash of all that they depend on beside the image.
    """

    made_by: str

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; InvalidInputError if it is something else."""
        made_by = content.get("made_by")
        if not isinstance(made_by, str):
            raise InvalidInputError("it has no made_by")
        return cls(made_by)


def files_of(folder: Path, image: Path) -> tuple[Path, ...]:
    """Return the files in `folder` of an image's results."""
    return tuple(folder / f"{image.stem}{ending}" for ending in (OVERLAY, LABEL_MAP, MASKS))


def write_everything(
    folder: Path, image: Path, pixels: Image.Image, masks: AutomaticMasks, number: int, *, ids: bool = False
) -> None:
    """Write overlay, label map of 16 bits and the masks as SA-1B has them; OSError if a file cannot be written.

    Args:
        folder: where the files go.
        image: the file of the image.
        pixels: what it holds.
        masks: what was found in it.
        number: its `image_id`.
        ids: whether the overlay shows the objects' ids.
    """
    overlay, label_map, json_file = files_of(folder, image)
    write_overlay(overlay, draw_overlay(pixels, masks, ids=ids))
    write_layered_label_map(label_map, masks)
    write_sa1b_json(json_file, masks, image.name, number)


class EverythingInImages:
    """Segments images, writes of each an overlay, a label map of 16 bits and the masks as SA-1B has them.

    Args:
        generator: finds the masks.
        folder: where the files go, NAME_overlay.png, NAME_mask.png and NAME.json; made if it does not exist.
        bands: of TIFF images, see `read_image`.
        shows_ids: whether overlays show the objects' ids.
        version: of the program that segments.

    Attributes:
        folder: as given.

    Raises:
        InvalidInputError: if the journal in the folder is that of another job.
    """

    def __init__(
        self,
        generator: AutomaticMaskGenerator,
        folder: Path,
        *,
        bands: Sequence[int] | None = None,
        shows_ids: bool = False,
        version: str = "",
    ) -> None:
        self.folder, self._generator = folder, generator
        self._bands, self._shows_ids = bands, shows_ids
        runtime = generator.runtime
        settings = [asdict(generator.settings), runtime.fingerprint, str(runtime.dtype), bands, shows_ids, version]
        self._made_by = hashlib.sha256(json.dumps(settings).encode()).hexdigest()
        remove_unfinished(folder)
        self._journal = ItemJournal(folder, JOB, lambda name: [Path(name)], FinishedImage)

    def files_of(self, image: Path) -> tuple[Path, ...]:
        """Return the files of an image's results."""
        return files_of(self.folder, image)

    def is_finished(self, image: Path) -> bool:
        """Whether all files of an image are there, made of it as it is now and by these settings."""
        finished = self._journal.get(os.path.realpath(image))
        is_current = finished is not None and finished.made_by == self._made_by
        return is_current and all(each.is_file() for each in self.files_of(image))

    def segment(self, image: Path, number: int, progress: Callable[[int, int], None] | None = None) -> AutomaticMasks:
        """Segment an image of which `is_finished` was asked, write its files and note that it is finished.

        Args:
            image: the file.
            number: of the image, its `image_id`.
            progress: called with the number of points that are decoded, and of all.

        Raises:
            UnreadableImageError: if it is no image.
            OSError: if a file cannot be read or written.
        """
        pixels = read_image(image, bands=self._bands)
        masks = self._generator.generate(pixels, progress=progress)
        write_everything(self.folder, image, pixels, masks, number, ids=self._shows_ids)
        self._journal.add(os.path.realpath(image), FinishedImage(self._made_by))
        return masks
