"""What files of other tools, or masklet's own, show: masks by the names of images and videos."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from masklet.errors import InvalidInputError
from masklet.folders import matching
from masklet.formats.names import without_suffix
from masklet.formats.reading.annotated import CATEGORY, AnnotatedImage, AnnotatedImages, AnnotatedVideos
from masklet.formats.reading.opening import holds_videos, open_dataset
from masklet.json_files import read_json
from masklet.masks.geometry import Mask
from masklet.media.recorded_masks import RecordedMasks

Sizes = Collection[tuple[int, int]]
"""Heights and widths of the items; masks of no such size are not decoded."""


@dataclass(frozen=True)
class ShownObject:
    """The mask of an object, None if it has no item's size; its kind, and its score from 0 to 1."""

    category: str
    score: float
    mask: Mask | None


@dataclass(frozen=True)
class ShownFrame:
    """What is shown of a name by object: of an image (`frame` is None), or on a frame of a video.

    Attributes:
        name: without suffix, behind its folders.
        frame: its number in the files.
        frame_name: the number that its own name is, where it is one.
        frames: so many the video has in the files.
        objects: by their numbers in the files.
    """

    name: str
    frame: int | None
    objects: Mapping[int, ShownObject]
    frame_name: int | None = None
    frames: int | None = None


def read_masks(folder: Path, sizes: Sizes) -> Iterator[ShownFrame]:
    """Yield what the files of a folder show, in masklet's own format or any of `masklet.formats`.

    InvalidInputError or UnreadableImageError if they cannot be read.
    """
    if own := [path for path in matching(folder, "*.json") if _is_recorded(path)]:
        for path in own:
            yield from _recorded(path, sizes)
        return
    dataset = open_dataset(folder)
    if holds_videos(dataset):
        yield from _of_videos(dataset)
    else:
        images = cast(AnnotatedImages, dataset)
        for index in range(len(images)):
            name = without_suffix(images.name_of(index))
            yield ShownFrame(name, None, _of_image(images[index], sizes))


def _of_videos(dataset: AnnotatedVideos) -> Iterator[ShownFrame]:
    for name in dataset.sequences:
        video = dataset[name]
        for place in video.annotated_frames:
            own = video.frame_names[place]
            objects = {
                number: ShownObject(video.categories.get(number, CATEGORY), 1.0, mask)
                for number, mask in video.masks(place).items()
            }
            yield ShownFrame(name, place, objects, int(own) if own.isdecimal() else None, len(video))


def _of_image(image: AnnotatedImage, sizes: Sizes) -> dict[int, ShownObject]:
    known, fits = {each.object_id for each in image.objects}, (image.height, image.width) in sizes
    has_ids = None not in known and len(known) == len(image.objects)
    return {
        (each.object_id or place) if has_ids else place: ShownObject(
            each.category, 1.0 if each.score is None else each.score, each.mask() if fits else None
        )
        for place, each in enumerate(image.objects, start=1)
    }


def _is_recorded(path: Path) -> bool:
    content = read_json(path)
    return isinstance(content, dict) and {"video", "frames"} <= content.keys()


def _recorded(path: Path, sizes: Sizes) -> Iterator[ShownFrame]:
    """Yield what a file of masklet's own shows; the classes of its objects stand beside them."""
    about = read_json(path)["video"]
    size = next((each for each in sizes if isinstance(about, dict) and each == (about["height"], about["width"])), None)
    if size is None:
        raise InvalidInputError(f"{path.name} has masks of another size than all items.")
    listed = about.get("objects")
    objects = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    classes = {each.get("id"): str(each["class"]) for each in objects if each.get("class")}
    with RecordedMasks(*size) as recorded:
        recorded.load(path)
        for frame in recorded:
            shown = recorded[frame]
            masks = {
                number: ShownObject(classes.get(number, CATEGORY), float(shown.scores[place]), shown.mask(place))
                for place, number in enumerate(shown.object_ids)
            }
            yield ShownFrame(path.stem, frame, masks)
