"""The objects of a prompt file or of the command line, segmented in one encoded image."""

from collections.abc import Sequence

from masklet.masks.segmentation import Segmentation
from masklet.media.prompt_entries import PromptEntry, empty_mask_error
from masklet.predictors.image_segmenter import EncodedImage, ImageSegmenter
from masklet.processing.mask_prompts import network_logits
from masklet.prompts.prompt import Prompt


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
