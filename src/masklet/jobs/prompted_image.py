"""An image segmented by the prompts of its objects, and the files that are written of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from masklet.masks.segmentation import Segmentation
from masklet.media.images import read_image
from masklet.media.mask_files import write_mask_json, write_mask_png
from masklet.media.overlays import draw_overlay, write_overlay
from masklet.media.prompt_entries import PromptEntry, empty_mask_error
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.mask_prompts import network_logits
from masklet.prompts.prompt import Prompt

CANDIDATES = 3  # of each object, with all its masks


def candidate_name(path: Path, rank: int) -> str:
    """Return what the files of an image's candidates begin with; rank 1 is the best."""
    return f"{path.stem}_candidate{rank}"


def segment_image(
    segmenter: ImageSegmenter,
    path: Path,
    objects: Sequence[PromptEntry],
    folder: Path,
    *,
    multimask: bool = False,
    bands: Sequence[int] | None = None,
    ids: bool = False,
) -> Iterator[Path]:
    """Segment one image, write NAME_overlay.png, NAME_mask.png and NAME.json, and yield their paths.

    Args:
        segmenter: the model.
        path: the image file.
        objects: with their prompts.
        folder: where the files go.
        multimask: whether to write the three candidates of each object, too, see `candidate_name`.
        bands: of TIFF images, see `read_image`.
        ids: whether overlays show the objects' numbers.

    Raises:
        InvalidInputError: for prompts outside the image.
        UnreadableImageError: for an image, or a mask, that cannot be read.
        OSError: if a file cannot be written.
    """
    image = read_image(path, bands=bands)
    encoded = segmenter.encode(image)
    prompts = prompts_by_number(segmenter, objects, encoded)
    results = {path.stem: segment_objects(segmenter, encoded, prompts)}
    if multimask:
        ranked = segment_candidates(segmenter, encoded, prompts)
        results |= {candidate_name(path, rank): each for rank, each in enumerate(ranked, start=1)}
    for name, segmentation in results.items():
        yield from _write(folder / name, path, image, segmentation, list(prompts.values()), ids)


def prompts_by_number(
    segmenter: ImageSegmenter, entries: Sequence[PromptEntry], encoded: EncodedImage
) -> dict[int, Prompt]:
    """Return the prompts of all objects, by ascending number; errors as `PromptEntry.prompt` raises them.

    Masks are those that the network takes, which are a fraction of a large image's. InvalidInputError for masks without
    any pixel, too.
    """
    in_order = sorted(entries, key=lambda each: each.object_id)
    return {entry.object_id: _prompt(segmenter, entry, encoded) for entry in in_order}


def _prompt(segmenter: ImageSegmenter, entry: PromptEntry, encoded: EncodedImage) -> Prompt:
    prompt = entry.prompt(encoded.height, encoded.width, "its image")
    if prompt.mask is None:
        return prompt
    if not prompt.mask.any():
        raise empty_mask_error(entry.mask_file)
    return prompt.with_mask(network_logits(prompt.mask, segmenter.runtime))


def segment_objects(segmenter: ImageSegmenter, encoded: EncodedImage, prompts: dict[int, Prompt]) -> Segmentation:
    """Return one mask per object; errors as `ImageSegmenter.segment` raises them."""
    return segmenter.segment(encoded, prompts=list(prompts.values()), object_ids=list(prompts))


def segment_candidates(
    segmenter: ImageSegmenter, encoded: EncodedImage, prompts: dict[int, Prompt]
) -> list[Segmentation]:
    """Return the best, second and third mask of every object, by predicted IoU: one `Segmentation` per rank."""
    of_objects = segmenter.candidates(encoded, prompts=list(prompts.values()))
    named = list(zip(prompts, of_objects, strict=True))
    return [
        Segmentation.joined([each.taken(rank, [object_id]) for object_id, each in named])
        for rank in range(len(of_objects[0]))
    ]


def _write(
    start: Path, path: Path, image: Image.Image, segmentation: Segmentation, prompts: Sequence[Prompt], ids: bool
) -> Iterator[Path]:
    """Write overlay, mask and JSON to paths that begin with `start`."""
    clicks = [click for each in prompts for click in each.clicks]
    boxes = [each.box for each in prompts if each.box is not None]
    overlay, mask, run_lengths = (Path(f"{start}{ending}") for ending in ("_overlay.png", "_mask.png", ".json"))
    write_overlay(overlay, draw_overlay(image, segmentation, points=clicks, boxes=boxes, ids=ids))
    yield overlay
    write_mask_png(mask, segmentation)
    yield mask
    write_mask_json(run_lengths, segmentation, path.name)
    yield run_lengths
