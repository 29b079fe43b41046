"""The annotated images of an evaluation, by name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from masklet.errors import InvalidInputError
from masklet.evaluation.annotated_data import image_datasets
from masklet.formats.reading.annotated import AnnotatedImage, AnnotatedImages
from masklet.formats.reading.problems import listing, refuse_errors


@dataclass(frozen=True)
class MeasuredImages:
    """The first images of each dataset of a folder; their names are those of the dataset and of the file.

    Attributes:
        root: a dataset of images, or a folder of several.
        limit: take only the first so many images of each dataset; None: all.
    """

    root: str
    limit: int | None = None

    def names(self) -> list[str]:
        """Return a name for each image: its dataset and its file name.

        InvalidInputError if a dataset is incomplete, or, with a limit, if files of the chosen images are missing.
        """
        if self.limit is None:
            refuse_errors(self.root, chain.from_iterable(each.problems() for each in self._datasets.values()))
        missing = [path for name in self._places for path in self.files(name) if not path.is_file()]
        if missing:
            raise InvalidInputError(f"{len(missing)} files are missing: {listing(missing)}.")
        return list(self._places)

    def files(self, name: str) -> Sequence[Path]:
        """Return the file of an image and those of its annotations."""
        dataset, number = self._places[name]
        return self._datasets[dataset].files_of(number)

    def dataset_of(self, name: str) -> str:
        """Return the name of the dataset that an image belongs to."""
        return self._places[name][0]

    def __getitem__(self, name: str) -> AnnotatedImage:
        """Return an image; InvalidInputError if its annotations are broken."""
        dataset, number = self._places[name]
        return self._datasets[dataset][number]

    @cached_property
    def _datasets(self) -> dict[str, AnnotatedImages]:
        return image_datasets(self.root)

    @cached_property
    def _places(self) -> dict[str, tuple[str, int]]:
        """The dataset of each chosen image and its number in it."""
        chosen = [
            (f"{dataset}/{images.name_of(number)}", (dataset, number))
            for dataset, images in self._datasets.items()
            for number in range(len(images))[: self.limit]
        ]
        if repeated := [name for name, count in Counter(name for name, _ in chosen).items() if count > 1]:
            raise InvalidInputError(f"{len(repeated)} images are listed more than once: {listing(repeated)}.")
        return dict(chosen)
