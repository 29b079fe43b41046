"""Images that one file of annotations lists, with the annotations of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet.errors import InvalidInputError
from masklet.formats.reading.annotated import AnnotatedImage
from masklet.formats.reading.encoded_objects import encoded_image
from masklet.formats.reading.listed_images import ListedImages
from masklet.formats.reading.problems import Problem, ProblemKind
from masklet.media.images import upright_size


@dataclass(frozen=True)
class ListedImage:
    """An image as a file of annotations lists it.

    Attributes:
        name: of its file.
        size: `height` and `width`, not checked yet; nothing where they are those of the image file.
        annotations: of its objects, not read yet.
    """

    name: str
    size: Mapping[str, Any]
    annotations: Sequence[Any]


class ListedFolder:
    """The images of a file of annotations, in its order.

    Args:
        annotations: the file; the images are where `ListedImages` looks for them.
        images: that it lists.
    """

    def __init__(self, annotations: Path, images: Sequence[ListedImage]) -> None:
        self._annotations_path, self._images = annotations, images
        self.root = annotations.parent
        self._files = ListedImages(annotations, [each.name for each in images])

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[AnnotatedImage]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> AnnotatedImage:
        """Return image `index`, upright; InvalidInputError, naming the annotation, if one is broken."""
        image = self._images[index]
        place = f"{self._annotations_path}: {image.name}"
        size = image.size or dict(zip(("height", "width"), upright_size(self.path_of(index)), strict=True))
        try:
            annotations = [self._as_coco(each, size) for each in image.annotations]
        except InvalidInputError as error:
            raise InvalidInputError(f"{place}: {error}") from error
        return encoded_image(image.name, self.path_of(index), size, annotations, place)

    def _as_coco(self, annotation: Any, size: Mapping[str, Any]) -> Any:
        """Return an annotation of an image of that size as `encoded_image` reads it."""
        raise NotImplementedError

    def path_of(self, index: int) -> Path:
        """Return the file of image `index`, which may be missing."""
        return self._files.path_of(self.name_of(index))

    def name_of(self, index: int) -> str:
        """Return the name by which image `index` is listed."""
        return self._images[index].name

    def files_of(self, index: int) -> tuple[Path, ...]:
        """Return image `index` and the file of all annotations."""
        return self.path_of(index), self._annotations_path

    def problems(self) -> Iterator[Problem]:
        """Yield images that are missing, or have no annotations; reads names only."""
        for index, image in enumerate(self._images):
            path = self.path_of(index)
            if not path.is_file():
                detail = f"listed in {self._annotations_path}, but there is no such file"
                yield Problem(ProblemKind.MASK_WITHOUT_IMAGE, str(path), detail)
            elif not image.annotations:
                yield Problem(ProblemKind.WITHOUT_OBJECTS, str(path), f"{self._annotations_path} has none of it")
